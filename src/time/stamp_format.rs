//! The formats of time in files: strftime letters, or units since an instant.
//!
//! A format is parsed once and then reads each stamp in one pass. It accepts what chrono's formats accept, and further
//! forms in files of field stations: hours and minutes without a separator and without leading zeros (`%H%M`: 58 is
//! 00:58), hour 24 at the end of a day, hours with a fraction
//! (`%H%.f`: 14.50 is 14:30), days of the year with a fraction (`%j%.f`: 130.5 is noon), fractions after any seconds (`%S:%f` after a colon), an offset from UTC, `days since 1899-12-30`, and a
//! midnight with the date of the day that it ends.

use chrono::NaiveDate;

use super::{LocalTime, Timestamp, impossible_by};

mod counted;
mod letters;

use counted::Counted;
use letters::Letters;

/// The ending of a format whose 0:00 is the end of the date in the stamp.
pub const MIDNIGHT_ENDS_THE_DAY: &str = "%24";

/// Seconds.
const DAY: i64 = 86_400;

/// A format of time.
#[derive(Debug, Clone, PartialEq)]
pub struct StampFormat(Form);

#[derive(Debug, Clone, PartialEq)]
enum Form {
    /// `YYYY-MM-DD hh:mm:ss[.f]`.
    Loggers,
    /// `YYYY-MM-DD hh:mm`.
    Minutes,
    Letters {
        text: String,
        letters: Letters,
    },
    Counted(Counted),
    /// A format with letters that only chrono supports.
    Chrono(String),
}

/// A parsed stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StampRead {
    /// The time by the logger's clock, or in UTC.
    pub time: LocalTime,
    /// Whether the stamp itself has an offset from UTC, so that `time` is in UTC.
    pub is_utc: bool,
}

impl StampRead {
    /// The instant, if the stamp itself determines it.
    pub fn instant(self) -> Option<Timestamp> {
        self.is_utc.then(|| Timestamp::from_nanos(self.time.nanos_since(LocalTime::from_nanos(0))))
    }
}

impl StampFormat {
    /// The format of the loggers.
    pub const LOGGERS: StampFormat = StampFormat(Form::Loggers);
    /// That of loggers without seconds.
    pub const MINUTES: StampFormat = StampFormat(Form::Minutes);

    /// Parses a format in the configuration; None is the format of the loggers. Returns None if the text is not a
    /// format of a whole date.
    pub fn new(text: Option<&str>) -> Option<StampFormat> {
        let Some(text) = text else { return Some(StampFormat::LOGGERS) };
        if let Some(counted) = Counted::of(text) {
            return Some(StampFormat(Form::Counted(counted)));
        }
        let (text, midnight_ends_the_day) = match text.strip_suffix(MIDNIGHT_ENDS_THE_DAY) {
            Some(text) => (text, true),
            None => (text, false),
        };
        match Letters::of(text, midnight_ends_the_day) {
            Some(letters) => {
                letters.are_a_date().then(|| StampFormat(Form::Letters { text: text.to_owned(), letters }))
            }
            None => is_written_by_chrono(text).then(|| StampFormat(Form::Chrono(text.to_owned()))),
        }
    }

    /// Whether it is the format of the loggers.
    pub fn is_loggers(&self) -> bool {
        self.0 == Form::Loggers
    }

    /// Parses a stamp.
    #[inline]
    pub fn read(&self, text: &[u8]) -> Option<StampRead> {
        let local = |time| StampRead { time, is_utc: false };
        match &self.0 {
            Form::Loggers => LocalTime::parse(text).map(local),
            Form::Minutes => LocalTime::parse_minute(text).map(local),
            Form::Letters { letters, .. } => letters.read(text),
            Form::Counted(counted) => counted.read(text),
            Form::Chrono(format) => LocalTime::parse_with(String::from_utf8_lossy(text).trim(), format).map(local),
        }
    }

    /// Why a text is not a time of this format. None for the loggers' format.
    pub fn hint(&self, stamp: &str) -> Option<String> {
        Some(match &self.0 {
            Form::Loggers | Form::Minutes => return None,
            Form::Letters { text, .. } | Form::Chrono(text) => impossible_by(stamp.trim(), text),
            Form::Counted(_) => "it is not a number that counts from the instant of time_format".to_owned(),
        })
    }
}

/// Whether chrono can parse what it writes with this format.
fn is_written_by_chrono(text: &str) -> bool {
    use std::fmt::Write as _;
    let Some(noon) = NaiveDate::from_ymd_opt(2026, 6, 1).and_then(|day| day.and_hms_opt(12, 0, 0)) else {
        return false;
    };
    let mut written = String::new();
    write!(written, "{}", noon.format(text)).is_ok() && LocalTime::parse_with(&written, text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &str, text: &str) -> Option<String> {
        let read = StampFormat::new(Some(format)).unwrap().read(text.as_bytes())?;
        Some(format!("{}{}", read.time, if read.is_utc { "Z" } else { "" }))
    }

    #[test]
    fn stamps_are_read_as_files_write_them() {
        for (format, text, time) in [
            ("%m/%d/%Y %H:%M", "6/1/2021 9:05", "2021-06-01 09:05:00"),
            ("%m/%d/%Y %H:%M", "06/25/2021 24:00", "2021-06-26 00:00:00"),
            ("%d.%m.%y %H:%M:%S", "25.06.21 09:05:07.25", "2021-06-25 09:05:07.25"),
            ("%d.%m.%Y %H:%M:%S", "25.06.2021 09:05:07,5", "2021-06-25 09:05:07.5"),
            ("%d-%b-%Y %I:%M %p", "25-Jun-2021 12:05 AM", "2021-06-25 00:05:00"),
            ("%d-%b-%Y %I:%M:%S %p", "25-Jun-2021 1:05:00 PM", "2021-06-25 13:05:00"),
            ("%m/%d/%y %I:%M%p", "06/25/21 12:30a", "2021-06-25 00:30:00"),
            ("%m/%d/%y %I:%M %p", "06/25/21 1:00p", "2021-06-25 13:00:00"),
            ("%m/%d/%y %I:%M %p", "06/25/21 12:00 P", "2021-06-25 12:00:00"),
            ("%m/%d/%y %I:%M %p", "06/25/21 1:00 p.m.", "2021-06-25 13:00:00"),
            ("%m/%d/%Y %H:%M - %H:%M%24", "06/25/2021 09:00-09:30", "2021-06-25 09:30:00"),
            ("%m/%d/%Y %H:%M - %H:%M%24", "06/25/2021 23:30 - 00:00", "2021-06-26 00:00:00"),
            ("%d %B %Y", "1 März 2021", "2021-03-01 00:00:00"),
            ("%Y %j %H%M", "2004 151 58", "2004-05-30 00:58:00"),
            ("%Y %j %H%M", "2004 366 2400", "2005-01-01 00:00:00"),
            ("%Y%m%d%H%M", "202106250905", "2021-06-25 09:05:00"),
            ("%Y-%m-%dT%H:%M:%S%z", "2021-06-25T09:05:00-05:00", "2021-06-25 14:05:00Z"),
            ("%Y-%m-%dT%H:%M:%S%z", "2021-06-25T09:05:00Z", "2021-06-25 09:05:00Z"),
            ("%Y-%m-%d %H:%M:%S%.f", "2021-06-25 09:05:00.5", "2021-06-25 09:05:00.5"),
            ("%Y-%m-%d %H:%M:%S.%f", "2021-06-25 09:05:00.000250", "2021-06-25 09:05:00.00025"),
            ("%Y-%m-%d %H:%M:%S:%f", "2021-06-25 09:05:00:250", "2021-06-25 09:05:00.25"),
            ("%Y-%m-%d %H:%M%24", "2021-06-25 00:00", "2021-06-26 00:00:00"),
            ("%Y-%m-%d %H:%M%24", "2021-06-25 00:30", "2021-06-25 00:30:00"),
            ("unix", "1624611900.5", "2021-06-25 09:05:00.5Z"),
            ("unix ms", "1624611900500", "2021-06-25 09:05:00.5Z"),
            ("excel", "44372.3784722222", "2021-06-25 09:05:00"),
            ("excel", "44372,3784722222", "2021-06-25 09:05:00"),
            ("unix", "1624611900,5", "2021-06-25 09:05:00.5Z"),
            ("matlab", "738332.378472222", "2021-06-25 09:05:00"),
            ("matlab", "738332", "2021-06-25 00:00:00"),
            ("nanoseconds since 1970-01-01Z", "1624611900000000001", "2021-06-25 09:05:00.000000001Z"),
            ("microseconds since 1970-01-01Z", "1624611900000250", "2021-06-25 09:05:00.00025Z"),
            ("excel", "46354.02083", "2026-11-28 00:30:00"),
            ("excel", "46354.04167", "2026-11-28 01:00:00"),
            ("excel", "46354.0208", "2026-11-28 00:30:00"),
            ("excel", "46354.021", "2026-11-28 00:30:00"),
            ("excel", "46354.02084", "2026-11-28 00:30:01"),
            ("excel", "46354.00694", "2026-11-28 00:10:00"),
            ("excel", "46354.005", "2026-11-28 00:07:12"),
            ("excel", "46354.4", "2026-11-28 09:36:00"),
            ("excel", "46354.0208362268", "2026-11-28 00:30:00.25"),
            ("days since 1970-01-01", "20785.99999", "2026-11-28 23:59:59"),
            ("hours since 2021-06-25 00:00:00", "9.5", "2021-06-25 09:30:00"),
            ("%Y-%m-%d", "2021-06-25", "2021-06-25 00:00:00"),
            ("%Y-%m-%d %H", "2021-06-25 9", "2021-06-25 09:00:00"),
            ("%Y-%m-%d %H", "2021-06-25 24", "2021-06-26 00:00:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9.50", "2021-06-25 09:30:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9", "2021-06-25 09:00:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 24.0", "2021-06-26 00:00:00"),
            ("%Y %j%.f", "2021 176.5", "2021-06-25 12:00:00"),
            ("%Y %j%.f", "2021 176", "2021-06-25 00:00:00"),
            ("%Y %j%.f", "2021 176,0208", "2021-06-25 00:30:00"),
            ("%Y %j%.f", "2021 176.0208333333", "2021-06-25 00:30:00"),
            ("%j%.f %Y", "176.99999 2021", "2021-06-25 23:59:59"),
            ("%Y %j%.f", "2021 366.0", "2022-01-01 00:00:00"),
            ("%Y %j %H%.f", "2021 176 0,5", "2021-06-25 00:30:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9.33", "2021-06-25 09:20:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9.67", "2021-06-25 09:40:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9.08", "2021-06-25 09:05:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9.0166667", "2021-06-25 09:01:00"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9.1", "2021-06-25 09:06:00"),
        ] {
            assert_eq!(read(format, text).as_deref(), Some(time), "{text} by {format}");
        }
    }

    #[test]
    fn what_a_format_does_not_say_is_no_time() {
        for (format, text) in [
            ("%m/%d/%Y %H:%M", "25/06/2021 09:05"),
            ("%m/%d/%Y %H:%M", "06/25/2021"),
            ("%m/%d/%Y %H:%M", "06/25/2021 09:05:00"),
            ("%d.%m.%Y %H:%M", "31.04.2021 09:05"),
            ("%Y %j %H%M", "2005 366 0"),
            ("%Y %j%.f", "2005 366.5"),
            ("%Y %j%.f", "2005 176."),
            ("%Y %j %H%M", "2005 36 2401"),
            ("%Y%m%d%H%M", "2021062509"),
            ("unix", "NAN"),
            ("unix", ""),
            ("excel", "inf"),
            ("excel", "44,372.5"),
            ("excel", "44,372,5"),
            ("%Y-%m-%d %H:%M:%S:%f", "2021-06-25 09:05:00:"),
            ("%Y-%m-%d %H:%M%z", "2021-06-25 09:05"),
            ("%m/%d/%y %I:%M%p", "06/25/21 12:30at"),
            ("%m/%d/%y %I:%M%p", "06/25/21 12:30"),
            ("%Y-%m-%d %H%.f", "2021-06-25 24.50"),
            ("%Y-%m-%d %H%.f", "2021-06-25 9."),
            ("%Y-%m-%d %H%.f", "2021-06-25 9.50.0"),
        ] {
            assert_eq!(read(format, text), None, "{text} by {format}");
        }
    }

    #[test]
    fn chrono_reads_what_is_read_here_alike() {
        for (format, text) in [
            ("%m/%d/%Y %H:%M", "06/05/2021 09:05"),
            ("%y%m%d %H:%M:%S", "690605 09:05:59"),
            ("%y%m%d %H:%M:%S", "700605 09:05:59"),
            ("%d %b %Y %l:%M %p", "05 Jun 2021  9:05 PM"),
            ("%Y %j %H:%M", "2020 366 23:59"),
            ("%D %R", "06/05/21 09:05"),
        ] {
            let chrono = LocalTime::parse_with(text, format).unwrap().to_string();
            assert_eq!(read(format, text), Some(chrono), "{text} by {format}");
        }
    }
}
