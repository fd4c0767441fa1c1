//! Moves stored rows whose stamps mean another time since the configuration changed: a correction for a period in which
//! the logger's clock was wrong, or another offset from UTC.
//!
//! The stamp that the logger wrote is kept, so that a correction can be changed and removed again. A row that moves is
//! judged again and sent under its new time; the point under its old time is marked for removal. This is done once per
//! change. Corrections apply at the start of an ingest. Other offsets apply only when the user asks for it
//! ([`Consent`]), because a misspelled offset would move every row. A change that moves no row, such as an offset that
//! begins later, is accepted at once. Until the user asks, new lines are staged by the old clock ([`super::in_force`]).

use std::time::Duration;

use super::counts;
use super::foresee::preview;
use super::kept::KeptTaker;
use super::passes::{Passes, Stamped};
use super::put_back::PutBack;
use super::{IngestError, Progress};
use crate::config::{Config, FileFormat, TableConfig};
use crate::store::{KeptContent, OldRow, Result, Staging, Store, Table, TaggedSeries};
use crate::text::count;
use crate::time::{
    Candidates, Clock, Correction, Interval, LocalTime, LoggerClock, NANOS_PER_MICRO, Samples, StampFormat, Timestamp,
    nanos,
};

/// Beside a period, for offsets from UTC that differ.
const AROUND: Duration = Duration::from_secs(2 * 86_400);

/// What may move rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Corrections of a clock.
    Corrections,
    /// Other offsets from UTC too: the user said so.
    Offsets,
}

/// What was done with the rows of a table, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// Rows with another time.
    pub rows: u64,
    /// Of these, rows that stand in the way of another one at their new time: kept beside it as conflicts.
    pub conflicts: u64,
    /// Of these, rows that were there already.
    pub merged: u64,
    /// Of these, rows that are rejected or held lines again.
    pub lines: u64,
    /// Contents beside a row that became rows.
    pub contents: u64,
    /// Points that may stand in a bucket under an old time.
    pub points: u64,
    /// First and last of the old times.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl Moved {
    pub(super) fn leaves(&mut self, ts: Timestamp, is_offered: bool) {
        self.points += u64::from(is_offered);
        self.span = Some(self.span.map_or((ts, ts), |(from, to)| (from.min(ts), to.max(ts))));
    }

    /// Whether nothing was moved.
    pub fn is_nothing(&self) -> bool {
        self.rows + self.contents == 0
    }

    /// What was done, for the user. `can_remove`: whether the destination takes points back.
    pub fn message(&self, config: &TableConfig, can_remove: bool) -> String {
        let verb = |number: u64, one: &'static str, more: &'static str| if number == 1 { one } else { more };
        let mut text = format!(
            "the meaning of the logger's stamps changed: {} {} another time",
            count(self.rows, "row"),
            verb(self.rows, "has", "have")
        );
        if let Some((from, to)) = self.span {
            let clock = config.clock;
            text += &format!(" (they were from {} to {})", clock.event_time(from), clock.event_time(to));
        }
        if self.contents > 0 {
            text += &format!("; {} became rows", count(self.contents, "conflict"));
        }
        if self.merged > 0 {
            text += &format!("; {} {} there already", self.merged, verb(self.merged, "was", "were"));
        }
        if self.conflicts > 0 {
            text += &format!(
                "; {} {} on a time that has another row and {} kept beside it, see `fluxtower conflicts`",
                self.conflicts,
                verb(self.conflicts, "lies", "lie"),
                verb(self.conflicts, "is", "are")
            );
        }
        if self.lines > 0 {
            text += &format!(
                "; {} {} no time that a row can have and {} again, see `fluxtower rejected`",
                self.lines,
                verb(self.lines, "has", "have"),
                verb(self.lines, "is a line", "are lines")
            );
        }
        if self.points > 0 {
            let points = count(self.points, "point");
            text += &if can_remove {
                format!("; up to {points} under the old time can be removed or overwritten by the next sync")
            } else {
                format!(
                    "; up to {points} under the old time cannot be removed from this destination: `sync` names them"
                )
            };
        }
        text
    }
}

/// Moves the rows of one table.
pub struct Mover<'a, 's> {
    store: &'s Store,
    staging: &'a mut Staging<'s>,
    config: &'a TableConfig,
    clock: &'a dyn Clock,
    progress: &'a dyn Progress,
}

impl<'a, 's> Mover<'a, 's> {
    /// The caller holds the ingest lock.
    pub fn new(
        store: &'s Store,
        staging: &'a mut Staging<'s>,
        config: &'a TableConfig,
        clock: &'a dyn Clock,
        progress: &'a dyn Progress,
    ) -> Mover<'a, 's> {
        Mover { store, staging, config, clock, progress }
    }

    /// Moves what has to be moved, and first what an earlier move left undone. None: nothing was to be done.
    pub fn apply(&mut self, consent: Consent) -> Result<Option<Moved>> {
        let Some(staged) = self.store.staged_clock(self.config)? else { return Ok(None) };
        // What cannot be read is refused with the table.
        let Some(mut old) = staged.clock else { return Ok(None) };
        let mut moved = Moved::default();
        if let Some(to) = staged.moving_to {
            // What was put back already has its time by the new clock.
            let passes = self.passes((&old, &to), &to)?;
            self.put_back((&old, &to), &passes, &mut moved)?;
            old = to;
        } else if staged.is_moving {
            // It was stopped before every row was taken out.
            self.put_back((&old, &old), &Passes::new((&old, &old)), &mut Moved::default())?;
        }
        let new = self.config.stamps.clone();
        let may = consent == Consent::Offsets
            || (old != new && old.offsets() == new.offsets())
            || (old != new && staged.has_rows && !staged.is_moving && moves_no_row(self.store, self.config, &old)?);
        if may && (staged.has_rows || staged.is_moving) {
            let mut table = self.store.table_as_staged(self.config)?;
            if old != new || has_earlier_formats(&table, self.config) {
                let passes = self.passes((&old, &new), &old)?;
                self.take_out(&mut table, (&old, &new), &passes, &mut moved)?;
                self.staging.begin_placing(&table, &new)?;
                self.staging.flush(&mut table)?;
                self.staging.commit()?;
                self.put_back((&old, &new), &passes, &mut moved)?;
            }
        }
        if moved.is_nothing() {
            return Ok(None);
        }
        tracing::info!(table = %self.config.name, rows = moved.rows, "the meaning of the stamps changed");
        Ok(Some(moved))
    }

    /// What tells the passes of the hours that the new clock repeats. Stored rows have their times by `rows_by`.
    pub(super) fn passes<'c>(
        &mut self,
        (old, new): (&'c LoggerClock, &'c LoggerClock),
        rows_by: &LoggerClock,
    ) -> Result<Passes<'c>> {
        let mut passes = Passes::new((old, new));
        if old.offsets() == new.offsets() || !new.repeats_hours() {
            return Ok(passes);
        }
        let config = TableConfig { stamps: new.clone(), ..self.config.clone() };
        let mut table = self.store.table_as_staged(&config)?;
        let by = Reading::new(self.store, &config, (rows_by, new), &table);
        by.see_rows(&mut table, &mut passes)?;
        self.staging.begin()?;
        self.staging.use_columns(&mut table, &config)?;
        let mut kept = KeptTaker::that_keeps(self.store, &config, Timestamp::from_utc(self.clock.now()));
        for series in table.series_ids() {
            for content in self.store.conflicts_of_series(series)? {
                let stamp = stamp_of(&mut kept, self.staging, &mut table, (&config, old), &content)?;
                stamp.into_iter().for_each(|stamp| passes.see(Stamped::of_content(&content, stamp)));
            }
        }
        passes.settle(table.samples.is_some());
        Ok(passes)
    }

    fn take_out(
        &mut self,
        table: &mut Table,
        (old, new): (&LoggerClock, &LoggerClock),
        passes: &Passes<'_>,
        moved: &mut Moved,
    ) -> Result<()> {
        let (store, config, progress) = (self.store, self.config, self.progress);
        self.staging.begin()?;
        self.staging.use_columns(table, config)?;
        let staging = &mut *self.staging;
        let reading = Reading::new(store, config, (old, new), table);
        reading.each(table, |table, series, rows| {
            let tags = written(&series.tags);
            let offered = store.offered(series.id)?;
            for row in rows {
                let stamp = reading.stamp(row);
                if reading.stays(series.id, row, stamp, passes) {
                    if row.ts_text().is_none() && new.usual_stamp(row.ts()) != stamp {
                        staging.keep_stamp(row, stamp)?;
                    }
                    continue;
                }
                moved.leaves(row.ts(), offered.is_some_and(|offered| row.ts() <= offered));
                staging.take_out_moving(table, &tags, row, stamp)?;
                progress.moved(1);
            }
            staging.flush(table)?;
            staging.commit()
        })
    }

    /// Puts back what was taken out, and what is kept beside rows.
    fn put_back(
        &mut self,
        (old, new): (&LoggerClock, &LoggerClock),
        passes: &Passes<'_>,
        moved: &mut Moved,
    ) -> Result<()> {
        let config = TableConfig { stamps: new.clone(), ..self.config.clone() };
        let mut table = self.store.table_as_staged(&config)?;
        let now = Timestamp::from_utc(self.clock.now());
        self.staging.begin()?;
        let version = self.staging.version_of_move()?;
        self.staging.use_columns(&mut table, &config)?;
        let mut put =
            PutBack { store: self.store, staging: self.staging, table: &mut table, config: &config, now, passes };
        loop {
            let rows = self.store.moving_rows(put.table)?;
            if rows.is_empty() {
                break;
            }
            put.rows(&rows, old, version, moved)?;
            self.progress.moved(rows.len() as u64);
        }
        let entered = put.contents(old, version, moved)?;
        self.staging.flush(&mut table)?;
        // Record numbers are followed of rows without tags.
        let series = self.staging.series_if_known(&mut table, "[]").unwrap_or_default();
        self.staging.end_moving(&table, (old, new), |stamp, record, known| {
            passes.instant(Stamped { series, stamp, record: Some(record), age: 0 }, known)
        })?;
        if !entered.is_empty() {
            // What is known of record numbers is by the new clock now.
            self.staging.read_records_again(&mut table)?;
            self.staging.enter_records(&mut table, "[]", &entered)?;
            self.staging.flush(&mut table)?;
        }
        if !moved.is_nothing() {
            let at = now.floor(Duration::from_secs(1));
            let decision = self.staging.begin_decision(&format!("clock of table \"{}\"", config.name), at)?;
            self.staging.end_decision(decision, moved.rows + moved.contents)?;
        }
        self.staging.commit()
    }
}

/// Whether every row keeps its time by the clock of the configuration, as where another offset holds from a stamp on that no row
/// has yet: then nothing is to be asked. Where rows move, one of the oldest or the newest row of a series does nearly always.
pub(super) fn moves_no_row(store: &Store, config: &TableConfig, old: &LoggerClock) -> Result<bool> {
    let new = &config.stamps;
    let table = store.table_as_staged(config)?;
    let reading = Reading::new(store, config, (old, new), &table);
    let passes = Passes::new((old, new));
    for series in store.series_with_tags(&table)? {
        let newest = store.newest_of_series(series.id)?.map(|at| Interval::new(at, at.plus(NANOS_PER_MICRO)));
        for interval in [Some(Interval::ALL), newest].into_iter().flatten() {
            let rows = store.rows_in(series.id, interval, None)?;
            if rows.first().is_some_and(|row| !reading.stays(series.id, row, reading.stamp(row), &passes)) {
                return Ok(false);
            }
        }
    }
    Ok(preview(store, config)?.is_none_or(|moved| moved.rows == 0))
}

/// Moves the rows of every table, or of one, whose clock changed in the configuration.
pub fn rekey(
    config: &Config,
    store: &Store,
    clock: &dyn Clock,
    only: Option<&str>,
    progress: &dyn Progress,
) -> std::result::Result<Vec<(String, Moved)>, IngestError> {
    let config = &*counts::in_their_counts(config, store)?;
    let mut staging = Staging::new(store, config)?;
    let mut list = Vec::new();
    for table in config.logger_tables().filter(|table| only.is_none_or(|only| only == table.name.0)) {
        if let Some(would) = preview(store, table)? {
            progress.moving(&table.name.0, would.rows * 2);
        }
        let moved = Mover::new(store, &mut staging, table, clock, progress).apply(Consent::Offsets)?;
        list.extend(moved.map(|moved| (table.name.0.clone(), moved)));
    }
    staging.commit()?;
    Ok(list)
}

/// What stored rows say by the old clock and by the new one.
pub(super) struct Reading<'a> {
    store: &'a Store,
    config: &'a TableConfig,
    old: &'a LoggerClock,
    new: &'a LoggerClock,
    /// How rows of the table share stamps.
    samples: Option<Samples>,
    /// As [`Table::time_formats`].
    formats: Vec<Option<String>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        store: &'a Store,
        config: &'a TableConfig,
        (old, new): (&'a LoggerClock, &'a LoggerClock),
        table: &Table,
    ) -> Reading<'a> {
        Reading { store, config, old, new, samples: table.samples, formats: table.time_formats.clone() }
    }

    /// Shows every row of the table, and what was taken out.
    pub(super) fn see_rows(&self, table: &mut Table, passes: &mut Passes<'_>) -> Result<()> {
        self.each(table, |_, series, rows| {
            for row in rows {
                passes.see(Stamped { series: series.id, stamp: self.stamp(row), record: row.record(), age: 0 });
            }
            Ok(())
        })?;
        self.store.moving_stamps(table, |series, stamp, record| passes.see(Stamped { series, stamp, record, age: 0 }))
    }

    /// Where the store has rows that may move.
    pub(super) fn intervals(&self) -> Vec<Interval> {
        intervals(self.old, self.new)
    }

    /// Gives every row that may move, some thousand at a time.
    pub(super) fn each(
        &self,
        table: &mut Table,
        mut take: impl FnMut(&mut Table, &TaggedSeries, &[OldRow]) -> Result<()>,
    ) -> Result<()> {
        for series in self.store.series_with_tags(table)? {
            for interval in self.intervals() {
                let mut after = None;
                loop {
                    let rows = self.store.rows_in(series.id, interval, after)?;
                    let Some(last) = rows.last() else { break };
                    after = Some(last.id());
                    take(table, &series, &rows)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn stamp(&self, row: &OldRow) -> LocalTime {
        let text = row.ts_text().and_then(|text| read_stamp(self.config, &self.formats, text));
        text.unwrap_or_else(|| self.old.usual_stamp(row.ts()))
    }

    /// Whether the row has the time of its stamp by the new clock.
    pub(super) fn stays(&self, series: i64, row: &OldRow, stamp: LocalTime, passes: &Passes<'_>) -> bool {
        self.time_of(series, row, stamp, passes) == Some(row.ts())
    }

    /// The time of the row by the new clock; none where that leaves its stamp out.
    pub(super) fn time_of(
        &self,
        series: i64,
        row: &OldRow,
        stamp: LocalTime,
        passes: &Passes<'_>,
    ) -> Option<Timestamp> {
        let within = within(self.samples, self.old, stamp, (row.record(), row.ts()));
        let at = Stamped { series, stamp, record: row.record(), age: 0 };
        let ts = passes.instant(at, at_stamp(self.samples, row.ts())).plus(within);
        (!is_left_out(self.old, self.new, stamp, row.record())).then_some(ts)
    }
}

/// Whether the new clock, and not the old one, is a zone that leaves the stamp out: its row is no row, as if read by it.
pub(super) fn is_left_out(old: &LoggerClock, new: &LoggerClock, stamp: LocalTime, record: Option<i64>) -> bool {
    let misses = |clock: &LoggerClock| matches!(clock.candidates(stamp, record), Candidates::Missing(_));
    misses(new) && !misses(old)
}

/// The stamp of a row, where several share one.
pub(super) fn at_stamp(samples: Option<Samples>, ts: Timestamp) -> Timestamp {
    samples.map_or(ts, |samples| samples.stamp_of(ts))
}

/// The stamp of a content that is kept beside a row. None: its line is none any more.
pub(super) fn stamp_of(
    kept: &mut KeptTaker<'_>,
    staging: &mut Staging<'_>,
    table: &mut Table,
    (config, old): (&TableConfig, &LoggerClock),
    content: &KeptContent,
) -> Result<Option<LocalTime>> {
    if let Some(header) = content.header {
        return kept.stamp_of(staging, table, header, &content.raw);
    }
    let text = content.ts_text.as_deref().and_then(|text| read_stamp(config, &table.time_formats, text));
    // As of a row without its text.
    Ok(Some(text.unwrap_or_else(|| old.usual_stamp(content.ts))))
}

/// How far behind its stamp a row stands, where several share one.
pub(super) fn within(
    samples: Option<Samples>,
    old: &LoggerClock,
    stamp: LocalTime,
    (record, ts): (Option<i64>, Timestamp),
) -> i64 {
    spread(samples, old, stamp, (record, ts)).unwrap_or(0)
}

/// None: by this clock the row does not belong to this stamp.
pub(super) fn spread(
    samples: Option<Samples>,
    clock: &LoggerClock,
    stamp: LocalTime,
    (record, ts): (Option<i64>, Timestamp),
) -> Option<i64> {
    let within = ts.nanos_since(clock.instant(stamp, record, Some(at_stamp(samples, ts))));
    samples.filter(|samples| (0..nanos(samples.interval())).contains(&within)).map(|_| within)
}

/// A stamp as the store keeps it. It was written as the present configuration says, or an earlier one.
pub(super) fn read_stamp(config: &TableConfig, formats: &[Option<String>], text: &str) -> Option<LocalTime> {
    let present = match &config.format {
        FileFormat::Csv(csv) => csv.time_formats.as_slice(),
        FileFormat::Logger(_) => &[None],
    };
    let all = present.iter().chain(formats).chain([&None]);
    let read =
        all.filter_map(|format| StampFormat::new(format.as_deref())).find_map(|format| format.read(text.as_bytes()))?;
    Some(config.stamps.stamp_of(read))
}

/// Whether rows may have been read by a time format that the configuration has no more. Each row keeps the text of its time.
pub(super) fn has_earlier_formats(table: &Table, config: &TableConfig) -> bool {
    let FileFormat::Csv(csv) = &config.format else { return false };
    table.time_formats.iter().any(|format| !csv.time_formats.contains(format))
}

/// Where the store has rows that may mean another time by the new clock, or by another time format.
fn intervals(old: &LoggerClock, new: &LoggerClock) -> Vec<Interval> {
    if old.offsets() != new.offsets() || old == new {
        return vec![Interval::ALL];
    }
    let all = || old.corrections().iter().chain(new.corrections());
    let of_one = |found: &&Correction| !(old.corrections().contains(found) && new.corrections().contains(found));
    let mut changed: Vec<&Correction> = all().filter(of_one).collect();
    if changed.is_empty() {
        // In another order.
        changed = all().collect();
    }
    let shifts = old.corrections().iter().map(|correction| correction.add.num_nanoseconds().unwrap_or(0));
    let shifts: Vec<i64> = shifts.chain([0]).collect();
    let plain = LoggerClock::from(new.present());
    let mut list = Vec::new();
    for Correction { stamps, .. } in changed {
        for shift in &shifts {
            let at = |stamp| plain.instant(stamp, None, None).plus(*shift);
            let until = stamps.until.map_or(Timestamp::MAX, |until| at(until).after(AROUND));
            list.push(Interval::new(at(stamps.from).before(AROUND), until));
        }
    }
    list.sort_by_key(|interval: &Interval| interval.from);
    let mut merged: Vec<Interval> = Vec::new();
    for interval in list {
        match merged.last_mut().filter(|last| interval.from <= last.until) {
            Some(last) => last.until = last.until.max(interval.until),
            None => merged.push(interval),
        }
    }
    merged
}

/// As a series holds its tags.
fn written(tags: &[String]) -> String {
    serde_json::to_string(tags).unwrap_or_default()
}
