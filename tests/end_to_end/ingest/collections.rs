//! From one collection to the next: which file, which table, which line.

use super::*;

#[test]
fn a_line_rejected_behind_the_resume_point_has_its_number_in_the_whole_file() {
    let tower = Station::new();
    ingest(&tower, par(0..10), "header 4 staged 10").expect(0);
    tower.append(DAT, "damage\r\n");
    counted(tower.run_json(&["ingest"]), "rejected 1").expect(1);
    let json = tower.run_json(&["rejected"]).json();
    assert!(json["rejected"][0]["place"].as_str().unwrap().ends_with(&format!("{DAT}:15")), "{json}");
}

#[test]
fn a_file_replaced_by_a_shorter_one_is_read_whole() {
    let tower = Station::new();
    ingest(&tower, par(0..10), "header 4 staged 10").expect(0);
    ingest(&tower, par(8..12), "header 4 duplicates 2 staged 2").expect(0);
    ingest(&tower, par(14..18), "header 4 staged 4").expect(0);
    let gap = tower.run_json(&["gaps"]).expect(1).json()["gaps"][0].clone();
    assert_eq!((gap["before_record"].as_i64(), gap["after_record"].as_i64()), (Some(11), Some(14)));
    assert_eq!(gap["from"], "2024-05-01 00:00:55");
    assert_eq!(gap["to"], "2024-05-01 00:01:10");
}

#[test]
fn a_file_that_is_missing_is_said_and_the_next_one_is_read() {
    let tower = Station::new();
    let ended = counted(tower.run_json(&["ingest"]), "").expect(1);
    assert!(notes(&ended).contains("no file matches"), "{}", notes(&ended));
    ingest(&tower, par(0..2), "header 4 staged 2").expect(0);
}

#[test]
fn a_file_given_by_hand_finds_its_table_by_line_1_or_asks() {
    let tower = Station::new().more("[[table]]\nname = \"status\"\nfiles = [\"status.dat\"]");
    tower.write(DAT, par(0..2));
    tower.write("status.dat", Logger::par().table("Status").columns(&["Batt"]).file(0..2));
    tower.run_json(&["ingest"]).expect(0);
    tower.write("export.dat", Logger::par().table("Status").columns(&["Batt"]).file(1..4));
    let json = tower.run_json(&["ingest", "export.dat"]).expect(0).json();
    assert_eq!((json["tables"][0]["table"].as_str(), json["tables"][0]["staged"].as_u64()), (Some("status"), Some(2)));
    tower.write("stranger.dat", Logger::par().table("Other").file(0..1));
    tower.run(&["ingest", "stranger.dat"]).expect(2).says("name it with --table NAME");
}

#[test]
fn i2_a_number_taken_from_an_unterminated_line_gives_way_to_the_whole_one() {
    let tower = Station::new();
    let torn = behind_header("\"2024-05-01 00:00:00\",0,1,2\r\n\"2024-05-01 00:00:05\",1,3,8.85");
    tower.write(DAT, &torn);
    tower.age(DAT, std::time::Duration::from_secs(3600));
    counted(tower.run_json(&["ingest"]), "header 4 staged 2").expect(0);
    assert_eq!(tower.rows(TABLE)[1].vals, "[3,8.85]");
    tower.append(DAT, "2894\r\n\"2024-05-01 00:00:10\",2,5,6\r\n");
    counted(tower.run_json(&["ingest"]), "duplicates 1 staged 1").expect(0);
    assert_eq!(tower.rows(TABLE)[1].vals, "[3,8.852894]");
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0);
}

#[test]
fn i1_a_young_file_given_by_hand_that_stops_in_mid_line_is_read_once() {
    let tower = Station::new();
    let whole = par(0..3);
    std::fs::write(tower.path(DAT), whole.trim_end()).unwrap();
    counted(tower.run_json(&["ingest", DAT]), "header 4 staged 2 deferred 1").expect(0);
}
