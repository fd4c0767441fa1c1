//! Decides whether a table's rows are late: one rule for a table with `stale_after`, one for a table without, and one for a
//! table of events, whose rows come when something happens: that none comes says nothing, unless the user sets
//! `stale_after`.
//!
//! A logger that writes a row every five seconds does not produce a file every five seconds: LoggerNet collects every
//! few minutes, and a run reads every few minutes. So an age of up to a quarter of an hour is always fine, however
//! often the logger writes. For a station that should be reported sooner or later, the user sets `stale_after`.

use std::time::Duration;

use crate::config::TableConfig;
use crate::status::age_s;
use crate::text::span;
use crate::time::Timestamp;

/// Added before the fraction is dropped, to round.
const HALF_A_SECOND: Duration = Duration::from_millis(500);
const COLLECTED_S: i64 = 900;
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 86_400;
/// A logger's clock drifts by seconds, not by this.
const AHEAD_S: i64 = 300;

/// Which rule decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The table's `stale_after`, seconds.
    StaleAfter(i64),
    /// The usual interval of its rows, seconds; 0 where several come every second.
    UsualInterval(i64),
    /// Its rows are written on events: none is expected at any time.
    Events,
    /// Its rows are too few to know an interval.
    None,
}

/// How late a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lateness {
    /// No row was ever read.
    NoRow,
    /// The newest row lies so many seconds in the future.
    Ahead(i64),
    /// Rows come as they should.
    Fresh,
    /// A row is overdue.
    Late,
    /// Rows no longer come.
    Stale,
    /// Not fresh, and too few rows to tell more.
    Unknown,
}

impl Rule {
    /// Of a table whose rows have this usual interval.
    pub fn of(table: &TableConfig, interval: Option<Duration>) -> Rule {
        let by_itself = if table.events { Rule::Events } else { Rule::by(None, interval) };
        table.stale_after.map_or(by_itself, |limit| Rule::by(Some(limit), interval))
    }

    fn by(stale_after: Option<Duration>, interval: Option<Duration>) -> Rule {
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        match (stale_after, interval) {
            (Some(limit), _) => Rule::StaleAfter(seconds(limit)),
            (None, Some(interval)) => Rule::UsualInterval(seconds(interval.saturating_add(HALF_A_SECOND))),
            (None, None) => Rule::None,
        }
    }

    /// Judges a table by its newest row.
    pub fn judge(self, newest: Option<Timestamp>, now: Timestamp) -> Lateness {
        let Some(newest) = newest else { return Lateness::NoRow };
        let age = age_s(now, newest);
        if age < -AHEAD_S {
            return Lateness::Ahead(-age);
        }
        let (fresh, late) = (self.fresh_s(), self.late_s().unwrap_or(i64::MAX));
        match age {
            age if age <= fresh => Lateness::Fresh,
            _ if self == Rule::None => Lateness::Unknown,
            age if age <= late => Lateness::Late,
            _ => Lateness::Stale,
        }
    }

    /// A newest row is fresh up to this age, seconds.
    pub fn fresh_s(self) -> i64 {
        match self {
            Rule::StaleAfter(limit) => limit,
            Rule::UsualInterval(interval) => interval.saturating_mul(2).max(COLLECTED_S),
            Rule::Events => i64::MAX,
            Rule::None => COLLECTED_S,
        }
    }

    /// A table is stale from this age of its newest row on, seconds; none where that is not known.
    pub fn late_s(self) -> Option<i64> {
        match self {
            Rule::StaleAfter(limit) => Some(limit),
            Rule::UsualInterval(interval) => {
                let twice = interval.saturating_mul(2);
                // A slow table is late before it is stale, too.
                Some(HOUR_S.max(twice.saturating_mul(2).min(twice.saturating_add(DAY_S))))
            }
            Rule::Events | Rule::None => None,
        }
    }

    /// The rule as text, for a message.
    pub fn text(self) -> String {
        match self {
            Rule::StaleAfter(limit) => format!("stale_after is {}", span(limit)),
            Rule::UsualInterval(0) => "usually several come every second".to_owned(),
            Rule::UsualInterval(interval) => format!("usually one comes every {}", span(interval)),
            Rule::Events => "rows come on events".to_owned(),
            Rule::None => "too few rows to know how often one comes".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: i64 = 1_800_000_000;

    fn at_age(rule: Rule, age_s: i64) -> Lateness {
        rule.judge(Some(Timestamp::from_seconds(NOW_S - age_s)), Timestamp::from_seconds(NOW_S))
    }

    fn state(stale_after: Option<u64>, interval_s: u64, age_s: i64) -> Lateness {
        let rule = Rule::by(stale_after.map(Duration::from_secs), Some(Duration::from_secs(interval_s)));
        at_age(rule, age_s)
    }

    #[test]
    fn a_table_is_fresh_then_late_then_stale() {
        use Lateness::{Ahead, Fresh, Late, Stale};
        assert_eq!([600, 1_000, 3_601].map(|age| state(None, 5, age)), [Fresh, Late, Stale]);
        assert_eq!([3_600, 5_000, 7_201].map(|age| state(None, 1_800, age)), [Fresh, Late, Stale]);
        assert_eq!([1_800, 1_801].map(|age| state(Some(1_800), 5, age)), [Fresh, Stale]);
        assert_eq!([21_600, 21_601].map(|age| state(Some(21_600), 5, age)), [Fresh, Stale]);
        assert_eq!(state(None, 5, -4_000), Ahead(4_000));
    }

    #[test]
    fn the_limits_that_a_dashboard_draws_are_those_that_judge() {
        let rules =
            [Rule::StaleAfter(1_800), Rule::UsualInterval(5), Rule::UsualInterval(1_800), Rule::UsualInterval(DAY_S)];
        for rule in rules {
            let (fresh, late) = (rule.fresh_s(), rule.late_s().unwrap());
            assert_eq!(at_age(rule, fresh), Lateness::Fresh, "{rule:?}");
            assert_ne!(at_age(rule, fresh + 1), Lateness::Fresh, "{rule:?}");
            assert_ne!(at_age(rule, late), Lateness::Stale, "{rule:?}");
            assert_eq!(at_age(rule, late + 1), Lateness::Stale, "{rule:?}");
        }
        assert_eq!(Rule::None.late_s(), None);
    }

    #[test]
    fn too_few_rows_to_know_an_interval_are_neither_fresh_nor_stale() {
        assert_eq!(at_age(Rule::None, 600), Lateness::Fresh);
        assert_eq!(at_age(Rule::None, 86_400), Lateness::Unknown);
        assert_eq!(Rule::None.judge(None, Timestamp::from_seconds(NOW_S)), Lateness::NoRow);
    }

    #[test]
    fn events_are_expected_at_no_time() {
        assert_eq!(at_age(Rule::Events, 365 * DAY_S), Lateness::Fresh);
        assert_eq!(at_age(Rule::Events, -4_000), Lateness::Ahead(4_000));
        assert_eq!(Rule::Events.judge(None, Timestamp::from_seconds(NOW_S)), Lateness::NoRow);
    }
}
