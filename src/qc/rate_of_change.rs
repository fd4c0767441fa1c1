//! Rate of change: a change from the previous row that is too fast.
//!
//! Source: QARTOD, in the form of ioos_qc 3.0 `rate_of_change_test`. A value on the threshold passes.

use std::time::Duration;

use super::flag::Flag;
use super::keys::{Absent, Group, GroupKeys, Key, Kind, Problem, UNLESS_FAIL};
use super::limits::{Levels, limit, rounding, short, span_text, surely_above};
use super::registry::{About, ColumnTest, Seen};
use super::window::Reach;

pub(super) const ABOUT: About = About {
    name: "rate_of_change",
    summary: "a change from the row before that is too fast",
    keys: "`rate_of_change`",
    section: "Rate of change",
    source: "QARTOD; ioos_qc `rate_of_change_test`",
};

/// The time of the limits if `per` is not given.
const DEFAULT_PER: Duration = Duration::from_secs(1);

/// The settings of a rate-of-change test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateOfChange {
    /// The limits in the column's unit per second; a rate strictly above is flagged.
    pub levels: Levels<f64>,
    /// The time for which the limits were written, used to show them as written.
    pub per: Duration,
}

/// The change per second between two values that are `nanos` apart; NaN if one is missing. Rows of equal time have no
/// rate.
#[inline]
#[allow(clippy::cast_precision_loss, reason = "a span of time is good to far less than a part in 2^53")]
fn rate(before: f64, value: f64, nanos: i64) -> f64 {
    if nanos == 0 { f64::NAN } else { ((value - before) / (nanos as f64 / 1e9)).abs() }
}

impl ColumnTest for RateOfChange {
    const KEYS: GroupKeys = GroupKeys {
        name: ABOUT.name,
        meaning: "against the row before: [rate_of_change](#rate_of_change)",
        example: "rate_of_change = { suspect = 1, fail = 3, per = \"1m\" }",
        keys: &[
            Key::new(
                "suspect",
                Kind::Positive,
                "a faster change is suspect, in the column's unit in the time of `per`",
                "suspect = 1",
            )
            .or(UNLESS_FAIL),
            Key::new("fail", Kind::Positive, "a faster change fails", "fail = 3"),
            Key::new("per", Kind::Span, "the time that both limits are written for", r#"per = "1m""#)
                .or(Absent::Value(r#""1s""#)),
        ],
    };
    type State = ();

    fn read(group: &Group) -> Result<RateOfChange, Problem> {
        let per = group.span("per").unwrap_or(DEFAULT_PER);
        let levels = group.rising(Self::KEYS.example)?;
        Ok(RateOfChange { levels: levels.map(|limit| limit / per.as_secs_f64()), per })
    }

    fn start(&self) {}

    /// Not evaluated if the previous value is missing, because there may be a jump in the gap. The first value of a
    /// series passes, as in ioos_qc, because there was never a value to compare with.
    #[inline]
    fn judge(&self, (): &mut (), seen: &Seen<'_>, _: [Option<Reach>; 2]) -> Flag {
        if seen.value.is_nan() {
            return Flag::Missing;
        }
        let Some(before) = seen.before else { return Flag::Pass };
        let interval = seen.row.interval;
        let measured = rate(0.0, seen.kind.change(before, seen.value), interval);
        if measured.is_nan() {
            return Flag::NotEvaluated;
        }
        // The rounding error of the difference, divided by the same time.
        surely_above(&self.levels, measured, rate(0.0, rounding(&[before, seen.value]), interval))
    }

    fn detail(&self, (): &(), seen: &Seen<'_>, flag: Flag) -> String {
        let per = self.per.as_secs_f64();
        let limit = limit(&self.levels, flag).unwrap_or(f64::NAN) * per;
        let measured = seen.before.map_or(f64::NAN, |before| seen.kind.change(before, seen.value));
        let measured = rate(0.0, measured, seen.row.interval) * per;
        format!("changed by {} in {}, more than {}", short(measured), span_text(self.per), short(limit))
    }
}
