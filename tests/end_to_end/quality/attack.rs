//! Lives of a store that try to make its flags depend on anything but its rows, its limits and the flags set by hand.
//!
//! After every step: a fresh look at every row changes nothing; the kept counts are those of the rows; the backlog covers
//! every pending row; a row that was sent is pending again exactly if what goes out changed; summaries kept since the
//! beginning say what the rows say. At the end: a tower that is
//! given the final rows at once says the same of every value.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use fluxtower::qc::{self, Flag};
use fluxtower::store::{NewFlag, Replay, State, Store};
use fluxtower::time::{Interval, Timestamp};
use fluxtower::view::summary::Summaries;
use proptest::prelude::*;
use rusqlite::params;

use super::station::START;
use crate::support::Station;
use crate::support::views::assert_true_to_rows;

const ROWS: i64 = 90;
const SECOND: i64 = 1_000_000_000;
/// The station is five hours west of UTC.
const START_UTC: i64 = (START + 5 * 3_600) * SECOND;

const UPPER: [&[&str]; 4] = [
    &["TA", "RH", "SW", "PAR", "TSONIC", "DIAG"],
    &["DIAG", "EXTRA", "TSONIC", "PAR", "SW", "RH", "TA"],
    &["TA", "RH", "PAR", "TSONIC", "DIAG"],
    &["RH", "EXTRA", "TA", "NOTE", "DIAG", "SW", "PAR", "TSONIC"],
];
const LOWER: [&[&str]; 2] = [&["TA", "PA"], &["PA", "RH", "TA"]];
const PROFILE: [&[&str]; 2] = [&["LEVEL", "CO2"], &["H2O", "CO2", "LEVEL"]];
const TABLES: [(&str, &[&[&str]]); 3] = [("upper", &UPPER), ("lower", &LOWER), ("profile", &PROFILE)];
/// Every name of a table, for the tower that is given all at once.
const ALL: [&[&str]; 3] =
    [&["TA", "RH", "SW", "PAR", "TSONIC", "DIAG", "EXTRA", "NOTE"], &["TA", "PA", "RH"], &["LEVEL", "CO2", "H2O"]];

const KEYS: &str = r#"
on_conflict = "replace"
missing = [7999]
time_gap = { suspect = "12m", fail = "2h" }
[table.columns.TA]
variable = "TA"
spike = { suspect = 2, fail = 5 }
rate_of_change = { suspect = 3, fail = 8, per = "5m" }
flat_line = { suspect = "30m", fail = "1h", tolerance = 0.01 }
climatology = { bands = [{ months = [5, 9], suspect = [0, 35], fail = [-10, 45] }, { hours = [2, 3], suspect = [10, 20] }] }
[table.columns.RH]
variable = "RH"
flat_line = { suspect = "10m", tolerance = 0.05, except = [99, 101] }
attenuated_signal = { suspect = 0.5, window = "25m", by = "range" }
[table.columns.PAR]
variable = "PPFD_IN"
spike = { suspect = 400, fail = 900, method = "differential" }
[table.columns.TSONIC]
variable = "T_SONIC"
attenuated_signal = { suspect = 0.05, fail = 0.01, window = "40m" }
[table.columns.DIAG]
diagnostic = "csat3a"
governs = ["TSONIC"]
[table.columns.EXTRA]
fail = [-50, 50]
rate_of_change = { fail = 8, per = "5m" }
attenuated_signal = { suspect = 0.05, window = "30m", by = "range" }
[table.columns.NOTE]
flat_line = { fail = "20m", tolerance = 0.2 }
[table.columns.SUM]
formula = "TA + EXTRA"
unit = "degC"
suspect = [-40, 40]
spike = { fail = 6 }
[table.columns.VPD]
formula = "6.1078 * exp(17.08085 * TA / (234.175 + TA)) * (1 - RH / 100)"
unit = "hPa"
variable = "VPD"
"#;

const MORE: &str = r#"
[[table]]
name = "lower"
files = ["lower.dat"]
on_conflict = "replace"
[table.columns.TA]
variable = "TA"
spike = { suspect = 2, fail = 5 }
[table.columns.DOUBLE]
formula = "TA * 2"
unit = "degC"

[[table]]
name = "profile"
files = ["profile.dat"]
on_conflict = "replace"
[table.columns.LEVEL]
use = "tag"
[table.columns.CO2]
suspect = [0, 100]
spike = { suspect = 2 }
flat_line = { suspect = "40m", tolerance = 0.01 }

[[pair]]
name = "TA of two heights"
table = "upper"
column = "TA"
against_table = "lower"
against = "TA"
difference = { suspect = 3, fail = 6 }
within = "1m"

[[pair]]
name = "derived against a slower one"
table = "lower"
column = "DOUBLE"
against_table = "upper"
against = "SUM"
difference = { suspect = 3, fail = 20 }
within = "7m"
when = { column = "PA", above = 0 }
flags = "against"

[[pair]]
name = "light against radiation"
table = "upper"
column = "PAR"
against = "SW"
ratio = { suspect = [0.7, 1.4], fail = [0.2, 3] }
when = { column = "SW", above = 5 }
flags = "column"
"#;

/// Limits that a life changes, and what it changes them to.
const CHANGES: [(&str, &str); 4] = [
    ("formula = \"TA + EXTRA\"", "formula = \"TA + EXTRA * 2\""),
    ("formula = \"TA * 2\"", "formula = \"TA * 3\""),
    ("spike = { suspect = 2, fail = 5 }", "spike = { suspect = 1, fail = 9 }"),
    ("missing = [7999]", "missing = [7999, -9999]"),
];

fn tower(changes: &[bool; 4]) -> Station {
    let tower = Station::new()
        .sync("health = false")
        .table(&format!("name = \"upper\"\nfiles = [\"upper.dat\"]\n{KEYS}"))
        .more(MORE);
    let mut text = std::fs::read_to_string(tower.config_path()).unwrap();
    for (is_made, (old, new)) in changes.iter().zip(CHANGES) {
        if *is_made {
            text = text.replace(old, new);
        }
    }
    std::fs::write(tower.config_path(), text).unwrap();
    tower
}

fn hash(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |hash, part| {
        let mixed = (hash ^ part).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ (mixed >> 29)
    })
}

/// A column's value as a logger might spell it: waves, lines, steps, spikes, holes and nonsense.
fn spelled(seed: u64, table: usize, column: &str, row: i64, version: u64) -> String {
    let name = column.bytes().fold(7, |hash, byte| hash * 31 + u64::from(byte));
    let of = |what: u64| hash(&[seed, table as u64, name, version, what]);
    let here = of(1_000 + row as u64);
    match column {
        "DIAG" => return ["0", "0", "0", "0", "0", "4", "NAN", "33"][(here % 8) as usize].to_owned(),
        "LEVEL" => return format!("\"{}\"", row % 3),
        _ => {}
    }
    if here % 31 == 0 {
        let odd = ["\"INF\"", "\"-INF\"", "1e300", "-1e300", "\"text\"", "\"\"", "", "7999", "-9999", "1e-320"];
        return odd[(here / 31 % 10) as usize].to_owned();
    }
    let block = of(row as u64 / 9);
    let middle = if column == "RH" { 97.0 } else { 15.0 };
    let noise = (here >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
    match block % 7 {
        0 | 1 => format!("{:.2}", middle + noise),
        2 => format!("{:.3}", middle + 0.004 * noise),
        3 => format!("{middle:.1}"),
        4 => format!("{:.2}", middle + 14.0 * noise),
        5 if row % 9 > 2 => "\"NAN\"".to_owned(),
        _ => format!("{:.2}", middle + if here % 5 == 0 { 6.0 } else { 0.2 * noise }),
    }
}

/// Where a row stands in time, in nanoseconds from the start. Some are a clock's stumble from the row before.
fn offset(table: usize, row: i64) -> i64 {
    match table {
        0 if row % 23 == 7 => (row - 1) * 300 * SECOND + 300,
        0 if row % 23 == 9 => (row - 1) * 300 * SECOND + 1_700,
        0 => row * 300 * SECOND,
        1 => row * 600 * SECOND + 40 * SECOND,
        _ => row / 3 * 600 * SECOND,
    }
}

fn stamp(nanos: i64) -> String {
    let (seconds, fraction) = (nanos.div_euclid(SECOND), nanos.rem_euclid(SECOND));
    let mut text =
        chrono::DateTime::from_timestamp(START + seconds, 0).unwrap().format("%Y-%m-%d %H:%M:%S").to_string();
    if fraction > 0 {
        text.push_str(format!(".{fraction:09}").trim_end_matches('0'));
    }
    text
}

/// Rows as stamp, record, values.
fn file(columns: &[&str], rows: impl Iterator<Item = (String, i64, Vec<String>)>) -> String {
    let line =
        |spell: &dyn Fn(&str) -> String| columns.iter().map(|name| format!(",\"{}\"", spell(name))).collect::<String>();
    let mut file = format!(
        "\"TOA5\",\"umb\",\"CR3000\",\"1\",\"CR3000.Std.31\",\"CPU:umb.CR3\",\"1\",\"met\"\r\n\"TIMESTAMP\",\"RECORD\"{}\r\n\"TS\",\"RN\"{}\r\n\"\",\"\"{}\r\n",
        line(&|name| name.to_owned()),
        line(&|_| String::new()),
        line(&|_| "Avg".to_owned()),
    );
    for (stamp, record, values) in rows {
        let _ = write!(file, "\"{stamp}\",{record},{}\r\n", values.join(","));
    }
    file
}

#[derive(Debug, Clone)]
enum Act {
    /// Rows of a table under one of its headers, of the first or a later version of their values.
    Deliver {
        table: usize,
        header: usize,
        from: i64,
        count: i64,
        version: u64,
    },
    Flag {
        table: usize,
        column: usize,
        from: i64,
        count: i64,
        digit: u8,
    },
    Revoke {
        which: usize,
    },
    Reflag {
        from: i64,
    },
    Change {
        which: usize,
    },
    Sync,
    Expire {
        table: usize,
        before: i64,
    },
    Replay {
        from: i64,
    },
    Prune {
        table: usize,
        before: i64,
    },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        10 => (0usize..3, 0usize..4, 0..ROWS, 1..40i64, prop_oneof![4 => Just(0u64), 1 => 1u64..3])
            .prop_map(|(table, header, from, count, version)| Act::Deliver { table, header, from, count, version }),
        2 => (0usize..3, 0usize..9, 0..ROWS, 0..12i64, b'1'..=b'4')
            .prop_map(|(table, column, from, count, digit)| Act::Flag { table, column, from, count, digit }),
        1 => (0usize..4).prop_map(|which| Act::Revoke { which }),
        1 => (0..ROWS).prop_map(|from| Act::Reflag { from }),
        1 => (0usize..4).prop_map(|which| Act::Change { which }),
        5 => Just(Act::Sync),
        1 => (0usize..3, 0..ROWS).prop_map(|(table, before)| Act::Expire { table, before }),
        1 => (0..ROWS).prop_map(|from| Act::Replay { from }),
    ]
}

/// What goes out of a row, and its state.
type Sent = BTreeMap<i64, (String, String, i64, i64)>;

struct Life {
    tower: Station,
    seed: u64,
    changes: [bool; 4],
    by_hand: Vec<ByHand>,
    /// Rows that were pruned no longer speak for those behind them, so that a fresh look may say less.
    is_pruned: bool,
    /// Open as long as the life lasts, and never told what happens.
    summaries: Summaries,
}

struct ByHand {
    table: usize,
    column: String,
    span: (Timestamp, Timestamp),
    digit: u8,
    is_revoked: bool,
}

impl Life {
    fn begin(seed: u64) -> Life {
        let changes = [false; 4];
        let tower = tower(&changes);
        let summaries = Summaries::open(&tower.in_process().config).unwrap();
        Life { tower, seed, changes, by_hand: Vec::new(), is_pruned: false, summaries }
    }

    fn rows(&self) -> Sent {
        let conn = self.tower.database();
        let mut statement = conn.prepare("SELECT id, vals, flags, state, version FROM reading").unwrap();
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))));
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn act(&mut self, act: &Act) {
        let agent = self.tower.in_process();
        let before = self.rows();
        let at = |table: usize, row: i64| Timestamp::from_nanos(START_UTC + offset(table, row));
        let mut moves_states = false;
        match *act {
            Act::Deliver { table, header, from, count, version } => {
                let (name, headers) = TABLES[table];
                let columns = headers[header % headers.len()];
                let rows = (from..(from + count).min(ROWS)).map(|row| {
                    let values = columns.iter().map(|column| spelled(self.seed, table, column, row, version)).collect();
                    (stamp(offset(table, row)), row, values)
                });
                let text = file(columns, rows);
                self.tower.write(&format!("{name}.dat"), text);
                let report = agent.ingest();
                for table in &report.tables {
                    assert_eq!(table.sources.iter().map(|source| source.counts.rejected).sum::<u64>(), 0, "{report:?}");
                }
            }
            Act::Flag { table, column, from, count, digit } => {
                let name = TABLES[table].0;
                let known = agent.store.column_names(name).unwrap();
                if known.is_empty() {
                    return;
                }
                let column = known[column % known.len()].clone();
                let span = (at(table, from), at(table, (from + count).min(ROWS)));
                if span.0 > span.1 {
                    return;
                }
                let flag = Flag::from_digit(digit).unwrap();
                agent
                    .store
                    .set_flag(&NewFlag { table: name, column: &column, span, flag, reason: "why" }, Timestamp::EPOCH)
                    .unwrap();
                agent.store.judge_flagged(&agent.config).unwrap();
                self.by_hand.push(ByHand { table, column, span, digit, is_revoked: false });
            }
            Act::Revoke { which } => {
                let Some(made) = self.by_hand.get_mut(which) else { return };
                if std::mem::replace(&mut made.is_revoked, true) {
                    return;
                }
                agent.store.revoke_flag(which as i64 + 1, Timestamp::from_nanos(1)).unwrap().unwrap();
                agent.store.judge_flagged(&agent.config).unwrap();
            }
            Act::Reflag { from } => {
                let since = stamp(from * 300 * SECOND);
                let _ = self.tower.run(&["reflag", "--since", &since]).expect(0);
            }
            Act::Change { which } => {
                self.changes[which] = !self.changes[which];
                let text = std::fs::read_to_string(self.tower.config_path()).unwrap();
                let (old, new) = CHANGES[which];
                let (old, new) = if self.changes[which] { (old, new) } else { (new, old) };
                assert!(text.contains(old), "{old}");
                std::fs::write(self.tower.config_path(), text.replace(old, new)).unwrap();
                let _ = self.tower.run(&["reflag", "--since", "2026-01-01"]).expect(0);
            }
            Act::Sync => {
                moves_states = true;
                let _ = self.tower.run(&["sync"]);
            }
            Act::Expire { table, before } => {
                moves_states = true;
                for id in self.series(table) {
                    agent.store.expire(id, at(table, before)).unwrap();
                }
            }
            Act::Prune { table, before } => {
                moves_states = true;
                self.is_pruned = true;
                for id in self.series(table) {
                    agent.store.prune_sent(id, Interval::closed(Timestamp::EPOCH, at(table, before))).unwrap();
                }
            }
            Act::Replay { from } => {
                moves_states = true;
                let since = Some(at(0, from));
                let states = vec![State::Sent, State::Expired];
                agent.store.replay(&Replay { since, until: None, table: None, states }, false).unwrap();
            }
        }
        drop(agent);
        self.check(act, &before, moves_states);
    }

    fn series(&self, table: usize) -> Vec<i64> {
        let conn = self.tower.database();
        let mut statement = conn
            .prepare("SELECT s.id FROM series s JOIN logger_table t ON t.id = s.logger_table WHERE t.name = ?1")
            .unwrap();
        statement.query_map([TABLES[table].0], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn check(&self, act: &Act, before: &Sent, moves_states: bool) {
        let after = self.rows();
        let width = |text: &str| serde_json::from_str::<Vec<serde_json::Value>>(text).unwrap().len();
        for (id, (values, flags, state, version)) in &after {
            assert_eq!(width(values), flags.len(), "{act:?}: {values} {flags}");
            let Some((old_values, old_flags, old_state, old_version)) = before.get(id) else { continue };
            if moves_states {
                continue;
            }
            let is_changed = values != old_values || flags != old_flags;
            let is_replaced = version > old_version && matches!(act, Act::Deliver { .. });
            assert!(!is_changed || version > old_version, "{act:?}: a request on its way could mark {id}");
            match old_state {
                0 => assert_eq!(*state, 0, "{act:?}"),
                1 if is_changed => assert_eq!(*state, 0, "{act:?}: {old_values} {old_flags} became {values} {flags}"),
                1 if !is_replaced => assert_eq!(*state, 1, "{act:?}: {values} {flags} is sent again for nothing"),
                3 if !is_replaced => assert_eq!(*state, 3, "{act:?}"),
                _ => {}
            }
        }
        self.check_counts(act);
        self.check_views();
        if self.is_pruned {
            return;
        }
        let agent = self.tower.in_process();
        for table in &agent.config.tables {
            let changed =
                agent.store.judge_again(&agent.config, table, (Timestamp::EPOCH, Timestamp::MAX), true).unwrap();
            if changed > 0 {
                let now = self.rows();
                let rows: Vec<_> = after.iter().filter(|(id, row)| now[*id] != **row).take(3).collect();
                let anew: Vec<_> = rows.iter().map(|(id, _)| &now[*id]).collect();
                panic!("{act:?} left {changed} rows of {} unjudged: {rows:?}\nwhich are {anew:?}", table.name);
            }
        }
    }

    /// Bins of six hours are kept between the acts.
    fn check_views(&self) {
        let span = (
            Timestamp::from_nanos(START_UTC - 86_400 * SECOND),
            Timestamp::from_nanos(START_UTC + 2 * 86_400 * SECOND),
        );
        let store = Store::open_reader(&self.tower.store_path()).unwrap();
        for (table, _) in TABLES {
            for series in store.series(table).unwrap() {
                let tags: Vec<_> = series.tags.iter().map(|value| ("LEVEL".to_owned(), value.clone())).collect();
                assert_true_to_rows(&self.tower, &self.summaries, table, &tags, span, 8);
            }
        }
    }

    fn check_counts(&self, act: &Act) {
        let conn = self.tower.database();
        let list = "SELECT id, rows, pending, sent, rejected, expired FROM logger_table";
        let mut statement = conn.prepare(list).unwrap();
        let mut tables = statement.query([]).unwrap();
        while let Some(row) = tables.next().unwrap() {
            let id: i64 = row.get(0).unwrap();
            let count = |state: i64| -> i64 {
                let sql = "SELECT count(*) FROM reading r JOIN series s ON s.id = r.id >> 52 WHERE s.logger_table = ?1 AND (?2 < 0 OR r.state = ?2)";
                conn.query_row(sql, params![id, state], |row| row.get(0)).unwrap()
            };
            for (at, state) in [(1, -1), (2, 0), (3, 1), (4, 2), (5, 3)] {
                assert_eq!(row.get::<_, i64>(at).unwrap(), count(state), "count {at} after {act:?}");
            }
        }
        let outside = "SELECT count(*) FROM reading r WHERE r.state = 0 AND NOT EXISTS (SELECT 1 FROM backlog b WHERE b.series = r.id >> 52
            AND (r.id & 4503599627370495) BETWEEN b.from_ts / 1000 AND b.to_ts / 1000)";
        assert_eq!(
            conn.query_row(outside, [], |row| row.get::<_, i64>(0)).unwrap(),
            0,
            "pending rows outside the backlog after {act:?}"
        );
        let twice = "SELECT count(*) FROM backlog a JOIN backlog b ON a.series = b.series AND a.from_ts < b.from_ts AND a.to_ts >= b.from_ts";
        assert_eq!(
            conn.query_row(twice, [], |row| row.get::<_, i64>(0)).unwrap(),
            0,
            "overlapping backlog after {act:?}"
        );
    }

    /// The same rows, limits and flags by hand, all at once.
    fn again_at_once(&self) -> Station {
        let fresh = tower(&self.changes);
        let agent = fresh.in_process();
        for (table, (name, _)) in TABLES.iter().enumerate() {
            let columns = ALL[table];
            fresh.write(&format!("{name}.dat"), file(columns, std::iter::empty()));
        }
        agent.ingest();
        for ByHand { table, column, span, digit, is_revoked } in &self.by_hand {
            let flag = Flag::from_digit(*digit).unwrap();
            let id = agent
                .store
                .set_flag(
                    &NewFlag { table: TABLES[*table].0, column, span: *span, flag, reason: "why" },
                    Timestamp::EPOCH,
                )
                .unwrap();
            if *is_revoked {
                agent.store.revoke_flag(id, Timestamp::from_nanos(1)).unwrap();
            }
        }
        let conn = self.tower.database();
        for (table, (name, _)) in TABLES.iter().enumerate() {
            let names = self.tower.in_process().store.column_names(name).unwrap();
            let mut statement = conn
                .prepare(
                    "SELECT (r.id & 4503599627370495) * 1000 + r.nanos, r.record, r.vals FROM reading r JOIN series s ON s.id = r.id >> 52
                     JOIN logger_table t ON t.id = s.logger_table WHERE t.name = ?1 ORDER BY 1",
                )
                .unwrap();
            let rows = statement.query_map([name], |row| {
                let (ts, record, values): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let values: Vec<serde_json::Value> = serde_json::from_str(&values).unwrap();
                let by_name: HashMap<&str, &serde_json::Value> =
                    names.iter().map(String::as_str).zip(&values).collect();
                let value = |column: &&str| match by_name.get(*column) {
                    None | Some(serde_json::Value::Null) => "\"NAN\"".to_owned(),
                    Some(value) => value.to_string(),
                };
                Ok((stamp(ts - START_UTC), record, ALL[table].iter().map(value).collect()))
            });
            let text = file(ALL[table], rows.unwrap().map(Result::unwrap));
            fresh.write(&format!("{name}.dat"), text);
        }
        agent.ingest();
        drop(agent);
        fresh
    }
}

/// Of every value that is there: its flag, and what was raised, by names.
fn said(tower: &Station) -> BTreeMap<String, String> {
    let conn = tower.database();
    let store = tower.in_process().store;
    let mut said = BTreeMap::new();
    for (name, _) in TABLES {
        let names = store.column_names(name).unwrap();
        let mut statement = conn
            .prepare(
                "SELECT (r.id & 4503599627370495) * 1000 + r.nanos, s.tags, r.vals, r.flags, coalesce(r.raised, '') FROM reading r
                 JOIN series s ON s.id = r.id >> 52 JOIN logger_table t ON t.id = s.logger_table WHERE t.name = ?1",
            )
            .unwrap();
        let mut rows = statement.query([name]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let (ts, tags): (i64, String) = (row.get(0).unwrap(), row.get(1).unwrap());
            let (values, flags, raised): (String, String, String) =
                (row.get(2).unwrap(), row.get(3).unwrap(), row.get(4).unwrap());
            let values: Vec<serde_json::Value> = serde_json::from_str(&values).unwrap();
            let findings = qc::findings(&raised);
            for (place, ((column, value), flag)) in names.iter().zip(&values).zip(flags.chars()).enumerate() {
                if value.is_null() && flag == '9' {
                    continue;
                }
                let found: Vec<String> = findings
                    .iter()
                    .filter(|finding| finding.place == place)
                    .map(|finding| format!("{} {} {}", finding.test.name(), finding.flag.word(), finding.detail))
                    .collect();
                said.insert(
                    format!("{name} {tags} {} {column}", stamp(ts - START_UTC)),
                    format!("{value} {flag} {found:?}"),
                );
            }
        }
    }
    said
}

fn compare(life: &Life) {
    let (ours, theirs) = (said(&life.tower), said(&life.again_at_once()));
    let differing: Vec<_> = ours
        .keys()
        .chain(theirs.keys())
        .filter(|key| ours.get(*key) != theirs.get(*key))
        .take(4)
        .map(|key| format!("{key}\n  was {:?}\n  at once {:?}", ours.get(key), theirs.get(key)))
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: crate::support::cases(24),
        max_shrink_iters: 150,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn flags_depend_on_rows_limits_and_people_and_on_nothing_else(seed in any::<u64>(), acts in prop::collection::vec(act(), 1..24)) {
        let mut life = Life::begin(seed);
        for act in &acts {
            life.act(act);
        }
        compare(&life);
    }

    #[test]
    fn counts_and_backlog_hold_where_rows_are_pruned(
        seed in any::<u64>(),
        acts in prop::collection::vec(
            prop_oneof![3 => act(), 1 => (0usize..3, 0..ROWS).prop_map(|(table, before)| Act::Prune { table, before })],
            1..24,
        ),
    ) {
        let mut life = Life::begin(seed);
        for act in &acts {
            life.act(act);
        }
    }

    /// With a wait that never passes, a row that was sent keeps its flags as long as rows come in order.
    #[test]
    fn i7_rows_that_come_in_order_are_sent_once(
        seed in any::<u64>(),
        steps in prop::collection::vec((0usize..3, 1i64..12, any::<bool>()), 4..20),
    ) {
        let mut life = Life::begin(seed);
        let text = std::fs::read_to_string(life.tower.config_path()).unwrap();
        std::fs::write(life.tower.config_path(), format!("{text}\n[qc]\nwait = \"9000d\"\n")).unwrap();
        let mut next = [0; 3];
        for (table, count, syncs) in steps {
            // A clock's stumble is a conflict, and the row that loses may have been sent.
            let from = next[table];
            next[table] += count;
            let act = Act::Deliver { table, header: 0, from, count, version: 0 };
            let sent = life.rows();
            life.act(&act);
            let now = life.rows();
            let stumbles = (from..from + count).any(|row| table == 0 && row % 23 == 7);
            if !stumbles {
                for (id, row) in sent.iter().filter(|(_, row)| row.2 == 1) {
                    assert_eq!(now[id].2, 1, "{act:?}: {row:?} became {:?}", now[id]);
                }
            }
            if syncs {
                life.act(&Act::Sync);
            }
        }
    }
}
