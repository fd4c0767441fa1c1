//! Bins of some columns of a series.
//!
//! Minima and maxima are values of the store, bit for bit: an outlier in a single row is visible at every zoom. Failed
//! values are kept separately, so that a sensor's fault does not determine the scale. [`Aggregate`] alone decides how
//! values are aggregated; a bin keeps the sums for that.

use crate::format::numbers_of;
use crate::quantity::{Aggregate, Counter, Sums};
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
    /// The sums of the numbers that did not fail.
    pub(super) sums: Sums,
    pub(super) suspect: Extent,
    pub(super) failed: Extent,
}

impl Bin {
    pub(super) const EMPTY: Bin = Bin { flags: [0; 5], sums: Sums::NONE, suspect: Extent::NONE, failed: Extent::NONE };

    /// Pass, not evaluated, missing, suspect, fail: the worst last.
    pub(super) const DIGITS: [u8; 5] = *b"12934";
    pub(super) const MISSING: usize = 2;
    pub(super) const SUSPECT: usize = 3;
    pub(super) const FAIL: usize = 4;

    pub(super) fn is_empty(&self) -> bool {
        self.flags == [0; 5]
    }

    /// Adds a row's value.
    #[inline]
    fn take(&mut self, aggregate: Aggregate, cell: Cell, increment: Option<f64>) {
        let at = match cell.digit {
            b'1' => 0,
            b'2' => 1,
            b'9' => Bin::MISSING,
            b'3' => Bin::SUSPECT,
            b'4' => Bin::FAIL,
            _ => return,
        };
        self.flags[at] += 1;
        if cell.value.is_nan() {
            return;
        }
        match at {
            Bin::MISSING => return,
            Bin::FAIL => return self.failed.add(cell.value),
            Bin::SUSPECT => self.suspect.add(cell.value),
            _ => {}
        }
        aggregate.add(&mut self.sums, cell.value, cell.ms, increment);
    }

    /// Adds the content of another bin.
    pub(super) fn merge(&mut self, aggregate: Aggregate, other: &Bin) {
        for (mine, theirs) in self.flags.iter_mut().zip(&other.flags) {
            *mine += theirs;
        }
        aggregate.merge(&mut self.sums, &other.sums);
        self.suspect.merge(other.suspect);
        self.failed.merge(other.failed);
    }

    /// The smallest and the largest number that did not fail.
    pub(super) fn extent(&self) -> Extent {
        Extent { low: self.sums.low, high: self.sums.high }
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

/// A row's value; NaN if there is no number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) ms: i64,
    pub(super) digit: u8,
    pub(super) value: f64,
}

impl Cell {
    /// The value as a counter's reading: a failed one is not used.
    pub(super) fn reading(self) -> f64 {
        if matches!(self.digit, b'4' | b'9' | b' ') { f64::NAN } else { self.value }
    }
}

/// A column of a grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Column {
    /// Its position in the column list.
    pub(super) place: usize,
    pub(super) aggregate: Aggregate,
}

/// The columns of a grid with their aggregates.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    /// The columns in the order of the column list.
    pub(super) columns: Vec<Column>,
    /// Rows that are further apart than this, in milliseconds, have a gap between them.
    pub(super) longest_step: i64,
}

impl Form {
    /// The same form for this number of columns. The kind of a column that was added later is not known here; if it
    /// turns out to be another kind, the bytes are not used.
    pub(super) fn reaching(&self, count: usize) -> Form {
        let added = (self.columns.len()..count).map(|place| Column { place, aggregate: Aggregate::Mean });
        Form { columns: self.columns.iter().copied().chain(added).collect(), ..*self }
    }

    /// Only the columns at these positions, which must be sorted.
    pub(super) fn of(&self, places: &[usize]) -> Form {
        let columns = self.columns.iter().copied().filter(|column| places.binary_search(&column.place).is_ok());
        Form { columns: columns.collect(), ..*self }
    }
}

/// Adjacent bins of one width.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    /// The begin of the first bin, in milliseconds since 1970; a multiple of the width.
    pub(super) start: i64,
    pub(super) width: i64,
    /// The columns in the order of the column list.
    pub(super) columns: Vec<Column>,
    /// Rows that are further apart than this, in milliseconds, have a gap between them.
    pub(super) longest_step: i64,
    /// The number of rows in each bin.
    pub(super) rows: Vec<u32>,
    /// The bins, each with its columns in order.
    bins: Vec<Bin>,
    numbers: Vec<f64>,
    /// One counter per column, if any column is a counter; otherwise empty.
    counters: Vec<Counter>,
}

impl Grid {
    /// Empty bins that cover the closed span of time.
    pub(super) fn new((from, to): (i64, i64), width: i64, form: Form) -> Grid {
        let Form { columns, longest_step } = form;
        let start = from.div_euclid(width) * width;
        let count = usize::try_from(to.div_euclid(width) - from.div_euclid(width) + 1).unwrap_or(0);
        let bins = vec![Bin::EMPTY; count * columns.len()];
        let has_counters = columns.iter().any(|column| column.aggregate == Aggregate::Increments);
        let counters = if has_counters { vec![Counter::default(); columns.len()] } else { Vec::new() };
        Grid { start, width, columns, longest_step, rows: vec![0; count], bins, numbers: Vec::new(), counters }
    }

    /// The form of the grid, without its bins.
    pub(super) fn form(&self) -> Form {
        Form { columns: self.columns.clone(), longest_step: self.longest_step }
    }

    /// Whether the row before its first one is needed.
    pub(super) fn has_counters(&self) -> bool {
        !self.counters.is_empty()
    }

    /// A grid of the same bins, all empty.
    pub(super) fn clone_empty(&self) -> Grid {
        Grid::new((self.start, self.time(self.len()) - 1), self.width, self.form())
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
        numbers_of(row.values, last.place + 1, &mut numbers);
        let ms = row.ts.millis();
        let bins = self.bins[at * width..(at + 1) * width].iter_mut().zip(&self.columns);
        for (at, (bin, column)) in bins.enumerate() {
            let Some(digit) = row.flags.get(column.place) else { continue };
            let value = numbers.get(column.place).copied().unwrap_or(f64::NAN);
            let cell = Cell { ms, digit: *digit, value };
            let increment = match self.counters.get_mut(at) {
                Some(counter) if column.aggregate == Aggregate::Increments => {
                    counter.step(ms, cell.reading(), self.longest_step)
                }
                _ => None,
            };
            bin.take(column.aggregate, cell, increment);
        }
        self.numbers = numbers;
    }

    /// Reads the counters of the row before the first one, which is outside the grid.
    pub(super) fn look_back(&mut self, row: &ScannedRow<'_>) {
        let Some(last) = self.columns.last() else { return };
        numbers_of(row.values, last.place + 1, &mut self.numbers);
        for (counter, column) in self.counters.iter_mut().zip(&self.columns) {
            let (Some(digit), Some(value)) = (row.flags.get(column.place), self.numbers.get(column.place)) else {
                continue;
            };
            let cell = Cell { ms: row.ts.millis(), digit: *digit, value: *value };
            counter.step(cell.ms, cell.reading(), self.longest_step);
        }
    }

    /// Adds a count of rows to the bin of a time. A time outside the grid is ignored.
    pub(super) fn add_rows(&mut self, ms: i64, rows: u32) {
        if let Some(at) = self.place(ms) {
            self.rows[at] += rows;
        }
    }

    /// Adds a narrower bin to a column, given by its index in this grid. A time outside the grid is ignored.
    pub(super) fn add_bin(&mut self, ms: i64, column: usize, bin: &Bin) {
        if let Some(at) = self.place(ms) {
            let width = self.columns.len();
            self.bins[at * width + column].merge(self.columns[column].aggregate, bin);
        }
    }

    /// Adds narrower or equal bins. Columns that this grid does not have are ignored.
    pub(super) fn merge(&mut self, other: &Grid) {
        let places: Vec<Option<usize>> =
            self.columns.iter().map(|own| other.columns.iter().position(|known| known == own)).collect();
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
