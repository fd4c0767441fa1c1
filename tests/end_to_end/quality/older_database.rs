//! A store from before there was more QC than a range.

use rusqlite::Connection;

use super::rows::upper;
use super::station::{UPPER, file, judged, tower};

const FIRST: &str = include_str!("../../../migrations/0001_store.sql");

#[test]
fn a_store_of_the_first_version_is_brought_up_to_date_and_its_rows_are_judged_on_request() {
    let lines = upper(20, 0, |row| (row >= 3).then(|| "15.2".to_owned()));
    let tower = tower();
    tower.write("upper.dat", file(UPPER, &lines));
    tower.in_process().ingest();
    let wanted = judged(&tower, "upper");

    // The same rows as the first version left them: raw values, the flags of a range, no findings.
    let conn = Connection::open(tower.store_path()).unwrap();
    conn.execute_batch(
        "CREATE TABLE kept AS SELECT id, nanos, record, vals, state, version, ts_text FROM reading;
         DROP VIEW IF EXISTS t_upper;",
    )
    .unwrap();
    conn.execute_batch(&crate::support::made_older(1)).unwrap();
    let reading = FIRST.split("CREATE TABLE reading").nth(1).unwrap().split(") STRICT;").next().unwrap();
    conn.execute_batch(&format!(
        "DROP TABLE reading; CREATE TABLE reading{reading}) STRICT;
         INSERT INTO reading SELECT id, nanos, record, vals, '1112112', state, version, ts_text FROM kept; DROP TABLE kept;"
    ))
    .unwrap();
    drop(conn);

    let _ = tower.run(&["status"]).expect(1);
    assert_eq!(tower.count("PRAGMA user_version"), crate::support::NEWEST_VERSION);
    let changed = tower.run_json(&["reflag", "--since", "2026-01-01", "--table", "upper"]).expect(0).json();
    assert!(changed["changed"].as_u64().unwrap() > 0);
    let conn = tower.database();
    let mut statement = conn.prepare("SELECT vals, flags, raised FROM reading ORDER BY id").unwrap();
    let rows: Vec<(String, String, Option<String>)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows.len(), wanted.len());
    for (row, (_, vals, flags, raised)) in rows.iter().zip(&wanted) {
        assert_eq!((&row.0, &row.1, &row.2), (vals, flags, raised));
    }
}
