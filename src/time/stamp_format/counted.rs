//! Times that are counted in units since an instant: seconds since 1970, days since 1899-12-30.
//!
//! A fraction of a unit has few digits in files, so what it means is found again: 0.02083 of a day is 00:30:00.

use super::{DAY, StampRead};
use crate::time::{LocalTime, NANOS_PER_SECOND};

/// A unit and the instant that it counts from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Counted {
    /// In nanoseconds.
    unit: i64,
    begin: LocalTime,
    /// The number of units at that instant.
    at_begin: i64,
    is_utc: bool,
}

/// Matlab's number of 1970-01-01: it counts days from a year 0, at which no [`LocalTime`] is.
const MATLAB_AT_1970: i64 = 719_529;

impl Counted {
    /// Parses `seconds since 1970-01-01`, and the short forms `unix`, `unix ms`, `excel`, `matlab`. An instant that ends with Z is
    /// in UTC.
    pub(super) fn of(text: &str) -> Option<Counted> {
        let at_begin = if text == "matlab" { MATLAB_AT_1970 } else { 0 };
        let text = match text {
            "unix" => "seconds since 1970-01-01Z",
            "unix ms" => "milliseconds since 1970-01-01Z",
            "excel" => "days since 1899-12-30",
            "matlab" => "days since 1970-01-01",
            text => text,
        };
        let (unit, begin) = text.split_once(" since ")?;
        let unit = match unit {
            "days" => DAY * NANOS_PER_SECOND,
            "hours" => 3_600 * NANOS_PER_SECOND,
            "minutes" => 60 * NANOS_PER_SECOND,
            "seconds" => NANOS_PER_SECOND,
            "milliseconds" => 1_000_000,
            "microseconds" => 1_000,
            "nanoseconds" => 1,
            _ => return None,
        };
        let (begin, is_utc) = match begin.strip_suffix('Z') {
            Some(begin) => (begin, true),
            None => (begin, false),
        };
        let begin =
            LocalTime::parse(begin.as_bytes()).or_else(|| LocalTime::parse(format!("{begin} 00:00:00").as_bytes()))?;
        Some(Counted { unit, begin, at_begin, is_utc })
    }

    /// Parses a stamp.
    #[inline]
    pub(super) fn read(&self, text: &[u8]) -> Option<StampRead> {
        let nanos = scaled(text.trim_ascii(), self.unit, self.at_begin)?;
        let nanos = self.begin.nanos_since(LocalTime::from_nanos(0)).checked_add(nanos)?;
        Some(StampRead { time: LocalTime::from_nanos(nanos), is_utc: self.is_utc })
    }
}

/// A decimal number of units in nanoseconds. Digits below the precision of a double at this size are rounded: the
/// fraction of a day to milliseconds. The fraction may stand behind a comma: no stamp has thousands.
fn scaled(text: &[u8], unit: i64, at_begin: i64) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(whole) = text.parse::<i64>() {
        return whole.checked_sub(at_begin)?.checked_mul(unit);
    }
    let with_point;
    let text = if text.contains(',') {
        with_point = text.replacen(',', ".", 1);
        with_point.as_str()
    } else {
        text
    };
    if text.bytes().any(|byte| byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E')) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    let whole = value.trunc();
    let grain = if unit >= 60 * NANOS_PER_SECOND { 1_000_000 } else { 1_000 };
    if !whole.is_finite() || whole.abs() > 9.0e15 {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "both are within bounds")]
    let (whole, part) = (whole as i64, ((value - whole) * unit as f64 / f64::from(grain)).round() as i64);
    let nanos = part * i64::from(grain);
    let nanos = if unit == DAY * NANOS_PER_SECOND { meant(nanos, decimals(text)) } else { nanos };
    whole.checked_sub(at_begin)?.checked_mul(unit)?.checked_add(nanos)
}

/// The digits after the decimal point, if the number is written with one.
fn decimals(text: &str) -> u32 {
    let digits = text.trim().split_once('.').map_or("", |(_, digits)| digits);
    let count = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.len() } else { 0 };
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The time of day that a fraction of a day with this number of digits means. Five digits are steps of 0.864 s, and
/// 0.02083 is 00:30:00, not 00:29:59.712: of the times that are written with these digits, the one on the coarsest
/// grid. A fraction of one or two digits is unchanged, because its trailing zeros were left out, and so is a whole
/// second.
pub(super) fn meant(nanos: i64, decimals: u32) -> i64 {
    const GRIDS: [i64; 7] = [3_600, 1_800, 900, 600, 300, 60, 1];
    let Some(step) = (3..=8).contains(&decimals).then(|| DAY * NANOS_PER_SECOND / 10_i64.pow(decimals)) else {
        return nanos;
    };
    if nanos % NANOS_PER_SECOND == 0 {
        return nanos;
    }
    let on = |grid: i64| (nanos + grid / 2).div_euclid(grid) * grid;
    let grids = GRIDS.iter().map(|grid| on(grid * NANOS_PER_SECOND));
    grids.into_iter().find(|at| (nanos - at).abs() * 2 <= step).unwrap_or(nanos)
}
