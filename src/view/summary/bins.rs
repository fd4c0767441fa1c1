//! Converts bins into an answer, which has only bins with rows.

use super::answer::{Figure, Trace, TraceColumn};
use super::grid::{self, Grid};
use super::{WantedColumn, millis, seconds, time};
use crate::quantity::Aggregate;
use crate::store::usual_interval;
use crate::time::Timestamp;

impl Trace {
    pub(super) fn of_bins(grid: &Grid, columns: &[WantedColumn], interval: Option<i64>) -> Trace {
        let held: Vec<usize> = (0..grid.len()).filter(|at| grid.rows[*at] > 0).collect();
        let columns = columns.iter().map(|wanted| {
            let at = grid.columns.binary_search_by_key(&wanted.place, |column| column.place).unwrap_or_default();
            TraceColumn::of_bins(wanted, held.iter().map(|bin| grid.bin(*bin, at)))
        });
        // The interval in this span may be longer than the present one.
        let times = held.iter().map(|at| Timestamp::from_millis(grid.time(*at)));
        let here = usual_interval(times).map(millis).filter(|here| *here > grid.width);
        Trace {
            table: String::new(),
            from: Figure::NONE,
            to: Figure::NONE,
            bin_s: Some(seconds(grid.width)),
            times: held.iter().map(|at| time(grid, *at)).collect(),
            rows: Some(held.iter().map(|at| grid.rows[*at]).collect()),
            interval_s: here.or(interval).map(seconds),
            columns: columns.collect(),
        }
    }
}

impl TraceColumn {
    fn of_bins<'b>(wanted: &WantedColumn, bins: impl Iterator<Item = &'b grid::Bin>) -> TraceColumn {
        let mut column = TraceColumn::empty(wanted);
        let aggregate = wanted.kind.aggregate();
        let (mut lows, mut highs, mut steadiness) = (Vec::new(), Vec::new(), Vec::new());
        for (at, bin) in bins.enumerate() {
            if aggregate.has_band() {
                let (low, high) = bin.extent().figures();
                lows.push(low);
                highs.push(high);
            }
            if aggregate == Aggregate::VectorMean {
                steadiness.push(Figure::rounded(aggregate.steadiness(&bin.sums)));
            }
            let value = Figure::rounded(aggregate.result(&bin.sums));
            // Rounded to seven digits, 359.99999 becomes a full circle.
            let is_full = aggregate == Aggregate::VectorMean && value.0 >= 360.0;
            column.value.push(if is_full { Figure(0.0) } else { value });
            column.flags.push(bin.worst());
            let raised = |list: &mut Vec<_>, extent: grid::Extent, count: u32| {
                if count > 0 {
                    let (low, high) = extent.figures();
                    list.push((at, low, high, count));
                }
            };
            raised(&mut column.suspect, bin.suspect, bin.flags[grid::Bin::SUSPECT]);
            raised(&mut column.fail, bin.failed, bin.flags[grid::Bin::FAIL]);
            if bin.flags[grid::Bin::MISSING] > 0 {
                column.missing.push((at, bin.flags[grid::Bin::MISSING]));
            }
        }
        if aggregate.has_band() {
            (column.low, column.high) = (Some(lows), Some(highs));
        }
        column.steadiness = (aggregate == Aggregate::VectorMean).then_some(steadiness);
        column
    }
}
