//! Notices that a logger's clock went back where the rows have no record numbers.
//!
//! The order of the lines shows it: a row is earlier than the one before it. So is the first row of a block that comes late. But such
//! a block fills a hole between the rows that are there, in steps of the usual interval, while rows of a clock that went back come
//! to stand between rows that are no more than an interval apart. Only that is taken for a step of the clock.

use super::lines::LineTaker;
use crate::store::{Outcome, Result, Staging, Table};
use crate::time::{CLOCKS_AGREE, Timestamp, nanos};

/// Two rows in the order of the lines, of which the second is earlier.
#[derive(Debug, Clone, Copy)]
pub(super) struct BackStep {
    before: Timestamp,
    after: Timestamp,
    /// Rows farther apart may have a hole between them.
    longest_step: i64,
}

/// What is known of the order of a file's rows.
#[derive(Debug, Default)]
pub(super) struct BackSteps {
    open: Option<BackStep>,
    /// Whether the first row was seen.
    has_begun: bool,
}

impl LineTaker<'_> {
    /// Follows the clock from the row `before` to the one that was just staged, which has no record number.
    #[inline]
    pub(super) fn follow_clock(
        &mut self,
        staging: &Staging<'_>,
        table: &mut Table,
        before: Option<Timestamp>,
        outcome: Outcome,
    ) -> Result<()> {
        let Some(ts) = self.previous.filter(|_| self.is_in_order && self.tags.is_empty()) else { return Ok(()) };
        let is_first = !std::mem::replace(&mut self.back_steps.has_begun, true);
        if self.back_steps.open.is_some() || is_first || before.is_some_and(|before| ts < before) {
            return self.follow_step_back(staging, table, (before, ts), outcome);
        }
        Ok(())
    }

    #[cold]
    fn follow_step_back(
        &mut self,
        staging: &Staging<'_>,
        table: &mut Table,
        (before, ts): (Option<Timestamp>, Timestamp),
        outcome: Outcome,
    ) -> Result<()> {
        if self.back_steps.open.is_some_and(|step| ts > step.before) {
            self.back_steps.open = None;
        }
        if outcome != Outcome::Staged {
            return Ok(());
        }
        // The row before the first one was in an earlier collection, where no other file has rows of the table.
        let before = match before {
            None if staging.is_only_file(table, self.path)? => staging.newest_of(table, "[]"),
            before => before,
        };
        let agree = CLOCKS_AGREE.num_nanoseconds().unwrap_or(0);
        if let Some(before) = before.filter(|before| before.nanos_since(ts) > agree) {
            let interval = staging.interval_up_to(table, before)?.map_or(0, nanos);
            let longest_step = interval + interval / 2;
            let is_step = interval > 0 && before.nanos_since(ts) > longest_step;
            self.back_steps.open = is_step.then_some(BackStep { before, after: ts, longest_step });
        }
        let Some(step) = self.back_steps.open else { return Ok(()) };
        let is_between = match staging.times_next_to(table, ts)? {
            (Some(earlier), Some(later)) => later.nanos_since(earlier) <= step.longest_step,
            // To an appended file the logger has written these rows last.
            (None, Some(_)) => self.is_append,
            _ => false,
        };
        if is_between {
            staging.note_step_back(table, (step.before, step.after))?;
            self.back_steps.open = None;
        }
        Ok(())
    }
}
