//! What an agent that stays up says: what is new, once.
//!
//! A pass in which nothing was new prints nothing, and a trouble that lasts for a week is one line and not ten thousand.

use super::super::output;
use super::{Both, CliError, Context};
use crate::ingest::IngestReport;
use crate::sync::{StoppedBy, SyncReport};

/// What was said last by one of the two workers.
#[derive(Debug)]
pub(super) struct Told {
    /// `ingest` or `sync`.
    what: &'static str,
    error: Option<String>,
    notes: Vec<String>,
    stopped_by: StoppedBy,
}

impl Told {
    pub(super) fn new(what: &'static str) -> Told {
        Told { what, error: None, notes: Vec::new(), stopped_by: StoppedBy::Done }
    }

    /// The pass failed.
    pub(super) fn failed(&mut self, error: &CliError) {
        let words = error.to_string();
        if self.error.as_deref() == Some(words.as_str()) {
            tracing::debug!("{} failed again: {words}", self.what);
        } else {
            output::say_error(error);
            self.error = Some(words);
        }
    }

    /// The pass came to its end.
    fn worked(&mut self) {
        if self.error.take().is_some() {
            tracing::warn!("{} works again", self.what);
        }
    }

    /// Prints the tables that had something new. `is_full` when every table was read.
    pub(super) fn ingested(&mut self, context: &Context, mut report: IngestReport, is_full: bool) {
        self.worked();
        let notes: Vec<String> = report.tables.iter().flat_map(|table| table.notes.clone()).collect();
        let is_new = |note: &String| !self.notes.contains(note);
        report.tables.retain(|table| {
            table.counts.staged + table.counts.conflicts + table.counts.rejected > 0 || table.notes.iter().any(is_new)
        });
        if is_full {
            self.notes = notes;
        } else {
            let new: Vec<String> = notes.into_iter().filter(is_new).collect();
            self.notes.extend(new);
        }
        if !report.tables.is_empty() {
            print(context, &Both { ingest: Some(report), sync: None });
        }
    }

    /// Prints what was sent, and a change in what keeps rows waiting.
    pub(super) fn synced(&mut self, context: &Context, report: SyncReport) {
        self.worked();
        let moved = report.sent + report.rejected + report.expired > 0;
        let ordinary = [StoppedBy::Done, StoppedBy::Interrupted];
        let other_end = report.stopped_by != self.stopped_by
            && !(ordinary.contains(&report.stopped_by) && ordinary.contains(&self.stopped_by));
        let other_notes = report.notes != self.notes;
        self.stopped_by = report.stopped_by;
        self.notes.clone_from(&report.notes);
        if moved || other_end || other_notes {
            print(context, &Both { ingest: None, sync: Some(report) });
        }
    }
}

/// Nobody is left to tell if stdout is gone, and the work goes on.
fn print(context: &Context, both: &Both) {
    if let Err(error) = both.print(context) {
        tracing::debug!("{error}");
    }
}
