//! Stages kept lines and contents again, each under its own header and with the present configuration.

use std::collections::BTreeSet;

use super::lines::LineTaker;
use super::rows::Taken;
use crate::config::{OnConflict, TableConfig};
use crate::format;
use crate::store::{DeferredLine, Incoming, KeptContent, KeptLine, LineAt, LineState, Result, Staging, Store, Table};
use crate::time::{LocalTime, Timestamp};

/// Stages kept lines of one table. Consecutive lines with the same header share one `LineTaker`.
pub(super) struct KeptTaker<'a> {
    store: &'a Store,
    config: &'a TableConfig,
    now: Timestamp,
    /// How a row under an existing key is handled.
    on_conflict: OnConflict,
    /// The present header, whether the lines were rows, and their taker.
    under: Option<((i64, bool), LineTaker<'a>)>,
}

impl<'a> KeptTaker<'a> {
    pub(super) fn new(store: &'a Store, config: &'a TableConfig, now: Timestamp) -> KeptTaker<'a> {
        KeptTaker { store, config, now, on_conflict: config.on_conflict, under: None }
    }

    /// Like [`KeptTaker::new`], but an existing row is kept, whatever the table's `on_conflict` says about new lines.
    pub(super) fn that_keeps(store: &'a Store, config: &'a TableConfig, now: Timestamp) -> KeptTaker<'a> {
        KeptTaker { on_conflict: OnConflict::Keep, ..KeptTaker::new(store, config, now) }
    }

    /// Stages a line that was not a row, or returns why it is still not one.
    pub(super) fn line(&mut self, staging: &mut Staging<'_>, table: &mut Table, line: &KeptLine) -> Result<Taken> {
        let at = LineAt { path: &line.path, number: line.number, raw: line.raw.as_bytes(), state: line.state };
        let taker = self.taker(staging, table, (line.header, false))?;
        taker.was_kept = true;
        let taken = taker.stage_row(staging, table, at);
        taker.was_kept = false;
        taken
    }

    /// Stages a content that was kept beside a row. `tags` is used if the content is not a line but an array of values.
    pub(super) fn content(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        content: &KeptContent,
        tags: &str,
    ) -> Result<Taken> {
        let line = LineAt {
            path: &content.path,
            number: content.number,
            raw: content.raw.as_bytes(),
            state: LineState::Whole,
        };
        if let Some(header) = content.header {
            let taker = self.taker(staging, table, (header, true))?;
            taker.known_time = Some(content.ts);
            return taker.stage_row(staging, table, line);
        }
        let mut numbers = Vec::new();
        format::values_of(&content.raw, &mut numbers);
        let row = Incoming {
            tags,
            ts: content.ts,
            record: content.record,
            values: &content.raw,
            numbers: &numbers,
            ts_text: content.ts_text.as_deref(),
            line,
            header: None,
            stated_by: content.stated_by,
            is_part: false,
        };
        staging.stage(table, &row, self.on_conflict).map(Taken::Row)
    }

    /// Like [`KeptTaker::line`], for a line whose row has this time.
    pub(super) fn line_at(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        line: &KeptLine,
        ts: Timestamp,
    ) -> Result<Taken> {
        let at = LineAt { path: &line.path, number: line.number, raw: line.raw.as_bytes(), state: line.state };
        let taker = self.taker(staging, table, (line.header, false))?;
        taker.known_time = Some(ts);
        taker.stage_row(staging, table, at)
    }

    /// Returns the stamps of rows that were staged while other lines of the stamp were held, and clears the list.
    pub(super) fn take_touched(&mut self) -> BTreeSet<(i64, Timestamp)> {
        self.under.as_mut().map(|(_, taker)| taker.placing.take_touched()).unwrap_or_default()
    }

    /// The tags that a line gives its row under a header, as a JSON array. None if the line is not a row.
    pub(super) fn tags_of(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        header: i64,
        raw: &str,
    ) -> Result<Option<String>> {
        Ok(self.taker(staging, table, (header, true))?.tags_of(raw.as_bytes()))
    }

    /// The stamp of a line under a header. None if the line is not a row.
    pub(super) fn stamp_of(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        header: i64,
        raw: &str,
    ) -> Result<Option<LocalTime>> {
        Ok(self.taker(staging, table, (header, true))?.stamp_of(raw.as_bytes()))
    }

    /// Whether a line is a row that the store does not have, by time and tags. True also without a header, because it
    /// may be one.
    pub(super) fn is_new_row(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        line: &DeferredLine,
    ) -> Result<bool> {
        let Some(header) = line.header else { return Ok(true) };
        self.taker(staging, table, (header, false))?.is_new_row(staging, table, line.raw.as_bytes())
    }

    /// The time that a line gives its row under a header. None if the line is not a row. `known` is the row's present
    /// time.
    pub(super) fn time_of(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        header: i64,
        raw: &str,
        known: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let taker = self.taker(staging, table, (header, true))?;
        Ok(taker.time_of(table, raw.as_bytes(), known))
    }

    /// Stages a line under a header, or returns why it is not a row.
    pub(super) fn raw_line(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        header: i64,
        line: LineAt<'_>,
    ) -> Result<Taken> {
        self.taker(staging, table, (header, false))?.stage_row(staging, table, line)
    }

    fn taker(&mut self, staging: &mut Staging<'_>, table: &mut Table, of: (i64, bool)) -> Result<&mut LineTaker<'a>> {
        let taker = match self.under.take() {
            Some((known, taker)) if known == of => taker,
            _ => {
                // The messages of this taker are discarded, so it needs no path.
                let mut taker = LineTaker::new(self.store, self.config, "", self.now);
                taker.on_conflict = self.on_conflict;
                taker.were_rows = of.1;
                taker.begin_under(staging, table, of.0)?;
                taker
            }
        };
        Ok(&mut self.under.insert((of, taker)).1)
    }
}
