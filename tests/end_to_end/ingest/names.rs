//! The name of the logger table in line 1: a rename goes on, and two tables at the same time are never merged.

use super::*;

/// Rows of a daily table with the columns of the PAR table.
fn daily() -> Logger {
    Logger::par().table("PARDaily").every(chrono::TimeDelta::days(1)).start("2024-04-30 00:00:00")
}

/// A station that reads every file of the PAR logger.
fn station_of_a_pattern() -> Station {
    Station::new().table("name = \"46m_par\"\nfiles = [\"46m_PAR*.dat\"]")
}

#[test]
fn i3_two_logger_tables_with_the_same_columns_are_not_merged_and_both_are_named() {
    let tower = station_of_a_pattern();
    tower.write(DAT, par(0..3));
    tower.write("46m_PAR_daily.dat", daily().header() + &daily().row_as(0, 700) + &daily().row_as(1, 701));
    let ended = tower.run_json(&["ingest"]).expect(1);
    let said = notes(&ended);
    assert!(
        said.contains("line 1 names the logger table \\\"PARDaily\\\"") && said.contains("logger_table = "),
        "{said}"
    );
    assert_eq!(tower.rows(TABLE).len(), 3);
    assert_eq!(rejected(&tower).len(), 2);
    let status = tower.run(&["status"]).expect(1).stdout;
    assert!(status.contains("PARDaily"), "{status}");
    // Named, the table goes on; the other's lines stay what they are.
    tower.replace_in_config("files = [", "logger_table = \"PARCal\"\nfiles = [");
    let _ = tower.run_json(&["ingest"]);
    assert_eq!((tower.rows(TABLE).len(), rejected(&tower).len()), (3, 2));
}

#[test]
fn i11_lines_refused_for_the_name_of_their_table_become_rows_when_the_configuration_names_it() {
    let tower = station_of_a_pattern();
    // The daily table is read first, and shares a stamp with the other.
    tower.write("46m_PAR.dat", daily().header() + &daily().row_as(0, 700) + &daily().row_as(1, 701));
    tower.write("46m_PAR_z.dat", par(0..3));
    let ended = counted(tower.run_json(&["ingest"]), "header 8 staged 2 rejected 3").expect(1);
    assert!(notes(&ended).contains("both have rows of the same time"), "{}", notes(&ended));
    tower.replace_in_config("files = [", "logger_table = \"PARCal\"\nfiles = [");
    let ended = tower.run_json(&["ingest"]);
    assert_eq!(ended.json()["tables"][0]["taken_up"], 3, "{}", ended.json());
    assert_eq!(rejected(&tower).len(), 0);
    assert_eq!(tower.rows(TABLE).len(), 4);
}

#[test]
fn the_table_of_the_configured_name_is_read_first_where_two_stand_in_one_pattern() {
    let tower = Station::new().table("name = \"PARCal\"\nfiles = [\"*.dat\"]");
    tower.write("a.dat", daily().header() + &daily().row_as(0, 700) + &daily().row_as(1, 701));
    tower.write("b.dat", par(0..3));
    counted(tower.run_json(&["ingest"]), "header 8 staged 3 rejected 2").expect(1);
}

#[test]
fn a_renamed_logger_table_goes_on_and_its_old_name_is_refused_when_it_comes_back_beside_it() {
    let tower = station_of_a_pattern();
    tower.write(DAT, par(0..3));
    counted(tower.run_json(&["ingest"]), "header 4 staged 3").expect(0);
    let renamed = Logger::par().table("PARCal_2025");
    tower.write("46m_PAR_new.dat", renamed.header() + &renamed.row_as(3, 0) + &renamed.row_as(4, 1));
    let ended = counted(tower.run_json(&["ingest"]), "header 4 staged 2").expect(1);
    assert!(notes(&ended).contains("taken as the same table, renamed"), "{}", notes(&ended));
    counted(tower.run_json(&["ingest"]), "").expect(0);
    tower.append("46m_PAR_new.dat", renamed.row_as(5, 2));
    counted(tower.run_json(&["ingest"]), "staged 1").expect(0);
    // The old name ended, so rows that go on under it are those of another table.
    tower.append(DAT, Logger::par().row(6));
    let ended = counted(tower.run_json(&["ingest"]), "rejected 1").expect(1);
    assert!(notes(&ended).contains("PARCal_2025"), "{}", notes(&ended));
    assert_eq!(tower.rows(TABLE).len(), 6);
}

#[test]
fn i3_a_renamed_table_whose_last_row_under_the_old_name_was_damaged_is_read_again_without_a_rejected_line() {
    for damaged in [
        "\"2024-05-01 00:03:00\",\0\0\x00103,1\r\n",
        "\"2024-05-01 00:03:00\",3\r\n",
        "\"2024-05-01 00:03:00\",3,\"1\r\n",
    ] {
        let tower = station_of_a_pattern();
        let renamed = Logger::par().table("PARCal_2025");
        let whole = par(0..3) + damaged + &renamed.header() + &renamed.row_as(10, 0) + &renamed.row_as(11, 1);
        tower.write(DAT, &whole);
        let ended = tower.run_json(&["ingest"]);
        assert!(notes(&ended).contains("taken as the same table, renamed"), "{}", notes(&ended));
        let before = rejected(&tower);
        let file = tower.path(DAT);
        let ended = tower.run(&["ingest", file.to_str().unwrap()]);
        assert_eq!(rejected(&tower), before, "{}", ended.stdout);
        assert_eq!(tower.rows(TABLE).len(), 5);
    }
}

#[test]
fn a_file_given_by_hand_that_names_another_logger_table_asks_for_the_table() {
    let tower = Station::new();
    tower.write(DAT, par(0..3));
    let _ = tower.run(&["ingest"]).expect(0);
    tower.write("d.dat", daily().header() + &daily().row_as(0, 700));
    let file = tower.path("d.dat");
    let ended = tower.run(&["ingest", file.to_str().unwrap()]).expect(2);
    assert!(ended.stderr.contains("names the logger table \"PARDaily\" in line 1"), "{}", ended.stderr);
    assert_eq!(tower.rows(TABLE).len(), 3);
}

#[test]
fn two_logger_tables_of_one_file_are_two_tables_without_a_rejected_line() {
    let table = |name: &str, minute: i64, values: std::ops::Range<i64>| {
        let rows: String =
            values.map(|row| format!("\"2024-05-01 {:02}:{minute:02}:00\",{row},{row},1\r\n", row % 24)).collect();
        HEADER.replace("\"Table1\"", &format!("\"{name}\"")) + &rows
    };
    let of = |name: &str, of: &str| {
        format!("[[table]]\nname = \"{name}\"\nlogger_table = \"{of}\"\nfiles = [\"m.dat\"]\nstale_after = \"36500d\"")
    };
    let tower = Station::new()
        .table("name = \"first\"\nlogger_table = \"Tab\"\nfiles = [\"m.dat\"]")
        .more(&of("second", "Other"));
    tower.write("m.dat", table("Tab", 0, 0..10) + &table("Other", 30, 0..10));
    let _ = tower.run(&["ingest"]).expect(0);
    // It goes on with either.
    tower.append("m.dat", "\"2024-05-01 10:30:00\",10,10,1\r\n");
    let _ = tower.run(&["ingest"]).expect(0);
    tower.append("m.dat", table("Tab", 0, 10..12));
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!((tower.rows("first").len(), tower.rows("second").len()), (12, 11));
    assert_eq!(tower.count("SELECT count(*) FROM rejected_line"), 0);
    let status = tower.run(&["status"]).stdout;
    assert!(!status.contains("give the file its own"), "{status}");
    // A name that no table takes is kept.
    tower.append("m.dat", table("Third", 15, 0..2));
    let _ = tower.run(&["ingest"]).expect(1);
    assert_eq!(tower.count("SELECT count(*) FROM rejected_line"), 4);
}
