//! Whether rows still come.
//!
//! A row every five seconds does not mean that a file comes every five seconds: LoggerNet collects every few minutes, and
//! a run reads every few minutes. So a quarter of an hour is always well, however often the logger writes; who wants to
//! know sooner or later says `stale_after`.

use std::time::Duration;

use serde::Serialize;

use crate::status::age_s;
use crate::text::span;
use crate::time::Timestamp;

const COLLECTED_S: i64 = 900;
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 86_400;
/// A logger's clock drifts by seconds, not by this.
const AHEAD_S: i64 = 300;

/// A light.
#[derive(Debug, Clone, Serialize)]
pub(in crate::view::serve) struct Alive {
    pub(super) state: &'static str,
    pub(super) why: String,
}

/// Of a table with its newest row, whose rows lie `interval_s` seconds apart.
pub(super) fn of(
    stale_after: Option<Duration>,
    interval_s: Option<f64>,
    newest: Option<Timestamp>,
    now: Timestamp,
) -> Alive {
    let Some(newest) = newest else { return Alive { state: "none", why: "no row was ever read".to_owned() } };
    let age = age_s(now, newest);
    if age < -AHEAD_S {
        return Alive {
            state: "late",
            why: format!("newest row is {} in the future: look at the logger's clock", span(-age)),
        };
    }
    #[allow(clippy::cast_possible_truncation, reason = "a distance of rows")]
    let interval = interval_s.map(|seconds| seconds.round() as i64);
    let stale_after = stale_after.map(|limit| i64::try_from(limit.as_secs()).unwrap_or(i64::MAX));
    let twice = interval.unwrap_or(0).saturating_mul(2);
    let well = stale_after.unwrap_or(twice.max(COLLECTED_S));
    // A slow table is late before it is dead, too.
    let late = stale_after.unwrap_or(0).max(HOUR_S).max(twice.saturating_mul(2).min(twice.saturating_add(DAY_S)));
    let state = match age {
        age if age <= well => "good",
        age if age <= late => "late",
        _ => "dead",
    };
    let rhythm = match interval {
        Some(1..) => format!(", one comes every {}", span(interval.unwrap_or(0))),
        Some(_) => ", several come every second".to_owned(),
        None => String::new(),
    };
    Alive { state, why: format!("newest row is {} old{rhythm}", span(age.max(0))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(stale_after: Option<u64>, interval_s: f64, age_s: i64) -> &'static str {
        let now = Timestamp::from_nanos(1_800_000_000_000_000_000);
        let newest = Timestamp::from_nanos(now.0 - age_s * 1_000_000_000);
        of(stale_after.map(Duration::from_secs), Some(interval_s), Some(newest), now).state
    }

    #[test]
    fn a_table_is_good_then_late_then_dead() {
        assert_eq!([600, 1_000, 3_601].map(|age| state(None, 5.0, age)), ["good", "late", "dead"]);
        assert_eq!([3_600, 5_000, 7_201].map(|age| state(None, 1_800.0, age)), ["good", "late", "dead"]);
        assert_eq!([1_800, 1_801, 3_601].map(|age| state(Some(1_800), 5.0, age)), ["good", "late", "dead"]);
        assert_eq!([20_000, 21_601].map(|age| state(Some(21_600), 5.0, age)), ["good", "dead"]);
        assert_eq!(state(None, 5.0, -4_000), "late");
    }
}
