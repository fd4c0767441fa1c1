//! Gives rows that share a time stamp their own times: the place of each row within its stamp is proven, or its line is
//! held (I1, I3).
//!
//! A held line is judged again, before anything is committed, as soon as a row of its stamp or of the next stamp is
//! read. A stored row keeps its time, whatever is read later, so that a line that is read again is found there.
//!
//! If the configuration does not say how many rows share a stamp, the rows themselves may show it
//! ([`Samples::shown_by`]). The number is then kept with the table. Rows that were staged before that are kept as
//! conflicts beside the first row of their stamp; they become rows then.

use std::collections::{BTreeSet, HashSet};

use super::clock::read_stamp;
use super::glued::first_line;
use super::kept::KeptTaker;
use super::lines::LineTaker;
use super::rows::Taken;
use crate::config::{SharedStamps, TableConfig};
use crate::format::Apart;
use crate::store::{
    KnownStamp, LineRefusal, MovedRow, OldRow, Outcome, Records, Result, SampleAt, Spreading, Staging, Store, Table,
};
use crate::text::{count, span, to_add};
use crate::time::{Around, Candidates, Clock, LocalTime, NANOS_PER_SECOND, Place, Samples, Timestamp, nanos};

/// The most rows that are examined to see how many share a stamp.
const LOOKED_AT: usize = 4_096;
/// If none of this many rows shares its stamp with the next one, rows of the table do not share stamps.
const LEAST_LOOKED_AT: usize = 16;
/// From this number on, rows with the time of the previous row are reported; a single one may be a clock step.
const LEAST_REPORTED: u64 = 2;
/// The length of the time in a line that is compared with that of the next line.
const STAMP: usize = 20;

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

    /// Finds out whether rows share a stamp, before the first of them is taken, if the configuration does not say so.
    /// `ahead` begins with the next physical line.
    #[cold]
    pub(super) fn look_ahead(&mut self, staging: &mut Staging<'_>, table: &mut Table, ahead: &[u8]) -> Result<()> {
        if let Some(column) = self.column_apart(table, ahead) {
            self.placing.is_apart = true;
            let path = self.path;
            self.placing.note.get_or_insert(format!(
                "{path}: rows of one time differ in column \"{column}\"; write [table.columns.\"{column}\"] with use = \"tag\" in \
                 [[table]] \"{table}\", so that each has a series of its own: the rows beside others become rows then",
                table = self.config.name
            ));
            return Ok(());
        }
        let Some(samples) = self.shown(ahead) else { return Ok(()) };
        self.begin_samples(staging, table, samples)
    }

    fn begin_samples(&mut self, staging: &mut Staging<'_>, table: &mut Table, samples: Samples) -> Result<()> {
        let path = self.path;
        let note = format!(
            "{path}: {rows} rows share each second, so they are spread over it by RECORD; samples_per_stamp = {rows} \
             in the [[table]] says so for good, samples_per_stamp = 1 denies it",
            rows = samples.per_stamp()
        );
        self.placing.note.get_or_insert(note);
        let mut settler =
            Resolver { store: self.store, staging, table, config: self.config, now: self.now, in_pieces: true };
        self.placing.taken_up += settler.begin(samples)?;
        Ok(())
    }

    /// Notes a row with the time of the previous row, which was kept beside it as a conflict.
    #[cold]
    pub(super) fn note_conflict(&mut self, before: Option<(Timestamp, i64)>) {
        let this = self.previous.zip(self.row.record);
        // The previous row may be in the last collection.
        let goes_on = before.is_none_or(|before| {
            this.is_some_and(|this| before.0 == this.0 && before.1.checked_add(1) == Some(this.1))
        });
        self.placing.shared += u64::from(goes_on && self.row.record.is_some());
    }

    /// Finds out whether the newest rows share a stamp, if this read added too few rows to show it.
    pub(super) fn look_back(&mut self, staging: &mut Staging<'_>, table: &mut Table) -> Result<()> {
        let shared = std::mem::take(&mut self.placing.shared);
        if shared == 0
            || self.placing.is_apart
            || table.samples.is_some()
            || self.config.samples != SharedStamps::AsShown
        {
            return Ok(());
        }
        let series = staging.series_of(table, if self.tags.is_empty() { "[]" } else { &self.tags })?;
        let rows = self.store.newest_records(series, LOOKED_AT)?;
        let Some(samples) = Samples::shown_by(rows.iter().copied()) else {
            if shared >= LEAST_REPORTED {
                let path = self.path;
                self.placing.note.get_or_insert_with(|| {
                    let have = if shared == 1 { "has" } else { "have" };
                    format!(
                        "{path}: {} {have} the time of the row before, and RECORD counts on: {}",
                        count(shared, "row"),
                        what_to_write(Samples::seen_in(&rows))
                    )
                });
            }
            return Ok(());
        };
        self.begin_samples(staging, table, samples)
    }

    /// The column, which is no tag, whose texts tell the rows of one stamp apart.
    fn column_apart(&mut self, table: &Table, ahead: &[u8]) -> Option<String> {
        let mut apart = Apart::default();
        let whole = memchr::memrchr(b'\n', ahead).and_then(|end| ahead.get(..end))?;
        let mut last = None;
        let mut shares = false;
        for (place, line) in whole.split(|byte| *byte == b'\n').take(Apart::LOOKED_AT).enumerate() {
            let Some(local) = self.stamp_of(&crate::format::strip_noise(line)) else { break };
            shares |= last.replace(local) == Some(local);
            // Most tables end here: their stamps have fractions.
            if !self.row.tags.is_empty() || (place > LEAST_LOOKED_AT && !shares) {
                return None;
            }
            apart.see(local.nanos_since(LocalTime::from_nanos(0)), self.row.values_json());
        }
        table.column_names().into_iter().nth(apart.column()?)
    }

    fn shown(&mut self, ahead: &[u8]) -> Option<Samples> {
        let mut rows = Vec::new();
        let mut tags: Option<Vec<String>> = None;
        let mut shares = false;
        let whole = memchr::memrchr(b'\n', ahead).and_then(|end| ahead.get(..end))?;
        for line in whole.split(|byte| *byte == b'\n').take(LOOKED_AT) {
            let line = crate::format::strip_noise(line);
            let Some((local, record)) = self.time_and_record(&line) else { break };
            // In the hour that a zone repeats, rows that follow each other are of one pass until their stamps go back.
            let (Candidates::One(ts) | Candidates::Two(ts, _)) = self.config.clock.candidates(local) else { break };
            if rows.last().is_some_and(|&(before, _): &(Timestamp, i64)| ts < before) {
                break;
            }
            if *tags.get_or_insert_with(|| self.row.tags.clone()) == self.row.tags {
                shares |= rows.last().is_some_and(|&(before, last): &(Timestamp, i64)| {
                    before == ts && last.checked_add(1) == Some(record)
                });
                rows.push((ts, record));
            }
            // The rows belong to several series of one time, or were written twice.
            if rows.len() > LEAST_LOOKED_AT && !shares {
                return None;
            }
        }
        Samples::shown_by(rows)
    }
}

/// A row that was placed after its stamp, with the time of the stamp itself. None if it was not placed after the stamp.
fn moved_back(config: &TableConfig, table: &Table, samples: Samples, row: OldRow) -> Option<MovedRow> {
    let text = row.ts_text()?;
    let local = read_stamp(config, &table.time_formats, text)?;
    let to = config.stamps.instant(local, row.record(), Some(row.ts()));
    let is_plain = config.stamps.usual_stamp(to) == local && local.to_string() == text;
    let text = (!is_plain).then(|| text.to_owned());
    (to != row.ts() && to == samples.stamp_of(row.ts())).then_some(MovedRow { row, to, text })
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

/// The keys for rows that share stamps: so many a stamp, so many nanoseconds between stamps, where that is even.
fn what_to_write(seen: Option<(u64, i64)>) -> String {
    let events = "events = true if the logger writes them on events, such as tips";
    match seen {
        Some((rows, nanos)) if nanos % NANOS_PER_SECOND == 0 && (60 * NANOS_PER_SECOND) % nanos == 0 => format!(
            "write samples_per_stamp = {rows} and stamp_interval = \"{}\" in the [[table]] if the rows of a stamp are spread \
             evenly over the time to the next one, or {events}",
            to_add(nanos / NANOS_PER_SECOND)
        ),
        _ => format!("write {events}, or samples_per_stamp if they come at a fixed rate, in the [[table]]"),
    }
}

/// Whether two physical lines begin with the same time in whole seconds.
#[inline]
pub(super) fn share_stamp(line: &[u8], rest: &[u8]) -> bool {
    line.get(..STAMP).is_some_and(|stamp| rest.starts_with(stamp)) && first_line(rest).len() > STAMP
}

/// Applies the table's configuration of shared stamps to the stored rows. Returns a message if rows changed.
///
/// With millions of such rows this takes many transactions, and the store remembers the work that was begun.
pub(super) fn apply(
    store: &Store,
    staging: &mut Staging<'_>,
    table: &mut Table,
    config: &TableConfig,
    clock: &dyn Clock,
) -> Result<Option<String>> {
    let before = table.samples;
    let wanted = match config.samples {
        // Rows do not show that they are events.
        SharedStamps::AsShown => before.filter(|samples| !samples.are_events()),
        SharedStamps::Never => None,
        SharedStamps::Of(samples) | SharedStamps::OfSeconds(samples) => Some(samples),
    };
    let has_other_stamps = |samples: Samples| wanted.is_none_or(|wanted| wanted.interval() != samples.interval());
    let begun = store.spreading(table)?;
    if wanted == table.samples && begun.is_none() {
        return Ok(None);
    }
    staging.begin()?;
    staging.use_columns(table, config)?;
    let now = Timestamp::from_utc(clock.now());
    let mut resolver = Resolver { store, staging, table, config, now, in_pieces: true };
    let back = match resolver.table.samples {
        Some(samples) if begun == Some(Spreading::Back) || has_other_stamps(samples) => resolver.go_back(samples)?,
        _ => 0,
    };
    let apart = wanted.map_or(Ok(0), |samples| resolver.begin(samples))?;
    staging.flush(table)?;
    staging.commit()?;
    let key = match wanted.or(before) {
        Some(samples) if samples.are_events() => format!("events = {}", wanted.is_some()),
        _ => format!("samples_per_stamp = {}", wanted.map_or(1, Samples::per_stamp)),
    };
    let are = |rows: u64| if rows == 1 { "is" } else { "are" };
    Ok(match (apart, back) {
        (0, 0) => shows_other_stamps(store, table, config)?.map(|fix| format!("{key}: no row is spread: {fix}")),
        (0, back) => Some(format!(
            "{key}: {} that stood behind the time of {} stamp {} under that time again; of those \
             that share it, one is the row and the others are kept beside it, see `fluxtower conflicts`",
            count(back, "row"),
            if back == 1 { "its" } else { "their" },
            are(back)
        )),
        (rows, _) => Some(format!(
            "{key}: {} that shared a stamp with another {} staged under a time of {} own",
            count(rows, "row"),
            are(rows),
            if rows == 1 { "its" } else { "their" }
        )),
    })
}

/// What to write where the rows contradict the interval between stamps that is only assumed.
fn shows_other_stamps(store: &Store, table: &Table, config: &TableConfig) -> Result<Option<String>> {
    let SharedStamps::OfSeconds(samples) = config.samples else { return Ok(None) };
    for series in table.series_ids() {
        let seen = Samples::seen_in(&store.newest_records(series, LOOKED_AT)?);
        if let Some((_, between)) = seen.filter(|seen| seen.1 != nanos(samples.interval())) {
            let between = span(between / NANOS_PER_SECOND);
            return Ok(Some(format!("the stamps are {between} apart; {}", what_to_write(seen))));
        }
    }
    Ok(None)
}

/// Judges held lines and kept contents of the stamps of one table.
pub(super) struct Resolver<'a, 's> {
    pub(super) store: &'a Store,
    pub(super) staging: &'a mut Staging<'s>,
    pub(super) table: &'a mut Table,
    pub(super) config: &'a TableConfig,
    pub(super) now: Timestamp,
    /// Whether the work done so far may be committed: the store remembers that more is to be done.
    pub(super) in_pieces: bool,
}

/// The lines and contents that became rows.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// For each line its hash and result.
    pub(super) lines: Vec<(i64, Outcome)>,
    /// The number of contents that were kept beside the row of their stamp.
    pub(super) contents: u64,
}

impl Resolver<'_, '_> {
    /// From now on, rows of the table share stamps as `samples` says. Returns the number of conflicts that became rows.
    fn begin(&mut self, samples: Samples) -> Result<u64> {
        self.staging.use_samples(self.table, Some(samples))?;
        self.staging.note_spreading(self.table, Some(Spreading::Apart))?;
        let mut rows = 0;
        for series in self.table.series_ids() {
            let mut after = Timestamp::MIN;
            loop {
                let times = self.store.times_in_conflict(series, after)?;
                let Some(last) = times.last() else { break };
                after = *last;
                let stamps = times.into_iter().filter(|ts| samples.is_stamp(*ts));
                let resolved = self.resolve_waiting(stamps.map(|stamp| (series, stamp)).collect())?;
                rows += resolved.contents + resolved.lines.len() as u64;
            }
        }
        self.staging.note_spreading(self.table, None)?;
        Ok(rows)
    }

    /// Gives rows that were spread the time of their stamp again, as if no stamp was ever shared. Returns their number.
    fn go_back(&mut self, samples: Samples) -> Result<u64> {
        self.staging.note_spreading(self.table, Some(Spreading::Back))?;
        let version = self.staging.version_of_move()?;
        self.table.samples = None;
        let mut rows = 0;
        for series in self.table.series_ids() {
            let Some(tags) = self.table.tags_of(series).map(str::to_owned) else { continue };
            let mut after = None;
            loop {
                let stored = self.store.old_rows(series, after)?;
                let Some(last) = stored.last() else { break };
                after = Some(last.id());
                let moved: Vec<MovedRow> =
                    stored.into_iter().filter_map(|row| moved_back(self.config, self.table, samples, row)).collect();
                rows += moved.len() as u64;
                self.staging.set_moving(Some(version));
                let done = self.staging.move_rows(self.table, &tags, &moved);
                self.staging.set_moving(None);
                done?;
                self.staging.end_move(series, &moved)?;
                self.commit_if_due()?;
            }
            self.contents_back(samples, series)?;
        }
        self.staging.flush(self.table)?;
        self.staging.find_newest(self.table)?;
        self.staging.use_samples(self.table, None)?;
        self.staging.note_spreading(self.table, None)?;
        Ok(rows)
    }

    /// Like [`Resolver::go_back`], for contents that are kept beside rows.
    fn contents_back(&mut self, samples: Samples, series: i64) -> Result<()> {
        let mut kept = KeptTaker::that_keeps(self.store, self.config, self.now);
        let mut after = Timestamp::MIN;
        loop {
            let times = self.store.times_in_conflict(series, after)?;
            let Some(last) = times.last() else { return Ok(()) };
            after = *last;
            for ts in times.into_iter().filter(|ts| !samples.is_stamp(*ts)) {
                for content in self.store.contents_at(series, ts)? {
                    let to = match content.header {
                        Some(header) => kept.time_of(self.staging, self.table, header, &content.raw, ts)?,
                        None => {
                            let text = content.ts_text.as_deref();
                            let local = text.and_then(|text| read_stamp(self.config, &self.table.time_formats, text));
                            local.map(|local| self.config.stamps.instant(local, content.record, Some(ts)))
                        }
                    };
                    if let Some(to) = to.filter(|to| *to == samples.stamp_of(ts)) {
                        self.staging.move_content(self.table, &content, to)?;
                    }
                }
                self.commit_if_due()?;
            }
        }
    }

    fn commit_if_due(&mut self) -> Result<()> {
        if self.in_pieces && self.staging.is_commit_due() {
            self.staging.flush(self.table)?;
            self.staging.commit()?;
        }
        Ok(())
    }

    /// Judges the held lines of these stamps (series and stamp) and next to them. As long as lines become rows, it
    /// continues with the stamps next to those.
    pub(super) fn resolve_waiting(&mut self, touched: BTreeSet<(i64, Timestamp)>) -> Result<Resolved> {
        let mut resolved = Resolved::default();
        let Some(samples) = self.table.samples else { return Ok(resolved) };
        let mut open = touched.clone();
        for (series, stamp) in touched {
            open.extend(self.next_to(samples, series, stamp)?);
        }
        while let Some((series, stamp)) = open.pop_first() {
            if self.stamp(samples, (series, stamp), &mut resolved)? {
                open.extend(self.next_to(samples, series, stamp)?);
            }
            self.commit_if_due()?;
        }
        Ok(resolved)
    }

    fn next_to(
        &self,
        samples: Samples,
        series: i64,
        stamp: Timestamp,
    ) -> Result<impl Iterator<Item = (i64, Timestamp)>> {
        let (before, after) = self.store.stamps_next_to(samples, series, stamp)?;
        Ok(before.into_iter().chain(after).map(move |stamp| (series, stamp)))
    }

    /// Stages the held lines of a stamp whose place is known. Returns whether there were any.
    fn stamp(&mut self, samples: Samples, at: (i64, Timestamp), resolved: &mut Resolved) -> Result<bool> {
        // The record numbers were noted when the lines were read, in the order of the logger.
        self.staging.set_records(Records::Known);
        let done = self.stage_stamp(samples, at, resolved);
        self.staging.set_records(Records::AsRead);
        done
    }

    fn stage_stamp(
        &mut self,
        samples: Samples,
        (series, stamp): (i64, Timestamp),
        resolved: &mut Resolved,
    ) -> Result<bool> {
        let waiting = self.store.waiting(self.table, samples, series, stamp)?;
        if waiting.is_empty() && waiting.rows.iter().all(|(_, row)| row.ts() != stamp) {
            return Ok(false);
        }
        let known = self.store.known_stamp(samples, series, stamp)?;
        let decide = |record: i64| decide(self.config, samples, stamp, &known.around, record);
        let time = |record: i64| match decide(record) {
            Place::At(place) => Some(samples.time(stamp, place)),
            Place::Unknown | Place::Taken | Place::TooMany(..) | Place::TooFew(..) | Place::Apart(..) => None,
        };
        let Some(tags) = self.table.tags_of(series).map(str::to_owned) else { return Ok(false) };
        // What the logger wrote, which a correction of its clock does not change.
        let written = |text: Option<&str>, ts: Timestamp| {
            text.map_or_else(|| self.config.stamps.usual_stamp(ts).to_string(), str::to_owned)
        };
        let moved: Vec<MovedRow> = waiting
            .rows
            .into_iter()
            .filter_map(|(record, row)| {
                let to = time(record).filter(|ts| *ts != row.ts())?;
                let text = Some(written(row.ts_text(), row.ts()));
                Some(MovedRow { row, to, text })
            })
            .collect();
        self.staging.move_rows(self.table, &tags, &moved)?;
        let mut kept = KeptTaker::that_keeps(self.store, self.config, self.now);
        // Only lines that are no longer held count, so that the loop ends.
        let mut any = false;
        for (record, content) in waiting.contents {
            let Some(ts) = time(record) else { continue };
            let own = content.ts_text.as_deref();
            let text = (own.is_some() || ts != stamp).then(|| written(own, content.ts));
            let placed = content.at(ts, text);
            if let Taken::Row(outcome) = kept.content(self.staging, self.table, &placed, &tags)? {
                if outcome != Outcome::Conflict || ts != stamp {
                    self.staging.drop_conflict(self.table, &content)?;
                    any = true;
                }
                if outcome == Outcome::Staged {
                    resolved.contents += 1;
                    self.staging.enter_records(self.table, &tags, &[(record, ts)])?;
                }
            }
        }
        for (record, line) in waiting.lines {
            let Some(ts) = time(record) else {
                if let Some(reason) = contradicts(samples, self.config.clock.local(stamp), decide(record)) {
                    self.staging.say_why(&line, &reason)?;
                }
                continue;
            };
            if let Taken::Row(outcome) = kept.line_at(self.staging, self.table, &line, ts)? {
                self.staging.resolve(self.table, &line)?;
                resolved.lines.push((line.hash(), outcome));
                any = true;
            }
        }
        self.staging.end_move(series, &moved)?;
        Ok(any)
    }
}
