//! Attenuated signal: too little spread within a window.
//!
//! Source: QARTOD, in the form of ioos_qc 3.0 `attenuated_signal_test`. There a window is converted into a number of
//! rows by the median interval of the whole series; here it is measured on the rows themselves, so that a flag depends
//! only on the rows within the window. For rows at equal intervals both give the same flags.

use std::collections::VecDeque;
use std::time::Duration;

use super::flag::Flag;
use super::keys::{Absent, Group, GroupKeys, Key, Kind, Problem, UNLESS_FAIL};
use super::limits::{Levels, limit, rounding, short, span_text, surely_below};
use super::registry::{About, ColumnTest, Seen};
use super::window::{Deviation, Extremes, Reach, Window};
use crate::quantity::Kind as Quantity;
use crate::time::nanos;

pub(super) const ABOUT: About = About {
    name: "attenuated_signal",
    summary: "too little spread within a window",
    keys: "`attenuated_signal`",
    section: "Attenuated signal",
    source: "QARTOD; ioos_qc `attenuated_signal_test`",
};

/// The settings of an attenuated-signal test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttenuatedSignal {
    /// The least spread, in the column's unit; a spread strictly below it is flagged.
    pub levels: Levels<f64>,
    /// The length of the window that ends at the row.
    pub window: Duration,
    /// The measure of spread.
    pub by: Spread,
    /// The least number of values in the window; None means that the rows must cover the whole window.
    pub least: Option<u32>,
}

/// A measure of spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// The standard deviation of the population; missing values are left out.
    Deviation,
    /// Highest minus lowest value; not evaluated if a value is missing.
    Range,
}

/// The state of an attenuated-signal test: the earlier rows of the window.
#[derive(Debug, Clone)]
pub(super) enum SpreadState {
    Deviation { scale: f64, window: Deviation },
    Range { window: Extremes, missing: VecDeque<u64>, present: VecDeque<u64> },
}

impl SpreadState {
    /// The newest value in the window.
    fn last(&self) -> Option<f64> {
        match self {
            SpreadState::Deviation { scale, window } => window.last(*scale),
            SpreadState::Range { window, .. } => window.last(),
        }
    }

    #[inline]
    fn is_below(&self, limit: f64) -> bool {
        match self {
            SpreadState::Deviation { scale, window } => window.is_below(limit, *scale),
            SpreadState::Range { window, .. } => {
                window.ends().is_some_and(|(low, high)| surely_below(limit, high - low, rounding(&[low, high])))
            }
        }
    }

    /// The spread at the last row, in the unit of the values.
    fn measured(&self) -> f64 {
        match self {
            SpreadState::Deviation { scale, window } => window.value(*scale),
            SpreadState::Range { window, .. } => window.ends().map(|(low, high)| high - low),
        }
        .unwrap_or(f64::NAN)
    }
}

impl ColumnTest for AttenuatedSignal {
    const KEYS: GroupKeys = GroupKeys {
        name: ABOUT.name,
        meaning: "against losing its variance: [attenuated_signal](#attenuated_signal)",
        example: "attenuated_signal = { suspect = 0.1, fail = 0.01, window = \"3h\" }",
        keys: &[
            Key::new("suspect", Kind::Positive, "less spread is suspect, in the column's unit", "suspect = 0.1")
                .or(UNLESS_FAIL),
            Key::new("fail", Kind::Positive, "less spread fails", "fail = 0.01"),
            Key::new("window", Kind::Span, "how far it looks back", r#"window = "3h""#).or(Absent::Required),
            Key::new(
                "by",
                Kind::Word(&["deviation", "range"]),
                r#"the spread: `"deviation"`, the standard deviation; `"range"`, highest minus lowest"#,
                r#"by = "range""#,
            )
            .or(Absent::Value(r#""deviation""#)),
            Key::new(
                "least",
                Kind::Count { least: 1, most: 1_000_000, why: "so many values must lie in the window" },
                "values that the window must hold; without it, rows must reach back over all of it",
                "least = 10",
            ),
        ],
    };
    type State = SpreadState;

    fn read(group: &Group) -> Result<AttenuatedSignal, Problem> {
        let levels = group.falling(Self::KEYS.example, "less spread is worse")?;
        let window = group
            .span("window")
            .ok_or_else(|| group.wrong(" lacks window, how far it looks back; write for example window = \"3h\""))?;
        let by = match group.word("by") {
            Some("range") => Spread::Range,
            _ => Spread::Deviation,
        };
        Ok(AttenuatedSignal { levels, window, by, least: group.count("least") })
    }

    fn windows(&self) -> [Option<Window>; 2] {
        [Some(Window { nanos: nanos(self.window), is_closed: false }), None]
    }

    fn start(&self) -> SpreadState {
        match self.by {
            Spread::Deviation => {
                let least = self.levels.fail.or(self.levels.suspect).unwrap_or(1.0);
                SpreadState::Deviation { scale: Deviation::scale(least), window: Deviation::default() }
            }
            Spread::Range => {
                SpreadState::Range { window: Extremes::default(), missing: VecDeque::new(), present: VecDeque::new() }
            }
        }
    }

    #[inline]
    fn judge(&self, state: &mut SpreadState, seen: &Seen<'_>, [reach, _]: [Option<Reach>; 2]) -> Flag {
        let Seen { row: here, value, kind, .. } = *seen;
        let value = match kind {
            // The direction is shifted next to the one before: 361 follows 359.
            Quantity::Direction if !value.is_nan() => state.last().map_or(value, |last| kind.beside(last, value)),
            _ => value,
        };
        let Some(reach) = reach else { return Flag::NotEvaluated };
        let count = match state {
            SpreadState::Deviation { scale, window } => {
                window.push(here.row, value, *scale);
                window.forget_before(reach.oldest);
                window.count()
            }
            SpreadState::Range { window, missing, present } => {
                if value.is_nan() {
                    missing.push_back(here.row);
                } else {
                    window.push(here.row, value);
                    present.push_back(here.row);
                }
                window.forget_before(reach.oldest);
                for rows in [&mut *missing, &mut *present] {
                    while rows.front().is_some_and(|row| *row < reach.oldest) {
                        rows.pop_front();
                    }
                }
                present.len()
            }
        };
        if value.is_nan() {
            return Flag::Missing;
        }
        let is_full = match self.least {
            Some(least) => count >= least as usize,
            // A single value has no spread, whether it follows a gap or is among missing ones.
            None => count > 1 && here.is_nearly_covered(reach),
        };
        let is_known = match state {
            SpreadState::Deviation { window, .. } => window.is_known(),
            SpreadState::Range { missing, .. } => missing.is_empty(),
        };
        if !is_full || !is_known {
            return Flag::NotEvaluated;
        }
        let is_below = |limit: Option<f64>| limit.is_some_and(|limit| state.is_below(limit));
        // Most signals vary enough for both limits, which one comparison shows.
        if !is_below(self.levels.suspect.or(self.levels.fail)) {
            Flag::Pass
        } else if is_below(self.levels.fail) {
            Flag::Fail
        } else {
            Flag::Suspect
        }
    }

    fn detail(&self, state: &SpreadState, _: &Seen<'_>, flag: Flag) -> String {
        let limit = limit(&self.levels, flag).unwrap_or(f64::NAN);
        format!("spread {} below {limit} within {}", short(state.measured()), span_text(self.window))
    }
}
