//! Gives rows that share a time stamp their own times: the place of each row within its stamp is proven, or its line is
//! held (I1, I3).
//!
//! A held line is judged again, before anything is committed, as soon as a row of its stamp or of the next stamp is
//! read. A stored row keeps its time, whatever is read later, so that a line that is read again is found there.
//!
//! How many rows share a stamp is said by the configuration, or shown by the rows themselves ([`shown`]).

mod resolve;
mod shown;

use std::collections::{BTreeSet, HashSet};

use super::lines::LineTaker;
use crate::config::{SharedStamps, TableConfig};
use crate::store::{KnownStamp, LineRefusal, Result, SampleAt, Staging, Table};
use crate::text::{count, span};
use crate::time::{Around, LocalTime, NANOS_PER_SECOND, Place, Samples, Timestamp};
use shown::what_to_write;

pub(super) use resolve::{Resolver, apply};
pub(super) use shown::share_stamp;

/// The state for placing the rows of one read within their stamps.
#[derive(Debug, Default)]
pub(super) struct Placing {
    /// The stamp of the previous row.
    open: Option<Open>,
    /// Stamps of which a row was staged while lines of it or next to it were held: series and stamp.
    touched: BTreeSet<(i64, Timestamp)>,
    /// The series and stamp of the previous row, and whether it began the stamp.
    last: Option<(i64, Timestamp)>,
    has_begun: bool,
    /// The hashes of the lines of this read that are held.
    held: HashSet<i64>,
    /// Whether lines of the table are held; None if the store was not asked yet.
    is_awaited: Option<bool>,
    /// Lines of earlier reads that became rows.
    pub(super) taken_up: u64,
    /// The number of rows with the time of the previous row, which are kept beside it as conflicts.
    shared: u64,
    /// Whether a text tells rows of one stamp apart, so that they are no samples.
    is_apart: bool,
    /// An observation about the table's rows.
    pub(super) note: Option<String>,
}

/// The stamp of a row that may share it with others.
struct Stamped {
    samples: Samples,
    stamp: Timestamp,
    /// The stamp as the logger wrote it.
    local: LocalTime,
}

/// The stamp whose rows are being read.
#[derive(Debug)]
struct Open {
    series: i64,
    stamp: Timestamp,
    known: KnownStamp,
    /// RECORD of the row that had the time of the stamp when it was opened. It may have been staged before the table
    /// was known to have samples, so it may not be the first row.
    early: Option<i64>,
    /// Whether rows of the stamp were stored when it was opened.
    is_resumed: bool,
    /// The first record number, if it is known and all record numbers of the stamp belong to one sequence.
    first: Option<i64>,
}

impl Placing {
    /// Whether held lines are to be judged again now.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.has_begun && !self.touched.is_empty()
    }

    pub(super) fn take_touched(&mut self) -> BTreeSet<(i64, Timestamp)> {
        self.open = None;
        std::mem::take(&mut self.touched)
    }
}

impl LineTaker<'_> {
    /// The time of a row with this stamp, or the reason why it is not known yet. A table without shared stamps costs
    /// one comparison.
    #[inline]
    pub(super) fn place(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        stamp: Timestamp,
        local: LocalTime,
        has_tags: bool,
    ) -> Result<std::result::Result<Timestamp, LineRefusal>> {
        match table.samples {
            None => Ok(Ok(stamp)),
            Some(samples) => self.place_sample(staging, table, Stamped { samples, stamp, local }, has_tags),
        }
    }

    fn place_sample(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        Stamped { samples, stamp, local }: Stamped,
        has_tags: bool,
    ) -> Result<std::result::Result<Timestamp, LineRefusal>> {
        if let Some(known) = self.known_time.filter(|known| samples.stamp_of(*known) == stamp) {
            return Ok(Ok(known));
        }
        let record = match self.row.record {
            Some(record) if samples.is_stamp(stamp) => record,
            None if samples.are_events() => {
                self.note_events_without_record();
                return Ok(Ok(stamp));
            }
            // The rows themselves showed that they share stamps; this one does not.
            _ if matches!(self.config.samples, SharedStamps::AsShown) || samples.are_events() => return Ok(Ok(stamp)),
            record => return Ok(Err(self.no_sample(samples, local, record))),
        };
        let series = staging.series_of(table, if has_tags { &self.tags } else { "[]" })?;
        self.open(table, samples, series, stamp)?;
        let Some(open) = &mut self.placing.open else { return Ok(Ok(stamp)) };
        if let Some(ts) = open.known.stored.get(&record) {
            return Ok(Ok(*ts));
        }
        open.known.around.this.records.insert(record);
        let place = match open.first.map(|first| record - first) {
            Some(place) if (0..samples.per_stamp().cast_signed()).contains(&place) => Place::At(place),
            _ => decide(self.config, samples, stamp, &open.known.around, record),
        };
        if open.known.is_awaited {
            self.placing.touched.insert((series, stamp));
        }
        let is_free = |place: i64| {
            let ts = samples.time(stamp, place);
            !(open.is_resumed || samples.are_events()) || open.known.stored.values().all(|known| *known != ts)
        };
        // The held lines before this row must become rows first: RECORD is followed in the order of the rows.
        let is_first = !self.placing.has_begun || self.placing.touched.is_empty();
        let reason = match place {
            Place::At(place) if is_first && is_free(place) => {
                let this = &mut open.known.around.this;
                let is_one_count = this
                    .records
                    .last()
                    .zip(this.records.first())
                    .is_some_and(|(last, first)| last - first < samples.per_stamp().cast_signed());
                open.first = (is_one_count && !open.known.is_awaited).then_some(record - place);
                this.placed.push((record, place));
                let is_misplaced =
                    |early: i64| (1..samples.per_stamp().cast_signed()).contains(&(early - (record - place)));
                if open.early.is_some_and(is_misplaced) {
                    self.placing.touched.insert((series, stamp));
                }
                let ts = samples.time(stamp, place);
                open.known.stored.insert(record, ts);
                return Ok(Ok(ts));
            }
            // A row that wrongly has this place is moved first, too.
            Place::At(_) | Place::Unknown => format!(
                "held: {local} is the time of {key} rows, and it is not known yet which of them has RECORD {record}; it is \
                 staged when a row before or behind it tells",
                key = samples.per_stamp()
            ),
            Place::Taken => format!(
                "held: another row has the place of RECORD {record} among the rows of {local}: the logger's clock went back, \
                 or two loggers write this table"
            ),
            Place::TooMany(..) | Place::TooFew(..) | Place::Apart(..) => {
                contradicts(samples, local, place).unwrap_or_default()
            }
        };
        Ok(Err(self.hold_sample(SampleAt { series, stamp, record }, reason)))
    }

    /// The reason why a line of a table with samples is not a row.
    #[cold]
    fn no_sample(&self, samples: Samples, local: LocalTime, record: Option<i64>) -> LineRefusal {
        let (rows, interval) = (samples.per_stamp(), samples.interval());
        let reason = if record.is_none() {
            format!("has no record number, which samples_per_stamp = {rows} needs to tell the rows of one stamp apart")
        } else {
            format!(
                "{local} is no time stamp of a table whose samples_per_stamp is {rows} and whose stamps are {interval:?} apart; \
                 write the stamp_interval of the table"
            )
        };
        self.refused(reason, None)
    }

    #[cold]
    fn note_events_without_record(&mut self) {
        let (path, line) = (self.path, self.number - 1);
        self.note.get_or_insert_with(|| {
            format!(
                "{path}:{line} has no record number, which events = true needs to tell the rows of one stamp apart: of rows with one stamp and \
                 the same values, one is kept. Write RECORD into the file by the logger's table options, or take events out"
            )
        });
    }

    fn hold_sample(&mut self, sample: SampleAt, reason: String) -> LineRefusal {
        self.placing.touched.insert((sample.series, sample.stamp));
        self.placing.is_awaited = Some(true);
        LineRefusal { sample: Some(sample), ..self.refused(reason, None) }
    }

    /// Makes the stamp the open one.
    fn open(&mut self, table: &Table, samples: Samples, series: i64, stamp: Timestamp) -> Result<()> {
        self.placing.has_begun = self.placing.last.replace((series, stamp)) != Some((series, stamp));
        if self.placing.open.as_ref().is_some_and(|open| open.series == series && open.stamp == stamp) {
            return Ok(());
        }
        let is_awaited = match self.placing.is_awaited {
            Some(is_awaited) => is_awaited,
            None => self.store.has_held_samples(table)?,
        };
        self.placing.is_awaited = Some(is_awaited);
        let newest = table.newest_of_series(series).map(|newest| samples.stamp_of(newest));
        let known = match self.placing.open.take() {
            // Nothing is stored or held after the stamp that was just read.
            Some(before)
                if !is_awaited && before.series == series && before.stamp < stamp && newest == Some(before.stamp) =>
            {
                let mut known = KnownStamp::default();
                known.around.before = Some((before.stamp, before.known.around.this));
                known
            }
            _ => self.store.known_stamp(samples, series, stamp)?,
        };
        if known.is_awaited {
            self.placing.touched.insert((series, stamp));
        }
        let early = known.stored.iter().find(|(_, ts)| **ts == stamp).map(|(record, _)| *record);
        let is_resumed = !known.stored.is_empty();
        self.placing.open = Some(Open { series, stamp, known, early, is_resumed, first: None });
        Ok(())
    }

    /// Judges the held lines next to the rows that were read, and counts those of this read by their result.
    #[cold]
    pub(super) fn resolve_waiting(&mut self, staging: &mut Staging<'_>, table: &mut Table) -> Result<()> {
        let touched = self.placing.take_touched();
        if touched.is_empty() {
            return Ok(());
        }
        let resolved =
            Resolver { store: self.store, staging, table, config: self.config, now: self.now, in_pieces: false }
                .resolve_waiting(touched)?;
        for (hash, outcome) in resolved.lines {
            if self.placing.held.remove(&hash) {
                self.counts.held -= 1;
                self.counts.row(outcome);
            } else {
                self.placing.taken_up += 1;
            }
        }
        self.placing.taken_up += resolved.contents;
        self.placing.is_awaited = None;
        Ok(())
    }

    /// Notes that a line of this read is held.
    pub(super) fn note_held(&mut self, raw: &[u8]) {
        self.placing.held.insert(xxhash_rust::xxh3::xxh3_64(raw).cast_signed());
    }
}

/// As [`Samples::decide`]. Where stamps a second apart are only assumed, rows that show another interval have no place.
fn decide(config: &TableConfig, samples: Samples, at: Timestamp, around: &Around, record: i64) -> Place {
    let apart = match config.samples {
        SharedStamps::OfSeconds(_) => samples.apart(at, around, record),
        SharedStamps::AsShown | SharedStamps::Never | SharedStamps::Of(_) => None,
    };
    apart.unwrap_or_else(|| samples.decide(at, around, record))
}

/// Why rows of a stamp have no place, where they contradict what the configuration says.
fn contradicts(samples: Samples, local: LocalTime, place: Place) -> Option<String> {
    let (first, last, fix) = match place {
        Place::TooMany(first, last) | Place::TooFew(first, last) => {
            (first, last, format!("write samples_per_stamp = {} if each stamp has as many", last - first + 1))
        }
        Place::Apart(first, last, nanos) => {
            let between = span(nanos / NANOS_PER_SECOND);
            let fix = what_to_write(Some(((last - first + 1).unsigned_abs(), nanos)));
            let or = "stamp_interval = \"1s\" if the rows of a stamp lie within its second";
            (first, last, format!("the next stamp comes {between} later: {fix}, or {or}"))
        }
        Place::At(_) | Place::Unknown | Place::Taken => return None,
    };
    let rows = last - first + 1;
    let have = if rows == 1 { "has" } else { "have" };
    Some(format!(
        "held: {} (RECORD {first} to {last}) {have} the time {local}, where samples_per_stamp = {}; {fix}",
        count(rows.unsigned_abs(), "row"),
        samples.per_stamp()
    ))
}
