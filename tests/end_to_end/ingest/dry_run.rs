//! `rekey --dry-run` announces what `rekey` then does.

use super::*;

/// Runs both, compares what they say of the first table, and gives what was done.
#[track_caller]
pub(super) fn is_foreseen(tower: &Station) -> serde_json::Value {
    let before = tower.kept();
    let would = tower.run_json(&["rekey", "--dry-run"]).expect(0).json()["tables"][0].clone();
    assert_eq!(tower.kept(), before, "--dry-run changes nothing");
    let did = tower.run_json(&["rekey"]).expect(0).json()["tables"][0].clone();
    for key in ["rows", "conflicts", "merged", "lines", "contents", "points", "from", "to"] {
        assert_eq!(would[key], did[key], "{key}: {would} {did}");
    }
    did
}

/// Every ten minutes of a night, the second half with the stamps of the first, which are conflicts.
fn twice() -> String {
    let row = |record: i64| {
        let minute = record % 12 * 10;
        format!("\"2024-05-01 {:02}:{:02}:00\",{record},{record},0\r\n", minute / 60, minute % 60)
    };
    HEADER.to_owned() + &(0..24).map(row).collect::<String>()
}

#[test]
fn conflicts_that_become_rows_are_announced() {
    let mut tower = Station::new().clock("utc_offset = \"-04:00\"");
    let _ = ingest(&tower, twice(), "header 4 staged 12 conflicts 12").expect(1);
    let change = "utc_offset = \"-04:00\"\n[[station.offset]]\nfrom = \"2024-05-01 00:00:00\"\nutc_offset = \"-06:00\"\nrecord_from = 12";
    tower.configure(|sections| change.clone_into(&mut sections.clock));
    // Nothing moves but contents, each to a time that has no row.
    let printed = tower.run(&["rekey", "--dry-run"]).expect(0).stdout;
    assert!(printed.contains("; 12 conflicts would become rows"), "{printed}");
    let did = is_foreseen(&tower);
    assert_eq!((&did["rows"], &did["contents"]), (&0.into(), &12.into()));
    assert_eq!(tower.rows(TABLE).len(), 24);
    // And back: the rows meet those that stay.
    tower.configure(|sections| "utc_offset = \"-04:00\"".clone_into(&mut sections.clock));
    let did = is_foreseen(&tower);
    assert_eq!((&did["rows"], &did["contents"], &did["conflicts"]), (&12.into(), &0.into(), &12.into()));
}

#[test]
fn contents_that_move_with_their_row_become_no_row_and_are_not_announced() {
    let mut tower = Station::new().clock("utc_offset = \"-04:00\"");
    let _ = ingest(&tower, twice(), "header 4 staged 12 conflicts 12").expect(1);
    for offset in ["-05:00", "-04:10", "-03:50", "-04:00"] {
        tower.configure(|sections| sections.clock = format!("utc_offset = \"{offset}\""));
        let did = is_foreseen(&tower);
        assert_eq!((&did["rows"], &did["contents"]), (&12.into(), &0.into()), "{offset}");
    }
}

#[test]
fn rows_that_become_lines_again_are_announced_with_the_contents_beside_them() {
    let mut tower = Station::new().clock("utc_offset = \"-05:00\"");
    let content = "\"2024-03-10 01:50:00\",0,1,2\r\n\"2024-03-10 02:10:00\",1,1,2\r\n\"2024-03-10 02:20:00\",2,3,4\r\n\
                   \"2024-03-10 02:20:00\",2,5,6\r\n\"2024-03-10 03:10:00\",3,1,2\r\n";
    let _ = ingest(&tower, behind_header(content), "header 4 staged 4 conflicts 1").expect(1);
    tower.configure(|sections| "timezone = \"America/Detroit\"".clone_into(&mut sections.clock));
    let printed = tower.run(&["rekey", "--dry-run"]).expect(0).stdout;
    assert!(printed.contains("2 of them would have no time that a row can have"), "{printed}");
    assert!(is_foreseen(&tower)["lines"] == 2);
}

#[test]
fn rows_before_valid_from_by_their_new_time_are_announced_as_lines() {
    let mut tower = Station::new().clock("utc_offset = \"+00:00\"").table_keys("valid_from = \"2024-05-01\"");
    let _ = ingest(
        &tower,
        behind_header("\"2024-05-01 00:30:00\",0,1,2\r\n\"2024-05-01 02:00:00\",1,1,2\r\n"),
        "header 4 staged 2",
    )
    .expect(0);
    let valid = "valid_from = \"2024-05-01\"";
    tower.configure(|sections| {
        "utc_offset = \"+01:00\"".clone_into(&mut sections.clock);
        sections.table = sections.table.replace(valid, "valid_from = \"2024-05-01 01:00:00\"");
    });
    assert!(is_foreseen(&tower)["lines"] == 1);
}

/// A row a minute from midnight on, with values that tell the minute.
fn minutes(minutes: std::ops::Range<i64>, first: i64) -> String {
    let row = |minute: i64| {
        let record = first + minute;
        format!("\"2024-05-01 {:02}:{:02}:00\",{record},{minute},0\r\n", minute / 60, minute % 60)
    };
    minutes.map(row).collect()
}

#[test]
fn rows_that_meet_others_at_their_new_time_are_announced_as_conflicts_and_those_that_meet_the_same_row_as_merged() {
    // From 02:00 on, the stamps mean a time an hour earlier.
    let earlier = |until: &str| {
        format!(
            "utc_offset = \"+00:00\"\n[[station.offset]]\nfrom = \"2024-05-01 02:00:00\"\nutc_offset = \"+01:00\"\n{until}"
        )
    };
    let back = "[[station.offset]]\nfrom = \"2024-05-01 03:00:00\"\nutc_offset = \"+00:00\"\n";
    let same = |minute: i64| format!("\"2024-05-01 02:{minute:02}:00\",{},{},0\r\n", 60 + minute, 60 + minute);
    for (content, until, expected) in [
        // Everything behind 02:00 moves onto the hour before, and what stands behind 03:00 onto what has moved.
        (minutes(0..240, 0), "", (120, 60, 0)),
        (minutes(0..240, 0), back, (60, 60, 0)),
        // The second hour is the first again.
        (minutes(0..120, 0) + &(0..60).map(same).collect::<String>(), "", (60, 0, 60)),
        (minutes(0..90, 0) + &(0..60).map(same).collect::<String>(), "", (60, 0, 30)),
        (minutes(0..120, 0) + &(0..30).map(same).collect::<String>() + &minutes(150..180, 0), back, (60, 30, 30)),
        // There is no row where they move.
        (minutes(0..50, 0) + &minutes(120..180, 0), "", (60, 0, 0)),
    ] {
        let mut tower = Station::new().clock("utc_offset = \"+00:00\"");
        tower.write(DAT, behind_header(&content));
        tower.run(&["ingest"]).works();
        tower.configure(|sections| sections.clock = earlier(until));
        let printed = tower.run(&["rekey", "--dry-run"]).expect(0).stdout;
        let did = is_foreseen(&tower);
        let numbers = |key: &str| did[key].as_u64().unwrap();
        assert_eq!((numbers("rows"), numbers("conflicts"), numbers("merged")), expected, "{printed}");
        assert_eq!(printed.contains("would meet another row"), expected.1 > 0, "{printed}");
        assert_eq!(printed.contains("would meet the same row"), expected.2 > 0, "{printed}");
        // And back, with what became conflicts.
        tower.configure(|sections| "utc_offset = \"+00:00\"".clone_into(&mut sections.clock));
        is_foreseen(&tower);
    }
}

#[test]
fn a_period_that_is_put_right_far_from_its_rows_is_announced_with_the_rows_that_it_meets_there() {
    let mut tower = Station::new().clock("utc_offset = \"+00:00\"");
    let old = minutes(60..120, 0).replace("2024-05-01", "2023-01-01");
    tower.write(DAT, behind_header(old + &minutes(90..150, 1_000)));
    tower.run(&["ingest"]).works();
    tower.configure(|sections| {
        sections.more =
            "[[table.clock]]\nfrom = \"2023-01-01 00:00:00\"\nuntil = \"2023-01-02 00:00:00\"\nadd = \"486d\"\n"
                .to_owned();
    });
    let did = is_foreseen(&tower);
    assert_eq!((&did["rows"], &did["conflicts"], &did["merged"]), (&60.into(), &30.into(), &0.into()));
}
