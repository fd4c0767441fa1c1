//! Lives in which what decides about rows changes: tag columns, clocks, offsets, formats, samples. Each command may be killed
//! after any of its commits.
//!
//! The oracle: every content of a line that was read is in the store, as a row, beside one, or as a line that is none; and
//! each has the time and the tags that the present configuration gives its line, however it came there (i3, i11). At the end
//! the bucket holds what the store says is sent, and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use chrono::DateTime;
use fluxtower::config::Config;
use fluxtower::destination::{
    Answer, Beside, Destination, DestinationError, Outcome, QueryError, Removal, Request, SeriesAsk,
};
use fluxtower::ingest::{self, Decider, Selection};
use fluxtower::store::{ConflictChoice, Keep, Replay, State, Store};
use fluxtower::sync;
use fluxtower::time::{Candidates, LocalTime, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use super::tower::{EPOCH_S, Hands, NANOS};
use crate::deletion::in_memory;
use crate::support::WRONG_COUNTS;

/// A TOA5 table, one without header and record numbers, one whose rows share stamps, and one in two files of some columns each.
const TABLES: [&str; 4] = ["toa", "csv", "burst", "split"];
const BURST: usize = 2;
const SPLIT: usize = 3;
/// Content of a line whose header has no T, but U.
const ABSENT: u8 = u8::MAX;
/// Rows of a stamp in the last one.
const PER_STAMP: i64 = 4;
const MINUTES: i64 = 16;
const MINUTE: i64 = 60 * NANOS;

/// A line of a file: the minute of its stamp, its number within the stamp, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    minute: i64,
    /// Which plot, or which sample.
    part: i64,
    content: u8,
}

impl Line {
    fn id(self) -> i64 {
        self.minute * PER_STAMP + self.part
    }

    pub fn of(id: i64, content: u8) -> Line {
        Line { minute: id.div_euclid(PER_STAMP), part: id.rem_euclid(PER_STAMP), content }
    }

    fn plot(self) -> &'static str {
        ["a", "b"][usize::try_from(self.part % 2).unwrap()]
    }
}

/// What the configuration says of a table.
#[derive(Debug, Clone, PartialEq)]
struct Keys {
    is_tag: bool,
    /// From, until, and what is added, in minutes.
    clock: Option<(i64, i64, i64)>,
    /// Hours from UTC, and from which minute on; before it, none.
    offset: (i64, i64),
    valid_from: i64,
    replaces: bool,
    /// How a time is written without a header.
    by_day: bool,
    missing: bool,
    samples: Option<i64>,
}

impl Keys {
    fn first() -> Keys {
        Keys {
            is_tag: false,
            clock: None,
            offset: (0, -10_000),
            valid_from: -10_000,
            replaces: false,
            by_day: false,
            missing: false,
            samples: Some(1),
        }
    }

    fn text(&self, table: usize) -> String {
        let name = TABLES[table];
        let files = if table == SPLIT { format!("{name}*.dat") } else { format!("{name}.dat") };
        let mut text = format!("[[table]]\nname = \"{name}\"\nfiles = [\"{files}\"]\nutc_offset = \"+00:00\"\n");
        let mut say = |line: String| writeln!(text, "{line}").unwrap();
        if table == 1 {
            say("format = \"csv\"\nnames = [\"Time\", \"Id\", \"Plot\", \"T\"]\ntime_column = \"Time\"".to_owned());
            say(format!("time_format = \"{}\"", if self.by_day { BY_DAY } else { PLAIN }));
        }
        if self.replaces {
            say("on_conflict = \"replace\"".to_owned());
        }
        if let Some(samples) = self.samples.filter(|_| table == BURST) {
            say(format!("samples_per_stamp = {samples}"));
            if samples > 1 {
                say("stamp_interval = \"1m\"".to_owned());
            }
        }
        say(format!("valid_from = \"{}\"", stamp(self.valid_from, PLAIN)));
        if self.missing {
            say("[table.columns.T]\nmissing = [1]".to_owned());
        }
        if self.is_tag {
            say("[table.columns.Plot]\nuse = \"tag\"".to_owned());
        }
        if self.offset.0 != 0 {
            let from = stamp(self.offset.1, PLAIN);
            say(format!("[[table.offset]]\nfrom = \"{from}\"\nutc_offset = \"+{:02}:00\"", self.offset.0));
        }
        if let Some((from, until, add)) = self.clock {
            say(format!(
                "[[table.clock]]\nfrom = \"{}\"\nuntil = \"{}\"\nadd = \"{add}m\"",
                stamp(from, PLAIN),
                stamp(until, PLAIN)
            ));
        }
        text
    }
}

const PLAIN: &str = "%Y-%m-%d %H:%M:%S";
const BY_DAY: &str = "%d.%m.%Y %H:%M";

fn stamp(minute: i64, format: &str) -> String {
    DateTime::from_timestamp(EPOCH_S + minute * 60, 0).unwrap().format(format).to_string()
}

#[derive(Debug, Clone)]
pub enum Action {
    Overwrite {
        table: usize,
        lines: Vec<Line>,
    },
    Append {
        table: usize,
        lines: Vec<Line>,
    },
    /// The other file of the table in two files is written, with rows of these minutes.
    Other {
        minutes: BTreeSet<i64>,
    },
    Change {
        table: usize,
        change: Change,
    },
    Ingest {
        killed: Option<u8>,
    },
    Decide {
        table: usize,
        newer: bool,
        killed: Option<u8>,
    },
    Sync,
    Replay,
    Wait,
}

#[derive(Debug, Clone)]
pub enum Change {
    Tag,
    Clock(Option<(i64, i64, i64)>),
    Offset(i64, i64),
    ValidFrom(i64),
    OnConflict,
    Format,
    Missing,
    Samples(Option<i64>),
}

fn lines(table: usize) -> BoxedStrategy<Vec<Line>> {
    if table == BURST {
        let span = (0..MINUTES * PER_STAMP, 1..14_i64, vec(0..8_u8, 14));
        return span
            .prop_map(|(first, length, contents)| {
                let ids = (first..first + length).zip(contents);
                ids.map(|(id, content)| Line::of(id, u8::from(content == 0))).collect()
            })
            .boxed();
    }
    let line = (0..MINUTES, if table == SPLIT { 0..1 } else { 0..2_i64 }, 0..3_u8);
    vec(line.prop_map(|(minute, part, content)| Line { minute, part, content }), 0..12).boxed()
}

fn change(table: usize) -> BoxedStrategy<Change> {
    let period = (0..MINUTES, 1..8_i64, -9..9_i64);
    let clock = prop_oneof![
        1 => Just(Change::Clock(None)),
        3 => period.prop_map(|(from, length, add)| Change::Clock(Some((from, from + length, add)).filter(|_| add != 0))),
    ];
    let offset = prop_oneof![
        Just(Change::Offset(0, 0)),
        (1..3_i64, -1..MINUTES).prop_map(|(hours, from)| Change::Offset(hours, from))
    ];
    let any = prop_oneof![
        2 => clock,
        1 => offset,
        1 => (-2..MINUTES).prop_map(Change::ValidFrom),
        1 => Just(Change::OnConflict),
        1 => Just(Change::Missing),
    ];
    match table {
        0 => prop_oneof![2 => any, 1 => Just(Change::Tag)].boxed(),
        1 => prop_oneof![3 => any, 1 => Just(Change::Tag), 1 => Just(Change::Format)].boxed(),
        // No two of its rows meet at one time, so that each gets only what is its own.
        SPLIT => prop_oneof![
            2 => (0..3_i64).prop_map(|hours| Change::Offset(hours, -5_000)),
            1 => (-2..MINUTES).prop_map(Change::ValidFrom),
            2 => Just(Change::OnConflict),
            1 => Just(Change::Missing),
        ]
        .boxed(),
        _ => prop_oneof![2 => any, 1 => prop_oneof![Just(Some(1)), Just(Some(PER_STAMP))].prop_map(Change::Samples)]
            .boxed(),
    }
}

fn action() -> impl Strategy<Value = Action> {
    let killed = || prop_oneof![2 => Just(None), 1 => (0..12_u8).prop_map(Some)];
    prop_oneof![
        4 => (0..TABLES.len()).prop_flat_map(|table| (Just(table), lines(table)))
            .prop_map(|(table, lines)| Action::Overwrite { table, lines }),
        2 => (0..TABLES.len()).prop_flat_map(|table| (Just(table), lines(table)))
            .prop_map(|(table, lines)| Action::Append { table, lines }),
        2 => vec(0..MINUTES, 0..12).prop_map(|minutes| Action::Other { minutes: minutes.into_iter().collect() }),
        4 => (0..TABLES.len()).prop_flat_map(|table| (Just(table), change(table)))
            .prop_map(|(table, change)| Action::Change { table, change }),
        5 => killed().prop_map(|killed| Action::Ingest { killed }),
        1 => (0..TABLES.len(), any::<bool>(), killed()).prop_map(|(table, newer, killed)| Action::Decide { table, newer, killed }),
        // A sync that dies is tried by the other model: here the server would keep what a dead one never sent.
        3 => Just(Action::Sync),
        1 => Just(Action::Replay),
        1 => Just(Action::Wait),
    ]
}

pub fn actions() -> impl Strategy<Value = Vec<Action>> {
    vec(action(), 5..=20)
}

/// The points of a server, by series and time.
type Points = BTreeMap<(String, i64), BTreeMap<String, String>>;

#[derive(Default)]
struct Bucket {
    points: Points,
}

struct Server(Arc<Mutex<Bucket>>);

impl Destination for Server {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn write(&mut self, request: &Request<'_>) -> Result<Answer, DestinationError> {
        let text = std::str::from_utf8(request.lines).unwrap();
        let mut bucket = self.0.lock().unwrap();
        for line in text.lines() {
            let (series, rest) = line.split_once(' ').unwrap();
            let (fields, time) = rest.rsplit_once(' ').unwrap();
            let point = bucket.points.entry((series.to_owned(), time.parse().unwrap())).or_default();
            for field in fields.split(',') {
                let (name, value) = field.split_once('=').unwrap();
                point.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(Answer { outcome: Outcome::Stored, status: Some(204), message: String::new(), server_time: None })
    }

    fn wants_gzip(&self) -> bool {
        false
    }

    fn removal(&self) -> Removal {
        Removal::OneSeries
    }

    fn may_remove(&mut self, _: Option<&str>) -> Result<(), QueryError> {
        Ok(())
    }

    fn beside(&mut self, _: &SeriesAsk<'_>) -> Result<Beside, QueryError> {
        Ok(Beside::default())
    }

    fn remove(&mut self, ask: &SeriesAsk<'_>, _: &[String]) -> Result<(), QueryError> {
        let tags = ask.tags.iter().map(|(name, value)| format!(",{name}={value}")).collect::<String>();
        let series = format!("{}{tags}", ask.measurement);
        let (from, last) = (ask.interval.from.nanos(), ask.interval.last().nanos());
        self.0.lock().unwrap().points.retain(|(known, ts), _| *known != series || !(from..=last).contains(ts));
        Ok(())
    }
}

/// Where a content is.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    ts: i64,
    tags: String,
    is_sent: bool,
    is_missing: bool,
}

#[derive(Debug, Default)]
struct Contents {
    rows: BTreeMap<Line, Found>,
    beside: BTreeMap<Line, Found>,
    lines: BTreeSet<Line>,
    moving: BTreeSet<Line>,
    /// Rows with the columns of the other file.
    with_u: BTreeSet<i64>,
}

/// Whether all of these contents are there. A line without T is no content of its own where a row has its columns too.
fn holds(found: &BTreeSet<Line>, wanted: &BTreeSet<Line>) -> bool {
    let has_id = |id: i64| found.iter().any(|line| line.id() == id);
    wanted.iter().all(|line| found.contains(line) || (line.content == ABSENT && has_id(line.id())))
}

impl Contents {
    fn all(&self) -> BTreeSet<Line> {
        let rows = self.rows.keys().chain(self.beside.keys());
        rows.chain(&self.lines).chain(&self.moving).copied().collect()
    }
}

pub struct Tower {
    folder: TempDir,
    keys: [Keys; TABLES.len()],
    /// Offsets changed, and `rekey` has not come to its end.
    is_rekey_due: bool,
    clock: Hands,
    bucket: Arc<Mutex<Bucket>>,
    files: [Vec<Line>; TABLES.len()],
    /// Minutes of the rows in the other file of the table in two files.
    other: BTreeSet<i64>,
    /// What was read.
    known: [BTreeSet<Line>; TABLES.len()],
    /// Of which rows the other file was read.
    known_u: BTreeSet<i64>,
    /// Whether the rows have a tag; none where a kill makes it unknown.
    tagged: [Option<bool>; TABLES.len()],
    /// Points under other tags than those of now, which users delete.
    left: BTreeSet<(String, i64)>,
}

impl Tower {
    pub fn new() -> Tower {
        let tower = Tower {
            folder: in_memory(),
            keys: [Keys::first(), Keys::first(), Keys::first(), Keys::first()],
            is_rekey_due: false,
            clock: Hands(AtomicI64::new(EPOCH_S + 2 * 86_400)),
            bucket: Arc::default(),
            files: Default::default(),
            other: BTreeSet::new(),
            known: Default::default(),
            known_u: BTreeSet::new(),
            tagged: [Some(false); TABLES.len()],
            left: BTreeSet::new(),
        };
        drop(Store::open(&tower.config().store_path).unwrap());
        tower
    }

    fn config(&self) -> Config {
        let mut text =
            "[station]\nname = \"S\"\nutc_offset = \"+00:00\"\n[destination]\nkind = \"files\"\npath = \"out\"\n\
                        [sync]\nbatch_rows = 7\n"
                .to_owned();
        (0..TABLES.len()).for_each(|table| text.push_str(&self.keys[table].text(table)));
        Config::parse(&text, &self.folder.path().join("config.toml")).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn path(&self, table: usize) -> PathBuf {
        self.folder.path().join(format!("{}.dat", TABLES[table]))
    }

    fn write(&self, table: usize) {
        let mut text = String::new();
        if table != 1 {
            let _ = write!(
                text,
                "\"TOA5\",\"S\",\"CR1000\",\"1\",\"OS\",\"CPU:p.CR1\",\"1\",\"{}\"\n\"TIMESTAMP\",\"RECORD\",\"Id\",\"Plot\",\"T\"\n\
                 \"TS\",\"RN\",\"\",\"\",\"C\"\n\"\",\"\",\"Smp\",\"Smp\",\"Avg\"\n",
                TABLES[table]
            );
        }
        let format = if table == 1 && self.keys[1].by_day { BY_DAY } else { PLAIN };
        for line in &self.files[table] {
            let (at, id) = (stamp(line.minute, format), line.id());
            let record = if table == 1 { String::new() } else { format!("{id},") };
            let _ = writeln!(text, "\"{at}\",{record}{id},\"{}\",{}", line.plot(), line.content);
        }
        self.clock.write(&self.path(table), &text);
    }

    fn write_other(&self) {
        let mut text = "\"TOA5\",\"S\",\"CR1000\",\"1\",\"OS\",\"CPU:p.CR1\",\"1\",\"split\"\n\"TIMESTAMP\",\"RECORD\",\"Id\",\"U\"\n\
                        \"TS\",\"RN\",\"\",\"V\"\n\"\",\"\",\"Smp\",\"Smp\"\n"
            .to_owned();
        for minute in &self.other {
            let id = Line::of(minute * PER_STAMP, ABSENT).id();
            let _ = writeln!(text, "\"{}\",{id},{id},{}", stamp(*minute, PLAIN), 10 * id);
        }
        self.clock.write(&self.folder.path().join("split_u.dat"), &text);
    }

    pub fn act(&mut self, action: &Action) {
        match action {
            Action::Other { minutes } => {
                self.other.clone_from(minutes);
                self.write_other();
            }
            Action::Overwrite { table, lines } => {
                self.files[*table] = lines.clone();
                self.files[*table].sort_by_key(|line| line.id());
                self.write(*table);
            }
            Action::Append { table, lines } => {
                let last = self.files[*table].last().map_or(i64::MIN, |line| line.id());
                let mut lines: Vec<Line> = lines.iter().copied().filter(|line| line.id() >= last).collect();
                lines.sort_by_key(|line| line.id());
                self.files[*table].extend(lines);
                self.write(*table);
            }
            Action::Change { table, change } => self.change(*table, change),
            Action::Ingest { killed } => self.ingest(*killed),
            Action::Decide { table, newer, killed } => self.decide(*table, *newer, *killed),
            Action::Sync => self.sync(),
            Action::Replay => {
                let states = vec![State::Sent, State::Rejected, State::Expired];
                let replay = Replay { since: None, until: None, table: None, states };
                let _ = self.store().replay(&replay, false).unwrap();
            }
            Action::Wait => {
                self.clock.0.fetch_add(360, Ordering::Relaxed);
            }
        }
    }

    fn store(&self) -> Store {
        Store::open(&self.config().store_path).unwrap()
    }

    fn change(&mut self, table: usize, change: &Change) {
        let keys = &mut self.keys[table];
        match change {
            Change::Tag => keys.is_tag = !keys.is_tag,
            Change::Clock(clock) => keys.clock = *clock,
            Change::Offset(hours, from) => {
                keys.offset = (*hours, *from);
                self.is_rekey_due = true;
            }
            Change::ValidFrom(minute) => keys.valid_from = *minute,
            Change::OnConflict => keys.replaces = !keys.replaces,
            Change::Format => {
                keys.by_day = !keys.by_day;
                self.write(table);
            }
            Change::Missing => keys.missing = !keys.missing,
            Change::Samples(samples) => keys.samples = *samples,
        }
    }

    /// Does it, and if asked, leaves what a program leaves that was killed after so many commits.
    fn killed(&mut self, after: Option<u8>, work: impl FnOnce(&mut Tower)) {
        let Some(after) = after else { return work(self) };
        let path = self.config().store_path;
        let beside = |end: &str| path.with_file_name(format!("{}{end}", path.file_name().unwrap().to_str().unwrap()));
        let onlooker = rusqlite::Connection::open(&path).unwrap();
        onlooker.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        let _: i64 = onlooker.query_row("SELECT count(*) FROM setting", [], |row| row.get(0)).unwrap();
        let before = std::fs::read(&path).unwrap();
        work(self);
        let (base, log) = (std::fs::read(&path).unwrap(), std::fs::read(beside("-wal")).unwrap());
        drop(onlooker);
        if base != before {
            // It was copied into the database while the work went on.
            return;
        }
        std::fs::write(&path, base).unwrap();
        std::fs::write(beside("-wal"), cut(&log, usize::from(after))).unwrap();
        let _ = std::fs::remove_file(beside("-shm"));
    }

    fn ingest(&mut self, killed: Option<u8>) {
        let before = self.known.clone();
        self.killed(killed, Tower::ingest_whole);
        if killed.is_some() {
            for table in 0..TABLES.len() {
                let contents = self.contents(table);
                let found = contents.all();
                assert!(holds(&found, &before[table]), "{} lost {:?}", TABLES[table], before[table].difference(&found));
                assert!(found.is_subset(&self.known[table]), "{}", TABLES[table]);
                self.known[table] = found;
                if table == SPLIT {
                    self.known_u = contents.with_u;
                }
            }
            self.is_rekey_due = true;
            self.tagged = [None; TABLES.len()];
        } else {
            self.compare();
        }
    }

    fn ingest_whole(&mut self) {
        let (config, store) = (self.config(), self.store());
        if self.is_rekey_due {
            let _ = ingest::rekey(&config, &store, &self.clock, None, &ingest::Unseen).unwrap();
            self.is_rekey_due = false;
        }
        // Lines of a file that is being overwritten are deferred until it is still.
        self.clock.0.fetch_add(720, Ordering::Relaxed);
        let report = ingest::run(&config, &store, &self.clock, &Selection::default(), &ingest::Unseen).unwrap();
        for table in &report.tables {
            assert_eq!(table.counts.accounted(), table.counts.lines, "I1: {table:?}");
            assert_eq!(table.counts.deferred, 0, "{table:?}");
        }
        for (table, name) in TABLES.iter().enumerate() {
            self.known[table].extend(&self.files[table]);
            if table == SPLIT {
                let lines = self.other.iter().map(|minute| Line::of(minute * PER_STAMP, ABSENT));
                self.known[table].extend(lines.clone());
                self.known_u.extend(lines.map(Line::id));
            }
            if self.tagged[table] != Some(self.keys[table].is_tag) {
                let series = format!("{name},");
                let points = &self.bucket.lock().unwrap().points;
                self.left.extend(points.keys().filter(|(known, _)| known.starts_with(&series)).cloned());
                self.tagged[table] = Some(self.keys[table].is_tag);
            }
        }
    }

    fn decide(&mut self, table: usize, newer: bool, killed: Option<u8>) {
        if !self.is_rekey_due {
            self.killed(killed, |tower| tower.decide_whole(table, newer));
        }
    }

    fn decide_whole(&mut self, table: usize, newer: bool) {
        let keep = if newer { Keep::Newer } else { Keep::Older };
        let choice =
            ConflictChoice::Within(keep, (Timestamp::EPOCH, Timestamp::from_nanos((EPOCH_S + 86_400) * NANOS)));
        let (config, store) = (self.config(), self.store());
        let decider =
            Decider { config: &config, store: &store, clock: &self.clock, command: "conflicts --keep", by_hand: true };
        decider.exchange(Some(TABLES[table]), choice).unwrap();
    }

    fn sync(&mut self) {
        let (config, store) = (self.config(), self.store());
        if self.is_rekey_due {
            return;
        }
        let open = || Ok(Box::new(Server(Arc::clone(&self.bucket))) as Box<dyn Destination>);
        sync::run(&config, &store, &self.clock, open, &sync::Unseen).unwrap();
    }

    /// The store as someone with an SQLite browser sees it.
    fn contents(&self, table: usize) -> Contents {
        let onlooker = rusqlite::Connection::open(self.config().store_path).unwrap();
        let mut names = onlooker
            .prepare(
                "SELECT c.name FROM column_list c JOIN logger_table t ON t.id = c.logger_table WHERE t.name = ?1 ORDER BY c.position",
            )
            .unwrap();
        let names = names.query_map([TABLES[table]], |row| row.get::<_, String>(0)).unwrap();
        let names: Vec<String> = names.map(Result::unwrap).collect();
        let place = |name: &str| names.iter().position(|known| known == name);
        let value = |text: &str, name: &str| -> Option<i64> {
            let values: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
            values.get(place(name)?)?.as_i64()
        };
        let of_values = |text: &str| {
            let content = value(text, "T").map_or(ABSENT, |content| u8::try_from(content).unwrap());
            assert!(content != ABSENT || table == SPLIT, "{text}");
            Line::of(value(text, "Id").unwrap(), content)
        };
        let of_line = |text: &str| {
            let fields: Vec<&str> = text.trim().split(',').collect();
            if table != SPLIT {
                return Line::of(fields[fields.len() - 3].parse().unwrap(), fields[fields.len() - 1].parse().unwrap());
            }
            let plot = fields.iter().skip(1).position(|field| field.starts_with('"')).map(|place| place + 1);
            Line::of(fields[2].parse().unwrap(), plot.map_or(ABSENT, |place| fields[place + 1].parse().unwrap()))
        };
        let of_any = |text: &str| if text.starts_with('[') { of_values(text) } else { of_line(text) };
        let mut contents = Contents::default();
        let mut rows = onlooker
            .prepare(
                "SELECT (r.id & 4503599627370495) * 1000 + r.nanos, s.tags, r.vals, r.state, r.flags FROM reading r
                 JOIN series s ON s.id = r.id >> 52 JOIN logger_table t ON t.id = s.logger_table WHERE t.name = ?1",
            )
            .unwrap();
        let mut rows = rows.query([TABLES[table]]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let found = Found {
                ts: row.get(0).unwrap(),
                tags: row.get(1).unwrap(),
                is_sent: row.get::<_, i64>(3).unwrap() == 1,
                is_missing: place("T").is_none_or(|place| {
                    row.get::<_, String>(4).unwrap().as_bytes().get(place).is_none_or(|flag| *flag == b'9')
                }),
            };
            let values = row.get::<_, String>(2).unwrap();
            let line = of_values(&values);
            if let Some(u) = value(&values, "U") {
                assert_eq!(u, 10 * line.id(), "{values}");
                contents.with_u.insert(line.id());
            }
            assert!(contents.rows.insert(line, found).is_none(), "I3: {} has {line:?} twice", TABLES[table]);
        }
        let mut rows = onlooker
            .prepare(
                "SELECT c.ts, s.tags, c.raw FROM conflict c JOIN series s ON s.id = c.series
                 JOIN logger_table t ON t.id = s.logger_table WHERE t.name = ?1",
            )
            .unwrap();
        let mut rows = rows.query([TABLES[table]]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let (ts, tags) = (row.get(0).unwrap(), row.get(1).unwrap());
            let line = of_any(&row.get::<_, String>(2).unwrap());
            let found = Found { ts, tags, is_sent: false, is_missing: false };
            assert!(contents.beside.insert(line, found).is_none(), "{} has {line:?} beside twice", TABLES[table]);
        }
        for (sql, kept) in [
            ("SELECT raw FROM rejected_line l JOIN logger_table t ON t.id = l.logger_table WHERE t.name = ?1", &mut contents.lines),
            (
                "SELECT vals FROM moving m JOIN series s ON s.id = m.series JOIN logger_table t ON t.id = s.logger_table
                 WHERE t.name = ?1",
                &mut contents.moving,
            ),
        ] {
            let mut rows = onlooker.prepare(sql).unwrap();
            let rows = rows.query_map([TABLES[table]], |row| row.get::<_, String>(0)).unwrap();
            kept.extend(rows.map(|text| of_any(&text.unwrap())));
        }
        contents
    }

    /// Time and tags that the configuration gives a line.
    fn meaning(&self, config: &Config, table: usize, line: Line) -> (i64, String) {
        let local = LocalTime::parse(stamp(line.minute, PLAIN).as_bytes()).unwrap();
        let stamps = &config.tables[table].stamps;
        let Candidates::One(ts) = stamps.candidates(local, (table != 1).then(|| line.id())) else { panic!("{line:?}") };
        let spread = self.keys[BURST].samples.filter(|samples| table == BURST && *samples > 1);
        let within = spread.map_or(0, |samples| line.part * MINUTE / samples);
        let tags = if self.keys[table].is_tag { format!("[\"{}\"]", line.plot()) } else { "[]".to_owned() };
        (ts.nanos() + within, tags)
    }

    /// Time and tags of a row, or of a content beside one, are those of the configuration.
    fn is_meant(&self, config: &Config, table: usize, (what, line): (&str, Line), found: &Found) {
        let (ts, tags) = self.meaning(config, table, line);
        let keys = &self.keys[table];
        // A row that came alone, before its stamp was known to be shared, stands at the stamp.
        let early = ts - line.part * MINUTE / PER_STAMP;
        let may_be_early = table == BURST && keys.samples != Some(1) && found.ts == early;
        let at = if may_be_early { ts } else { found.ts };
        assert_eq!((at, &found.tags), (ts, &tags), "{what} {line:?} of {}, {keys:?}", TABLES[table]);
    }

    /// Holds the store against what was read and the configuration.
    fn compare(&self) {
        let config = self.config();
        let onlooker = rusqlite::Connection::open(&config.store_path).unwrap();
        for (table, name) in TABLES.iter().enumerate() {
            let found = self.contents(table);
            let keys = &self.keys[table];
            let mut times = BTreeSet::new();
            for (line, row) in &found.rows {
                self.is_meant(&config, table, ("row", *line), row);
                times.insert((row.ts, row.tags.clone()));
            }
            for (line, content) in &found.beside {
                self.is_meant(&config, table, ("content", *line), content);
                assert!(
                    times.contains(&(content.ts, content.tags.clone())),
                    "{name}: {line:?} is beside no row, {keys:?}"
                );
                assert!(!found.rows.contains_key(line), "{name}: {line:?} is a row and beside one");
            }
            assert_eq!(found.moving, BTreeSet::new(), "{name}");
            let all = found.all();
            let lost: BTreeSet<_> = self.known[table].difference(&all).collect();
            assert!(holds(&all, &self.known[table]), "{name} lost {lost:?}, {keys:?}");
            assert!(all.is_subset(&self.known[table]), "{name}, {keys:?}");
            if table == SPLIT {
                for line in found.rows.keys().filter(|line| self.known_u.contains(&line.id())) {
                    let is_refused = found.lines.contains(&Line { content: ABSENT, ..*line });
                    assert!(is_refused || found.with_u.contains(&line.id()), "{name}: {line:?} lacks U, {keys:?}");
                }
            }
            for line in &found.lines {
                let can_be = found.rows.contains_key(line) || found.beside.contains_key(line);
                let is_valid = self.meaning(&config, table, *line).0 >= (EPOCH_S + keys.valid_from * 60) * NANOS;
                // A line of another spelling may be kept beside its row.
                assert!(can_be || !is_valid || table != 0, "{name}: {line:?} is no row, {keys:?}");
            }
        }
        let wrong: i64 = onlooker.query_row(WRONG_COUNTS, [], |row| row.get(0)).unwrap();
        assert_eq!(wrong, 0, "the counts of logger_table");
    }

    /// Everything is read and sent: the bucket holds the rows.
    pub fn drain(&mut self) {
        self.act(&Action::Ingest { killed: None });
        for _ in 0..20 {
            self.act(&Action::Wait);
            self.sync();
            let store = self.store();
            if store.pending().unwrap() == 0 && store.stale_series().unwrap().is_empty() {
                break;
            }
        }
        let mut expected = Points::new();
        let points = &self.bucket.lock().unwrap().points;
        for (table, name) in TABLES.iter().enumerate() {
            for (line, row) in self.contents(table).rows {
                assert!(row.is_sent, "{name}: {line:?} is pending");
                let tag = if self.keys[table].is_tag { format!("Plot={},", line.plot()) } else { String::new() };
                let series = format!("{name},{tag}station=S");
                let point =
                    points.get(&(series.clone(), row.ts)).unwrap_or_else(|| panic!("{series}: {line:?} is not there"));
                let number = |field: &str| point.get(field).map(|value| value.parse::<f64>().unwrap());
                assert_eq!(number("Id"), Some(line.id() as f64), "{series}: {line:?}");
                let content = (!row.is_missing).then_some(f64::from(line.content));
                assert_eq!(number("T"), content, "{series}: {line:?} {point:?}");
                expected.insert((series, row.ts), BTreeMap::new());
            }
        }
        let more: Vec<_> =
            points.keys().filter(|point| !expected.contains_key(*point) && !self.left.contains(*point)).collect();
        assert!(more.is_empty(), "points without a row: {more:?}");
    }
}

/// A write-ahead log as it was after so many commits.
fn cut(log: &[u8], commits: usize) -> &[u8] {
    const HEAD: usize = 32;
    const FRAME_HEAD: usize = 24;
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    if log.len() < HEAD {
        return log;
    }
    let frame = FRAME_HEAD + number(8) as usize;
    let ends = (HEAD..).step_by(frame).take_while(|at| at + frame <= log.len());
    let mut ends = ends.filter(|at| number(at + 4) > 0).map(|at| at + frame);
    match commits.checked_sub(1) {
        None => &[],
        Some(last) => ends.nth(last).map_or(log, |end| &log[..end]),
    }
}
