//! The second half of a move: rows that were taken out get the time that their stamps mean now, and the contents kept
//! beside rows follow them.
//!
//! No row is lost (I2): if its stamp no longer means a time that a row can have, it becomes a rejected or held line,
//! with the text that a file would have; if it meets another row, it becomes a conflict or a duplicate.

use std::collections::BTreeSet;

use super::clock::{Moved, at_stamp, is_left_out, spread, stamp_of, within};
use super::kept::KeptTaker;
use super::passes::{Passes, Stamped};
use super::rows::{Taken, can_have};
use crate::config::{CsvFormat, FileFormat, TableConfig};
use crate::format::{Cell, Header};
use crate::store::{KeptContent, LineAt, LineState, MovingRow, Outcome, Result, Staging, Store, Table};
use crate::time::{LocalTime, LoggerClock, Place, Timestamp};

/// What a logger wrote for a row.
struct Written<'a> {
    stamp: LocalTime,
    /// The original text of the stamp, if formatting the stamp does not give the same text.
    text: Option<&'a str>,
    record: Option<i64>,
    /// JSON array in the order of the column list; it may be shorter.
    values: &'a str,
    /// The id of the header whose columns the row has, if the store keeps it.
    header: Option<i64>,
}

/// The second half of a move.
pub(super) struct PutBack<'a, 's> {
    pub(super) store: &'a Store,
    pub(super) staging: &'a mut Staging<'s>,
    pub(super) table: &'a mut Table,
    /// The table's configuration with the new clock.
    pub(super) config: &'a TableConfig,
    pub(super) now: Timestamp,
    pub(super) passes: &'a Passes<'a>,
}

impl PutBack<'_, '_> {
    /// Puts these rows back and commits.
    pub(super) fn rows(
        &mut self,
        rows: &[MovingRow],
        old: &LoggerClock,
        version: i64,
        moved: &mut Moved,
    ) -> Result<()> {
        for row in rows {
            moved.rows += 1;
            let new = &self.config.stamps;
            let at = Stamped { series: row.series, stamp: row.stamp, record: row.record, age: 0 };
            let instant = self.passes.instant(at, at_stamp(self.table.samples, row.ts));
            let within = within(self.table.samples, old, row.stamp, (row.record, row.ts));
            let ts = self.place_of_event(row, instant)?.unwrap_or_else(|| instant.plus(within));
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

    /// The time of an event: each row of a stamp is one of its own, whether it was read there or moved there.
    fn place_of_event(&self, row: &MovingRow, stamp: Timestamp) -> Result<Option<Timestamp>> {
        let samples = self.table.samples.filter(|samples| samples.are_events() && samples.is_stamp(stamp));
        let Some((samples, record)) = samples.zip(row.record) else { return Ok(None) };
        let known = self.store.known_stamp(samples, row.series, stamp)?;
        if let Some(there) = known.stored.get(&record) {
            return Ok(Some(*there));
        }
        let Place::At(place) = samples.decide(stamp, &known.around, record) else { return Ok(None) };
        let taken: BTreeSet<&Timestamp> = known.stored.values().collect();
        let most = samples.per_stamp().cast_signed();
        let mut times = (0..most).map(|step| samples.time(stamp, (place + step).rem_euclid(most)));
        Ok(times.find(|ts| !taken.contains(ts)))
    }

    /// Keeps the row as a rejected or held line, in the form that a file would have, because its stamp means no time
    /// that a row can have. It is judged again when the clock is corrected again.
    fn as_line(&mut self, row: &MovingRow) -> Result<()> {
        let text = row.ts_text.as_deref();
        let written = Written { stamp: row.stamp, text, record: row.record, values: &row.values, header: row.header };
        let (header, line) = self.written_line(&written)?;
        self.refuse(header, LineAt { path: "moved by its clock", number: 0, raw: &line, state: LineState::Whole })?;
        self.staging.forget_moving(row)
    }

    /// Like [`PutBack::as_line`], for a content that is kept beside such a row.
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

    /// Keeps a line that is not a row, with the reason.
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
            FileFormat::Logger(_) => (1 + usize::from(row.record.is_some())..header.names.len()).collect(),
            FileFormat::Csv(_) => Vec::new(),
        };
        Ok((self.store.learn_header(self.table, &header, &values, self.now)?, line))
    }

    /// The row as a line of a file, and the header for it.
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
            FileFormat::Logger(_) => {
                let of_values = own.iter().map(|place| (self.table.columns[*place].name.clone(), cell(*place)));
                let of_record = row.record.map(|number| ("RECORD".to_owned(), number.to_string()));
                [("TIMESTAMP".to_owned(), quoted(&stamp))].into_iter().chain(of_record).chain(of_values).unzip()
            }
        };
        let table = self.table.header_table.as_ref().unwrap_or(&self.config.name.0);
        (Header::from_names(table, &names), cells.join(",").into_bytes())
    }

    /// The positions of the columns that a row with this number of values had in its file.
    fn own_columns(&self, header: Option<i64>, values: usize) -> Vec<usize> {
        let (derived, lacks) = (self.table.derived_places(), self.table.lacks(header));
        let is_own = |place: &usize| !derived.contains(place) && lacks.binary_search(place).is_err();
        (0..self.table.columns.len().min(values)).filter(is_own).collect()
    }

    /// Like [`PutBack::line_of`], in the dialect of the table. A stamp of several columns is written to the first of
    /// them.
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
        // The row may be of another year than the configured one.
        let configured = csv.dialect.as_ref().and_then(|dialect| dialect.year);
        let year = stamp.split_once(' ').and_then(|(year, rest)| Some((year.parse::<u16>().ok()?, rest)));
        let year = configured.and(year);
        let stamp = year.map_or(stamp, |(_, rest)| rest);
        let cell = |name: &String| {
            if csv.time_columns.first() == Some(name) {
                // Reading the line adds the year again.
                return Cell::Text(stamp.to_owned());
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
        let year = year.map(|(year, _)| year).filter(|year| Some(*year) != configured);
        (Header { year, ..Header::from_names(&self.config.name.0, &names) }, line)
    }

    /// Moves the contents that are kept beside rows. A content whose own time differs, or whose row is gone, is staged
    /// again. Returns record number and time of each that became a row of a table without tags.
    pub(super) fn contents(
        &mut self,
        old: &LoggerClock,
        version: i64,
        moved: &mut Moved,
    ) -> Result<Vec<(i64, Timestamp)>> {
        let mut entered = Vec::new();
        let mut kept = KeptTaker::that_keeps(self.store, self.config, self.now);
        for series in self.store.series_with_tags(self.table)? {
            for content in self.store.conflicts_of_series(series.id)? {
                self.staging.begin()?;
                let (on, by) = ((&mut *self.staging, &mut *self.table), (self.config, old));
                let Some((again, written)) = time_of_content(&mut kept, on, by, self.passes, &content)? else {
                    continue;
                };
                let has_row = self.store.has_row_at(&content)?;
                if !can_have(self.config, again.ts, self.now) {
                    if !has_row || again.ts != content.ts {
                        // It becomes a line in the form that a file would have.
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
                    if outcome == Outcome::Staged {
                        moved.contents += 1;
                        entered
                            .extend(content.record.filter(|_| content.tags == "[]").map(|number| (number, again.ts)));
                    }
                }
            }
        }
        Ok(entered)
    }
}

/// A content that is kept beside a row, at its time by the new clock; with its stamp, where its line does not tell it. None: its
/// line is none any more.
pub(super) fn time_of_content(
    kept: &mut KeptTaker<'_>,
    (staging, table): (&mut Staging<'_>, &mut Table),
    (config, old): (&TableConfig, &LoggerClock),
    passes: &Passes<'_>,
    content: &KeptContent,
) -> Result<Option<(KeptContent, Option<LocalTime>)>> {
    let Some(local) = stamp_of(kept, staging, table, (config, old), content)? else { return Ok(None) };
    let known = at_stamp(table.samples, content.ts);
    let instant = passes.instant(Stamped::of_content(content, local), known);
    let mut again = content.clone();
    if content.header.is_some() {
        again.ts = instant.plus(content.ts.nanos_since(known));
        return Ok(Some((again, None)));
    }
    let new = &config.stamps;
    // One that the same move kept beside a row, or moved before it was killed, stands by the new clock already.
    let at = (content.record, content.ts);
    let within = [old, new].into_iter().find_map(|clock| spread(table.samples, clock, local, at));
    again.ts = instant.plus(within.unwrap_or(0));
    if again.ts_text.is_none() && new.usual_stamp(again.ts) != local {
        again.ts_text = Some(local.to_string());
    }
    Ok(Some((again, Some(local))))
}
