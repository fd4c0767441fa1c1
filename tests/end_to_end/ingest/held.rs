//! Lines that are kept and judged again: ahead of the computer's clock, or rejected by a configuration that has changed.

use chrono::{DateTime, Utc};
use fluxtower::config::Config;
use fluxtower::ingest::{self, IngestReport, Selection, Unseen};
use fluxtower::store::Store;
use fluxtower::time::Clock;

use super::*;

/// A computer's clock that shows what it is told to.
struct Shows(&'static str);

impl Clock for Shows {
    fn now(&self) -> DateTime<Utc> {
        self.0.parse().unwrap()
    }
}

/// One ingest at that time, by the configuration as it stands now. Checks I1.
fn ingest_at(tower: &Station, now: &'static str) -> IngestReport {
    let config = Config::load(&tower.config_path()).unwrap();
    let store = Store::open(&tower.store_path()).unwrap();
    let report = ingest::run(&config, &store, &Shows(now), &Selection::default(), &Unseen).unwrap();
    for source in report.tables.iter().flat_map(|table| &table.sources) {
        assert_eq!(source.counts.accounted(), source.counts.lines, "I1, {source:?}");
    }
    report
}

fn kept_lines(tower: &Station) -> i64 {
    let counted = tower.count("SELECT count(*) FROM rejected_line");
    assert_eq!(tower.count("SELECT sum(rejected_lines) FROM logger_table"), counted);
    counted
}

/// Three rows of one day.
fn day(date: &str) -> String {
    (0..3).map(|second| format!("\"{date} 12:00:0{second}\",{second},1,2\r\n")).collect()
}

#[test]
fn i6_rows_ahead_of_a_clock_that_is_behind_are_staged_when_it_is_set_although_the_file_has_gone() {
    let tower = Station::new();
    tower.write(DAT, behind_header(day("2024-05-01")));
    let first = ingest_at(&tower, "2023-05-01T00:00:00Z");
    assert_eq!((first.totals().staged, first.totals().held, first.totals().rejected), (0, 3, 0));
    assert!(first.needs_a_look());
    // The next collection takes their place.
    tower.write(DAT, behind_header(day("2024-05-02")));
    assert_eq!(ingest_at(&tower, "2023-05-01T00:05:00Z").totals().held, 3);
    assert!(rejected(&tower).iter().all(|(reason, _)| reason.starts_with("held: ")), "{:?}", rejected(&tower));
    let status = tower.run(&["status"]).expect(1);
    assert!(status.stdout.contains("6 lines are held"), "{}", status.stdout);
    tower.remove(DAT);
    let set = ingest_at(&tower, "2024-05-02T20:00:00Z");
    assert_eq!((set.tables[0].taken_up, kept_lines(&tower)), (6, 0));
    assert_eq!(rows(&tower).len(), 6);
}

#[test]
fn a_held_row_waits_for_its_own_time_only() {
    let tower = Station::new();
    tower.write(DAT, behind_header(day("2024-05-01") + &day("2024-06-01")));
    assert_eq!(ingest_at(&tower, "2024-04-01T00:00:00Z").totals().held, 6);
    // 12:00 at the station is 17:00 UTC; a row may be a day ahead.
    assert_eq!(ingest_at(&tower, "2024-04-30T16:59:59Z").tables[0].taken_up, 0);
    assert_eq!(ingest_at(&tower, "2024-04-30T17:00:02Z").tables[0].taken_up, 3);
    assert_eq!((rows(&tower).len(), kept_lines(&tower)), (3, 3));
}

#[test]
fn i3_a_held_line_whose_file_is_read_again_is_one_row() {
    let tower = Station::new();
    tower.write(DAT, behind_header(day("2024-05-01")));
    ingest_at(&tower, "2023-05-01T00:00:00Z");
    tower.append(DAT, "\"2024-05-01 12:00:03\",3,1,2\r\n");
    let both = ingest_at(&tower, "2024-05-01T20:00:00Z");
    assert_eq!((both.tables[0].taken_up, both.totals().staged + both.totals().duplicates), (3, 1));
    assert_eq!((rows(&tower).len(), kept_lines(&tower)), (4, 0));
}

#[test]
fn i11_lines_rejected_by_valid_from_become_rows_when_it_is_changed() {
    let tower = Station::new();
    tower.write(DAT, behind_header("\"1998-07-01 00:00:00\",1,1,2\r\n\"2000-01-01 00:00:05\",2,1,2\r\n"));
    let first = ingest_at(&tower, "2024-05-01T00:00:00Z");
    assert_eq!(first.totals().rejected, 2, "a logger restarts at 2000-01-01 00:00 local time");
    assert_eq!(ingest_at(&tower, "2024-05-01T00:00:00Z").tables[0].taken_up, 0);
    tower.remove(DAT);
    let tower = tower.table_keys("valid_from = \"1998-01-01\"");
    assert_eq!(ingest_at(&tower, "2024-05-01T00:00:00Z").tables[0].taken_up, 2);
    assert_eq!(kept_lines(&tower), 0);
}

#[test]
fn i11_lines_rejected_by_a_wrong_time_format_become_rows_when_it_is_changed() {
    let csv = |format: &str| {
        format!(
            "name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\nformat = \"csv\"\nnames = [\"T\", \"A\"]\ntime_column = \"T\"\ntime_format = \"{format}\""
        )
    };
    let tower = Station::new().table(&csv("%m/%d/%Y %H:%M"));
    tower.write(DAT, "25.12.2023 10:00,1\r\n25.12.2023 10:30,2\r\n");
    assert_eq!(ingest_at(&tower, "2024-05-01T00:00:00Z").totals().rejected, 2);
    // The collection has gone.
    tower.write(DAT, "25.12.2023 11:00,3\r\n");
    let tower = tower.table(&csv("%d.%m.%Y %H:%M"));
    let again = ingest_at(&tower, "2024-05-01T00:00:00Z");
    assert_eq!((again.tables[0].taken_up, again.totals().staged, kept_lines(&tower)), (2, 1, 0));
    assert_eq!(
        rows(&tower),
        ["2023-12-25T15:00:00Z - [1]", "2023-12-25T15:30:00Z - [2]", "2023-12-25T16:00:00Z - [3]"]
    );
}

#[test]
fn lines_of_another_table_are_not_judged_by_this_ones_header() {
    let tower = Station::new().table_keys("logger_table = \"Table1\"");
    tower.write(DAT, String::from_utf8(behind_header(day("2024-05-01"))).unwrap().replace("Table1", "Other"));
    assert_eq!(ingest_at(&tower, "2024-06-01T00:00:00Z").totals().rejected, 3);
    let tower = tower.table_keys("valid_from = \"2010-01-01\"");
    assert_eq!((ingest_at(&tower, "2024-06-01T00:00:00Z").tables[0].taken_up, kept_lines(&tower)), (0, 3));
}

#[test]
fn a_line_that_an_earlier_version_rejected_as_ahead_of_the_clock_is_taken_up() {
    let tower = Station::new();
    tower.write(DAT, behind_header(day("2024-05-01")));
    ingest_at(&tower, "2023-05-01T00:00:00Z");
    // As version 3 of the database left it.
    let older = "UPDATE rejected_line SET reason = 'the logger''s clock is wrong: it is before valid_from or more than a day ahead'; ";
    let conn = rusqlite::Connection::open(tower.store_path()).unwrap();
    conn.execute_batch(&(older.to_owned() + &crate::support::made_older(3))).unwrap();
    tower.remove(DAT);
    assert_eq!(ingest_at(&tower, "2024-06-01T00:00:00Z").tables[0].taken_up, 3);
    assert_eq!((rows(&tower).len(), kept_lines(&tower)), (3, 0));
}

#[test]
fn looking_for_lines_to_judge_again_uses_an_index_and_not_the_whole_table() {
    let tower = Station::new();
    ingest(&tower, behind_header(day("2024-05-01")), "header 4 staged 3").expect(0);
    let conn = tower.database();
    for due in ["inputs < 5 AND header IS NOT NULL", "inputs > 5 AND header IS NOT NULL", "not_before <= 5"] {
        let sql =
            format!("EXPLAIN QUERY PLAN SELECT id, raw FROM rejected_line WHERE logger_table = 1 AND {due} LIMIT 9");
        let plan: String = conn.query_row(&sql, [], |row| row.get(3)).unwrap();
        assert!(plan.contains("USING INDEX rejected_line_"), "{plan}");
    }
}
