//! Plans which rows are sent, and in which order. The plan is data, and is made before anything is sent.
//!
//! The live picture comes first: the newest rows of every series of a bucket share the first request. Then comes the
//! backlog, oldest first across the series of a bucket. A plan contains only intervals of time and numbers of rows;
//! [`super::feed`] turns it into batches.

use crate::store::SeriesBacklog;
use crate::time::{Interval, Timestamp};

/// A piece of one series' backlog, to be read oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Index into the plan's list of series.
    pub series: usize,
    /// The interval of time.
    pub interval: Interval,
}

/// The plan for one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPlan {
    /// The bucket; None is the destination's default.
    pub bucket: Option<String>,
    /// The newest rows of every series.
    pub live: Vec<Piece>,
    /// All other rows.
    pub backlog: Vec<Piece>,
}

/// How many of its newest rows each of `series` series may put into a first request of `rows` rows. All of them must
/// fit, because a request ends when it is full, and the newest rows are at its end.
pub fn live_rows(rows: usize, series: usize) -> usize {
    (rows / series.max(1)).max(1)
}

/// Makes the plan. `bucket_of` returns the bucket of a series; `live_from` returns the time of the oldest of its live
/// rows, if it has pending rows.
pub fn plan(
    backlog: &[SeriesBacklog],
    bucket_of: impl Fn(usize) -> Option<String>,
    live_from: impl Fn(usize) -> Option<Timestamp>,
) -> Vec<BucketPlan> {
    let mut buckets: Vec<BucketPlan> = Vec::new();
    for (index, series) in backlog.iter().enumerate() {
        let Some(live) = live_from(index) else { continue };
        let bucket = bucket_of(index);
        let place = buckets.iter().position(|known| known.bucket == bucket).unwrap_or_else(|| {
            buckets.push(BucketPlan { bucket, live: Vec::new(), backlog: Vec::new() });
            buckets.len() - 1
        });
        for &interval in &series.intervals {
            let (newest, older) =
                (Interval { from: interval.from.max(live), ..interval }, interval.overlap(Interval::before(live)));
            if !newest.is_empty() {
                buckets[place].live.push(Piece { series: index, interval: newest });
            }
            if !older.is_empty() {
                buckets[place].backlog.push(Piece { series: index, interval: older });
            }
        }
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(table: &str, intervals: &[(i64, i64)]) -> SeriesBacklog {
        let intervals = intervals.iter().map(|&(first, last)| closed(first, last)).collect();
        SeriesBacklog { series: 1, table: table.to_owned(), tags: Vec::new(), intervals }
    }

    fn closed(first: i64, last: i64) -> Interval {
        Interval::closed(Timestamp::from_nanos(first), Timestamp::from_nanos(last))
    }

    fn piece(series: usize, first: i64, last: i64) -> Piece {
        Piece { series, interval: closed(first, last) }
    }

    #[test]
    fn the_newest_rows_of_every_series_come_before_any_backlog() {
        let backlog = [series("a", &[(0, 100)]), series("b", &[(50, 60), (80, 90)]), series("empty", &[(1, 2)])];
        let plan = plan(
            &backlog,
            |_| None,
            |index| [Some(Timestamp::from_nanos(95)), Some(Timestamp::from_nanos(85)), None][index],
        );
        assert_eq!(plan.len(), 1);
        assert_eq!(plan[0].live, [piece(0, 95, 100), piece(1, 85, 90)]);
        assert_eq!(plan[0].backlog, [piece(0, 0, 94), piece(1, 50, 60), piece(1, 80, 84)]);
    }

    #[test]
    fn a_bucket_has_a_plan_of_its_own() {
        let backlog = [series("a", &[(0, 9)]), series("b", &[(0, 9)])];
        let plan = plan(&backlog, |index| (index == 1).then(|| "soil".to_owned()), |_| Some(Timestamp::EPOCH));
        assert_eq!(plan.iter().map(|bucket| bucket.bucket.as_deref()).collect::<Vec<_>>(), [None, Some("soil")]);
        assert!(plan.iter().all(|bucket| bucket.backlog.is_empty()));
    }

    #[test]
    fn every_series_has_its_share_of_the_first_request() {
        assert_eq!(live_rows(5000, 5), 1000);
        assert_eq!(live_rows(5000, 2000), 2);
        assert_eq!(live_rows(9, 20), 1);
    }
}
