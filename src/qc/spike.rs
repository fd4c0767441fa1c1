//! Spike: a value that differs from both neighbours.
//!
//! Source: QARTOD, in the form of ioos_qc 3.0 `spike_test`. A value on the threshold passes.

use super::flag::Flag;
use super::keys::{Absent, Group, GroupKeys, Key, Kind, Problem, UNLESS_FAIL};
use super::limits::{Levels, limit, rounding, short, surely_above};
use super::registry::{About, Around, ColumnTest};
use crate::quantity::Kind as Quantity;

pub(super) const ABOUT: About = About {
    name: "spike",
    summary: "a value apart from both neighbours",
    keys: "`spike`",
    section: "Spike",
    source: "QARTOD; ioos_qc `spike_test`",
};

/// The settings of a spike test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spike {
    /// The thresholds in the column's unit; a height strictly above is flagged.
    pub levels: Levels<f64>,
    /// How the height of a spike is measured.
    pub method: SpikeMethod,
}

/// How the height of a spike is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpikeMethod {
    /// The difference from the mean of both neighbours; for directions, from the middle of the smaller angle between
    /// them.
    Average,
    /// The smaller of the changes to the value and from it; 0 if the change continues in the same direction.
    Differential,
}

impl Spike {
    /// The height of a value above its neighbours; NaN if one of them is missing.
    #[inline]
    fn height(self, around: &Around) -> f64 {
        let Around { before, value, after, kind } = *around;
        let (up, down) = (kind.change(before, value), kind.change(value, after));
        match self.method {
            SpikeMethod::Average => {
                let after = kind.beside(before, after);
                // Two opposite directions have no middle.
                let has_middle = kind != Quantity::Direction || (after - before).abs() < 180.0 - 1e-6;
                if has_middle { kind.change(f64::midpoint(before, after), value).abs() } else { f64::NAN }
            }
            SpikeMethod::Differential if up.is_nan() || down.is_nan() => f64::NAN,
            SpikeMethod::Differential => {
                // A total change of more than half a circle is not a continuation in the same direction.
                let goes_on = up * down >= 0.0 && (kind != Quantity::Direction || (up + down).abs() <= 180.0);
                if goes_on { 0.0 } else { up.abs().min(down.abs()) }
            }
        }
    }
}

impl ColumnTest for Spike {
    const KEYS: GroupKeys = GroupKeys {
        name: ABOUT.name,
        meaning: "against its two neighbours: [spike](#spike)",
        example: "spike = { suspect = 2, fail = 5 }",
        keys: &[
            Key::new("suspect", Kind::Positive, "a higher spike is suspect, in the column's unit", "suspect = 2").or(UNLESS_FAIL),
            Key::new("fail", Kind::Positive, "a higher spike fails", "fail = 5"),
            Key::new("method", Kind::Word(&["average", "differential"]), r#"its height: `"average"`, from the mean of both neighbours; `"differential"`, the smaller of both steps"#, r#"method = "differential""#).or(Absent::Value(r#""average""#)),
        ],
    };
    const LOOKS_AHEAD: bool = true;
    type State = ();

    fn read(group: &Group) -> Result<Spike, Problem> {
        let method = match group.word("method") {
            Some("differential") => SpikeMethod::Differential,
            _ => SpikeMethod::Average,
        };
        Ok(Spike { levels: group.rising(Self::KEYS.example)?, method })
    }

    fn start(&self) {}

    /// Not evaluated if a neighbour is missing.
    #[inline]
    fn judge_between(&self, around: &Around) -> Flag {
        let height = self.height(around);
        let Around { before, value, after, .. } = *around;
        if height.is_nan() {
            Flag::NotEvaluated
        } else {
            surely_above(&self.levels, height, rounding(&[before, value, after]))
        }
    }

    fn detail_between(&self, around: &Around, flag: Flag) -> String {
        let limit = limit(&self.levels, flag).unwrap_or(f64::NAN);
        format!("{} away from its neighbours, more than {limit}", short(self.height(around)))
    }
}
