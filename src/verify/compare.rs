//! Compares one window of one series: the rows that should be in the bucket with the values that are there.
//!
//! Counts and sums are compared first, because a server can compute them without sending every value. Both sides add
//! the values in the order of time, so equal values have exactly equal sums. If a server adds in another order the sums
//! differ, and the values are compared. A value is the number that a server reads from the line, so two values are
//! equal or not: there is no tolerance.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Asked, VerifyError};
use crate::destination::{CountAsk, Counted, Destination, QueryError, SeriesAsk, StoredValue, Tally, ValuesAsk};
use crate::store::{PendingRow, Store};
use crate::time::{Interval, Timestamp};

/// The most rows whose values are read in one answer: about 700 kB.
const ROWS_AT_ONCE: u64 = 20_000;
/// The pause before a question is asked again whose answer was not reliable: a server may give a complete answer once
/// it has processed recent writes.
const BEFORE_ASKING_AGAIN: Duration = Duration::from_millis(500);

/// A window of a series.
#[derive(Clone, Copy)]
pub(super) struct Comparison<'a> {
    pub(super) store: &'a Store,
    pub(super) asked: &'a Asked<'a>,
    pub(super) window: Interval,
}

/// Indices in `LineShape::sent_names`.
pub(super) enum Names {
    All,
    Some(BTreeSet<usize>),
}

impl Names {
    fn holds(&self, place: usize) -> bool {
        match self {
            Names::All => true,
            Names::Some(places) => places.contains(&place),
        }
    }
}

/// What was sent, according to the window's rows.
pub(super) struct Expected {
    pub(super) rows: u64,
    /// By index in `LineShape::sent_names`.
    tallies: Vec<Tally>,
    /// The sets of indices in which rows have values, each set once: a table has few of them.
    combinations: BTreeSet<Vec<usize>>,
    /// The times at which the window is divided, so that no piece has more rows than fit into an answer.
    cuts: Vec<Timestamp>,
}

impl Expected {
    /// The window's pieces, oldest first.
    fn pieces(&self, window: Interval) -> Vec<Interval> {
        let ends = self.cuts.iter().copied().chain([window.until]);
        let starts = [window.from].into_iter().chain(self.cuts.iter().copied());
        starts.zip(ends).map(|(from, until)| Interval::new(from, until)).collect()
    }
}

/// What the bucket has.
pub(super) struct Found {
    /// By index in `LineShape::sent_names`.
    tallies: Vec<Tally>,
    /// For each measurement, the tags that other series have.
    other_tags: Vec<BTreeSet<String>>,
}

impl Found {
    /// The indices whose count or sum differs from what was sent.
    pub(super) fn differing(&self, expected: &Expected) -> BTreeSet<usize> {
        let pairs = self.tallies.iter().zip(&expected.tallies).enumerate();
        pairs.filter(|(_, (found, sent))| found != sent).map(|(place, _)| place).collect()
    }
}

/// The comparison of one field of a window.
#[derive(Default)]
pub(super) struct FieldAccount {
    pub(super) name: String,
    pub(super) sent: u64,
    /// The number of values that are in the bucket as they were sent.
    pub(super) found: u64,
    surplus: u64,
}

/// The differences of a window, row by row.
#[derive(Default)]
pub(super) struct Account {
    /// The times of rows with a value that is not in the bucket.
    pub(super) missing: BTreeSet<Timestamp>,
    /// The times of other rows for which the bucket has another value, or one that the row does not have.
    pub(super) changed: BTreeSet<Timestamp>,
    /// The times of rows whose point has a value that the row does not have: writing the row again does not remove it.
    pub(super) surplus: BTreeSet<Timestamp>,
    fields: Vec<FieldAccount>,
}

impl Account {
    pub(super) fn is_clean(&self) -> bool {
        self.missing.is_empty() && self.changed.is_empty()
    }

    /// The field that differs in most rows.
    pub(super) fn worst(&self) -> Option<&FieldAccount> {
        self.fields.iter().max_by_key(|field| field.sent - field.found + field.surplus)
    }

    /// The interval from the first to the last row that differs.
    pub(super) fn interval(&self) -> Option<Interval> {
        let first = self.missing.first().into_iter().chain(self.changed.first()).min()?;
        let last = self.missing.last().into_iter().chain(self.changed.last()).max()?;
        Some(Interval::closed(*first, *last))
    }
}

impl Comparison<'_> {
    /// Passes the sent rows of the window to `take`.
    fn rows(&self, mut take: impl FnMut(PendingRow<'_>)) -> Result<(), VerifyError> {
        self.store.sent_rows(self.asked.series.series, self.window, |row| {
            // A key's microsecond may extend a little beyond the window's edge.
            if self.window.contains(row.ts) {
                take(row);
            }
        })?;
        Ok(())
    }

    /// Counts and adds up what was sent.
    pub(super) fn expected(&self) -> Result<Expected, VerifyError> {
        let mut expected = Expected {
            rows: 0,
            tallies: vec![Tally::default(); self.asked.names.len()],
            combinations: BTreeSet::new(),
            cuts: Vec::new(),
        };
        let (mut places, mut before) = (Vec::new(), Vec::new());
        self.rows(|row| {
            if expected.rows > 0 && expected.rows.is_multiple_of(ROWS_AT_ONCE) {
                expected.cuts.push(row.ts);
            }
            expected.rows += 1;
            places.clear();
            self.asked.shape.sent_numbers(row.values, row.flags, |place, number| {
                places.push(place);
                expected.tallies[place].count += 1;
                if !number.is_nan() {
                    expected.tallies[place].sum += number;
                }
            });
            if places != before {
                expected.combinations.insert(places.clone());
                before.clone_from(&places);
            }
        })?;
        Ok(expected)
    }

    fn series_ask<'s>(&'s self, measurement: &'s str) -> SeriesAsk<'s> {
        let interval = self.window;
        SeriesAsk { bucket: self.asked.bucket, measurement, tags: self.asked.shape.tags(), interval }
    }

    /// Counts and adds up what is in the bucket.
    pub(super) fn found(&self, destination: &mut dyn Destination) -> Result<Found, QueryError> {
        let Asked { names, without_sum, .. } = self.asked;
        let mut found = Found { tallies: Vec::with_capacity(names.len()), other_tags: Vec::new() };
        let mut rest = names.as_slice();
        for (measurement, fields) in self.asked.shape.measurements() {
            let (part, behind) = rest.split_at((2 * fields).min(rest.len()));
            rest = behind;
            let ask = CountAsk { series: self.series_ask(measurement), fields: part, without_sum };
            let Counted { per_field, other_tags } = twice(|| destination.count(&ask))?;
            found.tallies.extend(part.iter().map(|name| per_field.get(name).copied().unwrap_or_default()));
            found.other_tags.push(other_tags);
        }
        Ok(found)
    }

    /// A few fields of which every row has at least one: those with the most values. For a text or a truth value only
    /// its presence can be compared, so these come last.
    pub(super) fn cover(&self, expected: &Expected) -> BTreeSet<usize> {
        let mut order: Vec<usize> = (0..expected.tallies.len()).collect();
        let proves_less = |place: usize| self.asked.without_sum.contains(&self.asked.names[place]);
        order.sort_by_key(|&place| (proves_less(place), std::cmp::Reverse(expected.tallies[place].count)));
        let mut rank = vec![0; order.len()];
        for (position, &place) in order.iter().enumerate() {
            rank[place] = position;
        }
        let best = |places: &Vec<usize>| places.iter().copied().min_by_key(|&place| rank[place]);
        expected.combinations.iter().filter_map(best).collect()
    }

    /// Compares the values of these fields, each at its own time. Points at times of which no row was sent belong to
    /// another program, or to rows that are pending again, and are ignored.
    pub(super) fn value_by_value(
        &self,
        destination: &mut dyn Destination,
        names: &Names,
        (expected, found): (&Expected, &Found),
    ) -> Result<Result<Account, QueryError>, VerifyError> {
        let mut account = Account::default();
        for window in expected.pieces(self.window) {
            let piece = Comparison { window, ..*self };
            if let Err(error) = piece.compare_piece(destination, names, found, &mut account)? {
                return Ok(Err(error));
            }
        }
        let Account { missing, changed, .. } = &mut account;
        changed.retain(|at| !missing.contains(at));
        Ok(Ok(account))
    }

    fn compare_piece(
        &self,
        destination: &mut dyn Destination,
        names: &Names,
        found: &Found,
        account: &mut Account,
    ) -> Result<Result<(), QueryError>, VerifyError> {
        let mut times = BTreeSet::new();
        let mut sent: BTreeMap<usize, Vec<(Timestamp, f64)>> = BTreeMap::new();
        self.rows(|row| {
            times.insert(row.ts);
            self.asked.shape.sent_numbers(row.values, row.flags, |place, number| {
                if names.holds(place) {
                    sent.entry(place).or_default().push((row.ts, number));
                }
            });
        })?;
        let mut place = 0;
        for ((measurement, fields), without) in self.asked.shape.measurements().zip(&found.other_tags) {
            for name in self.asked.names.iter().skip(place).take(2 * fields) {
                if names.holds(place) {
                    let ask = ValuesAsk { series: self.series_ask(measurement), without, field: name };
                    let there = match twice(|| destination.values(&ask)) {
                        Ok(there) => there,
                        Err(error) => return Ok(Err(error)),
                    };
                    let sent = sent.get(&place).map_or(&[][..], Vec::as_slice);
                    account.compare_field(name, sent, &there, &times);
                }
                place += 1;
            }
        }
        Ok(Ok(()))
    }
}

impl Account {
    /// Both lists are in the order of time.
    fn compare_field(
        &mut self,
        name: &str,
        sent: &[(Timestamp, f64)],
        there: &[StoredValue],
        times: &BTreeSet<Timestamp>,
    ) {
        let at = self.fields.iter().position(|field| field.name == name).unwrap_or_else(|| {
            self.fields.push(FieldAccount { name: name.to_owned(), ..FieldAccount::default() });
            self.fields.len() - 1
        });
        let field = &mut self.fields[at];
        let there: BTreeMap<Timestamp, Option<f64>> = there.iter().copied().collect();
        let mut own = BTreeSet::new();
        for (time, number) in sent {
            own.insert(*time);
            field.sent += 1;
            match there.get(time) {
                None => _ = self.missing.insert(*time),
                // For a text or a truth value only its presence is known. A text may look like a number.
                Some(_) if number.is_nan() => field.found += 1,
                Some(Some(found)) if found.partial_cmp(number) == Some(std::cmp::Ordering::Equal) => field.found += 1,
                Some(_) => _ = self.changed.insert(*time),
            }
        }
        for time in there.keys().filter(|time| times.contains(time) && !own.contains(time)) {
            field.surplus += 1;
            self.changed.insert(*time);
            self.surplus.insert(*time);
        }
    }
}

/// Asks again if the first answer was not reliable.
fn twice<T>(mut ask: impl FnMut() -> Result<T, QueryError>) -> Result<T, QueryError> {
    match ask() {
        Err(QueryError::Unknown(_)) => {
            std::thread::sleep(BEFORE_ASKING_AGAIN);
            ask()
        }
        answer => answer,
    }
}
