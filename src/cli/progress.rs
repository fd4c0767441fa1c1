//! Shows the progress of the work: bars on a terminal, and lines about what a continuous agent has done.

use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::{Output, say_error};
use super::run;
use crate::agent::{AgentError, Events, RunReport};
use crate::ingest::IngestReport;
use crate::sync::SyncReport;
use crate::time::{Clock, StationClock, SystemClock, Timestamp};

/// Draws the progress of ingest and sync.
pub(super) struct Bars {
    bar: ProgressBar,
    /// Whether the bar shows rows that are moved. A bar of files shows bytes.
    moves: std::cell::Cell<bool>,
}

impl Bars {
    pub(super) fn new(visible: bool, template: &str) -> Bars {
        let bar = ProgressBar::new(0);
        bar.set_draw_target(if visible { ProgressDrawTarget::stderr_with_hz(8) } else { ProgressDrawTarget::hidden() });
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Bars { bar, moves: std::cell::Cell::new(false) }
    }

    /// A bar for bytes of files.
    pub(super) fn files(visible: bool) -> Bars {
        Bars::new(visible, "{bar:30} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left  {wide_msg}")
    }

    /// A bar for rows of the backlog.
    pub(super) fn rows(visible: bool) -> Bars {
        Bars::new(visible, "{bar:30} {human_pos}/{human_len} rows, {per_sec}, {eta} left")
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl crate::ingest::Progress for Bars {
    fn file(&self, path: &Path, bytes: u64) {
        self.bar.inc_length(bytes);
        self.bar.set_message(crate::text::visible(&path.to_string_lossy()).into_owned());
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn moving(&self, _table: &str, steps: u64) {
        self.moves.set(true);
        self.bar.inc_length(steps);
    }

    fn moved(&self, steps: u64) {
        if self.moves.get() {
            self.bar.inc(steps);
        }
    }
}

impl crate::sync::Progress for Bars {
    fn backlog(&self, rows: u64) {
        self.bar.set_length(rows);
    }

    fn done(&self, rows: u64) {
        self.bar.inc(rows);
    }
}

/// Prints the events of the agent.
#[derive(Debug)]
pub(super) struct Printer {
    pub(super) output: Output,
    /// Whether progress bars may be drawn.
    pub(super) bars: bool,
    /// The station's clock, for the time of a line.
    pub(super) clock: StationClock,
}

impl Printer {
    /// Prints one line per collection, with its time, and one line per message. A closed stdout does not stop the work.
    fn print(&self, report: &RunReport) {
        let at = self.clock.event_time(Timestamp::from_utc(SystemClock.now()));
        if let Err(error) = self.output.result(report, |out| run::write_lines(out, &at, report)) {
            tracing::debug!("{error}");
        }
    }
}

impl Events for Printer {
    fn of_reading(&self) -> Box<dyn crate::ingest::Progress> {
        Box::new(Bars::files(self.bars))
    }

    fn of_sending(&self) -> Box<dyn crate::sync::Progress> {
        Box::new(Bars::rows(self.bars))
    }

    fn ingested(&self, report: IngestReport) {
        self.print(&RunReport { ingest: Some(report), sync: None, findings: Vec::new() });
    }

    fn synced(&self, report: SyncReport) {
        self.print(&RunReport { ingest: None, sync: Some(report), findings: Vec::new() });
    }

    fn is_alive(&self) {
        super::supervisor::say_alive();
    }

    fn failed(&self, error: &AgentError) {
        say_error(error);
    }
}
