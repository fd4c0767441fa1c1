//! The real thing: the library on a folder of its own, with a server that exists in memory only.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use fluxtower::config::{Config, OnConflict};
use fluxtower::destination::{Answer, Destination, DestinationError, Outcome, Request};
use fluxtower::ingest::{self, Decider, Selection};
use fluxtower::store::{ConflictChoice, Keep, Replay, State, Store};
use fluxtower::sync::{self, SyncReport};
use fluxtower::time::{Clock, Timestamp};
use tempfile::TempDir;

use super::action::{Action, Line, Say, Script};
use super::map::{Asked, Key, Map, Row, Verdict};
use crate::deletion::in_memory;

/// Name, and whether a newer content takes the place of the first.
pub const TABLES: [(&str, bool); 2] = [("kept", false), ("replaced", true)];

/// 2026-06-01T00:00:00Z.
pub const EPOCH_S: i64 = 1_780_272_000;
pub const NANOS: i64 = 1_000_000_000;

fn ns(minute: i64) -> i64 {
    (EPOCH_S + minute * 60) * NANOS
}

/// A line of a file.
fn row((minute, content): Line) -> String {
    let stamp = DateTime::from_timestamp(EPOCH_S + minute * 60, 0).unwrap().format("%Y-%m-%d %H:%M:%S");
    format!("\"{stamp}\",{minute},{content}\n")
}

/// Moved by hand.
pub struct Hands(pub AtomicI64);

impl Hands {
    /// Writes a file a minute ago: ingest gives one that was written just now a moment to settle.
    pub fn write(&self, path: &Path, text: &str) {
        std::fs::write(path, text).unwrap();
        let file = std::fs::File::options().write(true).open(path).unwrap();
        let now = u64::try_from(self.0.load(Ordering::Relaxed)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(now - 60)).unwrap();
    }
}

impl Clock for Hands {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0.load(Ordering::Relaxed), 0).unwrap()
    }
}

/// What the server in memory holds and remembers.
#[derive(Default)]
struct Memory {
    script: Vec<Say>,
    poison: Vec<i64>,
    keeps_from: i64,
    requests: Vec<Asked>,
    /// The newest line of each row that was kept.
    held: BTreeMap<Key, String>,
    /// The line that each content of each row was first sent as.
    spelled: BTreeMap<(Key, u8), String>,
}

struct Server(Arc<Mutex<Memory>>);

/// Which row a line is, and with which content.
fn read(line: &str) -> (Key, u8) {
    let (series, rest) = line.split_once(' ').unwrap();
    let (fields, time) = rest.rsplit_once(' ').unwrap();
    let name = series.split(',').next().unwrap();
    let table = TABLES.iter().position(|(known, _)| *known == name).unwrap();
    let content = fields.split(',').find_map(|field| field.strip_prefix("T_Avg=")).unwrap();
    let minute = (time.parse::<i64>().unwrap() / NANOS - EPOCH_S) / 60;
    ((table, minute), content.parse().unwrap())
}

impl Memory {
    /// What becomes of a request, by its rows, when the script has nothing to say.
    fn by_rows(&self, rows: &[Key]) -> (Outcome, Verdict) {
        if rows.iter().any(|(_, minute)| *minute < self.keeps_from) {
            (Outcome::Split, Verdict::BeyondRetention)
        } else if rows.iter().any(|(_, minute)| self.poison.contains(minute)) {
            (Outcome::Split, Verdict::Refused)
        } else {
            (Outcome::Stored, Verdict::Stored)
        }
    }

    fn keep(&mut self, lines: &[(Key, u8, String)]) {
        for (key, _, line) in lines {
            self.held.insert(*key, line.clone());
        }
    }

    fn answer(&mut self, text: &str) -> Result<Answer, DestinationError> {
        let lines: Vec<(Key, u8, String)> = text
            .lines()
            .map(|line| {
                let (key, content) = read(line);
                (key, content, line.to_owned())
            })
            .collect();
        for (key, content, line) in &lines {
            let first = self.spelled.entry((*key, *content)).or_insert_with(|| line.clone());
            assert_eq!(first, line, "I7: sent again with other bytes");
        }
        let rows: Vec<Key> = lines.iter().map(|line| line.0).collect();
        let say = if self.script.is_empty() { None } else { Some(self.script.remove(0)) };
        let (outcome, verdict) = match say {
            None | Some(Say::Take) => self.by_rows(&rows),
            Some(Say::TakeInSilence | Say::Later) => (Outcome::Retry { after: None }, Verdict::Nothing),
            Some(Say::Hold) => (Outcome::Held { fix: "log in".to_owned() }, Verdict::Nothing),
            Some(Say::Refuse) => (Outcome::Split, Verdict::Refused),
            Some(Say::Fail) => (Outcome::Failing, Verdict::Refused),
            Some(Say::Die { .. }) => (Outcome::Retry { after: None }, Verdict::Nothing),
        };
        if verdict == Verdict::Stored || matches!(say, Some(Say::TakeInSilence | Say::Die { kept: true })) {
            self.keep(&lines);
        }
        self.requests.push(Asked { rows, verdict });
        if let Some(Say::Die { .. }) = say {
            return Err(DestinationError::Client("the agent died".to_owned()));
        }
        let words = match verdict {
            Verdict::BeyondRetention => "points beyond retention policy",
            Verdict::Refused => "field type conflict",
            Verdict::Stored | Verdict::Nothing => "",
        };
        let status = if outcome == Outcome::Stored { 204 } else { 400 };
        Ok(Answer { outcome, status: Some(status), message: words.to_owned(), server_time: None })
    }
}

impl Destination for Server {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn write(&mut self, request: &Request<'_>) -> Result<Answer, DestinationError> {
        let text = std::str::from_utf8(request.lines).unwrap();
        assert_eq!(text.lines().count(), request.rows);
        self.0.lock().unwrap().answer(text)
    }

    fn wants_gzip(&self) -> bool {
        false
    }
}

/// Ends the process, as far as the library can tell, when so many files were read.
struct Killer(AtomicU32);

impl ingest::Progress for Killer {
    fn file(&self, _path: &Path, _bytes: u64) {}

    fn advance(&self, _bytes: u64) {
        if self.0.fetch_sub(1, Ordering::Relaxed) == 0 {
            std::panic::resume_unwind(Box::new("killed"));
        }
    }
}

pub struct Tower {
    folder: TempDir,
    config: Config,
    clock: Hands,
    memory: Arc<Mutex<Memory>>,
    files: [Vec<Line>; TABLES.len()],
    map: Map,
    /// The `on_conflict` that each table's last ingest followed.
    followed: [Option<String>; TABLES.len()],
    /// Someone who looks on, while stores are opened and closed for each action.
    onlooker: (Store, rusqlite::Connection),
}

impl Tower {
    pub fn new(budget: Option<u64>) -> Tower {
        let folder = in_memory();
        // Shorter than any wait between two attempts, so that nothing ever sleeps.
        let mut text =
            "[station]\nname = \"S\"\nutc_offset = \"+00:00\"\n[destination]\nkind = \"files\"\npath = \"out\"\n\
                        [sync]\nbatch_rows = 5\ndeadline = \"400ms\"\n"
                .to_owned();
        if let Some(budget) = budget {
            let _ = writeln!(text, "budget_bytes = {budget}");
        }
        for (name, replaces) in TABLES {
            let on_conflict = if replaces { "replace" } else { "keep" };
            let _ = write!(
                text,
                "[[table]]\nname = \"{name}\"\nfiles = [\"{name}.dat\"]\non_conflict = \"{on_conflict}\"\n"
            );
        }
        let config = Config::parse(&text, &folder.path().join("config.toml")).unwrap();
        let store = Store::open(&config.store_path).unwrap();
        let browser = rusqlite::Connection::open(&config.store_path).unwrap();
        Tower {
            onlooker: (store, browser),
            folder,
            config,
            clock: Hands(AtomicI64::new(EPOCH_S + 2 * 86_400)),
            memory: Arc::default(),
            files: Default::default(),
            map: Map::default(),
            followed: Default::default(),
        }
    }

    fn path(&self, table: usize) -> PathBuf {
        self.folder.path().join(format!("{}.dat", TABLES[table].0))
    }

    fn store(&self) -> Store {
        Store::open(&self.config.store_path).unwrap()
    }

    fn text(&self, table: usize) -> String {
        let mut text = format!(
            "\"TOA5\",\"S\",\"CR1000\",\"1\",\"OS\",\"CPU:p.CR1\",\"1\",\"{}\"\n\"TIMESTAMP\",\"RECORD\",\"T_Avg\"\n\"TS\",\"RN\",\"C\"\n\"\",\"\",\"Avg\"\n",
            TABLES[table].0
        );
        self.files[table].iter().for_each(|line| text.push_str(&row(*line)));
        text
    }

    fn write(&self, table: usize) {
        self.write_text(table, &self.text(table));
    }

    fn write_text(&self, table: usize, text: &str) {
        self.clock.write(&self.path(table), text);
    }

    /// Does it, and holds the store against the map.
    pub fn act(&mut self, action: &Action) {
        match action {
            // Time goes forward in a file: where it goes back in one that was overwritten, the line before may be glued of two,
            // which ingest/glued.rs treats apart and tests/end_to_end/ingest tests.
            Action::Overwrite { table, lines } => {
                let mut lines = lines.clone();
                lines.sort_by_key(|(minute, _)| *minute);
                self.files[*table] = lines;
                self.write(*table);
            }
            Action::Append { table, lines } => {
                let mut lines = lines.clone();
                let last = self.files[*table].last().map_or(i64::MIN, |(minute, _)| *minute);
                lines.retain(|(minute, _)| *minute >= last);
                lines.sort_by_key(|(minute, _)| *minute);
                self.files[*table].extend(lines);
                self.write(*table);
            }
            Action::Ingest => self.ingest(),
            Action::KilledIngest { files } => self.killed_ingest(*files),
            Action::Sync(script) => {
                self.sync(script);
            }
            Action::Replay { since } => self.replay(Some(*since), &[State::Sent, State::Rejected, State::Expired]),
            Action::ReplayRejected => self.replay(None, &[State::Rejected]),
            Action::ReplayExpired => self.replay(None, &[State::Expired]),
            Action::Decide { table, newer } => {
                let changed = self.decide(*table, *newer);
                assert_eq!(changed, self.map.decide(*table, *newer));
            }
            Action::TurnRound { table } => {
                let table = &mut self.config.tables[*table];
                table.on_conflict = match table.on_conflict {
                    OnConflict::Keep => OnConflict::Replace,
                    OnConflict::Replace => OnConflict::Keep,
                };
            }
            Action::Torn { table, line, cut } => {
                let last = self.files[*table].last().map_or(i64::MIN, |(minute, _)| *minute);
                if line.0 >= last {
                    let text = self.text(*table);
                    let begun = row(*line);
                    let begun = &begun[..(begun.len() - 1).min(*cut)];
                    self.write_text(*table, &format!("{text}{begun}"));
                    self.ingest();
                    self.compare();
                    self.files[*table].push(*line);
                    self.write(*table);
                }
            }
            Action::Wait { minutes } => {
                self.clock.0.fetch_add(minutes * 60, Ordering::Relaxed);
            }
        }
        self.compare();
    }

    fn decide(&self, table: usize, newer: bool) -> u64 {
        let keep = if newer { Keep::Newer } else { Keep::Older };
        let choice = ConflictChoice::Within(keep, (Timestamp::EPOCH, Timestamp::from_nanos(ns(1_000_000))));
        let decider = Decider {
            config: &self.config,
            store: &self.store(),
            clock: &self.clock,
            command: "conflicts --keep",
            by_hand: true,
        };
        let done = decider.exchange(Some(TABLES[table].0), choice).unwrap();
        assert_eq!(done.unreadable, 0);
        done.changed
    }

    fn replaces(&self, table: usize) -> bool {
        self.config.tables[table].on_conflict == OnConflict::Replace
    }

    fn read_files(&mut self) {
        for table in 0..TABLES.len() {
            self.map.ingest(table, self.replaces(table), &self.files[table]);
        }
    }

    fn ingest(&mut self) {
        let report =
            ingest::run(&self.config, &self.store(), &self.clock, &Selection::default(), &ingest::Unseen).unwrap();
        for table in &report.tables {
            assert_eq!(table.counts.accounted(), table.counts.lines, "I1: {table:?}");
        }
        let before = self.map.rows.len();
        self.follow_on_conflict();
        self.read_files();
        assert_eq!(report.totals().staged, (self.map.rows.len() - before) as u64);
    }

    /// Rows of an ingest that does not come to its end were never there; if nothing had changed, it came to its end.
    fn killed_ingest(&mut self, files: u32) {
        let store = self.store();
        let killer = Killer(AtomicU32::new(files));
        let ended = std::panic::catch_unwind(AssertUnwindSafe(|| {
            ingest::run(&self.config, &store, &self.clock, &Selection::default(), &killer)
        }));
        self.follow_on_conflict();
        if ended.is_ok() {
            self.read_files();
        }
    }

    /// A table that replaces since the last ingest has decided for the newer contents, before its files are read.
    fn follow_on_conflict(&mut self) {
        for (table, (name, _)) in TABLES.iter().enumerate() {
            let now = self.store().recall(&format!("on_conflict of {name}")).unwrap();
            if self.followed[table].as_deref() == Some("keep") && now.as_deref() == Some("replace") {
                self.map.decide(table, true);
            }
            self.followed[table] = now;
        }
    }

    fn sync(&mut self, script: &Script) -> Option<SyncReport> {
        let store = self.store();
        {
            let mut memory = self.memory.lock().unwrap();
            memory.script.clone_from(&script.first);
            memory.poison = script.poison.iter().copied().collect();
            memory.keeps_from = script.keeps_from;
            memory.requests.clear();
        }
        let open = || Ok(Box::new(Server(Arc::clone(&self.memory))) as Box<dyn Destination>);
        let report = sync::run(&self.config, &store, &self.clock, open, &sync::Unseen);
        drop(store);
        let requests = self.memory.lock().unwrap().requests.clone();
        let died = script.first.iter().take(requests.len()).any(|say| matches!(say, Say::Die { .. }));
        assert_eq!(report.is_err(), died, "{report:?}");
        self.map.follow(&self.rows(), &requests, report.is_ok());
        if let Ok(report) = &report {
            let pending = self.map.rows.values().filter(|row| row.state == "pending").count() as u64;
            assert_eq!((report.pending, report.requests), (pending, requests.len() as u64));
        }
        report.ok()
    }

    fn replay(&mut self, since: Option<i64>, states: &[State]) {
        let replay = Replay {
            since: since.map(|minute| Timestamp::from_nanos(ns(minute))),
            until: None,
            table: None,
            states: states.to_vec(),
        };
        let words: Vec<&str> = states.iter().map(|state| state.word()).collect();
        let requeued = self.store().replay(&replay, false).unwrap();
        assert_eq!(requeued, self.map.replay(since.unwrap_or(i64::MIN), &words));
    }

    /// The store as someone with an SQLite browser sees it.
    fn rows(&self) -> BTreeMap<Key, Row> {
        let mut found = BTreeMap::new();
        for (table, (name, _)) in TABLES.iter().enumerate() {
            // There is no view before the first header was read.
            let Ok(mut rows) =
                self.onlooker.1.prepare_cached(&format!("SELECT ts, state, \"T_Avg\" FROM \"t_{name}\""))
            else {
                continue;
            };
            let mut rows = rows.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let (ts, state, content): (i64, String, u8) =
                    (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
                let key = (table, (ts / NANOS - EPOCH_S) / 60);
                assert!(found.insert(key, Row { content, state }).is_none(), "I3: {key:?} is staged twice");
            }
        }
        found
    }

    /// Rows, contents, states and the kept counts.
    fn compare(&self) {
        let found = self.rows();
        assert_eq!(found, self.map.rows);
        for status in self.onlooker.0.table_status().unwrap() {
            let table = TABLES.iter().position(|(name, _)| *name == status.table).unwrap();
            let count =
                |state: &str| found.iter().filter(|((of, _), row)| *of == table && row.state == state).count() as u64;
            let kept = [status.pending, status.sent, status.rejected, status.expired];
            assert_eq!(kept, ["pending", "sent", "rejected", "expired"].map(count), "{}", status.table);
            let oldest =
                found.iter().find(|((of, _), row)| *of == table && row.state == "pending").map(|(key, _)| ns(key.1));
            assert_eq!(status.oldest_pending.map(|oldest| oldest.nanos()), oldest, "{}", status.table);
        }
    }

    /// A server that takes everything gets everything, with the contents that the store holds now.
    pub fn drain(&mut self) {
        self.act(&Action::Ingest);
        self.act(&Action::ReplayRejected);
        self.act(&Action::ReplayExpired);
        let script = Script { first: Vec::new(), poison: Default::default(), keeps_from: 0 };
        for _ in 0..20 {
            self.act(&Action::Wait { minutes: 6 });
            let report = self.sync(&script).unwrap();
            self.compare();
            if report.pending == 0 {
                break;
            }
        }
        let memory = self.memory.lock().unwrap();
        for (key, row) in &self.map.rows {
            assert_eq!(row.state, "sent", "{key:?}");
            assert_eq!(memory.held.get(key).map(|line| read(line)), Some((*key, row.content)), "{key:?}");
        }
    }
}
