//! A table with a row every five seconds, whose values anybody can write anew.

use fluxtower::store::Store;
use fluxtower::time::Timestamp;
use fluxtower::view::summary::{Summaries, Trace, TraceRequest};

use crate::support::views::assert_true_to_rows;
use crate::support::{DAT, Logger, Station, TABLE};

pub const SECOND: i64 = 1_000_000_000;
/// 2024-05-01 00:00:00, five hours west of UTC.
pub const START: i64 = 1_714_539_600 * SECOND;
pub const DAY: i64 = 17_280;

/// Two of three columns have a range.
pub fn tower() -> Station {
    Station::new().table_keys(
        "on_conflict = \"replace\"\nmissing = [7999]\n[table.columns.PPFD]\nsuspect = [0, 1900]\nfail = [-10, 1960]\n\
         [table.columns.calPPFD]\nspike = { suspect = 5000 }\nclimatology = { bands = [{ months = [1, 12], suspect = [0, 99000] }] }",
    )
}

/// Brings rows of the logger; `spell` may give one of them other values.
pub fn bring(tower: &Station, rows: std::ops::Range<i64>, spell: impl Fn(i64) -> Option<String>) {
    let logger = Logger::par();
    let stamp = |row: i64| logger.stamp(row).format("%Y-%m-%d %H:%M:%S");
    let lines = rows.map(|row| match spell(row) {
        Some(values) => format!("\"{}\",{row},{values}\r\n", stamp(row)),
        None => logger.row(row),
    });
    tower.write(DAT, logger.header() + &lines.collect::<String>());
    let report = tower.in_process().ingest();
    assert_eq!(report.tables[0].sources[0].counts.rejected, 0);
}

pub fn at(row: i64) -> Timestamp {
    Timestamp::from_nanos(START + row * 5 * SECOND)
}

pub fn summaries(tower: &Station) -> Summaries {
    Summaries::open(&tower.in_process().config).unwrap()
}

pub fn check(tower: &Station, summaries: &Summaries, rows: (i64, i64), points: usize) {
    assert_true_to_rows(tower, summaries, TABLE, &[], (at(rows.0), at(rows.1)), points);
}

pub fn trace(
    tower: &Station,
    summaries: &Summaries,
    column: &str,
    span: (Timestamp, Timestamp),
    points: usize,
) -> Trace {
    let reader = Store::open_reader(&tower.store_path()).unwrap();
    let request = TraceRequest {
        table: TABLE.to_owned(),
        columns: vec![column.to_owned()],
        from: span.0,
        to: span.1,
        points,
        tags: Vec::new(),
    };
    summaries.trace(&reader, &request).unwrap()
}

/// The file that keeps bins.
pub const FILE: &str = "store.db.summary";

/// How many pieces of six hours are kept of its only series.
pub fn kept(tower: &Station) -> i64 {
    kept_so_far(tower).unwrap()
}

/// As [`kept`]; an error while somebody else makes the file.
pub fn kept_so_far(tower: &Station) -> rusqlite::Result<i64> {
    let conn = rusqlite::Connection::open_with_flags(tower.path(FILE), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    conn.query_row("SELECT count(*) FROM piece WHERE (id >> 36) = 1 << 2", [], |row| row.get(0))
}
