//! The width of bins.
//!
//! Every width divides a day or is a whole number of days, and every bin begins at a multiple of its width since 1970
//! in UTC. So two tables with bins of the same width share their grid, and wide bins can be made from narrow ones.

use crate::store::SLOT_SECONDS;

/// Six hours: a slot of [`crate::store::Versions`].
pub(super) const SLOT_MS: i64 = SLOT_SECONDS * 1_000;
/// An hour.
pub(super) const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// Widths of a view's bins, up to four days.
const WIDTHS_MS: [i64; 27] = [
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    900_000,
    1_200_000,
    1_800_000,
    HOUR_MS,
    2 * HOUR_MS,
    3 * HOUR_MS,
    SLOT_MS,
    12 * HOUR_MS,
    DAY_MS,
    2 * DAY_MS,
    4 * DAY_MS,
];

/// Widths of the narrowest bins that are kept.
const KEPT_MS: [i64; 6] = [10_000, 60_000, 300_000, 1_800_000, HOUR_MS, SLOT_MS];

/// The least number of rows that a kept bin should hold.
pub(super) const ROWS_A_BIN: i64 = 50;

/// The narrowest width that gives at most `points` bins.
pub(super) fn of_view(span_ms: i64, points: usize) -> i64 {
    let points = i64::try_from(points).unwrap_or(i64::MAX).max(1);
    let least = span_ms.div_euclid(points) + i64::from(span_ms.rem_euclid(points) > 0);
    if let Some(width) = WIDTHS_MS.iter().find(|width| **width >= least) {
        return *width;
    }
    let mut width = 8 * DAY_MS;
    while width < least {
        width *= 2;
    }
    width
}

/// The width of the narrowest kept bins of a series with this interval of rows.
pub(super) fn kept(interval_ms: i64) -> i64 {
    let wanted = interval_ms.saturating_mul(ROWS_A_BIN);
    KEPT_MS.iter().copied().find(|width| *width >= wanted).unwrap_or(SLOT_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_divide_a_day_or_are_days_and_a_view_has_no_more_bins_than_asked() {
        assert!(WIDTHS_MS.is_sorted());
        for width in WIDTHS_MS.iter().chain(&KEPT_MS) {
            assert!(DAY_MS % width == 0 || width % DAY_MS == 0, "{width}");
            assert!(*width >= SLOT_MS || SLOT_MS % width == 0, "{width} does not divide a piece");
        }
        for span in [0, 1, 999, 86_400_000, 30 * DAY_MS, 400 * DAY_MS, 142 * 365 * DAY_MS] {
            for points in [1, 7, 200, 1_200, 5_000] {
                let width = of_view(span, points);
                assert!(span / width <= i64::try_from(points).unwrap(), "{span} {points} {width}");
            }
        }
    }

    #[test]
    fn kept_bins_hold_fifty_rows_or_six_hours() {
        for (interval, width) in [
            (50, 10_000),
            (100, 10_000),
            (1_000, 60_000),
            (5_000, 300_000),
            (60_000, HOUR_MS),
            (300_000, SLOT_MS),
            (86_400_000, SLOT_MS),
        ] {
            assert_eq!(kept(interval), width, "{interval}");
        }
    }
}
