//! Bins in the form of an answer: only bins with rows.

use super::answer::{Figure, Trace, TraceColumn};
use super::grid::{self, Grid};
use super::{millis, seconds, time};
use crate::store::usual_interval;
use crate::time::Timestamp;

impl Trace {
    pub(super) fn of_bins(grid: &Grid, columns: &[(String, usize)], interval: Option<i64>) -> Trace {
        let held: Vec<usize> = (0..grid.len()).filter(|at| grid.rows[*at] > 0).collect();
        let columns = columns.iter().map(|(name, place)| {
            let at = grid.columns.binary_search(place).unwrap_or_default();
            TraceColumn::of_bins(name, held.iter().map(|bin| grid.bin(*bin, at)))
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
    fn of_bins<'b>(name: &str, bins: impl Iterator<Item = &'b grid::Bin>) -> TraceColumn {
        let mut column = TraceColumn::empty(name);
        let (mut lows, mut highs) = (Vec::new(), Vec::new());
        for (at, bin) in bins.enumerate() {
            let (low, high) = bin.extent.figures();
            lows.push(low);
            highs.push(high);
            column.value.push(Figure::rounded(bin.mean()));
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
        (column.low, column.high) = (Some(lows), Some(highs));
        column
    }
}
