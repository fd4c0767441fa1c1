//! Decisions by hand and their reversal (I11).

use super::*;

/// Row 1 came twice, with other values the second time; both rows were sent.
fn with_a_conflict() -> Station {
    let tower = Station::new();
    let content = "\"2024-05-01 00:00:00\",0,1,2\r\n\"2024-05-01 00:00:05\",1,3,4\r\n\"2024-05-01 00:00:05\",1,5,6\r\n";
    ingest(&tower, behind_header(content), "header 4 staged 2 conflicts 1").expect(1);
    tower.run(&["sync"]).works();
    tower
}

/// The values of row 1, and what is kept beside them.
fn both(tower: &Station) -> (String, String) {
    let conflict = tower.run_json(&["conflicts"]).json()["conflicts"][0].clone();
    (tower.rows(TABLE)[1].vals.clone(), conflict["raw"].as_str().unwrap().to_owned())
}

#[test]
fn i11_the_newer_content_of_a_conflict_becomes_the_row_by_hand_and_the_decision_is_reversed() {
    let tower = with_a_conflict();
    let dry = tower.run_json(&["conflicts", "--keep", "newer", "--dry-run"]).expect(0);
    assert_eq!((dry.number("changed"), both(&tower).0), (1, "[3,4]".to_owned()));
    assert_eq!(tower.count("SELECT count(*) FROM decision"), 0);

    let done = tower.run_json(&["conflicts", "--keep", "newer", "--table", TABLE]).expect(0);
    assert_eq!((done.number("changed"), done.number("decision")), (1, 1));
    assert_eq!(both(&tower), ("[5,6]".to_owned(), "[3,4]".to_owned()));
    assert_eq!(tower.count("SELECT pending FROM logger_table"), 1);
    let conflict = tower.run_json(&["conflicts"]).json()["conflicts"][0].clone();
    assert_eq!(conflict["stays"], "newer");
    assert!(conflict["reason"].as_str().unwrap().contains("conflicts --keep newer"), "{conflict}");
    // Deciding the same again, or reading the file again, changes nothing.
    assert_eq!(tower.run_json(&["conflicts", "--keep", "newer"]).expect(0).number("changed"), 0);
    counted(tower.run_json(&["ingest", DAT]), "header 4 duplicates 2 conflicts 1").expect(1);
    assert_eq!((both(&tower).0, tower.count("SELECT count(*) FROM conflict")), ("[5,6]".to_owned(), 1));

    let list = tower.run_json(&["decisions"]).expect(0).json();
    assert_eq!((list["decisions"][0]["count"].as_u64(), list["decisions"].as_array().unwrap().len()), (Some(1), 1));
    tower.run(&["sync"]).works();
    tower.run_json(&["decisions", "--reverse", "1"]).expect(0);
    assert_eq!(both(&tower), ("[3,4]".to_owned(), "[5,6]".to_owned()));
    assert_eq!(tower.count("SELECT pending FROM logger_table"), 1);
    tower.run(&["decisions", "--reverse", "1"]).expect(2).says("no decision 1 holds");
}

#[test]
fn i11_times_that_came_twice_get_the_newer_content_where_the_configuration_asks_for_it_later() {
    let tower = with_a_conflict();
    let name = format!("name = \"{TABLE}\"");
    let replaces = format!("{name}\non_conflict = \"replace\"");
    tower.replace_in_config(&name, &replaces);
    let said = tower.run(&["ingest"]).stdout;
    assert!(said.contains("1 row got the content that came later"), "{said}");
    assert_eq!(both(&tower), ("[5,6]".to_owned(), "[3,4]".to_owned()));
    assert_eq!(tower.count("SELECT pending FROM logger_table"), 1);
    let conflict = tower.run_json(&["conflicts"]).json()["conflicts"][0].clone();
    assert!(conflict["reason"].as_str().unwrap().contains("decided by the configuration"), "{conflict}");
    // It is done once, and what is decided by hand afterwards holds.
    tower.run(&["sync"]).works();
    tower.run_json(&["decisions", "--reverse", "1"]).expect(0);
    tower.run(&["ingest"]).works();
    assert_eq!(both(&tower).0, "[3,4]");
    // `keep` asks for nothing of what came before.
    tower.replace_in_config(&replaces, &name);
    tower.run(&["ingest"]).works();
    assert_eq!(both(&tower).0, "[3,4]");
}

#[test]
fn a_conflict_that_on_conflict_decides_is_open_for_conflicts_no_more_than_for_status() {
    let tower = Station::new().table_keys("on_conflict = \"replace\"");
    let content = "\"2024-05-01 00:00:00\",0,1,2\r\n\"2024-05-01 00:00:05\",1,3,4\r\n\"2024-05-01 00:00:05\",1,5,6\r\n";
    tower.write(DAT, behind_header(content));
    tower.run(&["ingest"]).works();
    let status = tower.run_json(&["status"]).works().json();
    assert!(status["findings"].as_array().unwrap().iter().all(|finding| finding["kind"] != "conflicts"), "{status}");
    let listed = tower.run_json(&["conflicts"]).expect(0).json();
    assert_eq!(listed["conflicts"].as_array().unwrap().len(), 1, "it stays readable");
    tower.replace_in_config("on_conflict = \"replace\"", "");
    let _ = tower.run_json(&["conflicts"]).expect(1);
}

#[test]
fn i11_a_content_of_the_hour_that_spring_leaves_out_that_an_earlier_version_kept_can_be_decided() {
    let tower = Station::new().clock("timezone = \"America/Detroit\"");
    let content = "\"2024-03-10 01:50:00\",0,1,2\r\n\"2024-03-10 03:10:00\",1,3,4\r\n\"2024-03-10 03:10:00\",1,5,6\r\n";
    ingest(&tower, behind_header(content), "header 4 staged 2 conflicts 1").expect(1);
    // 02:10 was read as the time of 03:10.
    let conn = rusqlite::Connection::open(tower.path("store.db")).unwrap();
    conn.execute("UPDATE conflict SET raw = replace(raw, '03:10', '02:10')", []).unwrap();
    let done = tower.run_json(&["conflicts", "--keep", "newer"]).expect(0);
    assert_eq!((done.number("changed"), both(&tower).0), (1, "[5,6]".to_owned()));
}

#[test]
fn i11_the_older_content_is_kept_by_hand_within_an_interval_only() {
    let tower = with_a_conflict();
    tower.run_json(&["conflicts", "--keep", "newer"]).expect(0);
    let outside = tower.run_json(&["conflicts", "--keep", "older", "--since", "2024-05-02"]).expect(0);
    assert_eq!((outside.number("changed"), both(&tower).0), (0, "[5,6]".to_owned()));
    let inside = tower.run_json(&["conflicts", "--keep", "older", "--since", "2024-05-01", "--until", "2024-05-02"]);
    assert_eq!((inside.expect(0).number("changed"), both(&tower).0), (1, "[3,4]".to_owned()));
}

#[test]
fn i11_rejected_lines_are_judged_again_by_hand() {
    let tower = Station::new().table_keys("valid_from = \"2024-06-01\"");
    ingest(&tower, behind_header("\"2024-05-01 00:00:00\",0,1,2\r\ndamage\r\n"), "header 4 rejected 2").expect(1);
    tower.replace_in_config("valid_from = \"2024-06-01\"", "");
    let done = tower.run_json(&["rejected", "--again"]).expect(0);
    assert_eq!((done.number("changed"), done.number("unreadable")), (1, 1));
    assert_eq!(tower.rows(TABLE).len(), 1);
    tower.run(&["decisions", "--reverse", "1"]).expect(2).says("change the configuration instead");
}

/// Kinds of findings that ask for a user, the table's line in `status`, and the exit code of `conflicts`.
fn open(tower: &Station) -> (bool, bool, i32) {
    let status = tower.run_json(&["status"]).works().json();
    let is_found = status["findings"].as_array().unwrap().iter().any(|finding| finding["kind"] == "conflicts");
    let listed = tower.run_json(&["conflicts"]);
    assert_eq!(listed.json()["conflicts"].as_array().unwrap().len(), 1, "it stays readable");
    assert_eq!(status["tables"][0]["conflicts"], 1);
    (is_found, tower.run(&["status"]).works().stdout.contains("1 conflict\n"), listed.code)
}

#[test]
fn i11_a_conflict_that_was_decided_either_way_is_open_no_more_and_is_again_when_the_decision_is_reversed() {
    for (keep, changed, confirmed) in [("newer", 1, 0), ("older", 0, 1)] {
        let tower = with_a_conflict();
        assert_eq!(open(&tower), (true, true, 1));
        let command = ["conflicts", "--keep", keep];
        let dry = tower.run_json(&[&command[..], &["--dry-run"]].concat()).expect(0);
        assert_eq!((dry.number("changed"), dry.number("confirmed")), (changed, confirmed), "{keep}");
        assert_eq!(open(&tower), (true, true, 1));
        let outside = tower.run_json(&[&command[..], &["--since", "2024-05-02"]].concat()).expect(0);
        assert_eq!((outside.number("changed"), outside.number("confirmed")), (0, 0), "{keep}");
        assert_eq!(tower.count("SELECT count(*) FROM decision"), 0);

        let done = tower.run_json(&command).expect(0);
        assert_eq!(
            (done.number("changed"), done.number("confirmed"), done.number("decision")),
            (changed, confirmed, 1)
        );
        assert_eq!(open(&tower), (false, false, 0), "{keep}");
        assert_eq!(tower.run_json(&["status"]).works().json()["tables"][0]["open_conflicts"], 0);
        let listed = tower.run_json(&["conflicts"]).json()["conflicts"][0].clone();
        assert_eq!(listed["decided"], 1);
        assert!(listed["reason"].as_str().unwrap().contains("decided by hand"), "{listed}");
        // The same line again opens nothing, and the same decision decides nothing.
        tower.run_json(&["ingest", DAT]).works();
        assert_eq!(tower.run_json(&command).expect(0).number("confirmed"), 0);
        assert_eq!(open(&tower), (false, false, 0), "{keep}");

        tower.run_json(&["decisions", "--reverse", "1"]).expect(0);
        assert_eq!(both(&tower), ("[3,4]".to_owned(), both(&tower).1), "{keep}");
        assert_eq!(open(&tower), (true, true, 1), "{keep}");
        // A further content of a decided time is a conflict of its own.
        tower.run_json(&command).expect(0);
        tower.append(DAT, "\"2024-05-01 00:00:05\",1,7,8\r\n");
        tower.run(&["ingest"]).works();
        let status = tower.run_json(&["status"]).works().json();
        assert_eq!((&status["tables"][0]["conflicts"], &status["tables"][0]["open_conflicts"]), (&2.into(), &1.into()));
        assert!(status["findings"].to_string().contains("1 time came with two contents"), "{status}");
    }
}

#[test]
fn a_conflict_that_was_decided_before_an_upgrade_is_not_open_after_it() {
    for (reverse, is_open) in [(false, (false, false, 0)), (true, (true, true, 1))] {
        let tower = with_a_conflict();
        tower.run_json(&["conflicts", "--keep", "newer"]).expect(0);
        if reverse {
            tower.run_json(&["decisions", "--reverse", "1"]).expect(0);
        }
        let conn = rusqlite::Connection::open(tower.path("store.db")).unwrap();
        conn.execute_batch(&crate::support::made_older(13)).unwrap();
        drop(conn);
        tower.run(&["ingest"]).works();
        assert_eq!(open(&tower), is_open);
    }
}
