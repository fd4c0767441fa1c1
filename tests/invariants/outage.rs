//! Without a link: rows pile up while LoggerNet goes on overwriting its files, runs try now and then, and in the end
//! everything is delivered once.

use std::process::Child;
use std::time::{Duration, Instant};

use crate::support::Site;
use crate::support::server::{Act, Server, closed_port};
use fluxtower::config::Config;
use fluxtower::ingest::{self, Selection};
use fluxtower::store::Store;
use fluxtower::time::SystemClock;

const TABLES: [&str; 5] = ["met", "rain", "snow", "soil", "wind"];
const DAYS: i64 = 30;
const MINUTES_A_DAY: i64 = 24 * 60;
/// LoggerNet keeps more than a day in a file, so that most rows are read twice.
const KEPT: i64 = MINUTES_A_DAY + 200;

#[test]
fn i6_a_month_without_a_link_is_delivered_whole_and_once() {
    let rows = usize::try_from(DAYS * MINUTES_A_DAY).unwrap();
    let mut site = Site::with(&closed_port(), &TABLES, "", "deadline = \"10s\"");
    let config = Config::load(&site.path("config.toml")).unwrap();
    for day in 0..DAYS {
        for table in TABLES {
            let end = (day + 1) * MINUTES_A_DAY;
            site.write(table, (end - KEPT).max(0)..end);
        }
        let store = Store::open(&config.store_path).unwrap();
        let report = ingest::run(&config, &store, &SystemClock, &Selection::default(), &ingest::Unseen).unwrap();
        let (totals, again) = (report.totals(), if day == 0 { 0 } else { KEPT - MINUTES_A_DAY });
        assert_eq!(totals.staged, 5 * MINUTES_A_DAY.unsigned_abs(), "day {day}");
        assert_eq!(totals.duplicates, 5 * again.unsigned_abs(), "day {day}");
        if day % 15 == 7 {
            let begun = Instant::now();
            // Nothing was ever acknowledged, so a person should look.
            let ran = site.sync().expect(1);
            assert!(begun.elapsed() < LIMIT, "the default would be four minutes: {:?}", begun.elapsed());
            assert_eq!((ran.json()["stopped_by"].as_str(), ran.number("sent")), (Some("unreachable"), 0));
            assert_eq!(ran.number("pending"), totals.staged * (day + 1).unsigned_abs());
        }
    }
    assert_eq!(site.count("pending"), 5 * rows);

    let server = Server::start();
    site.configure(&server.url(), "", "");
    let ran = site.sync().expect(0);
    assert_eq!((ran.number("sent") as usize, ran.number("pending")), (5 * rows, 0));
    let points = server.points();
    assert_eq!((points.len(), points.repeated, points.changed), (5 * rows, 0, 0));
    assert_eq!(points.rows(), site.in_state("sent"));
    let status = site.run(&["status", "--json"]).expect(0).json();
    for table in status["tables"].as_array().unwrap() {
        assert_eq!((table["pending"].as_u64(), table["sent"].as_u64()), (Some(0), Some(rows as u64)), "{table}");
        assert!(table["oldest_pending"].is_null(), "{table}");
    }
    // A second look at the same files and the same server changes nothing.
    server.forget_requests();
    site.run(&["run", "--json"]).expect(0);
    assert_eq!((server.requests(), site.count("sent")), (0, 5 * rows));
}

/// Collections of the outage, one each scaled minute; each overwrites what the one before wrote.
const COLLECTIONS: i64 = 60;
const ROWS_OF_ONE: i64 = 3;
/// Scaled minutes are as long as the machine is slow, because the start of a program is not scaled.
const STARTS_IN_A_MINUTE: u32 = 8;
const LIMIT: Duration = Duration::from_secs(120);

/// What starts the program each minute.
#[derive(Clone, Copy, PartialEq)]
enum Scheduler {
    /// Task Scheduler with `IgnoreNew`, a oneshot service of systemd: skips a start while the last run is up.
    OneAtATime,
    /// cron: starts it always.
    Always,
}

/// A station whose schedule is a minute, in a world where time runs faster.
struct Minutely {
    site: Site,
    scheduler: Scheduler,
    minute: Duration,
    arguments: Vec<String>,
    up: Vec<Child>,
    skipped: usize,
}

impl Minutely {
    /// `deadline` counts minutes; None leaves the key out, and the task says how often it starts, as `schedule` writes it.
    fn new(url: &str, scheduler: Scheduler, deadline: Option<u32>) -> Minutely {
        let mut site = Site::with(url, &TABLES, "", "");
        let begun = Instant::now();
        site.run(&["ingest"]).expect(1);
        let minute = (begun.elapsed() * STARTS_IN_A_MINUTE).max(Duration::from_secs(1));
        let mut arguments = vec!["run".to_owned(), "--quiet".to_owned()];
        let key = match deadline {
            None => {
                arguments.extend(["--scheduled".to_owned(), format!("{}ms", minute.as_millis())]);
                String::new()
            }
            Some(minutes) => format!("deadline = \"{}ms\"", (minute * minutes).as_millis()),
        };
        site.configure(url, &format!("timeout = \"{}ms\"", (minute * 5).as_millis()), &key);
        Minutely { site, scheduler, minute, arguments, up: Vec::new(), skipped: 0 }
    }

    fn start(&mut self) {
        self.up.retain_mut(|run| run.try_wait().unwrap().is_none());
        if self.scheduler == Scheduler::OneAtATime && !self.up.is_empty() {
            self.skipped += 1;
            return;
        }
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        self.up.push(self.site.spawn(&arguments));
    }

    /// Goes through the outage, then lets the server come back. Gives how many starts were skipped.
    fn live(mut self, back: &Server) -> usize {
        for collection in 0..COLLECTIONS {
            let begun = Instant::now();
            for table in TABLES {
                self.site.write(table, collection * ROWS_OF_ONE..(collection + 1) * ROWS_OF_ONE);
            }
            std::thread::sleep((self.minute / 2).saturating_sub(begun.elapsed()));
            self.start();
            std::thread::sleep(self.minute.saturating_sub(begun.elapsed()));
        }
        let rows = usize::try_from(COLLECTIONS * ROWS_OF_ONE).unwrap() * TABLES.len();
        self.site.configure(&back.url(), "", "");
        let begun = Instant::now();
        while self.site.count("sent") < rows && begun.elapsed() < LIMIT {
            self.start();
            std::thread::sleep(self.minute);
        }
        for run in &mut self.up {
            run.wait().unwrap();
        }
        let points = back.points();
        assert_eq!(self.site.states().len(), rows, "rows that were read, of {rows} that were written");
        assert_eq!((points.len(), points.changed, self.site.count("sent")), (rows, 0, rows));
        assert_eq!(points.rows(), self.site.in_state("sent"));
        self.skipped
    }
}

#[test]
fn i9_an_outage_of_sixty_collections_loses_no_row_by_a_schedule_of_one_minute() {
    let hanging = Server::start();
    hanging.script(|_| Act::take().after(LIMIT));
    let backs: Vec<Server> = (0..4).map(|_| Server::start()).collect();
    let refused = closed_port();
    std::thread::scope(|scope| {
        // The deadline follows from the schedule; runs end in time.
        let follows = scope.spawn(|| Minutely::new(&refused, Scheduler::OneAtATime, None).live(&backs[0]));
        // A task that does not say how often it starts, with the default of four minutes; starts are skipped.
        let default = scope.spawn(|| Minutely::new(&refused, Scheduler::OneAtATime, Some(4)).live(&backs[1]));
        // Runs beside each other.
        let always = scope.spawn(|| Minutely::new(&refused, Scheduler::Always, Some(4)).live(&backs[2]));
        // A server that takes the request and does not answer.
        let hangs = scope.spawn(|| Minutely::new(&hanging.url(), Scheduler::OneAtATime, None).live(&backs[3]));
        let skipped = [follows, default, always, hangs].map(|world| world.join().unwrap());
        println!("starts skipped: {skipped:?}");
        assert!(skipped[1] > 20 && skipped[3] > 20 && skipped[2] == 0, "{skipped:?}");
        assert!(skipped[0] < skipped[1], "{skipped:?}");
    });
}
