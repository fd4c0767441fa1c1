//! Follows the record numbers of the rows that are staged, and of rows that come about otherwise than by being read: contents that
//! become rows, and rows that get or lose tags. A reset of the counter and a step of the clock are noted as they are seen.

use rusqlite::params;

use crate::store::Result;
use crate::store::intake::record_runs::{ClockEvent, EventKind, RecordRuns, all_runs};
use crate::store::intake::samples::SampleAt;
use crate::store::intake::staging::Staging;
use crate::store::intake::tables::Table;
use crate::store::schema::key;
use crate::time::Timestamp;

/// What the record numbers of the rows that are staged tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// They are in the order in which the logger wrote them.
    AsRead,
    /// Nothing: they were seen when their lines were read.
    Known,
    /// The lines were kept: some were seen when they were read.
    Kept,
    /// They are another logger's, whose rows lie among those of the table: none is missing, and they make none missing.
    OfAnother,
    /// The rows were in the store under other keys: they come in any order.
    Moved,
}

impl Staging<'_> {
    /// What the record numbers of the rows that are staged from now on tell.
    pub fn set_records(&mut self, records: Records) {
        self.records = records;
    }

    /// Notes the record number of a line that waits for its place in its stamp, in the order of the lines: it becomes a row
    /// in any order.
    pub fn see_waiting(&mut self, table: &mut Table, sample: &SampleAt) -> Result<()> {
        if table.tags_of(sample.series) != Some("[]") {
            return Ok(());
        }
        self.begin()?;
        self.see_record(table, sample.record, sample.stamp).map_err(|source| self.store.at(source))
    }

    /// Notes the record number of a line of which only the time is refused.
    pub fn see_refused(&mut self, table: &mut Table, record: i64) -> Result<()> {
        self.begin()?;
        table.runs.see_refused(record);
        Ok(())
    }

    /// Notes the record number of a row.
    #[inline]
    pub(super) fn see_record(&mut self, table: &mut Table, record: i64, ts: Timestamp) -> rusqlite::Result<()> {
        let Some(event) = table.runs.see(record, ts) else { return Ok(()) };
        self.note_event(table, &event)
    }

    #[cold]
    fn note_event(&self, table: &Table, event: &ClockEvent) -> rusqlite::Result<()> {
        let kind = match event.kind {
            EventKind::Reset => "reset",
            EventKind::Step => "step",
        };
        self.store
            .conn
            .prepare_cached(
                "INSERT OR IGNORE INTO clock_event (logger_table, kind, record_before, ts_before, record_after, ts_after, seen)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                table.id,
                kind,
                event.before.0,
                event.before.1.nanos(),
                event.after.0,
                event.after.1.nanos(),
                Timestamp::from_utc(chrono::Utc::now()).nanos()
            ])?;
        Ok(())
    }

    /// Notes that a row without a record number is earlier than the one before it, because the clock went back.
    #[cold]
    pub fn note_step_back(&self, table: &Table, (before, after): (Timestamp, Timestamp)) -> Result<()> {
        self.store
            .conn
            .prepare_cached(
                "INSERT OR IGNORE INTO clock_event (logger_table, kind, record_before, ts_before, record_after, ts_after, seen)
                 VALUES (?1, 'back', 0, ?2, 0, ?3, ?4)",
            )
            .and_then(|mut statement| {
                let seen = Timestamp::from_utc(chrono::Utc::now()).nanos();
                statement.execute(params![table.id, before.nanos(), after.nanos(), seen])
            })
            .map(drop)
            .map_err(|source| self.store.at(source))
    }

    /// Contents became rows under these tags, each with a key of its own: their record numbers are not missing.
    pub fn enter_records(&mut self, table: &mut Table, tags: &str, rows: &[(i64, Timestamp)]) -> Result<()> {
        if tags != "[]" {
            return Ok(());
        }
        self.begin()?;
        for (record, ts) in rows {
            let stamp = table.stamp_of(*ts);
            table.runs.enter(*record, stamp);
        }
        Ok(())
    }

    /// What is known of record numbers was changed in the database. Nothing of the table may wait to be written.
    pub fn read_records_again(&mut self, table: &mut Table) -> Result<()> {
        let runs = all_runs(&self.store.conn, table.id).map_err(|source| self.store.at(source))?;
        table.runs = RecordRuns::new(runs);
        Ok(())
    }

    /// Forgets each record number that no row without tags has, nor any content beside one: rows of a table with tag columns do not
    /// show by their numbers which are missing.
    pub fn keep_records_of_rows(&mut self, table: &mut Table) -> Result<()> {
        if table.runs.is_empty() {
            return Ok(());
        }
        self.begin()?;
        let Some(series) = self.series_if_known(table, "[]") else {
            table.runs.keep_only(std::iter::empty());
            return Ok(());
        };
        self.keep_records_of(table, series).map_err(|source| self.store.at(source))
    }

    fn keep_records_of(&self, table: &mut Table, series: i64) -> rusqlite::Result<()> {
        let samples = table.samples;
        let seen = |row: &rusqlite::Row<'_>| {
            let ts = key::time(row.get(1)?, row.get(2)?);
            Ok((row.get(0)?, samples.map_or(ts, |samples| samples.stamp_of(ts))))
        };
        let (first, last) = key::keys(series, key::TIMES.0, key::TIMES.1);
        let mut rows = self.store.conn.prepare_cached(
            "SELECT record, id, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 AND record IS NOT NULL
             UNION ALL SELECT record, ts / 1000, ts % 1000 FROM conflict WHERE series = ?3 AND record IS NOT NULL",
        )?;
        let rows = rows.query_map(params![first, last, series], seen)?;
        let mut failed = None;
        let rows = rows.map_while(|row| row.map_err(|error| failed = Some(error)).ok());
        let unknown = table.runs.keep_only(rows);
        unknown.into_iter().for_each(|(record, stamp)| table.runs.add_beside(record, stamp));
        failed.map_or(Ok(()), Err)
    }
}
