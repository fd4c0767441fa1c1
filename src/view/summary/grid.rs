//! Bins of some columns of a series.
//!
//! Minima and maxima are values of the store, bit for bit: an outlier in a single row is visible at every zoom. Failed values
//! are kept separately, so that a sensor's fault does not set the scale.

use crate::format::numbers_of;
use crate::store::ScannedRow;

use super::answer::{Figure, FlagCounts};

/// Minimum and maximum of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Extent {
    pub(super) const NONE: Extent = Extent { low: f64::INFINITY, high: f64::NEG_INFINITY };

    pub(super) fn is_none(self) -> bool {
        self.low > self.high
    }

    #[inline]
    fn add(&mut self, value: f64) {
        self.merge(Extent { low: value, high: value });
    }

    #[inline]
    fn merge(&mut self, other: Extent) {
        if other.low < self.low {
            self.low = other.low;
        }
        if other.high > self.high {
            self.high = other.high;
        }
    }

    pub(super) fn figures(self) -> (Figure, Figure) {
        if self.is_none() {
            return (Figure::NONE, Figure::NONE);
        }
        (Figure::rounded(self.low), Figure::rounded(self.high))
    }
}

/// One column over one bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bin {
    /// Rows with each flag, in the order of [`Bin::DIGITS`].
    pub(super) flags: [u32; 5],
    /// Count of numbers that did not fail.
    pub(super) numbers: u32,
    pub(super) sum: f64,
    pub(super) extent: Extent,
    pub(super) suspect: Extent,
    pub(super) failed: Extent,
}

impl Bin {
    pub(super) const EMPTY: Bin =
        Bin { flags: [0; 5], numbers: 0, sum: 0.0, extent: Extent::NONE, suspect: Extent::NONE, failed: Extent::NONE };

    /// Pass, not evaluated, missing, suspect, fail: the worst last.
    pub(super) const DIGITS: [u8; 5] = *b"12934";
    pub(super) const MISSING: usize = 2;
    pub(super) const SUSPECT: usize = 3;
    pub(super) const FAIL: usize = 4;

    pub(super) fn is_empty(&self) -> bool {
        self.flags == [0; 5]
    }

    /// Adds a row's value; NaN where there is no number.
    #[inline]
    fn take(&mut self, digit: u8, value: f64) {
        let at = match digit {
            b'1' => 0,
            b'2' => 1,
            b'9' => Bin::MISSING,
            b'3' => Bin::SUSPECT,
            b'4' => Bin::FAIL,
            _ => return,
        };
        self.flags[at] += 1;
        if value.is_nan() {
            return;
        }
        match at {
            Bin::MISSING => return,
            Bin::FAIL => return self.failed.add(value),
            Bin::SUSPECT => self.suspect.add(value),
            _ => {}
        }
        self.numbers += 1;
        self.sum += value;
        self.extent.add(value);
    }

    /// Adds the content of another bin.
    pub(super) fn merge(&mut self, other: &Bin) {
        for (mine, theirs) in self.flags.iter_mut().zip(&other.flags) {
            *mine += theirs;
        }
        self.numbers += other.numbers;
        self.sum += other.sum;
        self.extent.merge(other.extent);
        self.suspect.merge(other.suspect);
        self.failed.merge(other.failed);
    }

    pub(super) fn mean(&self) -> f64 {
        // Rounding may move the mean of equal values outside their range.
        if self.numbers == 0 {
            f64::NAN
        } else {
            (self.sum / f64::from(self.numbers)).clamp(self.extent.low, self.extent.high)
        }
    }

    /// The worst flag; a blank for an empty bin.
    pub(super) fn worst(&self) -> char {
        let at = self.flags.iter().rposition(|count| *count > 0);
        at.map_or(' ', |at| char::from(Bin::DIGITS[at]))
    }

    pub(super) fn count_into(&self, counts: &mut FlagCounts) {
        let [good, not_evaluated, missing, suspect, fail] = self.flags.map(u64::from);
        counts.good += good;
        counts.not_evaluated += not_evaluated;
        counts.missing += missing;
        counts.suspect += suspect;
        counts.fail += fail;
    }
}

/// Adjacent bins of one width.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    /// The begin of the first bin, in milliseconds since 1970; a multiple of the width.
    pub(super) start: i64,
    pub(super) width: i64,
    /// Positions of its columns in the column list.
    pub(super) columns: Vec<usize>,
    /// Rows in each bin.
    pub(super) rows: Vec<u32>,
    /// Bin by bin, in the order of the columns.
    bins: Vec<Bin>,
    numbers: Vec<f64>,
}

impl Grid {
    /// Empty bins that cover the closed span of time.
    pub(super) fn new((from, to): (i64, i64), width: i64, columns: Vec<usize>) -> Grid {
        let start = from.div_euclid(width) * width;
        let count = usize::try_from(to.div_euclid(width) - from.div_euclid(width) + 1).unwrap_or(0);
        let bins = vec![Bin::EMPTY; count * columns.len()];
        Grid { start, width, columns, rows: vec![0; count], bins, numbers: Vec::new() }
    }

    /// The same bins, empty.
    pub(super) fn clone_empty(&self) -> Grid {
        Grid::new((self.start, self.time(self.len()) - 1), self.width, self.columns.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The begin of a bin, in milliseconds since 1970.
    pub(super) fn time(&self, at: usize) -> i64 {
        self.start + self.width * i64::try_from(at).unwrap_or(0)
    }

    /// The bin of a time in milliseconds since 1970.
    #[inline]
    fn place(&self, ms: i64) -> Option<usize> {
        let at = usize::try_from((ms - self.start).div_euclid(self.width)).ok()?;
        (at < self.rows.len()).then_some(at)
    }

    pub(super) fn bin(&self, at: usize, column: usize) -> &Bin {
        &self.bins[at * self.columns.len() + column]
    }

    /// The bins of one column.
    pub(super) fn column(&self, column: usize) -> impl Iterator<Item = &Bin> {
        self.bins.iter().skip(column).step_by(self.columns.len().max(1))
    }

    /// Adds a row. A row outside the grid is ignored.
    #[inline]
    pub(super) fn take(&mut self, row: &ScannedRow<'_>) {
        let Some(at) = self.place(row.ts.millis()) else { return };
        self.rows[at] += 1;
        let width = self.columns.len();
        let Some(last) = self.columns.last() else { return };
        let mut numbers = std::mem::take(&mut self.numbers);
        numbers_of(row.values, last + 1, &mut numbers);
        for (bin, &place) in self.bins[at * width..(at + 1) * width].iter_mut().zip(&self.columns) {
            let (Some(digit), value) = (row.flags.get(place), numbers.get(place)) else { continue };
            bin.take(*digit, value.copied().unwrap_or(f64::NAN));
        }
        self.numbers = numbers;
    }

    /// Adds a count of rows to the bin of a time. A time outside the grid is ignored.
    pub(super) fn add_rows(&mut self, ms: i64, rows: u32) {
        if let Some(at) = self.place(ms) {
            self.rows[at] += rows;
        }
    }

    /// Adds a narrower bin to a column, given by its index here. A time outside the grid is ignored.
    pub(super) fn add_bin(&mut self, ms: i64, column: usize, bin: &Bin) {
        if let Some(at) = self.place(ms) {
            let width = self.columns.len();
            self.bins[at * width + column].merge(bin);
        }
    }

    /// Adds narrower or equal bins. Columns that this grid lacks are ignored.
    pub(super) fn merge(&mut self, other: &Grid) {
        let places: Vec<Option<usize>> =
            self.columns.iter().map(|place| other.columns.iter().position(|known| known == place)).collect();
        for at in 0..other.len() {
            if other.rows[at] == 0 {
                continue;
            }
            let ms = other.time(at);
            self.add_rows(ms, other.rows[at]);
            for (column, place) in places.iter().enumerate() {
                if let Some(place) = place {
                    self.add_bin(ms, column, other.bin(at, *place));
                }
            }
        }
    }
}
