//! Time gap: the first row after missing rows.
//!
//! Source: ioos_qc 3.0 `time_gap_test`, which fails the row. Here the row is suspect at most: the gap itself is the
//! problem, and it has no row and is listed by `gaps`; the first value after it was measured as well as any other. Only
//! a strictly longer time is flagged.

use std::time::Duration;

use super::flag::Flag;
use super::keys::{Group, GroupKeys, Key, Kind, Problem, UNLESS_FAIL};
use super::limits::{Levels, above, span_text};
use super::registry::{About, RowTest};
use crate::time::nanos;

pub(super) const ABOUT: About = About {
    name: "time_gap",
    summary: "the first row behind missing rows",
    keys: "`time_gap` of a table",
    section: "Time gap",
    source: "ioos_qc `time_gap_test`",
};

/// The settings of a time-gap test: a row that comes later than this after the previous row is flagged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeGap {
    /// A row beyond either limit is suspect; `fail` is accepted for older configurations.
    pub levels: Levels<Duration>,
}

impl RowTest for TimeGap {
    const KEYS: GroupKeys = GroupKeys {
        name: ABOUT.name,
        meaning: "flags the first row after a pause: [time_gap](#time_gap)",
        example: "time_gap = { suspect = \"10m\" }",
        keys: &[
            Key::new(
                "suspect",
                Kind::Span,
                "a row that comes later than this after the row before is suspect",
                r#"suspect = "10m""#,
            )
            .or(UNLESS_FAIL),
            Key::new(
                "fail",
                Kind::Span,
                "of older configurations: a row that comes later than this is suspect too, because a good value behind a gap does not fail",
                r#"fail = "2h""#,
            ),
        ],
    };

    fn read(group: &Group) -> Result<TimeGap, Problem> {
        Ok(TimeGap { levels: group.rising_spans(Self::KEYS.example)? })
    }

    fn judge(&self, since_last: i64) -> Flag {
        above(&self.levels.map(nanos), since_last).min(Flag::Suspect)
    }

    fn detail(&self, since_last: i64, _: Flag) -> String {
        format!("first row after {} without one", span_text(Duration::from_nanos(since_last.unsigned_abs())))
    }
}
