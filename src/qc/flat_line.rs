//! Flat line: a value that does not change.
//!
//! Source: QARTOD, in the form of ioos_qc 3.0 `flat_line_test`. There a threshold is converted into a number of rows by
//! the median interval of the whole series; here the span is measured on the rows themselves, so that a flag depends
//! only on the rows within the window. For rows at equal intervals both give the same flags.

use std::time::Duration;

use super::flag::Flag;
use super::keys::{Absent, Group, GroupKeys, Key, Kind, Problem, UNLESS_FAIL};
use super::limits::{Levels, fp2_step, limit, rounding, span_text, surely_below};
use super::registry::{About, ColumnTest, Seen};
use super::window::{Extremes, Reach, Window};
use crate::time::nanos;

pub(super) const ABOUT: About = About {
    name: "flat_line",
    summary: "a value that stands still",
    keys: "`flat_line`",
    section: "Flat line",
    source: "QARTOD; ioos_qc `flat_line_test`",
};

/// The settings of a flat-line test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlatLine {
    /// How long a value may be unchanged.
    pub levels: Levels<Duration>,
    /// A value counts as unchanged if highest and lowest differ by less than this, in the column's unit.
    pub tolerance: f64,
    /// The range in which a constant value is natural, such as RH of 99 and more. Both ends are inclusive.
    pub except: Option<(f64, f64)>,
    /// Whether the quantity changes so slowly that it stays within a step of FP2 for hours.
    pub is_quiet: bool,
}

/// The state of a flat-line test: what it keeps of earlier rows.
#[derive(Debug, Clone)]
pub(super) struct FlatState {
    suspect: Extremes,
    fail: Extremes,
    /// The time of the last value that differs from the next one by the tolerance or more: no window that contains it
    /// is flat.
    broken_at: i64,
    last: Option<(u64, f64)>,
    /// The first value of the present line, which is not in the windows yet.
    first: Option<(u64, f64)>,
}

impl FlatLine {
    /// Whether an unchanged value proves nothing: the quantity changes slowly, and the value may be an FP2 number whose
    /// next one is farther away than the tolerance.
    #[cold]
    fn is_within_a_step(&self, value: f64) -> bool {
        self.is_quiet && fp2_step(value).is_some_and(|step| step > self.tolerance)
    }

    /// Whether values between these two count as unchanged.
    #[inline]
    fn is_still(&self, one: f64, other: f64) -> bool {
        surely_below(self.tolerance, (one - other).abs(), rounding(&[one, other]))
    }
}

impl ColumnTest for FlatLine {
    const KEYS: GroupKeys = GroupKeys {
        name: ABOUT.name,
        meaning: "against standing still: [flat_line](#flat_line)",
        example: "flat_line = { suspect = \"2h\", fail = \"6h\", tolerance = 0.01 }",
        keys: &[
            Key::new("suspect", Kind::Span, "a value that stands still for so long is suspect", r#"suspect = "2h""#)
                .or(UNLESS_FAIL),
            Key::new("fail", Kind::Span, "a value that stands still for so long fails", r#"fail = "6h""#),
            Key::new(
                "tolerance",
                Kind::Positive,
                "still means that highest and lowest differ by less, in the column's unit",
                "tolerance = 0.01",
            )
            .or(Absent::Required),
            Key::new("except", Kind::Bounds, "values at which standing still is natural", "except = [99, 100]"),
        ],
    };
    type State = FlatState;

    fn read(group: &Group) -> Result<FlatLine, Problem> {
        let levels = group.rising_spans(Self::KEYS.example)?;
        let tolerance = group.number("tolerance").ok_or_else(|| {
            group.wrong(
                " lacks tolerance, the difference below which a value counts as standing still; write for example \
                 tolerance = 0.01",
            )
        })?;
        Ok(FlatLine { levels, tolerance, except: group.bounds("except"), is_quiet: false })
    }

    /// The windows for `suspect` and `fail`, in this order.
    fn windows(&self) -> [Option<Window>; 2] {
        let window = |span: Option<Duration>| span.map(|span| Window { nanos: nanos(span), is_closed: true });
        [window(self.levels.suspect), window(self.levels.fail)]
    }

    fn start(&self) -> FlatState {
        FlatState {
            suspect: Extremes::default(),
            fail: Extremes::default(),
            broken_at: i64::MIN,
            last: None,
            first: None,
        }
    }

    /// A missing value proves nothing, and does not end a flat line.
    #[inline]
    fn judge(&self, state: &mut FlatState, seen: &Seen<'_>, [suspect, fail]: [Option<Reach>; 2]) -> Flag {
        let Seen { row: here, value, kind, .. } = *seen;
        if value.is_nan() {
            return Flag::Missing;
        }
        let read = value;
        let is_exempt = self.except.is_some_and(|(low, high)| (low..=high).contains(&value));
        // The direction is shifted next to the one before: 361 follows 359.
        let value = state.last.map_or(value, |(_, last)| kind.beside(last, value));
        let before = state.last.replace((here.row, value));
        if let Some((row, last)) = before
            && !self.is_still(value, last)
        {
            // No earlier row can be part of a flat line any more.
            state.broken_at = here.times.at(row);
            state.first = None;
            state.suspect.clear();
            state.fail.clear();
            let nearest = suspect.into_iter().chain(fail).map(|reach| reach.nanos).min().unwrap_or(0);
            if state.broken_at >= here.nanos.saturating_sub(nearest) {
                // The path for nearly every value of a working sensor.
                state.first = Some((here.row, value));
                return Flag::Pass;
            }
        }
        if let Some((row, value)) = state.first.take() {
            state.suspect.push(row, value);
            state.fail.push(row, value);
        }
        let broken_at = state.broken_at;
        let mut flag = Flag::Pass;
        let mut is_unknown = false;
        for (reach, extremes, beyond) in
            [(suspect, &mut state.suspect, Flag::Suspect), (fail, &mut state.fail, Flag::Fail)]
        {
            let Some(reach) = reach else { continue };
            extremes.push(here.row, value);
            extremes.forget_before(reach.oldest);
            let Some((low, high)) = extremes.ends() else { continue };
            if broken_at >= here.nanos.saturating_sub(reach.nanos) || is_exempt || !self.is_still(low, high) {
                continue;
            }
            if !here.is_covered(reach) {
                // The value may have been unchanged since before the first row. The first row of a series passes, as in
                // ioos_qc.
                is_unknown |= !here.is_first();
            } else if before.is_none_or(|(row, _)| row < reach.oldest) {
                // A single value is not a line, though ioos_qc fails it.
                is_unknown = true;
            } else {
                flag = flag.max(beyond);
            }
        }
        let is_unknown = match flag {
            Flag::Pass => is_unknown,
            _ => self.is_within_a_step(read),
        };
        if is_unknown { Flag::NotEvaluated } else { flag }
    }

    fn detail(&self, _: &FlatState, _: &Seen<'_>, flag: Flag) -> String {
        let span = limit(&self.levels, flag).unwrap_or_default();
        format!("moved by less than {} within {}", self.tolerance, span_text(span))
    }
}
