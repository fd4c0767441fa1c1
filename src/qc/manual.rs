//! Manual: a flag that an operator sets by hand. It overrides the tests.

use super::finding::Finding;
use super::flag::Flag;
use super::registry::{About, Test};
use crate::time::Timestamp;

pub(super) const ABOUT: About = About {
    name: "manual",
    summary: "a flag set by hand",
    keys: "`fluxtower flag`",
    section: "Flags by hand",
    source: "this project",
};

/// A flag set by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualFlag {
    /// Identifies it, to list and revoke it.
    pub id: i64,
    /// The column's position in the column list.
    pub place: usize,
    /// The first and the last instant, both inclusive.
    pub span: (Timestamp, Timestamp),
    /// The flag that the values get.
    pub flag: Flag,
    /// The reason.
    pub reason: String,
}

impl ManualFlag {
    /// Whether it applies to a time.
    pub(super) fn holds(&self, ts: Timestamp) -> bool {
        self.span.0 <= ts && ts <= self.span.1
    }

    /// Replaces the flag of its column. A missing value remains missing.
    pub(super) fn apply(&self, marks: &mut [Flag], findings: &mut Vec<Finding>) {
        let Some(mark) = marks.get_mut(self.place).filter(|mark| **mark != Flag::Missing) else { return };
        *mark = self.flag;
        let detail = format!("{} (manual flag {})", self.reason, self.id);
        findings.push(Finding { place: self.place, test: Test::Manual, flag: self.flag, detail });
    }
}
