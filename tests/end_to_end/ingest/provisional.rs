//! A last line that was taken without its line end: the finished line replaces it silently, however it is met (I2).

use std::time::Duration;

use super::*;

const FIRST: &str = "\"2024-05-01 00:00:00\",0,1,2\r\n";
const TORN: &str = "\"2024-05-01 00:00:05\",1,3,12";
const FINISHED: &str = "\"2024-05-01 00:00:05\",1,3,12.75\r\n";

/// A station that took the torn line and sent it.
fn torn() -> Station {
    let tower = Station::new();
    tower.write(DAT, behind_header(FIRST.to_owned() + TORN));
    tower.age(DAT, Duration::from_secs(3600));
    counted(tower.run_json(&["ingest"]), "header 4 staged 2").expect(0);
    assert_eq!(tower.rows(TABLE)[1].vals, "[3,12]");
    tower.run(&["sync"]).expect(0);
    assert_eq!(tower.count("SELECT count(*) FROM reading WHERE state = 1"), 2);
    tower
}

#[track_caller]
fn is_finished(tower: &Station) {
    let values: Vec<String> = tower.rows(TABLE).into_iter().map(|row| row.vals).collect();
    assert_eq!(values, ["[1,2]", "[3,12.75]"]);
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0);
    assert_eq!(tower.count("SELECT conflicts FROM logger_table"), 0);
    assert_eq!(tower.count("SELECT pending FROM logger_table"), 1, "it is sent again");
    assert_eq!(tower.count("SELECT count(*) FROM reading WHERE state = 0"), 1);
    assert_eq!(tower.count("SELECT count(*) FROM provisional"), 0);
    tower.run(&["sync"]).expect(0);
}

#[test]
fn i2_the_rest_of_a_torn_line_is_appended() {
    let tower = torn();
    tower.append(DAT, ".75\r\n");
    counted(tower.run_json(&["ingest"]), "duplicates 1").expect(0);
    is_finished(&tower);
}

#[test]
fn i2_the_file_of_a_torn_line_is_rewritten() {
    let tower = torn();
    tower.write(DAT, behind_header(FINISHED));
    counted(tower.run_json(&["ingest"]), "header 4 duplicates 1").expect(0);
    is_finished(&tower);
}

#[test]
fn i2_the_rest_of_a_torn_line_is_read_from_another_place_of_another_file() {
    let tower = torn();
    tower.write("copy.dat", behind_header(FINISHED));
    let path = tower.path("copy.dat");
    counted(tower.run_json(&["ingest", path.to_str().unwrap()]), "header 4 duplicates 1").expect(0);
    is_finished(&tower);
}

#[test]
fn i2_a_torn_line_that_grows_without_its_end_stays_provisional() {
    let tower = torn();
    tower.append(DAT, ".7");
    tower.age(DAT, Duration::from_secs(3600));
    counted(tower.run_json(&["ingest"]), "duplicates 1").expect(0);
    assert_eq!(tower.rows(TABLE)[1].vals, "[3,12.7]");
    tower.append(DAT, "5\r\n");
    counted(tower.run_json(&["ingest"]), "duplicates 1").expect(0);
    is_finished(&tower);
}

#[test]
fn i2_a_torn_copy_of_a_whole_line_changes_nothing() {
    let tower = Station::new();
    ingest(&tower, behind_header(FIRST.to_owned() + FINISHED), "header 4 staged 2").expect(0);
    tower.write("copy.dat", behind_header(TORN));
    tower.age("copy.dat", Duration::from_secs(3600));
    counted(tower.run_json(&["ingest", "copy.dat"]), "header 4 duplicates 1").expect(0);
    assert_eq!(tower.rows(TABLE)[1].vals, "[3,12.75]");
}

#[test]
fn i2_a_torn_line_that_was_rejected_is_dropped_when_it_is_finished() {
    let tower = Station::new();
    tower.write(DAT, behind_header(FIRST.to_owned() + "\"2024-05-01 00:00:05\",1,3"));
    tower.age(DAT, Duration::from_secs(3600));
    counted(tower.run_json(&["ingest"]), "header 4 staged 1 rejected 1").expect(1);
    tower.append(DAT, ",12.75\r\n");
    counted(tower.run_json(&["ingest"]), "staged 1").expect(0);
    assert_eq!(tower.count("SELECT count(*) FROM rejected_line"), 0);
    assert_eq!(tower.count("SELECT rejected_lines FROM logger_table"), 0);
    assert_eq!(tower.count("SELECT count(*) FROM provisional"), 0);
}

/// A station whose `valid_from` refused a torn line, and was moved back then.
fn torn_before_valid_from() -> Station {
    let tower = Station::new().table_keys("valid_from = \"2024-06-01\"");
    tower.write(DAT, behind_header(TORN));
    tower.age(DAT, Duration::from_secs(3600));
    counted(tower.run_json(&["ingest"]), "header 4 rejected 1").expect(1);
    tower.replace_in_config("valid_from = \"2024-06-01\"", "");
    tower
}

#[test]
fn i1_a_torn_line_that_is_judged_again_is_counted_out_of_the_rejected_lines_once() {
    let tower = torn_before_valid_from();
    tower.run_json(&["ingest"]).expect(0);
    assert_eq!(tower.rows(TABLE)[0].vals, "[3,12]");
    assert_eq!(tower.count("SELECT count(*) FROM rejected_line"), 0);
    assert_eq!(tower.count("SELECT rejected_lines FROM logger_table"), 0);
}

#[test]
fn i2_a_torn_line_that_is_judged_again_stays_provisional_until_it_is_finished() {
    let tower = torn_before_valid_from();
    tower.run_json(&["ingest"]).expect(0);
    tower.append(DAT, ".75\r\n");
    counted(tower.run_json(&["ingest"]), "duplicates 1").expect(0);
    assert_eq!(tower.rows(TABLE)[0].vals, "[3,12.75]");
    for none in ["conflict", "rejected_line", "provisional"] {
        assert_eq!(tower.count(&format!("SELECT count(*) FROM {none}")), 0, "{none}");
    }
    assert_eq!(tower.count("SELECT conflicts + rejected_lines FROM logger_table"), 0);
}

#[test]
fn i2_a_finished_line_that_is_rejected_too_replaces_its_beginning() {
    let tower = Station::new().table_keys("valid_from = \"2024-06-01\"");
    tower.write(DAT, behind_header(TORN));
    tower.age(DAT, Duration::from_secs(3600));
    counted(tower.run_json(&["ingest"]), "header 4 rejected 1").expect(1);
    tower.append(DAT, ".75\r\n");
    counted(tower.run_json(&["ingest"]), "rejected 1").expect(1);
    assert_eq!(rejected(&tower).into_iter().map(|line| line.1).collect::<Vec<_>>(), [FINISHED.trim_end()]);
    assert_eq!(tower.count("SELECT rejected_lines FROM logger_table"), 1);
    assert_eq!(tower.count("SELECT count(*) FROM provisional"), 0);
}

#[test]
fn i3_another_whole_line_under_the_key_of_a_torn_one_counts_and_both_are_kept() {
    let tower = torn();
    tower.write(DAT, behind_header("\"2024-05-01 00:00:05\",1,3,99\r\n"));
    counted(tower.run_json(&["ingest"]), "header 4 conflicts 1").expect(1);
    assert_eq!(tower.rows(TABLE)[1].vals, "[3,99]");
    assert_eq!(tower.count("SELECT count(*) FROM conflict WHERE raw = '[3,12]' AND stays = 'newer'"), 1);
}
