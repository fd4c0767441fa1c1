//! Holds a clock entry with record numbers to one count of RECORD (I11).
//!
//! RECORD starts again with each program of a logger. An entry that ends at a record number and at no stamp would take in the rows
//! of every later count that have lower numbers, although the clock is right by then. So such an entry is of one count: that
//! of its row with the first stamp. It ends at the first stamp of the next count; rows of its own count that have later stamps,
//! because the clock was ahead, are known by their numbers.
//!
//! The end follows from the rows that are there, in whatever order they came, and each ingest finds it again. A row of a new count
//! ends the entry as it is read ([`OpenEntries`]), so that it is staged at its right time at once. Where the rows of the entry
//! were pruned, the end that the last ingest found holds.

use std::borrow::Cow;
use std::cmp::Reverse;

use super::clock::read_stamp;
use crate::config::{ColumnUse, Config, TableConfig};
use crate::store::{OldRow, Result, Run, Staging, Store, Table};
use crate::time::{Correction, Interval, LocalTime, LoggerClock, NANOS_PER_MICRO, Stamps, StationClock, Timestamp};

/// So far from where a fixed offset puts a stamp may its row be where the offset changes.
const AROUND_A_CHANGE: i64 = 26 * 3_600_000_000_000;
/// So many later counts are looked at.
const COUNTS: usize = 64;
/// A clock that was farther ahead shares no stamps with the count behind: so many nanoseconds.
const FARTHEST_AHEAD: i64 = 86_400_000_000_000;
/// So many rows are looked at for stamps that two counts share.
const ROWS: usize = 20_000;

/// An entry that ends because RECORD started again, before the configuration says that the clock was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedEntry {
    /// The table's name.
    pub table: String,
    /// The entry's `from`.
    pub from: LocalTime,
    /// The first stamp of the next count.
    pub ends: LocalTime,
}

/// The entries that an ingest has to end as soon as RECORD starts again.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenEntries {
    list: Vec<OpenEntry>,
    /// The clock since one of them ended.
    pub(super) limited: Option<LoggerClock>,
}

/// An entry, and the highest record of its count so far, with its stamp.
#[derive(Debug, Clone)]
struct OpenEntry {
    stamps: Stamps,
    highest: Option<(i64, LocalTime)>,
}

/// Whether record numbers bound the entry, and no stamp ends it.
fn is_open(stamps: &Stamps) -> bool {
    stamps.until.is_none() && (stamps.record_from.is_some() || stamps.record_until.is_some())
}

fn has_open_entry(config: &TableConfig) -> bool {
    // Record numbers are followed of rows without tags.
    let has_tags = config.columns.iter().any(|(_, column)| column.column_use == ColumnUse::Tag);
    !has_tags && config.made_of.is_none() && config.stamps.corrections().iter().any(|found| is_open(&found.stamps))
}

/// The configuration, with the ends of its open clock entries.
pub(super) fn in_their_counts<'c>(config: &'c Config, store: &Store) -> Result<Cow<'c, Config>> {
    let mut found = Cow::Borrowed(config);
    for (place, table) in config.tables.iter().enumerate().filter(|(_, table)| has_open_entry(table)) {
        if let Some(stamps) = limited(store, table)?
            && let Some(table) = found.to_mut().tables.get_mut(place)
        {
            table.stamps = stamps;
        }
    }
    Ok(found)
}

/// The entries that ended before the configuration says that the clock was right.
///
/// # Errors
/// The store fails.
pub fn ended_entries(config: &Config, store: &Store) -> Result<Vec<EndedEntry>> {
    let mut ended = Vec::new();
    for table in config.tables.iter().filter(|table| has_open_entry(table)) {
        let Some(rows) = Rows::of(store, table)? else { continue };
        for found in table.stamps.corrections().iter().filter(|found| is_open(&found.stamps)) {
            let (from, until) = (found.stamps.from, found.stamps.record_until);
            let Some(count) = rows.count_of(&found.stamps)? else { continue };
            // Its rows behind the period say that the clock was right before RECORD started again.
            let was_right = until.is_some_and(|until| until <= count.highest.0);
            let end = if was_right { None } else { rows.end_of(&count, None)? };
            ended.extend(end.map(|ends| EndedEntry { table: table.name.0.clone(), from, ends }));
        }
    }
    Ok(ended)
}

/// The clock of the configuration with the ends of its open entries; none where none ended.
fn limited(store: &Store, config: &TableConfig) -> Result<Option<LoggerClock>> {
    let Some(staged) = store.staged_clock(config)? else { return Ok(None) };
    let is_moving = staged.is_moving || staged.moving_to.is_some();
    let Some(by) = staged.moving_to.or(staged.clock) else { return Ok(None) };
    let rows = if is_moving { None } else { Rows::of(store, config)? };
    let mut is_limited = false;
    let mut list = Vec::new();
    for found in config.stamps.corrections() {
        let parts = match &rows {
            _ if !is_open(&found.stamps) => None,
            Some(rows) if !rows.are_pruned(found.stamps.from)? => rows.limit(found, None)?,
            // The rows that would tell are not here.
            _ => as_limited_before(config, &by, found),
        };
        is_limited |= parts.is_some();
        list.extend(parts.unwrap_or_else(|| vec![*found]));
    }
    Ok(is_limited.then(|| config.stamps.with_corrections(list)))
}

/// The parts to which an earlier ingest limited the entry.
fn as_limited_before(config: &TableConfig, by: &LoggerClock, entry: &Correction) -> Option<Vec<Correction>> {
    let is_part = |part: &&Correction| {
        part.add == entry.add
            && part.stamps.from >= entry.stamps.from
            && part.stamps.until.is_some()
            && part.stamps.record_until == entry.stamps.record_until
            && !config.stamps.corrections().contains(part)
    };
    let parts: Vec<Correction> = by.corrections().iter().filter(is_part).copied().collect();
    parts.iter().any(|part| part.stamps.from == entry.stamps.from).then_some(parts)
}

impl OpenEntries {
    pub(super) fn of(store: &Store, config: &TableConfig) -> Result<OpenEntries> {
        let mut found = OpenEntries::default();
        if !has_open_entry(config) {
            return Ok(found);
        }
        let rows = Rows::of(store, config)?;
        for entry in config.stamps.corrections().iter().filter(|entry| is_open(&entry.stamps)) {
            let count = rows.as_ref().map(|rows| rows.count_of(&entry.stamps)).transpose()?.flatten();
            found.list.push(OpenEntry { stamps: entry.stamps, highest: count.map(|count| count.highest) });
        }
        Ok(found)
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether the next row begins a new count, while an entry would take it in.
    #[cold]
    pub(super) fn is_ended_by(
        &mut self,
        staging: &Staging<'_>,
        table: &Table,
        (local, record): (LocalTime, i64),
        clock: &LoggerClock,
    ) -> Result<bool> {
        for OpenEntry { stamps, highest } in self.list.iter_mut().filter(|entry| entry.stamps.from <= local) {
            let covers = stamps.cover(local, Some(record));
            match *highest {
                Some((known, at)) if record <= known => {
                    // A late row of the count has an earlier stamp; a row that is read again is there.
                    let ts = clock.instant(local, Some(record), None);
                    if covers && local > at && !staging.has_record_at(table, ts, record)? {
                        return Ok(true);
                    }
                }
                None if !covers => {}
                _ => *highest = Some((record, local)),
            }
        }
        Ok(false)
    }

    /// Ends the entries at a row that is not staged yet. Rows stand by `by`.
    #[cold]
    pub(super) fn end(
        &mut self,
        (store, staging): (&Store, &mut Staging<'_>),
        table: &Table,
        config: &TableConfig,
        (by, next): (&LoggerClock, (LocalTime, i64)),
    ) -> Result<()> {
        let Some(rows) = Rows::in_table(store, config, by.clone(), table)? else { return Ok(()) };
        let mut list = Vec::new();
        let mut is_limited = false;
        for entry in by.corrections() {
            let parts = if is_open(&entry.stamps) { rows.limit(entry, Some(next))? } else { None };
            is_limited |= parts.is_some();
            list.extend(parts.unwrap_or_else(|| vec![*entry]));
        }
        if is_limited {
            let clock = by.with_corrections(list);
            staging.keep_corrections(table, &clock)?;
            self.list.retain(|open| clock.corrections().iter().any(|kept| kept.stamps == open.stamps));
            self.limited = Some(clock);
        }
        Ok(())
    }
}

/// The count of an entry.
struct Count {
    epoch: i64,
    /// Stamp and time of its row with the first stamp in the period.
    first: (LocalTime, Timestamp),
    /// The highest record number, and its stamp.
    highest: (i64, LocalTime),
}

/// The rows of a table without tags, as evidence.
struct Rows<'a> {
    store: &'a Store,
    config: &'a TableConfig,
    by: LoggerClock,
    series: i64,
    runs: Vec<Run>,
    formats: Vec<Option<String>>,
}

impl<'a> Rows<'a> {
    fn of(store: &'a Store, config: &'a TableConfig) -> Result<Option<Rows<'a>>> {
        let Some(by) = store.staged_clock(config)?.and_then(|staged| staged.clock) else { return Ok(None) };
        Rows::in_table(store, config, by, &store.table_as_staged(config)?)
    }

    fn in_table(store: &'a Store, config: &'a TableConfig, by: LoggerClock, table: &Table) -> Result<Option<Rows<'a>>> {
        let series = store.series_with_tags(table)?.into_iter().find(|series| series.tags.is_empty());
        let (runs, formats) = (table.runs.runs(), table.time_formats.clone());
        Ok(series.map(|series| Rows { store, config, by, series: series.id, runs, formats }))
    }

    fn are_pruned(&self, from: LocalTime) -> Result<bool> {
        let from = LoggerClock::from(self.by.present()).instant(from, None, None);
        Ok(self.store.pruned(self.series)?.is_some_and(|pruned| pruned >= from))
    }

    fn stamp(&self, row: &OldRow) -> LocalTime {
        let text = row.ts_text().and_then(|text| read_stamp(self.config, &self.formats, text));
        text.unwrap_or_else(|| self.by.usual_stamp(row.ts()))
    }

    fn stamp_at(&self, ts: Timestamp, record: i64) -> Result<LocalTime> {
        let rows = self.store.rows_in(self.series, Interval::new(ts, ts.plus(NANOS_PER_MICRO)), None)?;
        Ok(rows.first().map_or_else(|| self.by.stamp(ts, Some(record)), |row| self.stamp(row)))
    }

    /// Calls `take` with rows of these record numbers whose stamps may be from `from` on, until it says that it has enough.
    fn each_from(
        &self,
        from: LocalTime,
        records: (i64, i64),
        mut take: impl FnMut(&OldRow, LocalTime) -> bool,
    ) -> Result<()> {
        let changes = if matches!(self.by.present(), StationClock::Fixed(_)) && self.by.is_of_one_offset() {
            0
        } else {
            AROUND_A_CHANGE
        };
        let plain = LoggerClock::from(self.by.present()).instant(from, None, None).plus(-changes);
        let adds = self.by.corrections().iter().map(|found| found.add.num_nanoseconds().unwrap_or(0));
        for shift in adds.chain([0]) {
            let (mut at, mut after) = (plain.plus(shift), None);
            'rows: loop {
                let rows = self.store.rows_with_records(self.series, at, records, after)?;
                let Some(last) = rows.last() else { break };
                (at, after) = (last.ts(), Some(last.id()));
                for row in &rows {
                    let stamp = self.stamp(row);
                    if stamp >= from && take(row, stamp) {
                        break 'rows;
                    }
                }
            }
        }
        Ok(())
    }

    /// The row of these numbers with the first stamp from `from` on.
    fn first_from(&self, from: LocalTime, records: (i64, i64)) -> Result<Option<(LocalTime, i64, Timestamp)>> {
        let has_any = self.runs.iter().any(|run| run.first < records.1 && run.last >= records.0);
        let mut first: Option<(LocalTime, i64, Timestamp)> = None;
        if has_any {
            self.each_from(from, records, |row, stamp| {
                let found = row.record().map(|record| (stamp, record, row.ts()));
                first = [first, found].into_iter().flatten().min_by_key(|found| found.0);
                true
            })?;
        }
        Ok(first)
    }

    fn epoch_of(&self, record: i64, ts: Timestamp) -> Option<i64> {
        // As far as the record is from where its run has it, by counting evenly.
        let away = |run: &&Run| {
            let (length, rows) = (run.last_ts.nanos_since(run.first_ts), run.last - run.first);
            let share = i128::from(length) * i128::from(record - run.first) / i128::from(rows.max(1));
            let counted = run.first_ts.plus(i64::try_from(share).unwrap_or(0));
            (counted.nanos_since(ts).abs(), Reverse(run.epoch))
        };
        let having = self.runs.iter().filter(|run| run.first <= record && record <= run.last);
        having.min_by_key(away).map(|run| run.epoch)
    }

    /// None: no row is of the entry.
    fn count_of(&self, stamps: &Stamps) -> Result<Option<Count>> {
        let records = (stamps.record_from.unwrap_or(i64::MIN), stamps.record_until.unwrap_or(i64::MAX));
        let Some((stamp, record, ts)) = self.first_from(stamps.from, records)? else { return Ok(None) };
        let Some(epoch) = self.epoch_of(record, ts) else { return Ok(None) };
        let last = self.runs.iter().filter(|run| run.epoch == epoch).max_by_key(|run| run.last);
        let Some(last) = last.copied() else { return Ok(None) };
        let highest = (last.last, self.stamp_at(last.last_ts, last.last)?);
        Ok(Some(Count { epoch, first: (stamp, ts), highest }))
    }

    /// The first stamp of the next count, where RECORD started again. `next` is a row that is not there yet.
    fn end_of(&self, count: &Count, next: Option<(LocalTime, i64)>) -> Result<Option<LocalTime>> {
        let mut others: Vec<(Timestamp, &[Run])> = Vec::new();
        for runs in self.runs.chunk_by(|run, next| run.epoch == next.epoch) {
            let head = runs.iter().map(|run| run.first_ts).min();
            // A count that was read later, or comes later.
            let is_behind = |run: &Run| run.epoch > count.epoch || head > Some(count.first.1);
            others.extend(
                head.zip(runs.first())
                    .filter(|(_, run)| run.epoch != count.epoch && is_behind(run))
                    .map(|(head, _)| (head, runs)),
            );
        }
        others.sort_by_key(|(head, _)| *head);
        let mut begins: Vec<(LocalTime, i64, i64)> = Vec::new();
        for (_, runs) in others.into_iter().take(COUNTS) {
            let mut first: Option<(LocalTime, i64)> = None;
            for run in runs {
                let found = self.first_behind(run, count.first.0)?;
                first = [first, found].into_iter().flatten().min();
            }
            let last = runs.iter().map(|run| run.last).max();
            begins.extend(first.zip(last).map(|((stamp, record), last)| (stamp, record, last)));
        }
        begins.extend(next.filter(|next| next.0 > count.first.0).map(|(stamp, record)| (stamp, record, record)));
        begins.sort_unstable();
        let mut highest = count.highest.0;
        for (stamp, record, last) in begins {
            if record <= highest {
                return Ok(Some(stamp));
            }
            // As far as is known, the count goes on.
            highest = highest.max(last);
        }
        Ok(None)
    }

    /// The first row of a run behind a stamp.
    fn first_behind(&self, run: &Run, stamp: LocalTime) -> Result<Option<(LocalTime, i64)>> {
        let first = self.stamp_at(run.first_ts, run.first)?;
        if first > stamp {
            return Ok(Some((first, run.first)));
        }
        if self.stamp_at(run.last_ts, run.last)? <= stamp {
            return Ok(None);
        }
        let found = self.first_from(stamp.plus(1), (run.first, run.last.saturating_add(1)))?;
        Ok(found.map(|(stamp, record, _)| (stamp, record)))
    }

    /// The parts of the entry that are of its count; none where RECORD did not start again.
    fn limit(&self, entry: &Correction, next: Option<(LocalTime, i64)>) -> Result<Option<Vec<Correction>>> {
        let Some(count) = self.count_of(&entry.stamps)? else { return Ok(None) };
        let Some(end) = self.end_of(&count, next)? else { return Ok(None) };
        let add = entry.add;
        let mut parts = vec![Correction { stamps: Stamps { until: Some(end), ..entry.stamps }, add }];
        let ahead = add.num_nanoseconds().unwrap_or(i64::MIN).saturating_neg();
        if ahead > 0 && ahead <= FARTHEST_AHEAD {
            let until = end.plus(ahead);
            let (mut lowest, mut left) = (None::<i64>, ROWS);
            let records = (
                entry.stamps.record_from.unwrap_or(i64::MIN),
                entry.stamps.record_until.unwrap_or(i64::MAX).min(count.highest.0.saturating_add(1)),
            );
            self.each_from(end, records, |row, stamp| {
                left = left.saturating_sub(1);
                if let Some(record) = row.record()
                    && stamp < until
                    && self.epoch_of(record, row.ts()) == Some(count.epoch)
                {
                    lowest = Some(lowest.map_or(record, |lowest| lowest.min(record)));
                }
                left == 0 || stamp >= until
            })?;
            parts.extend(lowest.map(|lowest| {
                let stamps = Stamps {
                    from: end,
                    until: Some(until),
                    record_from: Some(lowest),
                    record_until: entry.stamps.record_until,
                };
                Correction { stamps, add }
            }));
        }
        Ok(Some(parts))
    }
}
