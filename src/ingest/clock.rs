//! Stored rows whose stamps mean another time since the configuration changed: a logger's clock that was wrong for a period,
//! or another offset from UTC.
//!
//! The stamp that the logger wrote is the source, so that a correction can be changed and taken away again. A row that moves
//! is judged anew and sent under its new time; the point under its old time is marked for removal. It is done once a change.
//! Corrections apply at the start of an ingest; other offsets only when the user asks for it ([`Consent`]), because a
//! misspelled offset would move every row.

use std::time::Duration;

use super::kept::KeptTaker;
use super::lines::{Taken, can_have};
use super::passes::{Passes, Stamped};
use super::{IngestError, Progress};
use crate::config::{Config, CsvFormat, FileFormat, TableConfig};
use crate::format::{Cell, Header};
use crate::store::{
    KeptContent, LineAt, LineState, MovingRow, OldRow, Outcome, Result, Staging, Store, Table, TaggedSeries,
};
use crate::text::count;
use crate::time::{
    Candidates, Clock, Correction, Interval, LocalTime, LoggerClock, Samples, StampFormat, Timestamp, nanos,
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
    fn leaves(&mut self, ts: Timestamp, is_offered: bool) {
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
            self.put_back((&old, &old), &Passes::new(&old), &mut Moved::default())?;
        }
        let new = self.config.stamps.clone();
        let may = consent == Consent::Offsets || (old != new && old.offsets() == new.offsets());
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
    fn passes<'c>(&mut self, (old, new): (&LoggerClock, &'c LoggerClock), rows_by: &LoggerClock) -> Result<Passes<'c>> {
        let mut passes = Passes::new(new);
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
        put.contents(old, version, moved)?;
        self.staging.flush(&mut table)?;
        // Record numbers are followed of rows without tags.
        let series = self.staging.series_if_known(&mut table, "[]").unwrap_or_default();
        self.staging.end_moving(&table, (old, new), |stamp, record, known| {
            passes.instant(Stamped { series, stamp, record: Some(record), age: 0 }, known)
        })?;
        if !moved.is_nothing() {
            let at = now.floor(Duration::from_secs(1));
            let decision = self.staging.begin_decision(&format!("clock of table \"{}\"", config.name), at)?;
            self.staging.end_decision(decision, moved.rows + moved.contents)?;
        }
        self.staging.commit()
    }
}

/// How many rows of the table would move, and what with them; changes nothing. None: none would.
pub(super) fn preview(store: &Store, config: &TableConfig) -> Result<Option<Moved>> {
    let Some(staged) = store.staged_clock(config)?.filter(|staged| staged.has_rows || staged.is_moving) else {
        return Ok(None);
    };
    let Some(old) = staged.clock else { return Ok(None) };
    let mut table = store.table_as_staged(config)?;
    if old == config.stamps && !has_earlier_formats(&table, config) {
        return Ok(None);
    }
    let mut moved = Moved::default();
    let reading = Reading::new(store, config, (&old, &config.stamps), &table);
    let mut passes = Passes::new(&config.stamps);
    if old.offsets() != config.stamps.offsets() && config.stamps.repeats_hours() {
        reading.see_rows(&mut table, &mut passes)?;
        passes.settle(table.samples.is_some());
    }
    reading.each(&mut table, |_, series, rows| {
        let offered = store.offered(series.id)?;
        for row in rows {
            if !reading.stays(series.id, row, reading.stamp(row), &passes) {
                moved.rows += 1;
                moved.leaves(row.ts(), offered.is_some_and(|offered| row.ts() <= offered));
            }
        }
        Ok(())
    })?;
    Ok(Some(moved))
}

/// Moves the rows of every table, or of one, whose clock changed in the configuration.
pub fn rekey(
    config: &Config,
    store: &Store,
    clock: &dyn Clock,
    only: Option<&str>,
    progress: &dyn Progress,
) -> std::result::Result<Vec<(String, Moved)>, IngestError> {
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

/// As [`rekey`], without changing anything.
pub fn would_rekey(
    config: &Config,
    store: &Store,
    only: Option<&str>,
) -> std::result::Result<Vec<(String, Moved)>, IngestError> {
    let mut list = Vec::new();
    for table in config.logger_tables().filter(|table| only.is_none_or(|only| only == table.name.0)) {
        list.extend(preview(store, table)?.map(|moved| (table.name.0.clone(), moved)));
    }
    Ok(list)
}

/// What stored rows say by the old clock and by the new one.
struct Reading<'a> {
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
    fn new(
        store: &'a Store,
        config: &'a TableConfig,
        (old, new): (&'a LoggerClock, &'a LoggerClock),
        table: &Table,
    ) -> Reading<'a> {
        Reading { store, config, old, new, samples: table.samples, formats: table.time_formats.clone() }
    }

    /// Shows every row of the table, and what was taken out.
    fn see_rows(&self, table: &mut Table, passes: &mut Passes<'_>) -> Result<()> {
        self.each(table, |_, series, rows| {
            for row in rows {
                passes.see(Stamped { series: series.id, stamp: self.stamp(row), record: row.record(), age: 0 });
            }
            Ok(())
        })?;
        self.store.moving_stamps(table, |series, stamp, record| passes.see(Stamped { series, stamp, record, age: 0 }))
    }

    /// Gives every row that may move, some thousand at a time.
    fn each(
        &self,
        table: &mut Table,
        mut take: impl FnMut(&mut Table, &TaggedSeries, &[OldRow]) -> Result<()>,
    ) -> Result<()> {
        for series in self.store.series_with_tags(table)? {
            for interval in intervals(self.old, self.new) {
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

    fn stamp(&self, row: &OldRow) -> LocalTime {
        let text = row.ts_text().and_then(|text| read_stamp(self.config, &self.formats, text));
        text.unwrap_or_else(|| self.old.usual_stamp(row.ts()))
    }

    /// Whether the row has the time of its stamp by the new clock.
    fn stays(&self, series: i64, row: &OldRow, stamp: LocalTime, passes: &Passes<'_>) -> bool {
        let within = within(self.samples, self.old, stamp, (row.record(), row.ts()));
        let at = Stamped { series, stamp, record: row.record(), age: 0 };
        passes.instant(at, at_stamp(self.samples, row.ts())).plus(within) == row.ts()
            && !is_left_out(self.old, self.new, stamp, row.record())
    }
}

/// Whether the new clock, and not the old one, is a zone that leaves the stamp out: its row is no row, as if read by it.
fn is_left_out(old: &LoggerClock, new: &LoggerClock, stamp: LocalTime, record: Option<i64>) -> bool {
    let misses = |clock: &LoggerClock| matches!(clock.candidates(stamp, record), Candidates::Missing(_));
    misses(new) && !misses(old)
}

/// The stamp of a row, where several share one.
fn at_stamp(samples: Option<Samples>, ts: Timestamp) -> Timestamp {
    samples.map_or(ts, |samples| samples.stamp_of(ts))
}

/// The stamp of a content that is kept beside a row. None: its line is none any more.
fn stamp_of(
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
fn within(
    samples: Option<Samples>,
    old: &LoggerClock,
    stamp: LocalTime,
    (record, ts): (Option<i64>, Timestamp),
) -> i64 {
    spread(samples, old, stamp, (record, ts)).unwrap_or(0)
}

/// None: by this clock the row does not belong to this stamp.
fn spread(
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
        FileFormat::Toa5 => &[None],
    };
    let all = present.iter().chain(formats).chain([&None]);
    let read =
        all.filter_map(|format| StampFormat::new(format.as_deref())).find_map(|format| format.read(text.as_bytes()))?;
    Some(config.stamps.stamp_of(read))
}

/// Whether rows may have been read by a time format that the configuration has no more. Each row keeps the text of its time.
fn has_earlier_formats(table: &Table, config: &TableConfig) -> bool {
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

/// What a logger wrote of a row.
struct Written<'a> {
    stamp: LocalTime,
    /// Its own text, where the stamp does not print it.
    text: Option<&'a str>,
    record: Option<i64>,
    /// JSON array, aligned with the column list (or shorter).
    values: &'a str,
    /// The header whose columns it has, where the store keeps it.
    header: Option<i64>,
}

/// The second half of a move.
struct PutBack<'a, 's> {
    store: &'a Store,
    staging: &'a mut Staging<'s>,
    table: &'a mut Table,
    /// With the clock by which rows are put back.
    config: &'a TableConfig,
    now: Timestamp,
    passes: &'a Passes<'a>,
}

impl PutBack<'_, '_> {
    fn rows(&mut self, rows: &[MovingRow], old: &LoggerClock, version: i64, moved: &mut Moved) -> Result<()> {
        for row in rows {
            moved.rows += 1;
            let new = &self.config.stamps;
            let at = Stamped { series: row.series, stamp: row.stamp, record: row.record, age: 0 };
            let ts = self.passes.instant(at, at_stamp(self.table.samples, row.ts));
            let ts = ts.plus(within(self.table.samples, old, row.stamp, (row.record, row.ts)));
            if !can_have(self.config, ts, self.now) || is_left_out(old, new, row.stamp, row.record) {
                self.as_line(row)?;
                moved.lines += 1;
                continue;
            }
            let text = match &row.ts_text {
                Some(text) => Some(text.clone()),
                None => (new.usual_stamp(ts) != row.stamp).then(|| row.stamp.to_string()),
            };
            match self.staging.put_back(self.table, row, (ts, text.as_deref()), version)? {
                Outcome::Conflict => moved.conflicts += 1,
                Outcome::Duplicate | Outcome::Extended { .. } => moved.merged += 1,
                Outcome::Staged | Outcome::Finished => {}
            }
        }
        self.staging.flush(self.table)?;
        self.staging.commit()
    }

    /// The row's stamp means no time that a row can have: it is a rejected or held line, as the file would make it, and is
    /// judged again when the clock is corrected again.
    fn as_line(&mut self, row: &MovingRow) -> Result<()> {
        let text = row.ts_text.as_deref();
        let written = Written { stamp: row.stamp, text, record: row.record, values: &row.values, header: row.header };
        let (header, line) = self.written_line(&written)?;
        self.refuse(header, LineAt { path: "moved by its clock", number: 0, raw: &line, state: LineState::Whole })?;
        self.staging.forget_moving(row)
    }

    /// As [`PutBack::as_line`], for a content that is kept beside such a row.
    fn content_as_line(&mut self, content: &KeptContent, stamp: Option<LocalTime>) -> Result<()> {
        let (header, line) = match (content.header, stamp) {
            (None, Some(stamp)) => {
                let text = content.ts_text.as_deref();
                let (record, values, header) = (content.record, &content.raw, content.stated_by);
                self.written_line(&Written { stamp, text, record, values, header })?
            }
            (Some(header), _) => (header, content.raw.as_bytes().to_vec()),
            (None, None) => return Ok(()),
        };
        let at = LineAt { path: &content.path, number: content.number, raw: &line, state: LineState::Whole };
        self.refuse(header, at)?;
        self.staging.drop_conflict(self.table, content)
    }

    /// Keeps a line that is no row, with the reason.
    fn refuse(&mut self, header: i64, at: LineAt<'_>) -> Result<()> {
        let mut kept = KeptTaker::that_keeps(self.store, self.config, self.now);
        if let Taken::Refused(mut refusal) = kept.raw_line(self.staging, self.table, header, at)? {
            refusal.header = refusal.header.or(Some(header));
            self.staging.reject(self.table, at, &refusal)?;
        }
        Ok(())
    }

    fn written_line(&mut self, row: &Written<'_>) -> Result<(i64, Vec<u8>)> {
        let (header, line) = self.line_of(row);
        self.staging.begin()?;
        let values: Vec<usize> = match &self.config.format {
            FileFormat::Toa5 => (1 + usize::from(row.record.is_some())..header.names.len()).collect(),
            FileFormat::Csv(_) => Vec::new(),
        };
        Ok((self.store.learn_header(self.table, &header, &values, self.now)?, line))
    }

    /// The row as a line of a file, and the header that it stands under.
    fn line_of(&self, row: &Written<'_>) -> (Header, Vec<u8>) {
        let values: Vec<serde_json::Value> = serde_json::from_str(row.values).unwrap_or_default();
        let stamp = row.text.map_or_else(|| row.stamp.to_string(), str::to_owned);
        let own = self.own_columns(row.header, values.len());
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let cell = |place: usize| match values.get(place) {
            Some(serde_json::Value::String(text)) => quoted(text),
            Some(serde_json::Value::Null) | None => "NAN".to_owned(),
            Some(other) => other.to_string(),
        };
        let (names, cells): (Vec<String>, Vec<String>) = match &self.config.format {
            FileFormat::Csv(csv) => return self.line_of_csv(csv, (&own, &values), &stamp, row.record),
            FileFormat::Toa5 => {
                let of_values = own.iter().map(|place| (self.table.columns[*place].name.clone(), cell(*place)));
                let of_record = row.record.map(|number| ("RECORD".to_owned(), number.to_string()));
                [("TIMESTAMP".to_owned(), quoted(&stamp))].into_iter().chain(of_record).chain(of_values).unzip()
            }
        };
        let table = self.table.header_table.as_ref().unwrap_or(&self.config.name.0);
        (Header::from_names(table, &names), cells.join(",").into_bytes())
    }

    /// Positions of the columns that a row with so many values had in its file.
    fn own_columns(&self, header: Option<i64>, values: usize) -> Vec<usize> {
        let (derived, lacks) = (self.table.derived_places(), self.table.lacks(header));
        let is_own = |place: &usize| !derived.contains(place) && lacks.binary_search(place).is_err();
        (0..self.table.columns.len().min(values)).filter(is_own).collect()
    }

    /// As [`PutBack::line_of`], in the dialect of the table. A stamp of several columns stands in the first of them.
    fn line_of_csv(
        &self,
        csv: &CsvFormat,
        (own, values): (&[usize], &[serde_json::Value]),
        stamp: &str,
        record: Option<i64>,
    ) -> (Header, Vec<u8>) {
        let names = csv.names.clone().unwrap_or_else(|| {
            let own = own.iter().map(|place| self.table.columns[*place].name.clone());
            csv.time_columns.iter().chain(&csv.record_column).cloned().chain(own).collect()
        });
        let cell = |name: &String| {
            if csv.time_columns.first() == Some(name) {
                // Reading the line puts the year before it again.
                let year = csv.dialect.as_ref().and_then(|dialect| dialect.year).map(|year| format!("{year} "));
                return Cell::Text(stamp.strip_prefix(&year.unwrap_or_default()).unwrap_or(stamp).to_owned());
            }
            if let Some(array) = csv.array().filter(|_| names.first() == Some(name)) {
                return Cell::Number(array.to_string());
            }
            if csv.time_columns.contains(name) {
                return Cell::Text(String::new());
            }
            if csv.record_column.as_ref() == Some(name) {
                return Cell::Number(record.map_or_else(String::new, |record| record.to_string()));
            }
            match self.table.place(name).and_then(|place| values.get(place)) {
                Some(serde_json::Value::String(text)) => Cell::Text(text.clone()),
                Some(serde_json::Value::Null) | None => Cell::Number("NAN".to_owned()),
                Some(other) => Cell::Number(other.to_string()),
            }
        };
        let cells: Vec<Cell> = names.iter().map(cell).collect();
        let line = csv.line(&cells);
        (Header::from_names(&self.config.name.0, &names), line)
    }

    /// Contents that are kept beside rows. One whose own time differs, or whose row is gone, is staged again.
    fn contents(&mut self, old: &LoggerClock, version: i64, moved: &mut Moved) -> Result<()> {
        let mut kept = KeptTaker::that_keeps(self.store, self.config, self.now);
        for series in self.store.series_with_tags(self.table)? {
            for content in self.store.conflicts_of_series(series.id)? {
                self.staging.begin()?;
                let mut again = content.clone();
                let by = (self.config, old);
                let Some(local) = stamp_of(&mut kept, self.staging, self.table, by, &content)? else { continue };
                let known = at_stamp(self.table.samples, content.ts);
                let instant = self.passes.instant(Stamped::of_content(&content, local), known);
                let mut written = None;
                if content.header.is_some() {
                    again.ts = instant.plus(content.ts.nanos_since(known));
                } else {
                    let new = &self.config.stamps;
                    // One that the same move kept beside a row, or moved before it was killed, stands by the new clock already.
                    let at = (content.record, content.ts);
                    let within = [old, new].into_iter().find_map(|clock| spread(self.table.samples, clock, local, at));
                    let within = within.unwrap_or(0);
                    again.ts = instant.plus(within);
                    if again.ts_text.is_none() && new.usual_stamp(again.ts) != local {
                        again.ts_text = Some(local.to_string());
                    }
                    written = Some(local);
                }
                let has_row = self.store.has_row_at(&content)?;
                if !can_have(self.config, again.ts, self.now) {
                    if !has_row || again.ts != content.ts {
                        // As the file would make it.
                        self.content_as_line(&content, written)?;
                    }
                    continue;
                }
                if again.ts == content.ts && has_row {
                    continue;
                }
                self.staging.set_moving(Some(version));
                let taken = kept.content(self.staging, self.table, &again, &content.tags);
                self.staging.set_moving(None);
                if let Taken::Row(outcome) = taken? {
                    let stamp = written.map(|local| local.to_string());
                    self.staging.resolve_moved(self.table, &content, outcome, (again.ts, stamp.as_deref()))?;
                    moved.contents += u64::from(outcome == Outcome::Staged);
                }
            }
        }
        Ok(())
    }
}

/// As a series holds its tags.
fn written(tags: &[String]) -> String {
    serde_json::to_string(tags).unwrap_or_default()
}
