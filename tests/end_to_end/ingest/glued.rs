//! A file that is overwritten in place, without truncation, by a writer that pauses in mid-line (I2).

use std::time::Duration;

use super::*;

/// What the file holds when the writer has written so many bytes of `new` over `old`.
fn overwritten(old: &str, new: &str, bytes: usize) -> String {
    new[..bytes].to_owned() + &old[bytes..]
}

/// A row whose values differ from row to row, of fixed length.
fn row(record: i64) -> String {
    format!(
        "{},{:.2},{:.2}\r\n",
        Logger::par().row(record).split(',').take(2).collect::<Vec<_>>().join(","),
        10.0 + record as f64 / 4.0,
        50.0 - record as f64 / 4.0
    )
}

fn file(records: std::ops::Range<i64>) -> String {
    HEADER.to_owned() + &records.map(row).collect::<String>()
}

#[test]
fn i2_wherever_the_writer_pauses_the_true_line_becomes_the_row() {
    let (old, new) = (file(10..40), file(40..70));
    assert_eq!(old.len(), new.len());
    let line = row(10).len();
    // Each byte of the line in the middle.
    for pause in (HEADER.len() + 12 * line + 1..HEADER.len() + 13 * line).step_by(3) {
        let tower = Station::new();
        ingest(&tower, &old, "header 4 staged 30").expect(0);
        tower.write(DAT, overwritten(&old, &new, pause));
        tower.run_json(&["ingest"]).expect(0);
        tower.write(DAT, &new);
        tower.run_json(&["ingest"]).expect(0);
        let expected: Vec<String> = (10..70)
            .map(|record| {
                let row = row(record);
                let values: Vec<f64> = row.trim_end().split(',').skip(2).map(|value| value.parse().unwrap()).collect();
                format!("{} {values:?}", record)
            })
            .collect();
        let found: Vec<String> = tower
            .rows(TABLE)
            .iter()
            .map(|row| {
                let values: Vec<f64> = serde_json::from_str(&row.vals).unwrap();
                format!("{} {values:?}", row.record.unwrap())
            })
            .collect();
        assert_eq!(found, expected, "paused at byte {pause}");
        assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0, "paused at byte {pause}");
    }
}

#[test]
fn i1_a_bad_line_of_a_rewritten_file_is_rejected_at_the_next_read() {
    let tower = Station::new();
    ingest(&tower, file(10..20), "header 4 staged 10").expect(0);
    let damaged = file(20..29) + "\"2024-05-01 00:02:25\",29,1,2,\"2024-05-01 00:00:50\",10,1,2\r\n" + &row(30);
    ingest(&tower, &damaged, "header 4 staged 10 deferred 1").expect(0);
    tower.append(DAT, row(31));
    counted(tower.run_json(&["ingest"]), "rejected 1 duplicates 1 staged 1").expect(1);
}

/// A file that was rewritten, in which a row that is known stands behind row 29.
fn stepped_back() -> Station {
    let tower = Station::new();
    ingest(&tower, file(10..20), "header 4 staged 10").expect(0);
    let stepped = file(20..30) + &row(15);
    ingest(&tower, &stepped, "header 4 staged 9 deferred 1 duplicates 1").expect(0);
    tower
}

/// Row 29 and the row behind it stand once each, and nothing else is kept of them.
#[track_caller]
fn both_are_rows(tower: &Station) {
    let mut records: Vec<i64> = tower.rows(TABLE).iter().filter_map(|row| row.record).collect();
    records.retain(|record| [15, 29].contains(record));
    assert_eq!(records, [15, 29]);
    assert_eq!(tower.count("SELECT (SELECT count(*) FROM conflict) + (SELECT count(*) FROM rejected_line)"), 0);
}

#[test]
fn i1_a_whole_row_before_a_step_back_in_a_rewritten_file_is_staged_at_the_next_read() {
    let tower = stepped_back();
    tower.append(DAT, row(31));
    counted(tower.run_json(&["ingest"]), "staged 2 duplicates 1").expect(0);
    both_are_rows(&tower);
    // Read again as a whole, it is confirmed.
    counted(tower.run_json(&["ingest", DAT]), "header 4 duplicates 12").expect(0);
    assert_eq!(tower.count("SELECT count(*) FROM provisional"), 0);
}

#[test]
fn i1_a_whole_row_before_a_step_back_in_a_file_that_stays_as_it_is_is_staged_when_the_writer_has_stopped() {
    let tower = stepped_back();
    tower.age(DAT, Duration::from_secs(3600));
    counted(tower.run_json(&["ingest"]), "staged 1 duplicates 1").expect(0);
    both_are_rows(&tower);
}
