//! What is reported of findings that come, stand and go, without the program around it.

use chrono::{DateTime, TimeDelta, Utc};
use fluxtower::status::{Finding, Kind, Severity};
use fluxtower::time::Timestamp;

use super::hook::Hook;
use super::station;
use crate::support::{InProcess, Station};

struct Tower {
    hook: Hook,
    open: InProcess,
    start: DateTime<Utc>,
    _station: Station,
}

impl Tower {
    fn new() -> Tower {
        let hook = Hook::start();
        let tower = station(&format!("url = \"{}\"\nagain = \"off\"", hook.url()));
        Tower { hook, open: tower.in_process(), start: Utc::now(), _station: tower }
    }

    /// A pass that finds this, so many minutes after the first one.
    fn pass(&self, minutes: i64, findings: &[Finding]) {
        let now = Timestamp::from_utc(self.start + TimeDelta::minutes(minutes));
        super::tell(&self.open.config, &self.open.store, findings, now);
    }

    /// Found at 0, 20, 40 and 60 minutes, and ten minutes later found no more.
    fn comes_and_goes(&self, finding: &Finding) {
        for time in 0..4 {
            self.pass(20 * time, std::slice::from_ref(finding));
            self.pass(20 * time + 10, &[]);
        }
        let events = ["appeared", "cleared", "appeared", "cleared", "appeared", "cleared", "appeared"];
        assert_eq!(self.hook.told("event"), events);
    }
}

const DAY: i64 = 24 * 60;

fn finding(kind: Kind, table: Option<&str>) -> Finding {
    Finding {
        kind,
        severity: Severity::Problem,
        table: table.map(str::to_owned),
        since: None,
        message: "something happened".to_owned(),
        fix: String::new(),
        is_history: false,
        about: String::new(),
    }
}

#[test]
fn a_note_of_a_pass_that_the_next_pass_does_not_repeat_is_not_reported_as_cleared() {
    let tower = Tower::new();
    tower.pass(0, &[finding(Kind::Reported, None)]);
    tower.pass(10, &[]);
    tower.pass(2 * DAY, &[]);
    assert_eq!(tower.hook.told("event"), ["appeared"]);
}

#[test]
fn files_from_the_future_are_reported_once_whichever_table_has_the_newest() {
    let tower = Tower::new();
    for minutes in 0..6 {
        let table = if minutes % 2 == 0 { "met" } else { "soil" };
        tower.pass(minutes, &[finding(Kind::ClocksDisagree, Some(table))]);
    }
    assert_eq!(tower.hook.told("event"), ["appeared"]);
}

#[test]
fn a_finding_that_came_and_went_and_then_stands_is_reported_after_the_day_that_its_message_says() {
    let tower = Tower::new();
    let finding = finding(Kind::RunFailed, None);
    tower.comes_and_goes(&finding);
    for minutes in [80, 90, DAY + 50, DAY + 65, DAY + 75, 3 * DAY] {
        tower.pass(minutes, std::slice::from_ref(&finding));
    }
    assert_eq!(tower.hook.told("event").split_off(7), ["stands"]);
}

#[test]
fn a_finding_that_came_and_went_and_stays_away_is_reported_with_the_time_at_which_it_cleared() {
    let tower = Tower::new();
    tower.comes_and_goes(&finding(Kind::RunFailed, None));
    tower.pass(DAY + 200, &[]);
    let text = tower.hook.told("text").pop().unwrap();
    assert!(text.starts_with("US-UMB: cleared: ") && text.ends_with(", 10 min)"), "{text}");
}
