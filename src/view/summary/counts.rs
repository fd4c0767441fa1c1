//! Counts values, and values that did not fail, in bins of one width.

use super::grid::{Bin, Grid};
use super::{Summaries, SummaryError, grid_over, span};
use crate::store::{SeriesLine, Store};
use crate::time::{NANOS_PER_MILLI, NANOS_PER_SECOND, Timestamp};

/// The time that is held in memory at once: a table may have hundreds of columns.
const AT_ONCE: i64 = 8 * 86_400 * NANOS_PER_SECOND;

/// The scope of a count.
#[derive(Debug, Clone, Copy)]
pub struct Counting<'a> {
    /// The table's name in the configuration.
    pub table: &'a str,
    /// One of its series.
    pub series: &'a SeriesLine,
    /// From the first instant to before the second.
    pub span: (Timestamp, Timestamp),
    /// The width of a bin in milliseconds; bins begin at multiples of it since 1970.
    pub width: i64,
}

impl Summaries {
    /// The series of a table with these tags; None if it has no rows.
    pub fn series(
        &self,
        reader: &Store,
        table: &str,
        tags: &[(String, String)],
    ) -> Result<Option<SeriesLine>, SummaryError> {
        Ok(self.wanted(reader, table, Some(&[]), tags)?.series)
    }

    /// Passes each bin with rows to `take`, oldest first: its beginning, and for each column the number of values and
    /// of those that did not fail. They come from kept summaries, or from rows if a counter's step may extend over a
    /// slot. Returns false and passes nothing if the series has too few rows for summaries of this width, so that
    /// reading its rows costs little.
    pub fn counts<E: From<SummaryError>>(
        &self,
        reader: &Store,
        of: Counting<'_>,
        mut take: impl FnMut(Timestamp, &[(u32, u32)]) -> Result<(), E>,
    ) -> Result<bool, E> {
        let Some(kept) = self.kept_width(reader, of.series)? else { return Ok(false) };
        if of.width % kept != 0 {
            return Ok(false);
        }
        let form = self.form(reader, of.table, of.series)?;
        let mut counts = Vec::new();
        let (mut from, until) = of.span;
        // No bin belongs to two parts.
        let part = AT_ONCE - AT_ONCE % (of.width * NANOS_PER_MILLI);
        while from < until {
            let end = from.plus(part).min(until);
            let mut grid = grid_over(span(from, end.previous())?, of.width, form.clone());
            self.fill(reader, of.series, &form, &mut grid)?;
            for at in (0..grid.len()).filter(|at| grid.rows[*at] > 0) {
                counts.clear();
                counts.extend((0..grid.columns.len()).map(|column| count(&grid, at, column)));
                take(Timestamp::from_millis(grid.time(at)), &counts)?;
            }
            from = end;
        }
        Ok(true)
    }
}

fn count(grid: &Grid, at: usize, column: usize) -> (u32, u32) {
    let flags = grid.bin(at, column).flags;
    let there = flags.iter().sum::<u32>() - flags[Bin::MISSING];
    (there, there - flags[Bin::FAIL])
}
