//! A week without a link on the free plan's budget, through the library with a clock of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use fluxtower::config::Config;
use fluxtower::destination::{Answer, Destination, DestinationError, Outcome, Request};
use fluxtower::ingest::{self, Selection};
use fluxtower::store::Store;
use fluxtower::sync;
use fluxtower::time::Clock;

const MINUTES: i64 = 7 * 24 * 60;
const BUDGET: usize = 120_000;
const TABLES: [&str; 3] = ["met", "wind", "soil"];

struct Moved(Mutex<DateTime<Utc>>);

impl Clock for Moved {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// Takes everything and remembers the requests.
#[derive(Clone, Default)]
struct Bucket(Arc<Mutex<Vec<String>>>);

impl Destination for Bucket {
    fn name(&self) -> String {
        "a bucket".to_owned()
    }

    fn write(&mut self, request: &Request<'_>) -> Result<Answer, DestinationError> {
        self.0.lock().unwrap().push(String::from_utf8(request.lines.to_vec()).unwrap());
        Ok(Answer { outcome: Outcome::Stored, status: Some(204), message: String::new(), server_time: None })
    }

    fn wants_gzip(&self) -> bool {
        true
    }
}

fn begin() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-06-01T00:00:00Z").unwrap().with_timezone(&Utc)
}

fn write_week(folder: &Path) {
    for (number, table) in (1..).zip(TABLES) {
        let mut text = format!(
            "\"TOA5\",\"UMB\",\"CR1000\",\"1\",\"CR1000.Std.32\",\"CPU:p.CR1\",\"1\",\"{table}\"\r\n\"TIMESTAMP\",\"RECORD\",\"T_Avg\",\"P_Avg\"\r\n\"TS\",\"RN\",\"\",\"\"\r\n\"\",\"\",\"Avg\",\"Avg\"\r\n"
        );
        // Tables of different width: an estimate by rows alone would be wrong.
        for minute in 0..MINUTES / number {
            let stamp = (begin() + TimeDelta::minutes(minute * number)).format("%Y-%m-%d %H:%M:%S");
            let _ = write!(
                text,
                "\"{stamp}\",{minute},{}.25,98.{}\r\n",
                minute % 40,
                "5".repeat(usize::try_from(number * 4).unwrap())
            );
        }
        std::fs::write(folder.join(format!("{table}.dat")), text).unwrap();
    }
}

#[test]
fn after_a_week_offline_the_newest_rows_come_first_and_the_rest_keeps_to_the_budget_and_the_estimate() {
    let folder = tempfile::tempdir().unwrap();
    write_week(folder.path());
    let mut text = format!(
        "[station]\nname = \"US-UMB\"\nutc_offset = \"+00:00\"\n[store]\npath = \"store.db\"\n[destination]\nkind = \"files\"\npath = \"outbox\"\n\
         [sync]\nbatch_rows = 500\nbudget_bytes = {BUDGET}\n"
    );
    for table in TABLES {
        let _ = write!(text, "[[table]]\nname = \"{table}\"\nfiles = [\"{table}.dat\"]\n");
    }
    std::fs::write(folder.path().join("config.toml"), text).unwrap();
    let config = Config::load(&folder.path().join("config.toml")).unwrap();
    let store = Store::open(&config.store_path).unwrap();
    let clock = Moved(Mutex::new(begin() + TimeDelta::days(7)));
    let report = ingest::run(&config, &store, &clock, &Selection::default(), &ingest::Unseen).unwrap();
    let staged = report.totals().staged;
    assert_eq!(staged, u64::try_from(MINUTES + MINUTES / 2 + MINUTES / 3).unwrap());

    let estimate = sync::pending_bytes(&config, &store, fluxtower::time::Timestamp::from_utc(clock.now()))
        .unwrap()
        .drain
        .unwrap()
        .as_secs();
    let bucket = Bucket::default();
    let mut windows = 0_u64;
    while store.pending().unwrap() > 0 {
        let before = bucket.0.lock().unwrap().len();
        sync::run(&config, &store, &clock, || Ok(Box::new(bucket.clone())), &sync::Unseen).unwrap();
        let bytes: usize = bucket.0.lock().unwrap()[before..].iter().map(String::len).sum();
        assert!(bytes <= BUDGET, "window {windows} took {bytes} bytes");
        *clock.0.lock().unwrap() += TimeDelta::seconds(301);
        windows += 1;
        assert!(windows < 1_000, "the backlog does not drain");
    }
    let took = (windows - 1) * 300;
    assert!(estimate.abs_diff(took) * 5 <= took, "estimated {estimate} s, took {took} s");

    let requests = bucket.0.lock().unwrap().clone();
    let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
    let mut points = BTreeSet::new();
    for line in requests.iter().flat_map(|request| request.lines()) {
        let table = line.split(',').next().unwrap();
        let ns: i64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        let known = newest.entry(table).or_insert(ns);
        *known = ns.max(*known);
        assert!(points.insert((table, ns)), "sent twice: {line}");
    }
    assert_eq!(points.len() as u64, staged);
    for (table, ns) in newest {
        let first =
            requests.iter().find(|request| request.lines().any(|line| line.starts_with(&format!("{table},")))).unwrap();
        assert!(first.contains(&format!(" {ns}\n")), "the first request of {table} does not hold its newest row");
    }
}
