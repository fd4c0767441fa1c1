//! Detects glued lines in a file that is being overwritten in place (I2).
//!
//! If a writer overwrites a file without truncating it first and pauses within a line, the file has a line that is the
//! beginning of a new line and the end of an old one, followed by old rows. Such a line may have as many fields as a
//! row. It is recognised by the next line: time goes back to the old rows. In a file whose beginning changed since the
//! last read, and that was written a moment ago, such a line, and each line that is not a row, is held until the next
//! read.

use crate::time::LocalTime;

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
