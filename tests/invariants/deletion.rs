//! Nothing is deleted that is not in the bucket: `prune` and `verify` against a model of a server, in random situations.
//!
//! The server in memory counts exactly as InfluxDB 2.7 and 1.6 were measured to do: a series is a measurement and a whole tag
//! set, an empty tag is none, and a count may be too high for a moment. Whatever was deleted from the store must be in it, at
//! its own time and with its own values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use fluxtower::agent::retention::{self, Limits, Pruned};
use fluxtower::config::Config;
use fluxtower::destination::{
    Answer, CountAsk, Counted, Destination, DestinationError, Outcome, QueryError, Request, SeriesAsk, StoredValue,
    Tally, ValuesAsk,
};
use fluxtower::ingest::{self, Selection};

use fluxtower::store::{Replay, State, Store};
use fluxtower::sync;
use fluxtower::time::{Interval, SystemClock, Timestamp};
use fluxtower::verify::{self, Scope, VerifyReport};
use influxdb_line_protocol::{FieldValue, parse_lines};
use tempfile::TempDir;

use crate::support::dice::Dice;

/// As many as the issue of lost rows asked for.
const SITUATIONS: u64 = 1_000;
const WORKERS: u64 = 8;
/// 2024-05-01 23:30 at the station: a day of UTC and an hour end among the rows.
const START_S: i64 = 1_714_606_200;
const MINUTE: i64 = 60 * 1_000_000_000;
const ROWS: i64 = 50;

type Series = (String, BTreeMap<String, String>);
/// By field and time.
type Values = BTreeMap<String, BTreeMap<i64, f64>>;

/// What a server holds.
#[derive(Default)]
struct Memory {
    series: BTreeMap<Series, Values>,
    /// How many more counts are too high.
    overcounts: u64,
}

struct Server(Arc<Mutex<Memory>>);

/// Series, time and numbers of each line, those about the agent itself left out.
fn read(lines: &str) -> Vec<(Series, i64, BTreeMap<String, f64>)> {
    let lines = parse_lines(lines).map(|line| line.unwrap());
    let lines = lines.filter(|line| !line.series.measurement.starts_with("fluxtower"));
    lines
        .map(|line| {
            let tags = line.series.tag_set.iter().flatten().map(|(key, value)| (key.to_string(), value.to_string()));
            let numbers = line.field_set.iter().map(|(key, value)| match value {
                FieldValue::F64(number) => (key.to_string(), *number),
                other => panic!("{key} is no float: {other:?}"),
            });
            ((line.series.measurement.to_string(), tags.collect()), line.timestamp.unwrap(), numbers.collect())
        })
        .collect()
}

impl Memory {
    fn keep(&mut self, lines: &str) {
        for (series, at, numbers) in read(lines) {
            let values = self.series.entry(series).or_default();
            for (field, number) in numbers {
                values.entry(field).or_default().insert(at, number);
            }
        }
    }

    fn holds(&self, lines: &str) -> bool {
        read(lines).iter().all(|(series, at, numbers)| {
            let values = self.series.get(series);
            numbers.iter().all(|(field, number)| {
                values.and_then(|values| values.get(field)?.get(at)).is_some_and(|found| found == number)
            })
        })
    }
}

fn asked_for(memory: &Memory, ask: &SeriesAsk<'_>) -> (Values, BTreeSet<String>) {
    let own: BTreeMap<String, String> = ask.tags.iter().cloned().collect();
    let mut others = BTreeSet::new();
    for (measurement, tags) in memory.series.keys() {
        let matches = measurement == ask.measurement && own.iter().all(|(key, value)| tags.get(key) == Some(value));
        if matches {
            others.extend(tags.keys().filter(|key| !own.contains_key(*key)).cloned());
        }
    }
    let values = memory.series.get(&(ask.measurement.to_owned(), own)).cloned().unwrap_or_default();
    (values, others)
}

impl Destination for Server {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn write(&mut self, request: &Request<'_>) -> Result<Answer, DestinationError> {
        self.0.lock().unwrap().keep(std::str::from_utf8(request.lines).unwrap());
        Ok(Answer { outcome: Outcome::Stored, status: Some(204), message: String::new(), server_time: None })
    }

    fn wants_gzip(&self) -> bool {
        false
    }

    fn can_be_asked(&self) -> bool {
        true
    }

    fn count(&mut self, ask: &CountAsk<'_>) -> Result<Counted, QueryError> {
        let mut memory = self.0.lock().unwrap();
        let (values, other_tags) = asked_for(&memory, &ask.series);
        let too_high = u64::from(memory.overcounts > 0);
        memory.overcounts = memory.overcounts.saturating_sub(1);
        let per_field = ask.fields.iter().map(|field| {
            let window = ask.series.interval.from.nanos()..ask.series.interval.until.nanos();
            let found: Vec<f64> =
                values.get(field).map_or(Vec::new(), |of| of.range(window).map(|(_, v)| *v).collect());
            let count = found.len() as u64;
            (field.clone(), Tally { count: count + if count > 0 { too_high } else { 0 }, sum: found.iter().sum() })
        });
        Ok(Counted { per_field: per_field.collect(), other_tags })
    }

    fn values(&mut self, ask: &ValuesAsk<'_>) -> Result<Vec<StoredValue>, QueryError> {
        let (values, others) = asked_for(&self.0.lock().unwrap(), &ask.series);
        assert!(others.is_subset(ask.without), "the question takes in the points of other series");
        let window = ask.series.interval.from.nanos()..ask.series.interval.until.nanos();
        let found = values
            .get(ask.field)
            .map(|of| of.range(window).map(|(at, v)| (Timestamp::from_nanos(*at), Some(*v))).collect());
        Ok(found.unwrap_or_default())
    }
}

/// Three tables that may share a measurement and tags, with values missing here and there.
struct Site {
    folder: TempDir,
    config: Config,
    store: Store,
    memory: Arc<Mutex<Memory>>,
}

impl Site {
    fn new(dice: &mut Dice) -> Site {
        let folder = in_memory();
        let mut config = "[station]\nname = \"s\"\nutc_offset = \"+00:00\"\n[store]\npath = \"s.db\"\n[destination]\nkind = \"files\"\npath = \"out\"\n".to_owned();
        for table in 0..3 {
            let measurement = if dice.below(4) == 0 { format!("m{table}") } else { "fast".to_owned() };
            let tags = match dice.below(3) {
                0 => String::new(),
                1 => format!("tags = {{ height = \"{}m\" }}\n", dice.below(3)),
                _ => format!("tags = {{ height = \"46m\", side = \"{table}\" }}\n"),
            };
            let plot = if dice.below(2) == 0 {
                "[table.columns.Plot]\nuse = \"tag\"\n"
            } else {
                "[table.columns.Plot]\nuse = \"ignore\"\n"
            };
            write!(
                config,
                "[[table]]\nname = \"t{table}\"\nfiles = [\"t{table}.dat\"]\nmeasurement = \"{measurement}\"\n{tags}"
            )
            .unwrap();
            write!(config, "{plot}[table.columns.A]\nfail = [-100, 100]\n").unwrap();
            std::fs::write(folder.path().join(format!("t{table}.dat")), file(table, dice)).unwrap();
        }
        std::fs::write(folder.path().join("config.toml"), config).unwrap();
        let config = Config::load(&folder.path().join("config.toml")).unwrap();
        let store = Store::open(&config.store_path).unwrap();
        ingest::run(&config, &store, &SystemClock, &Selection::default(), &ingest::Unseen).unwrap();
        let site = Site { folder, config, store, memory: Arc::default() };
        site.sync();
        site
    }

    fn sync(&self) {
        let open = || Ok(Box::new(Server(Arc::clone(&self.memory))) as Box<dyn Destination>);
        let report = sync::run(&self.config, &self.store, &SystemClock, open, &sync::Unseen).unwrap();
        assert_eq!(report.pending, 0, "{report:?}");
    }

    fn prune(&self) -> Pruned {
        let limits =
            Limits { cutoff: Timestamp::MAX, now: chrono::Utc::now(), dry_run: false, gives_up: false, deadline: None };
        retention::older_than(&self.config, &self.store, &mut Server(Arc::clone(&self.memory)), limits).unwrap()
    }

    fn verify(&self, requeue: bool) -> VerifyReport {
        let scope = Scope { since: Timestamp::EPOCH, until: Timestamp::MAX, table: None, requeue, now: Timestamp::MAX };
        verify::run(&self.config, &self.store, &mut Server(Arc::clone(&self.memory)), scope).unwrap()
    }

    /// The line of every row in the store, by series and time.
    fn lines(&self) -> BTreeMap<(i64, i64), String> {
        let mut lines = BTreeMap::new();
        for series in self.store.sent_series(Interval::ALL).unwrap() {
            let table = self.config.table(&series.table).unwrap();
            let shape = sync::shape(&self.config, &self.store, table, &series).unwrap().unwrap();
            let every = Interval::ALL;
            self.store
                .sent_rows(series.series, every, |row| {
                    let mut line = Vec::new();
                    shape.render(row.ts, row.values, row.flags, &mut line).unwrap();
                    lines.insert((series.series, row.ts.nanos()), String::from_utf8(line).unwrap());
                })
                .unwrap();
        }
        lines
    }
}

/// A thousand databases that are synced to disk at each commit take minutes, and no power is cut here.
pub fn in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

fn file(table: u64, dice: &mut Dice) -> String {
    let mut text = format!(
        "\"TOA5\",\"s\",\"CR1000\",\"1\",\"Std\",\"CPU:p\",\"1\",\"T{table}\"\r\n\"TIMESTAMP\",\"RECORD\",\"Plot\",\"A\",\"B\"\r\n\
         \"TS\",\"RN\",\"\",\"\",\"\"\r\n\"\",\"\",\"\",\"Smp\",\"Smp\"\r\n"
    );
    for row in 0..ROWS {
        let at = chrono::DateTime::from_timestamp(START_S + row * 60, 0).unwrap().format("%Y-%m-%d %H:%M:%S");
        let mut value = || if dice.below(5) == 0 { "\"NAN\"".to_owned() } else { format!("{}", dice.below(200)) };
        let (a, b) = (value(), value());
        let plot = ["", "6a", "6b"][dice.below(3) as usize];
        write!(text, "\"{at}\",{row},\"{plot}\",{a},{b}\r\n").unwrap();
    }
    text
}

/// Something happens to the bucket, or to what the store thinks of it. Says whether a value that was sent may be gone.
fn happen(site: &Site, dice: &mut Dice) -> bool {
    let mut memory = site.memory.lock().unwrap();
    let from = (START_S * 1_000_000_000) + dice.below(ROWS as u64) as i64 * MINUTE;
    let until = from + (1 + dice.below(20) as i64) * MINUTE;
    let Some(series) = memory.series.keys().nth(dice.below(memory.series.len().max(1) as u64) as usize).cloned() else {
        return false;
    };
    match dice.below(7) {
        0 => memory.series.remove(&series).is_some(),
        1 => {
            let values = memory.series.get_mut(&series).unwrap();
            values.values_mut().for_each(|of| of.retain(|at, _| !(from..until).contains(at)));
            true
        }
        2 => {
            let values = memory.series.get_mut(&series).unwrap();
            let field = values.keys().nth(dice.below(values.len() as u64) as usize).cloned().unwrap();
            values.get_mut(&field).unwrap().retain(|at, _| !(from..until).contains(at));
            true
        }
        3 => {
            let values = memory.series.get_mut(&series).unwrap();
            values.values_mut().for_each(|of| of.range_mut(from..until).for_each(|(_, value)| *value += 1.0));
            true
        }
        4 => {
            // Another writer, at times of its own.
            let values = memory.series.get_mut(&series).unwrap();
            for of in values.values_mut() {
                of.extend((0..20).map(|place| (from + place * MINUTE + MINUTE / 2, 7.0)));
            }
            false
        }
        5 => {
            memory.overcounts = 1 + dice.below(3);
            false
        }
        _ => {
            drop(memory);
            let replay = Replay {
                since: Some(Timestamp::from_nanos(from)),
                until: Some(Timestamp::from_nanos(until)),
                table: None,
                states: vec![State::Sent],
            };
            site.store.replay(&replay, false).unwrap();
            false
        }
    }
}

#[test]
fn i6_nothing_is_deleted_that_is_not_in_the_bucket_in_a_thousand_situations() {
    // Most of the time goes into waiting for the disk.
    let workers: Vec<_> =
        (0..WORKERS).map(|worker| std::thread::spawn(move || prune_in_situations(Dice(12 + worker)))).collect();
    let results = workers.into_iter().map(|worker| worker.join().unwrap());
    let (deleted, kept) = results.fold((0, 0), |sum, (deleted, kept)| (sum.0 + deleted, sum.1 + kept));
    assert!(deleted > 50_000, "a prune that deletes nothing proves nothing: {deleted}");
    assert!(kept > 200, "{kept}");
}

/// Rows deleted, and situations in which something was kept because it was damaged.
fn prune_in_situations(mut dice: Dice) -> (u64, u64) {
    let (mut deleted, mut kept_because_damaged) = (0, 0);
    for situation in 0..SITUATIONS / WORKERS {
        let site = Site::new(&mut dice);
        let mut damaged = false;
        for _ in 0..dice.below(4) {
            damaged |= happen(&site, &mut dice);
        }
        let before = site.lines();
        let pruned = site.prune();
        let after = site.lines();
        let memory = site.memory.lock().unwrap();
        for (key, line) in before.iter().filter(|(key, _)| !after.contains_key(key)) {
            assert!(memory.holds(line), "situation {situation}: {key:?} was deleted and is nowhere: {line}");
        }
        assert_eq!((before.len() - after.len()) as u64, pruned.pruned);
        deleted += pruned.pruned;
        kept_because_damaged += u64::from(damaged && pruned.kept_unverified > 0);
    }
    (deleted, kept_because_damaged)
}

#[test]
fn i6_what_is_kept_for_a_time_is_measured_from_the_newest_row_where_the_clock_runs_ahead() {
    let site = Site::new(&mut Dice(3));
    let newest = (START_S + (ROWS - 1) * 60) * 1_000_000_000;
    let day = 86_400_000_000_000;
    let now = |ahead: i64| {
        retention::earliest_now(&site.store, Timestamp::from_nanos(newest + ahead)).unwrap().nanos() - newest
    };
    assert_eq!((now(750 * day), now(day / 2), now(-day)), (day, day / 2, -day));
}

#[test]
fn verify_finds_every_row_that_is_not_in_the_bucket_as_it_was_sent_and_no_other() {
    let mut dice = Dice(5);
    for situation in 0..100 {
        let site = Site::new(&mut dice);
        for _ in 0..dice.below(4) {
            happen(&site, &mut dice);
        }
        site.memory.lock().unwrap().overcounts = 0;
        let sent = site.lines();
        let wrong = {
            let memory = site.memory.lock().unwrap();
            sent.values().filter(|line| !memory.holds(line)).count() as u64
        };
        let report = site.verify(true);
        let found = report.missing + report.changed;
        // Two tables that write the same points are both told of a surplus value of the other.
        assert!(found >= wrong, "situation {situation}: {wrong} rows are wrong, {report:?}");
        assert!(report.unknown == 0, "{report:?}");
        assert!(report.requeued >= found, "{report:?}");
        site.sync();
        let memory = site.memory.lock().unwrap();
        let shared = sent.values().filter(|line| !memory.holds(line)).count();
        assert!(shared == 0 || tables_overwrite_each_other(&site), "situation {situation}: {shared} rows stay wrong");
        drop(memory);
        assert!(Path::exists(site.folder.path()));
    }
}

/// Whether two tables send one field under one measurement and tag set: the one that comes later wins.
fn tables_overwrite_each_other(site: &Site) -> bool {
    let identity = |place: usize| {
        let table = &site.config.tables[place];
        (table.measurement.clone(), table.tags.clone())
    };
    (0..3).any(|place| (0..place).any(|other| identity(place) == identity(other)))
}
