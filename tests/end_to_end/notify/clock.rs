//! A computer's clock that is set makes neither a flood nor silence.

use chrono::{DateTime, TimeDelta, Utc};
use fluxtower::time::Timestamp;

use super::hook::{Answer, Hook};
use super::{broken, station};
use crate::support::{InProcess, Station};

const YEAR: i64 = 365 * 24;

struct Tower {
    hook: Hook,
    open: InProcess,
    start: DateTime<Utc>,
    _station: Station,
}

impl Tower {
    fn new() -> Tower {
        let hook = Hook::start();
        let tower = station(&format!("url = \"{}\"", hook.url()));
        let _ = tower.run(&["ingest"]).expect(0);
        broken(&tower);
        let _ = tower.run(&["ingest"]).expect(1);
        Tower { hook, open: tower.in_process(), start: Utc::now(), _station: tower }
    }

    /// A pass, so many hours after the first one by this computer's clock.
    fn pass(&self, hours: i64) {
        let now = Timestamp::from_utc(self.start + TimeDelta::hours(hours));
        let findings = fluxtower::status::judge(&self.open.config, &self.open.store, now).unwrap();
        super::tell(&self.open.config, &self.open.store, &findings, now);
    }

    /// What was told of the file that cannot be read.
    fn events(&self) -> Vec<String> {
        let posted = self.hook.posted().into_iter().map(|posted| posted.json());
        let own = posted.filter(|told| told["kind"] == "unreadable_file");
        own.map(|told| told["event"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_clock_that_jumps_a_year_ahead_and_back_makes_neither_a_flood_nor_silence() {
    let tower = Tower::new();
    tower.pass(0);
    assert_eq!(tower.events(), ["appeared"]);
    for _ in 0..5 {
        tower.pass(YEAR);
    }
    assert_eq!(tower.events(), ["appeared", "stands"]);
    for _ in 0..5 {
        tower.pass(1);
    }
    assert_eq!(tower.events(), ["appeared", "stands"]);
    // The time until the next message began anew when the clock was put right.
    tower.pass(24);
    assert_eq!(tower.events(), ["appeared", "stands"]);
    tower.pass(26);
    assert_eq!(tower.events(), ["appeared", "stands", "stands"]);
    assert!(tower.hook.posted().len() < 12, "{:?}", tower.hook.told("text"));
}

#[test]
fn a_failure_under_a_clock_that_was_ahead_holds_nothing_up() {
    let tower = Tower::new();
    tower.hook.answers(Answer::status(404));
    tower.pass(YEAR);
    tower.hook.answers(Answer::status(200));
    let before = tower.hook.posted().len();
    tower.pass(1);
    assert!(tower.hook.posted().len() > before);
    assert_eq!(tower.open.store.receiver("the webhook").unwrap().pending, 0);
}
