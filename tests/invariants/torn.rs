//! I2 and I1 on damaged files: cut at every byte, written while they are read, flipped, glued, and plain noise.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{self, DAT, InProcess, Logger, Row, Station, Stops, TABLE, physical_lines};
use fluxtower::config::TableName;
use fluxtower::format::ColumnSource::Value;
use fluxtower::format::{self, ColumnSource, Layout, ParsedRow};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Quotes, commas in quotes, NAN, fractions of seconds, CRLF; every value is longer than one character, so that a cut
/// would show.
const TOA5: &str = "\"TOA5\",\"46m\",\"CR5000\",\"1041\",\"CR5000.Std.07\",\"CPU:Y21.CR5\",\"6827\",\"Flux\"\r\n\
    \"TIMESTAMP\",\"RECORD\",\"Ux(1,2)\",\"Status\",\"Tc\"\r\n\
    \"TS\",\"RN\",\"m/s\",\"\",\"°C\"\r\n\
    \"\",\"\",\"Smp\",\"Smp\",\"Smp\"\r\n\
    \"2024-05-01 00:00:00\",9998,-1.2345,\"OK, ON \"\"POWER\"\" UP\",21.52\r\n\
    \"2024-05-01 00:00:00.05\",9999,\"NAN\",\"1,4093  \",21.53\r\n\
    \"2024-05-01 00:00:00.1\",10000,7.591075E-005,\"\",\"INF\"\r\n\
    \"2024-05-01 00:00:00.125664\",10001,44.55,\"011.000\",21.55\r\n";

const CSV: &str = "06/25/2021 10:50:05,plot a,11.25,NAN\r\n\
    06/25/2021 10:50:05,plot b,12.25,-7.125\r\n\
    06/25/2021 10:50:10,plot a,11.5,-7.25\r\n";

const CSV_KEYS: &str = "format = \"csv\"
names = [\"Time\", \"Plot\", \"Soil\", \"Air\"]
time_column = \"Time\"
time_format = \"%m/%d/%Y %H:%M:%S\"
columns.Plot = { use = \"tag\" }";

/// One table per length of the cut file, so that one store and two ingests are enough for all of them.
fn cut_at_every_byte(whole: &str, keys: &str) {
    let name = |cut: usize| format!("cut_{cut}");
    let file = |cut: usize| format!("cut_{cut}.dat");
    let table = |cut: usize| format!("name = \"{}\"\nfiles = [\"{}\"]\n{keys}\n", name(cut), file(cut));
    let mut more = String::new();
    for cut in 1..whole.len() {
        write!(more, "[[table]]\n{}", table(cut)).unwrap();
    }
    let tower = Station::new().table(&table(0)).more(&more);
    let fluxtower = tower.in_process();
    let write_all = |length: &dyn Fn(usize) -> usize| {
        for cut in 0..whole.len() {
            tower.write(&file(cut), &whole.as_bytes()[..length(cut)]);
        }
    };

    write_all(&|cut| cut);
    let report = fluxtower.ingest();
    let cut_short: Vec<Vec<Row>> = (0..whole.len()).map(|cut| tower.rows(&name(cut))).collect();
    for (cut, source) in report.tables.iter().map(|table| &table.sources[0]).enumerate() {
        assert_eq!(source.counts.lines, physical_lines(&whole.as_bytes()[..cut]), "I1, cut at {cut}");
        assert_eq!(source.counts.rejected + source.counts.conflicts, 0, "cut at {cut}");
    }

    write_all(&|_| whole.len());
    fluxtower.ingest();
    let complete = tower.rows(&name(0));
    assert!(complete.len() >= 3);
    for (cut, staged) in cut_short.iter().enumerate() {
        let ends = whole.as_bytes()[..cut].iter().filter(|&&byte| byte == b'\n').count();
        let header = if keys.is_empty() { 4 } else { 0 };
        assert_eq!(staged.len(), ends.saturating_sub(header), "each complete line of the file cut at {cut}");
        assert!(staged.iter().all(|row| complete.contains(row)), "cut at {cut}: {staged:?}");
        assert_eq!(tower.rows(&name(cut)), complete, "cut at {cut}, then completed");
    }
    assert_eq!(tower.count("SELECT count(*) FROM rejected_line") + tower.count("SELECT count(*) FROM conflict"), 0);
}

#[test]
fn i2_a_toa5_file_cut_at_any_byte_stages_nothing_that_is_not_in_the_whole_file() {
    cut_at_every_byte(TOA5, "");
}

#[test]
fn i2_a_header_less_file_cut_at_any_byte_stages_nothing_that_is_not_in_the_whole_file() {
    cut_at_every_byte(CSV, CSV_KEYS);
}

#[test]
fn i2_a_file_that_is_overwritten_while_it_is_read_stages_only_lines_it_held() {
    let tower = Station::new();
    let logger = Logger::par();
    tower.write(DAT, logger.file(0..2));
    let fluxtower = tower.in_process();
    let path = tower.path(DAT);
    let is_done = AtomicBool::new(false);
    let write_in_pieces = || {
        let mut from = 0;
        // At least once: on a busy machine forty readings may be over before the writer has begun.
        loop {
            let content = logger.file(from..from + 400);
            let mut file = File::create(&path).unwrap();
            for piece in content.as_bytes().chunks(4096) {
                file.write_all(piece).unwrap();
                std::thread::sleep(Duration::from_millis(1));
            }
            from += 100;
            if is_done.load(Ordering::Relaxed) {
                return from;
            }
        }
    };
    let last = std::thread::scope(|scope| {
        let writer = scope.spawn(write_in_pieces);
        let stops = Stops(&is_done);
        for _ in 0..40 {
            fluxtower.ingest();
        }
        drop(stops);
        writer.join().unwrap()
    });
    tower.age(DAT, Duration::from_secs(5));
    fluxtower.ingest();
    let rows = tower.rows(TABLE);
    assert!(rows.len() > 300, "{} rows", rows.len());
    for row in &rows {
        let record = row.record.unwrap();
        assert!(record < last + 400);
        let values: Vec<f64> = row.values().iter().map(|value| value.as_f64().unwrap()).collect();
        assert_eq!(values, logger.values(record));
        assert_eq!(row.time()[..19], logger.stamp(record + 3600).format("%Y-%m-%dT%H:%M:%S").to_string());
    }
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0);
    // What was cut, and was gone from the file before its end was read, is kept as it stood.
    let records: BTreeSet<i64> = rows.iter().filter_map(|row| row.record).collect();
    for line in tower.run_json(&["rejected", "--limit", "1000"]).json()["rejected"].as_array().unwrap() {
        let raw = line["raw"].as_str().unwrap();
        let record: i64 = raw.split(',').nth(1).and_then(|record| record.parse().ok()).unwrap();
        assert!(logger.row(record).starts_with(raw) && !records.contains(&record), "{line}");
    }
}

/// A file and what may have happened to it.
#[derive(Debug, Clone)]
enum Damage {
    Flip(usize, u8),
    Nuls(usize, usize),
    JoinLines(usize),
    SwapLines(usize, usize),
    Remove(usize, usize),
    Repeat(usize, usize),
    HeaderAgain(usize),
    OtherHeader(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = 0..4000usize;
    prop_oneof![
        3 => (at.clone(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        2 => (at.clone(), 1..300usize).prop_map(|(at, count)| Damage::Nuls(at, count)),
        2 => at.clone().prop_map(Damage::JoinLines),
        2 => (at.clone(), at.clone()).prop_map(|(one, other)| Damage::SwapLines(one, other)),
        1 => (at.clone(), 1..80usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        1 => (at.clone(), 1..200usize).prop_map(|(at, count)| Damage::Repeat(at, count)),
        1 => at.clone().prop_map(Damage::HeaderAgain),
        1 => at.prop_map(Damage::OtherHeader),
    ]
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len().max(1);
        let line_start = |at: usize, bytes: &[u8]| {
            bytes[..at % length].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1)
        };
        match *self {
            _ if bytes.is_empty() => {}
            Damage::Flip(at, byte) => bytes[at % length] ^= byte,
            Damage::Nuls(at, count) => {
                bytes.splice(at % length..at % length, vec![0; count]);
            }
            Damage::JoinLines(at) => {
                if let Some(end) = bytes[at % length..].iter().position(|&byte| byte == b'\n') {
                    bytes.remove(at % length + end);
                }
            }
            Damage::SwapLines(one, other) => {
                let mut all = lines(bytes);
                let count = all.len();
                all.swap(one % count, other % count);
                *bytes = all.concat();
            }
            Damage::Remove(at, count) => {
                bytes.drain(at % length..(at % length + count).min(length));
            }
            Damage::Repeat(at, count) => {
                let piece = bytes[at % length..(at % length + count).min(length)].to_vec();
                bytes.splice(at % length..at % length, piece);
            }
            Damage::HeaderAgain(at) => {
                let header: Vec<u8> =
                    TOA5.lines().take(4).flat_map(|line| [line, "\r\n"].concat().into_bytes()).collect();
                let start = line_start(at, bytes);
                bytes.splice(start..start, header);
            }
            Damage::OtherHeader(at) => {
                let header = Logger::par().table("Other").header().into_bytes();
                let start = line_start(at, bytes);
                bytes.splice(start..start, header);
            }
        }
    }
}

/// Shown as text when a test fails.
#[derive(Clone)]
struct Damaged(Vec<u8>);

impl std::fmt::Debug for Damaged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\n{}", self.0.escape_ascii().to_string().replace("\\n", "\\n\n"))
    }
}

fn damaged_file() -> impl Strategy<Value = Damaged> {
    let noise = proptest::collection::vec(any::<u8>(), 0..600);
    let csv_like = "[0-9\",:. \\-\r\nA-Z]{0,400}".prop_map(String::into_bytes);
    let real = proptest::collection::vec(damage(), 1..6).prop_map(|damages| {
        let mut bytes =
            [TOA5, "\"2024-05-01 00:00:01\",10002,1.5,\"\",2.5\r\n\"2024-05-01 00:00:02\",10003,1.75,\"x\",2.75\r\n"]
                .concat()
                .into_bytes();
        for damage in damages {
            damage.apply(&mut bytes);
        }
        bytes
    });
    prop_oneof![1 => noise, 1 => csv_like, 6 => real].prop_map(Damaged)
}

/// One store for many files, each a table of its own: a store per case would spend its time waiting for the disk.
struct Cases {
    tower: Station,
    fluxtower: InProcess,
    count: u32,
}

impl Cases {
    fn new(keys: &str) -> Cases {
        let tower = Station::new().table_keys(keys);
        Cases { fluxtower: tower.in_process(), tower, count: 0 }
    }

    /// Makes the next table the only one; gives its name, which is its file's too.
    fn next(&mut self) -> String {
        self.count += 1;
        let name = format!("case_{}", self.count);
        self.fluxtower.config.tables[0].name = TableName(name.clone());
        self.fluxtower.config.tables[0].files = vec![self.tower.path(&name)];
        name
    }

    /// Rejected and conflicting lines of a table: number, text, reason or time.
    fn set_aside(&self, table: &str) -> BTreeSet<String> {
        let rejected = self.fluxtower.store.rejected(Some(table), 1000).unwrap();
        let conflicts = self.fluxtower.store.conflicts(Some(table), 1000).unwrap();
        let rejected = rejected
            .into_iter()
            .map(|line| format!("{} {} {}", line_of(&line.place), line.raw, without_the_clock(&line.reason)));
        let conflicts = conflicts.into_iter().map(|line| format!("{} {} {}", line_of(&line.place), line.raw, line.ts));
        rejected.chain(conflicts).map(|line| line.replace(table, "the table")).collect()
    }
}

/// The reason of a held line names the time by the computer's clock, which goes on between two ingests.
fn without_the_clock(reason: &str) -> String {
    match reason.split_once("clock (").and_then(|(before, rest)| Some((before, rest.split_once(')')?.1))) {
        Some((before, after)) => format!("{before}clock{after}"),
        None => reason.to_owned(),
    }
}

/// The number behind the path.
fn line_of(place: &str) -> &str {
    place.rsplit(':').next().unwrap()
}

/// Runs a test over damaged files, some of them read as CSV.
fn over_damaged_files(cases: u32, test: impl Fn(&mut Cases, &[u8], usize) -> Result<(), TestCaseError>) {
    let of_toa5 = RefCell::new(Cases::new(""));
    let of_csv = RefCell::new(Cases::new(CSV_KEYS));
    let config = ProptestConfig {
        cases: support::cases(cases),
        max_shrink_iters: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let strategy = (damaged_file(), prop::bool::weighted(0.2), 0..4000usize);
    let result = TestRunner::new(config).run(&strategy, |(Damaged(bytes), is_csv, cut)| {
        let cases = if is_csv { &of_csv } else { &of_toa5 };
        if cases.borrow().count == 20 {
            // What a store holds is compared as a whole: keep it small.
            cases.replace(Cases::new(if is_csv { CSV_KEYS } else { "" }));
        }
        test(&mut cases.borrow_mut(), &bytes, cut)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// Runs of NUL bytes in a line.
fn nul_runs(line: &[u8]) -> u64 {
    line.chunk_by(|one, next| (*one == 0) == (*next == 0)).filter(|run| run[0] == 0).count() as u64
}

#[test]
fn i1_every_line_of_any_bytes_is_accounted_for_and_i3_a_second_reading_changes_nothing() {
    over_damaged_files(120, |cases, bytes, _| {
        let name = cases.next();
        cases.tower.write(&name, bytes);
        let counts = cases.fluxtower.ingest().totals();
        // A line with NUL bytes in it may count as the pieces that they part.
        let parted: u64 = bytes.split(|byte| *byte == b'\n').map(nul_runs).sum();
        let lines = physical_lines(bytes);
        prop_assert!((lines..=lines + parted).contains(&counts.lines), "{} lines of {lines}", counts.lines);
        prop_assert_eq!(counts.accounted(), counts.lines);
        let rows = cases.tower.rows(&name);
        prop_assert_eq!(rows.len() as u64, counts.staged);
        let width = cases.fluxtower.store.column_names(&name).unwrap().len();
        for row in &rows {
            prop_assert_eq!(row.values().len(), row.flags.len());
            prop_assert!(row.flags.len() <= width);
        }

        let kept = cases.tower.kept();
        prop_assert!(cases.fluxtower.ingest().tables[0].sources[0].unchanged);
        prop_assert_eq!(&cases.tower.kept(), &kept);
        let again = cases.fluxtower.ingest_file(&cases.tower.path(&name)).totals();
        prop_assert_eq!(again.staged, 0);
        prop_assert_eq!(again.lines, counts.lines);
        prop_assert_eq!(&cases.tower.kept(), &kept);
        Ok(())
    });
}

#[test]
fn i2_a_file_read_in_two_parts_gives_what_it_gives_at_once() {
    over_damaged_files(120, |cases, bytes, cut| {
        let at_once = cases.next();
        cases.tower.write(&at_once, bytes);
        cases.fluxtower.ingest();
        let in_parts = cases.next();
        cases.tower.write(&in_parts, &bytes[..cut % (bytes.len() + 1)]);
        cases.fluxtower.ingest();
        cases.tower.write(&in_parts, bytes);
        cases.fluxtower.ingest();
        prop_assert_eq!(cases.tower.rows(&in_parts), cases.tower.rows(&at_once));
        prop_assert_eq!(cases.set_aside(&in_parts), cases.set_aside(&at_once));
        Ok(())
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i2_values_are_the_same_wherever_their_columns_stand(line in line_like()) {
        let places = [ColumnSource::Time, ColumnSource::Record, Value(0), Value(1), Value(2), Value(3)];
        let in_order = Layout::new(places.to_vec(), 4, Vec::new());
        // One name more on the table's list, in front: every value moves by one.
        let moved = places.map(|place| if let Value(at) = place { Value(at + 1) } else { place });
        let moved = Layout::new(moved.to_vec(), 5, Vec::new());
        let (mut straight, mut shifted) = (ParsedRow::default(), ParsedRow::default());
        let read = straight.read(line.as_bytes(), &in_order);
        prop_assert_eq!(&read, &shifted.read(line.as_bytes(), &moved));
        if read.is_ok() {
            let straight: Vec<serde_json::Value> = serde_json::from_str(straight.values_json()).unwrap();
            let shifted: Vec<serde_json::Value> = serde_json::from_str(shifted.values_json()).unwrap();
            prop_assert_eq!(straight.len(), 4);
            prop_assert_eq!(straight.as_slice(), &shifted[1..]);
        }
    }

    #[test]
    fn i2_any_four_lines_are_a_header_or_say_why_not(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 4), begin: bool) {
        let first = if begin { [b"\"TOA5\",".as_slice(), &lines[0]].concat() } else { lines[0].clone() };
        if let Ok(header) = format::Header::parse([&first, &lines[1], &lines[2], &lines[3]]) {
            prop_assert_eq!(header.names.len(), header.units.len());
            prop_assert_eq!(header.names.len(), header.process.len());
        }
        format::detect(&first);
    }
}

/// Time, record and about four values, some of them odd.
fn line_like() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        4 => "-?[0-9]{1,7}(\\.[0-9]{0,7})?",
        1 => "-?[0-9]\\.[0-9]{1,5}[eE][-+]?[0-9]{1,3}",
        1 => "\"[A-Z ,\"]{0,5}\"",
        1 => Just("\"NAN\"".to_owned()),
        1 => "[0-9\",. \\-eNAI]{0,6}",
    ];
    proptest::collection::vec(value, 3..6).prop_map(|values| format!("\"2024-05-01 00:00:00\",12,{}", values.join(",")))
}
