//! Bars on a terminal; nothing anywhere else.

use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Draws what ingest and sync report.
pub(super) struct Bars {
    bar: ProgressBar,
}

impl Bars {
    pub(super) fn new(visible: bool, template: &str) -> Bars {
        let bar = ProgressBar::new(0);
        bar.set_draw_target(if visible { ProgressDrawTarget::stderr_with_hz(8) } else { ProgressDrawTarget::hidden() });
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Bars { bar }
    }

    /// Bytes of files.
    pub(super) fn files(visible: bool) -> Bars {
        Bars::new(visible, "{bar:30} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left  {wide_msg}")
    }

    /// Rows of the backlog.
    pub(super) fn rows(visible: bool) -> Bars {
        Bars::new(visible, "{bar:30} {human_pos}/{human_len} rows, {per_sec}, {eta} left")
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl crate::ingest::Progress for Bars {
    fn file(&self, path: &Path, bytes: u64) {
        self.bar.inc_length(bytes);
        self.bar.set_message(path.display().to_string());
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
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
