//! Notices that a file joins the rows of two loggers, which its headers name by station and serial number.
//!
//! A logger that is exchanged goes on where the one before it ended. Rows behind the header of another logger that go back by more
//! than clocks differ lie beside those of the first: the series alternates between two places. Their record numbers are another
//! count, so that none is missing between the two, and a step between them is none of a clock.

use super::lines::LineTaker;
use crate::config::FileFormat;
use crate::format::Header;
use crate::store::{Result, Table};
use crate::time::{CLOCKS_AGREE, Timestamp};

/// Station name and serial number.
type Logger = [Option<String>; 2];

/// Whether it is one logger: a station may be renamed, a serial number never changes.
fn is_same(one: &Logger, other: &Logger) -> bool {
    match (&one[1], &other[1]) {
        (Some(one), Some(other)) if !one.is_empty() && !other.is_empty() && one != other => false,
        (Some(one), Some(_)) if !one.is_empty() => true,
        _ => one == other,
    }
}

/// The loggers of a file.
#[derive(Debug, Default)]
pub(super) struct Joined {
    first: Option<Logger>,
    present: Option<Logger>,
    /// Loggers whose rows lie beside those of the first.
    others: Vec<Logger>,
    /// The next row tells whether the logger was exchanged.
    pub(super) is_asked: bool,
    /// Whether the next row is of one of the others.
    pub(super) is_other: bool,
}

impl LineTaker<'_> {
    /// Takes note of the logger that a header of the file names.
    pub(super) fn see_logger(&mut self, table: &Table, header: &Header) -> Result<()> {
        if !self.is_in_order || header.environment.len() < 3 || !matches!(self.config.format, FileFormat::Logger(_)) {
            return Ok(());
        }
        let logger = [header.environment.first().cloned(), header.environment.get(2).cloned()];
        if self.joined.first.is_none() {
            // Reading goes on within the file.
            let known = self.store.joined_loggers(table, self.path)?;
            if let Some([first, other]) = known.filter(|[_, other]| *other == logger) {
                self.joined.first = Some(first);
                self.joined.others.push(other);
            }
        }
        let first = self.joined.first.get_or_insert_with(|| logger.clone());
        let is_changed = self.joined.present.as_ref().is_some_and(|present| !is_same(present, &logger));
        let is_new = is_changed && !is_same(first, &logger);
        self.joined.is_other = self.joined.others.iter().any(|other| is_same(other, &logger));
        self.joined.is_asked = is_new && !self.joined.is_other;
        self.joined.present = Some(logger);
        Ok(())
    }

    /// Decides by the first row behind the header of another logger.
    #[cold]
    pub(super) fn ask_logger(&mut self, table: &Table, ts: Timestamp) -> Result<()> {
        self.joined.is_asked = false;
        let agree = CLOCKS_AGREE.num_nanoseconds().unwrap_or(0);
        let goes_back = self.previous.is_some_and(|previous| previous.nanos_since(ts) > agree);
        if goes_back && let (Some(first), Some(present)) = (self.joined.first.clone(), self.joined.present.clone()) {
            self.store.keep_joined_loggers(table, self.path, [&first, &present], self.now)?;
            self.joined.others.push(present);
            self.joined.is_other = true;
        }
        Ok(())
    }
}
