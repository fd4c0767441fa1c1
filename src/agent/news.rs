//! Reports the events of a continuous agent, each once.
//!
//! A pass without new rows reports nothing. A problem that lasts for a week is one line in the log, not ten thousand.

use super::{Agent, AgentError};
use crate::ingest::IngestReport;
use crate::sync::{StoppedBy, SyncReport};

/// The last report of one of the two workers.
#[derive(Debug)]
pub(super) struct News {
    /// The name of the worker: `ingest` or `sync`.
    what: &'static str,
    error: Option<String>,
    notes: Vec<String>,
    stopped_by: StoppedBy,
}

impl News {
    pub(super) fn new(what: &'static str) -> News {
        News { what, error: None, notes: Vec::new(), stopped_by: StoppedBy::Done }
    }

    /// Reports that the pass failed, unless the pass before failed with the same message.
    pub(super) fn failed(&mut self, agent: &Agent, error: &AgentError) {
        let text = error.to_string();
        if self.error.as_deref() == Some(text.as_str()) {
            tracing::debug!("{} failed again: {text}", self.what);
        } else {
            agent.events.failed(error);
            self.error = Some(text);
        }
    }

    /// The pass ended without an error: the next error is reported again.
    fn worked(&mut self) {
        if self.error.take().is_some() {
            tracing::warn!("{} works again", self.what);
        }
    }

    /// Reports the tables that had something new. `is_full` when every table was read.
    pub(super) fn ingested(&mut self, agent: &Agent, mut report: IngestReport, is_full: bool) {
        self.worked();
        let notes: Vec<String> = report.tables.iter().flat_map(|table| table.notes.clone()).collect();
        let is_new = |note: &String| !self.notes.contains(note);
        report.tables.retain(|table| {
            let counts = &table.counts;
            let rows = counts.staged + counts.extended + counts.conflicts + table.taken_up + table.made;
            rows + counts.rejected + counts.held > 0 || table.notes.iter().any(is_new)
        });
        if is_full {
            self.notes = notes;
        } else {
            let new: Vec<String> = notes.into_iter().filter(is_new).collect();
            self.notes.extend(new);
        }
        if !report.tables.is_empty() {
            agent.events.ingested(report);
        }
    }

    /// Reports sent rows, and a change of the reason that keeps rows from being sent.
    pub(super) fn synced(&mut self, agent: &Agent, report: SyncReport) {
        self.worked();
        let moved = report.sent + report.rejected + report.expired > 0;
        let ordinary = [StoppedBy::Done, StoppedBy::Interrupted];
        let other_end = report.stopped_by != self.stopped_by
            && !(ordinary.contains(&report.stopped_by) && ordinary.contains(&self.stopped_by));
        let other_notes = report.notes != self.notes;
        self.stopped_by = report.stopped_by;
        self.notes.clone_from(&report.notes);
        if moved || other_end || other_notes {
            agent.events.synced(report);
        }
    }
}
