//! The tests that look back over a span of time: flat line and attenuated signal.
//!
//! Source of both: QARTOD, in the form of ioos_qc 3.0 `flat_line_test` and `attenuated_signal_test`. There a threshold is
//! turned into a count of rows by the median step of the whole series; here the span is measured on the rows themselves,
//! so that a flag depends on the rows in reach and on nothing else. On rows of even step both give the same flags.

use super::flag::Flag;
use super::window::{Deviation, Extremes, RowTimes};
use crate::config::{AttenuatedSignal, FlatLine, Spread};

/// The number of the oldest row in a window that ends at the row in hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// Its number.
    pub(super) oldest: u64,
    /// Length of the window.
    pub(super) nanos: i64,
}

/// The row in hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here<'a> {
    pub(super) row: u64,
    pub(super) nanos: i64,
    /// Since the row before; 0 for the first.
    pub(super) step: i64,
    pub(super) times: &'a RowTimes,
}

impl Here<'_> {
    /// Whether rows reach back over the whole window: one step more would leave it.
    fn is_covered(&self, reach: Reach) -> bool {
        self.nanos - self.times.at(reach.oldest) + self.step > reach.nanos
    }

    /// As [`Here::is_covered`], for a window that its edge does not belong to, on a clock that may waver by half a step.
    fn is_nearly_covered(&self, reach: Reach) -> bool {
        self.nanos - self.times.at(reach.oldest) + self.step + self.step / 2 >= reach.nanos
    }
}

/// Whether a value stands still.
#[derive(Debug, Clone)]
pub(super) struct FlatState {
    suspect: Extremes,
    fail: Extremes,
    /// Time of the last value that differs from its successor by the tolerance or more: no window that holds it is flat.
    broken_at: i64,
    last: Option<(u64, f64)>,
    /// The value that began the present line, not yet in the windows.
    first: Option<(u64, f64)>,
}

impl FlatState {
    pub(super) fn new() -> FlatState {
        FlatState {
            suspect: Extremes::default(),
            fail: Extremes::default(),
            broken_at: i64::MIN,
            last: None,
            first: None,
        }
    }

    /// The row's flag. `suspect` and `fail` are the reaches of the two spans. A missing value (NaN) says nothing, and does
    /// not end a flat line.
    #[inline]
    pub(super) fn flag(
        &mut self,
        test: &FlatLine,
        here: &Here<'_>,
        value: f64,
        (suspect, fail): (Option<Reach>, Option<Reach>),
    ) -> Flag {
        if value.is_nan() {
            return Flag::Missing;
        }
        let before = self.last.replace((here.row, value));
        if let Some((row, last)) = before
            && (value - last).abs() >= test.tolerance
        {
            // Nothing from here back can be part of a flat line any more.
            self.broken_at = here.times.at(row);
            self.first = None;
            self.suspect.clear();
            self.fail.clear();
            let nearest = suspect.into_iter().chain(fail).map(|reach| reach.nanos).min().unwrap_or(0);
            if self.broken_at >= here.nanos.saturating_sub(nearest) {
                // The way of nearly every value of a sensor that is alive.
                self.first = Some((here.row, value));
                return Flag::Pass;
            }
        }
        if let Some((row, value)) = self.first.take() {
            self.suspect.push(row, value);
            self.fail.push(row, value);
        }
        let is_exempt = test.except.is_some_and(|(low, high)| (low..=high).contains(&value));
        let broken_at = self.broken_at;
        let mut flag = Flag::Pass;
        let mut is_alone = false;
        for (reach, extremes, beyond) in
            [(suspect, &mut self.suspect, Flag::Suspect), (fail, &mut self.fail, Flag::Fail)]
        {
            let Some(reach) = reach else { continue };
            extremes.push(here.row, value);
            extremes.forget_before(reach.oldest);
            if broken_at >= here.nanos.saturating_sub(reach.nanos) || is_exempt || !here.is_covered(reach) {
                continue;
            }
            // One value is no line, though ioos_qc fails it.
            if before.is_none_or(|(row, _)| row < reach.oldest) {
                is_alone = true;
            } else if extremes.range().is_some_and(|range| range < test.tolerance) {
                flag = flag.max(beyond);
            }
        }
        if is_alone && flag == Flag::Pass { Flag::NotEvaluated } else { flag }
    }
}

/// How much a signal moves.
#[derive(Debug, Clone)]
pub(super) enum SpreadState {
    Deviation { scale: f64, window: Deviation },
    Range { window: Extremes, missing: std::collections::VecDeque<u64>, present: std::collections::VecDeque<u64> },
}

impl SpreadState {
    pub(super) fn new(test: &AttenuatedSignal) -> SpreadState {
        match test.by {
            Spread::Deviation => {
                let least = test.levels.fail.or(test.levels.suspect).unwrap_or(1.0);
                SpreadState::Deviation { scale: Deviation::scale(least), window: Deviation::default() }
            }
            Spread::Range => SpreadState::Range {
                window: Extremes::default(),
                missing: std::collections::VecDeque::new(),
                present: std::collections::VecDeque::new(),
            },
        }
    }

    /// The row's flag.
    #[inline]
    pub(super) fn flag(&mut self, test: &AttenuatedSignal, here: &Here<'_>, value: f64, reach: Reach) -> Flag {
        let count = match self {
            SpreadState::Deviation { scale, window } => {
                if !value.is_nan() {
                    window.push(here.row, value, *scale);
                }
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
        let is_full = match test.least {
            Some(least) => count >= least as usize,
            // One value has no spread, whether it stands alone behind a gap or among missing ones.
            None => count > 1 && here.is_nearly_covered(reach),
        };
        if !is_full || matches!(self, SpreadState::Range { missing, .. } if !missing.is_empty()) {
            return Flag::NotEvaluated;
        }
        let is_below = |limit: Option<f64>| limit.is_some_and(|limit| self.is_below(limit));
        // Most signals move enough for both, which one comparison tells.
        if !is_below(test.levels.suspect.or(test.levels.fail)) {
            Flag::Pass
        } else if is_below(test.levels.fail) {
            Flag::Fail
        } else {
            Flag::Suspect
        }
    }

    #[inline]
    fn is_below(&self, limit: f64) -> bool {
        match self {
            SpreadState::Deviation { scale, window } => window.is_below(limit, *scale),
            SpreadState::Range { window, .. } => window.range().is_some_and(|range| range < limit),
        }
    }

    /// What was measured at the last row, in the unit of the values.
    pub(super) fn measured(&self) -> f64 {
        match self {
            SpreadState::Deviation { scale, window } => window.value(*scale),
            SpreadState::Range { window, .. } => window.range(),
        }
        .unwrap_or(f64::NAN)
    }
}
