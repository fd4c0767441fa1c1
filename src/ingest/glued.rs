//! Detects glued lines in a file that is being overwritten in place (I2).
//!
//! If a writer overwrites a file without truncating it first and pauses within a line, the file has a line that is the
//! beginning of a new line and the end of an old one, followed by old rows. Such a line may have as many fields as a
//! row. It is recognised by the next line: time goes back to the old rows. In a file whose beginning changed since the
//! last read, and that was written a moment ago, such a line, and each line that is not a row, is held until the next
//! read.

use super::lines::{Expect, LineTaker};
use crate::format;
use crate::store::{LineState, Result, Staging, Table};
use crate::time::{Candidates, LocalTime};

/// How the lines of a read are checked for glued lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Watch {
    /// The file was not overwritten.
    #[default]
    Off,
    /// A line that may be glued is deferred to the next read.
    Hold,
    /// The writer stopped long ago: a line that may be glued is taken, and replaced when the true line is read.
    Take,
}

/// Length of `YYYY-MM-DD HH:MM:SS`, and without seconds.
const STAMP: usize = 19;
const TO_THE_MINUTE: usize = 16;

/// Whether time goes back from one physical line to the next. False if a line does not begin with a time of this form.
pub(super) fn goes_back(line: &[u8], next: &[u8]) -> bool {
    matches!((stamp(line), stamp(next)), (Some(this), Some(next)) if next < this)
}

/// The first physical line of `rest`.
pub(super) fn first_line(rest: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', rest).and_then(|end| rest.get(..end)).unwrap_or(rest)
}

/// The time at the beginning of a physical line.
pub(super) fn time_of(line: &[u8]) -> Option<LocalTime> {
    LocalTime::parse_logger(stamp(line)?)
}

fn stamp(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    let length = match line.get(TO_THE_MINUTE)? {
        b'"' | b',' => TO_THE_MINUTE,
        _ => STAMP,
    };
    let stamp = line.get(..length)?;
    (stamp[0].is_ascii_digit() && stamp[4] == b'-' && stamp[7] == b'-' && stamp[13] == b':').then_some(stamp)
}

impl LineTaker<'_> {
    /// Like [`LineTaker::take`], for a file that is being overwritten; `next` is the physical line after it.
    #[cold]
    pub(super) fn take_watched(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        raw: &[u8],
        next: &[u8],
    ) -> Result<()> {
        let is_row = matches!(self.expect, Expect::Rows(_));
        // In the repeated hour of a time zone, time goes back in an intact file.
        let is_repeated =
            time_of(next).is_some_and(|local| matches!(self.stamps().candidates(local, None), Candidates::Two(..)));
        // In a table with one value per line, time goes back with each sensor.
        if !is_row || is_repeated || self.long().is_some() || !(goes_back(raw, next) || self.goes_back(raw, next)) {
            return self.take(staging, table, raw);
        }
        let line = format::strip_noise(raw);
        if self.watch == Watch::Hold && !self.deferred.is_confirmed(&line) && self.is_old(staging, table, next)? {
            self.hold(self.number, &line);
            self.number += 1;
            self.counts.lines += 1;
            return Ok(());
        }
        self.state = LineState::PerhapsGlued;
        let taken = self.take(staging, table, raw);
        self.state = LineState::Whole;
        taken
    }

    /// Whether a line may be older than the last overwrite of the file: its row is known, or it is not a row. A new row
    /// after the line means that the logger's clock was set back, or that the rows of the file are not in the order of
    /// time.
    fn is_old(&mut self, staging: &Staging<'_>, table: &mut Table, line: &[u8]) -> Result<bool> {
        Ok(!self.reads(&format::strip_noise(line)) || self.has_row(staging, table)?.unwrap_or(true))
    }

    /// Like [`goes_back`], for lines of a dialect, whose time has another form.
    fn goes_back(&mut self, line: &[u8], next: &[u8]) -> bool {
        let Expect::Rows(reading) = &self.expect else { return false };
        if reading.header.is_none() {
            return false;
        }
        let layout = &reading.layout;
        let mut time_of = |line: &[u8]| {
            self.row.read(&format::strip_noise(line), layout).ok()?;
            self.row.stamp.map(|stamp| stamp.time)
        };
        matches!((time_of(line), time_of(next)), (Some(this), Some(next)) if next < this)
    }

    /// Leaves a line to the next read.
    pub(super) fn hold(&mut self, number: u64, line: &[u8]) {
        self.held_from.get_or_insert(number);
        self.deferred.keep(number, self.header, line, true);
        self.counts.deferred += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_back_only_between_two_lines_that_begin_with_a_time() {
        let (early, late) = (b"\"2024-05-01 00:00:00\",1,2", b"\"2024-05-01 00:00:05\",2,2");
        assert!(goes_back(late, early));
        assert!(!goes_back(early, late) && !goes_back(early, early));
        assert!(!goes_back(late, b"2.5,7") && !goes_back(b"", early));
        assert_eq!(first_line(b"a\r\nb"), b"a\r");
    }
}
