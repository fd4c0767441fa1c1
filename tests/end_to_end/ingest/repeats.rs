//! The same key again: a block collected twice, a clock that stepped back.

use super::*;

#[test]
fn i3_a_block_that_was_collected_twice_is_staged_once() {
    let tower = Station::new();
    let content = par(0..13) + &Logger::par().rows(0..13);
    ingest(&tower, content, "header 4 staged 13 duplicates 13").expect(0);
    assert_eq!(tower.rows(TABLE).len(), 13);
    assert_eq!(tower.run_json(&["gaps"]).expect(0).json()["gaps"].as_array().unwrap().len(), 0);
    assert_eq!(tower.run_json(&["conflicts"]).expect(0).json()["conflicts"].as_array().unwrap().len(), 0);
}

#[test]
fn i3_an_equal_time_with_another_record_is_a_conflict_and_both_are_kept() {
    let tower = Station::new();
    let content = "\"2024-05-01 00:00:00\",0,1,2\r\n\"2024-05-01 00:00:05\",1,3,4\r\n\"2024-05-01 00:00:05\",2,3,4\r\n";
    ingest(&tower, behind_header(content), "header 4 staged 2 conflicts 1").expect(1);
    assert_eq!(rows(&tower)[1], "2024-05-01T05:00:05Z 1 [3,4]");
    let conflict = tower.run_json(&["conflicts"]).expect(1).json()["conflicts"][0].clone();
    assert_eq!(conflict["raw"], "\"2024-05-01 00:00:05\",2,3,4");
    assert_eq!((conflict["record"].as_i64(), conflict["stays"].as_str()), (Some(2), Some("first")));
    // An equal time is a conflict and no step of the clock; no record is missing.
    let gaps = tower.run_json(&["gaps"]).expect(0).json();
    assert_eq!((gaps["gaps"].as_array().unwrap().len(), gaps["clock"].as_array().unwrap().len()), (0, 0));
    // Read again, it is the same conflict and not a second one.
    ingest(&tower, behind_header(content.to_owned() + "\r\n"), "blank 1").expect(0);
    let path = tower.path(DAT);
    counted(tower.run_json(&["ingest", path.to_str().unwrap()]), "header 4 duplicates 2 conflicts 1 blank 1").expect(1);
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 1);
}
