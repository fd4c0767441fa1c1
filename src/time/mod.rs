//! Converts between station time and UTC.
//!
//! A logger writes its own local time, without a zone, at the end of each interval (docs/file-formats.md#times). The
//! store keeps UTC as [`Timestamp`], nanoseconds since 1970, because a logger may write up to nine fraction digits.
//! AmeriFlux uses local standard time all year, so a fixed offset is the usual [`StationClock`]. An IANA time zone is
//! allowed. In the hour that it repeats, [`StationClock::candidates`] returns two instants and the caller decides by
//! earlier rows. A row in the hour that it skips shows that the logger does not follow the zone.

mod http;
mod impossible;
mod instant;
mod interval;
mod logger_clock;
mod samples;
mod stamp_format;
mod windows;
mod yearless;

use std::fmt;
use std::time::Duration;

use chrono::{
    DateTime, Datelike, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike,
    Utc,
};
use chrono_tz::{OffsetComponents, Tz};

pub use http::{http_date, retry_after};
pub use impossible::{impossible, impossible_by};
pub use instant::{NANOS_PER_DAY, NANOS_PER_MICRO, NANOS_PER_MILLI, NANOS_PER_SECOND, Timestamp, nanos};
pub use interval::Interval;
pub use logger_clock::{Correction, LoggerClock, OffsetChange, Stamps};
pub use samples::{Around, MOST_PER_STAMP, Place, SECOND, Samples, Stamp};
pub use stamp_format::{MIDNIGHT_ENDS_THE_DAY, StampFormat, StampRead};
pub use windows::Windows;
pub use yearless::{HALF_A_YEAR, NEAR_ITS_FILE, YearlessSpan, begin_of_year};

/// Two clocks that differ by at most this are treated as equal for days of retention and for the age of a row.
pub const CLOCKS_AGREE: TimeDelta = TimeDelta::minutes(10);

/// Whether two clocks that show these times at the same moment are treated as equal.
pub fn clocks_agree(one: DateTime<Utc>, other: DateTime<Utc>) -> bool {
    (one - other).abs() <= CLOCKS_AGREE
}

/// The largest difference of clocks that a user sets now and then.
pub const CLOCKS_DRIFT: TimeDelta = TimeDelta::minutes(2);

/// The source of the present time, so that tests can set it.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
}

/// The computer's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// The time that a logger wrote: local time without a zone, as nanoseconds since 1970 on the logger's own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(i64);

impl LocalTime {
    /// The time this many nanoseconds after 1970-01-01 00:00:00 on the same clock.
    #[inline]
    pub const fn from_nanos(nanos: i64) -> LocalTime {
        LocalTime(nanos)
    }

    /// Nanoseconds from `earlier` to this time on the same clock; negative if `earlier` is later.
    #[inline]
    pub const fn nanos_since(self, earlier: LocalTime) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The time this many nanoseconds later on the same clock.
    #[inline]
    pub const fn plus(self, nanos: i64) -> LocalTime {
        LocalTime(self.0.saturating_add(nanos))
    }

    /// The last time before this one.
    #[inline]
    pub const fn previous(self) -> LocalTime {
        LocalTime(self.0.saturating_sub(1))
    }

    /// Parses `YYYY-MM-DD hh:mm:ss` with up to nine fraction digits; `24:00:00` is midnight of the next day
    /// (LoggerNet's "2400" option). None for any other text, including a date with slashes.
    pub fn parse(text: &[u8]) -> Option<LocalTime> {
        let (stamp, fraction) = text.split_at_checked(19)?;
        if stamp[4] != b'-'
            || stamp[7] != b'-'
            || !matches!(stamp[10], b' ' | b'T')
            || stamp[13] != b':'
            || stamp[16] != b':'
        {
            return None;
        }
        let year = digits(&stamp[0..4])?;
        let (month, day) = (digits(&stamp[5..7])?, digits(&stamp[8..10])?);
        let (hour, minute, second) = (digits(&stamp[11..13])?, digits(&stamp[14..16])?, digits(&stamp[17..19])?);
        let nanos = fraction_nanos(fraction)?;
        let midnight_after = hour == 24 && minute == 0 && second == 0 && nanos == 0;
        if !(1678..=2261).contains(&year) || minute > 59 || second > 59 || (hour > 23 && !midnight_after) {
            return None;
        }
        let day_number = days_since_1970(year, month, day)?;
        let seconds = day_number * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
        Some(LocalTime(seconds.checked_mul(NANOS_PER_SECOND)?.checked_add(i64::from(nanos))?))
    }

    /// Parses `YYYY-MM-DD hh:mm`: the full minute, as programs write it that saved a logger's file.
    pub fn parse_minute(text: &[u8]) -> Option<LocalTime> {
        let minute = <[u8; 16]>::try_from(text).ok()?;
        let mut stamp = *b"0000-00-00 00:00:00";
        stamp[..minute.len()].copy_from_slice(&minute);
        LocalTime::parse(&stamp)
    }

    /// Parses a stamp in a logger's file.
    pub fn parse_logger(text: &[u8]) -> Option<LocalTime> {
        LocalTime::parse(text).or_else(|| LocalTime::parse_minute(text))
    }

    /// Parses by a chrono format, for files with another time format.
    pub fn parse_with(text: &str, format: &str) -> Option<LocalTime> {
        // A date alone is its first instant; an hour that the format has is required.
        let date = || has_no_hour(format).then(|| NaiveDate::parse_from_str(text, format).ok()).flatten();
        let naive = NaiveDateTime::parse_from_str(text, format)
            .ok()
            .or_else(|| Some(date()?.and_time(chrono::NaiveTime::MIN)))
            // Loggers write no leap seconds, which chrono would accept.
            .filter(|naive| naive.nanosecond() < 1_000_000_000)?;
        naive.and_utc().timestamp_nanos_opt().map(LocalTime)
    }

    fn naive(self) -> NaiveDateTime {
        DateTime::from_timestamp_nanos(self.0).naive_utc()
    }

    /// Month, day and time of day on this clock.
    pub fn calendar(self) -> Calendar {
        let naive = self.naive();
        Calendar {
            year: naive.year(),
            month: u16::try_from(naive.month()).unwrap_or(1),
            day_of_year: u16::try_from(naive.ordinal()).unwrap_or(1),
            second_of_day: naive.num_seconds_from_midnight(),
        }
    }
}

/// The position of a local time within the year and the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// The year of the common era.
    pub year: i32,
    /// The month, 1 to 12.
    pub month: u16,
    /// The day of the year, 1 to 366.
    pub day_of_year: u16,
    /// The second of the day, 0 to 86,399.
    pub second_of_day: u32,
}

impl fmt::Display for LocalTime {
    /// In the form of a logger: without trailing zeros of the fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.naive().format("%Y-%m-%d %H:%M:%S"))?;
        let nanos = self.0.rem_euclid(NANOS_PER_SECOND);
        if nanos != 0 {
            let digits = format!("{nanos:09}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        Ok(())
    }
}

/// Whether a chrono format has no hour.
fn has_no_hour(format: &str) -> bool {
    use chrono::format::{Item, Numeric, StrftimeItems};
    !StrftimeItems::new(format)
        .any(|item| matches!(item, Item::Numeric(Numeric::Hour | Numeric::Hour12 | Numeric::Timestamp, _)))
}

/// Parses two bytes to four digits; at this length the arithmetic cannot overflow.
fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

fn fraction_nanos(text: &[u8]) -> Option<u32> {
    match text {
        [] => Some(0),
        [b'.', rest @ ..] if (1..=9).contains(&rest.len()) => {
            let scale = 10_u32.pow(u32::try_from(9 - rest.len()).ok()?);
            Some(digits(rest)? * scale)
        }
        _ => None,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant's `days_from_civil`); None for a day that the
/// month does not have.
fn days_since_1970(year: u32, month: u32, day: u32) -> Option<i64> {
    if !(1..=month_length(year, month)?).contains(&day) {
        return None;
    }
    let shifted_year = i64::from(year) - i64::from(month <= 2);
    let era = shifted_year / 400;
    let year_of_era = shifted_year - era * 400;
    let day_of_year = (153 * i64::from((month + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// The number of days of a month; None for an invalid month.
fn month_length(year: u32, month: u32) -> Option<u32> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(28 + u32::from(leap)),
        _ => None,
    }
}

/// The relation of a logger's clock to UTC.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StationClock {
    /// Standard time all year: the rule at AmeriFlux.
    Fixed(FixedOffset),
    /// A clock that a user, or LoggerNet, changes twice a year.
    Zone(Tz),
}

/// The possible instants of a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Candidates {
    /// One instant, the usual case.
    One(Timestamp),
    /// A time in the hour that the time zone skips in spring: a clock that follows the zone never shows it. The instant
    /// is that of the offset before the change.
    Missing(Timestamp),
    /// A time in the hour that the time zone repeats in autumn: the earlier and the later instant.
    Two(Timestamp, Timestamp),
}

impl StationClock {
    /// The possible instants of `local` on this clock.
    pub fn candidates(&self, local: LocalTime) -> Candidates {
        match self {
            StationClock::Fixed(offset) => Candidates::One(Timestamp::from_nanos(
                local.0.saturating_sub(i64::from(offset.local_minus_utc()) * NANOS_PER_SECOND),
            )),
            StationClock::Zone(zone) => {
                let naive = local.naive();
                let nanos = |instant: DateTime<Tz>| Timestamp::from_utc(instant.with_timezone(&Utc));
                match zone.from_local_datetime(&naive) {
                    MappedLocalTime::Single(instant) => Candidates::One(nanos(instant)),
                    MappedLocalTime::Ambiguous(earlier, later) => Candidates::Two(nanos(earlier), nanos(later)),
                    MappedLocalTime::None => Candidates::Missing(self.before_jump(local, zone)),
                }
            }
        }
    }

    /// The instant of a local time that the time zone skips: a logger whose clock was not changed wrote it with the old
    /// offset.
    fn before_jump(&self, local: LocalTime, zone: &Tz) -> Timestamp {
        let day_before = local.naive() - TimeDelta::days(1);
        let offset = zone.offset_from_utc_datetime(&day_before).fix();
        Timestamp::from_nanos(local.0 - i64::from(offset.local_minus_utc()) * NANOS_PER_SECOND)
    }

    /// The offset of standard time from UTC that is in force at `instant`: data archives mean it by local time.
    pub fn standard_offset(&self, instant: Timestamp) -> FixedOffset {
        match self {
            StationClock::Fixed(offset) => *offset,
            StationClock::Zone(zone) => {
                let base = zone.offset_from_utc_datetime(&instant.to_utc().naive_utc()).base_utc_offset();
                let seconds = i32::try_from(base.num_seconds()).unwrap_or(0);
                FixedOffset::east_opt(seconds).unwrap_or_else(|| Utc.fix())
            }
        }
    }

    /// The offset from UTC at `instant`, daylight-saving time included.
    fn offset(&self, instant: Timestamp) -> FixedOffset {
        match self {
            StationClock::Fixed(offset) => *offset,
            StationClock::Zone(zone) => zone.offset_from_utc_datetime(&instant.to_utc().naive_utc()).fix(),
        }
    }

    /// The time of a row in the form for users: station time with its offset, such as `2026-06-01 00:05:00.1 -05:00`.
    pub fn row_time(&self, instant: Timestamp) -> String {
        format!("{} {}", self.local(instant), self.offset(instant))
    }

    /// The time of an event in the form for users: station time with its offset, to the second.
    pub fn event_time(&self, instant: Timestamp) -> String {
        self.row_time(instant.floor(Duration::from_secs(1)))
    }

    /// The standard time at `instant`: what this clock shows without daylight saving.
    pub fn standard(&self, instant: Timestamp) -> LocalTime {
        let offset = self.standard_offset(instant);
        LocalTime(instant.nanos().saturating_add(i64::from(offset.local_minus_utc()) * NANOS_PER_SECOND))
    }

    /// The time that this clock shows at `instant`.
    pub fn local(&self, instant: Timestamp) -> LocalTime {
        let offset = self.offset(instant);
        LocalTime(instant.nanos().saturating_add(i64::from(offset.local_minus_utc()) * NANOS_PER_SECOND))
    }
}

impl fmt::Display for StationClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StationClock::Fixed(offset) => write!(f, "{offset}"),
            StationClock::Zone(zone) => write!(f, "{}", zone.name()),
        }
    }
}

/// Parses an instant as a user types it on a command line: RFC 3339, or a date or a date and time in station time (the
/// earlier one of two in the repeated hour).
pub fn parse_instant(text: &str, clock: &StationClock) -> Option<Timestamp> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp::from_utc(instant.with_timezone(&Utc)));
    }
    // In the form in which this program shows times, also without seconds.
    let with_offset = text.strip_suffix(['Z', 'z']).map_or_else(|| text.to_owned(), |time| format!("{time}+00:00"));
    let forms = ["%Y-%m-%d %H:%M:%S%.f %:z", "%Y-%m-%d %H:%M %:z", "%Y-%m-%dT%H:%M%:z", "%Y-%m-%d %H:%M%:z"];
    if let Some(instant) = forms.iter().find_map(|form| DateTime::parse_from_str(&with_offset, form).ok()) {
        return Some(Timestamp::from_utc(instant.with_timezone(&Utc)));
    }
    let local = LocalTime::parse(text.as_bytes())
        .or_else(|| LocalTime::parse_with(text, "%Y-%m-%d %H:%M"))
        .or_else(|| LocalTime::parse_with(text, "%Y-%m-%dT%H:%M"))
        .or_else(|| LocalTime::parse_with(text, "%Y-%m-%d"))?;
    Some(match clock.candidates(local) {
        Candidates::One(instant) | Candidates::Two(instant, _) | Candidates::Missing(instant) => instant,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Timestamp {
        Timestamp::from_utc(DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc))
    }

    fn local(text: &str) -> LocalTime {
        LocalTime::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_time_is_shown_by_the_stations_clock_with_its_offset() {
        let instant = utc("2026-07-01T12:00:00.5Z");
        let fixed = StationClock::Fixed(FixedOffset::west_opt(5 * 3600).unwrap());
        assert_eq!(fixed.row_time(instant), "2026-07-01 07:00:00.5 -05:00");
        assert_eq!(fixed.event_time(instant), "2026-07-01 07:00:00 -05:00");
        let zone = StationClock::Zone(chrono_tz::America::Detroit);
        assert_eq!(zone.event_time(instant), "2026-07-01 08:00:00 -04:00");
    }

    #[test]
    fn a_stamp_survives_reading_and_writing() {
        for text in [
            "2026-06-01 00:00:00",
            "2026-06-01 00:00:00.1",
            "2024-02-29 23:59:59.000664",
            "1990-01-01 00:00:00.123456789",
        ] {
            assert_eq!(local(text).to_string(), text);
        }
    }

    #[test]
    fn every_day_of_two_centuries_agrees_with_chrono() {
        let mut day = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap();
        while day < NaiveDate::from_ymd_opt(2100, 1, 1).unwrap() {
            let text = format!("{day} 12:34:56");
            let expected = day.and_hms_opt(12, 34, 56).unwrap().and_utc().timestamp_nanos_opt().unwrap();
            assert_eq!(local(&text).0, expected, "{text}");
            day = day.succ_opt().unwrap();
        }
    }

    #[test]
    fn twenty_four_hundred_is_the_next_midnight() {
        assert_eq!(local("2016-05-31 24:00:00"), local("2016-06-01 00:00:00"));
        assert_eq!(LocalTime::parse(b"2016-05-31 24:00:01"), None);
    }

    #[test]
    fn what_is_not_a_stamp_is_refused() {
        for text in [
            "",
            "NAN",
            "11/11/2015 0:00",
            "2026-02-29 00:00:00",
            "2026-13-01 00:00:00",
            "2026-06-01 00:60:00",
            "2026-06-01 00:00:00.",
            "2026-06-01 00:00:00.1234567890",
            "2026-06-01 00:00",
        ] {
            assert_eq!(LocalTime::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_stamp_without_seconds_has_sixteen_signs() {
        assert_eq!(LocalTime::parse_logger(b"2026-06-01 07:30"), Some(local("2026-06-01 07:30:00")));
        assert_eq!(LocalTime::parse_logger(b"2026-05-31 24:00"), Some(local("2026-06-01 00:00:00")));
        for text in ["2026-06-01 07:3", "2026-06-01 07:30:", "2026-06-01 24:30", "2026-06-01 7:30", "2026-06-01 07:60"]
        {
            assert_eq!(LocalTime::parse_logger(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn standard_time_is_subtracted_all_year() {
        let clock = StationClock::Fixed(FixedOffset::west_opt(5 * 3600).unwrap());
        assert_eq!(clock.candidates(local("2026-07-01 00:00:00")), Candidates::One(utc("2026-07-01T05:00:00Z")));
        assert_eq!(clock.local(utc("2026-07-01T05:00:00Z")).to_string(), "2026-07-01 00:00:00");
    }

    #[test]
    fn a_zone_has_a_double_hour_and_a_missing_hour() {
        let clock = StationClock::Zone(chrono_tz::US::Eastern);
        assert_eq!(
            clock.candidates(local("2026-11-01 01:30:00")),
            Candidates::Two(utc("2026-11-01T05:30:00Z"), utc("2026-11-01T06:30:00Z"))
        );
        assert_eq!(clock.candidates(local("2026-03-08 02:30:00")), Candidates::Missing(utc("2026-03-08T07:30:00Z")));
    }

    #[test]
    fn an_instant_is_read_as_a_user_types_it() {
        let clock = StationClock::Fixed(FixedOffset::west_opt(5 * 3600).unwrap());
        for text in [
            "2026-06-01",
            "2026-06-01 00:00",
            "2026-06-01 00:00:00",
            "2026-06-01T05:00:00Z",
            "2026-06-01T00:00:00-05:00",
            "2026-06-01 00:00:00 -05:00",
            "2026-06-01 00:00 -05:00",
            "2026-06-01T05:00Z",
            "2026-06-01T06:00+01:00",
        ] {
            assert_eq!(parse_instant(text, &clock), Some(utc("2026-06-01T05:00:00Z")), "{text}");
        }
        assert_eq!(parse_instant("yesterday", &clock), None);
    }
}
