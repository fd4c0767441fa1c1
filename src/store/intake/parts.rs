//! Assembles rows that arrive in parts: a table with one value per line (I1, I3, I11).
//!
//! Each line has the value of one sensor. The row of that time gets the value, wherever the line is in the file and
//! whichever read finds it. A second, different value of the same sensor is a conflict, like any other content under a
//! known key. A decision about it changes this value and no other.

use rusqlite::params;

use crate::config::OnConflict;
use crate::format::{Parts, unite};
use crate::store::intake::provisional::LineState;
use crate::store::intake::staging::{Incoming, Outcome, Staging};
use crate::store::intake::tables::Table;
use crate::store::intake::taken_key::{Old, Stored};
use crate::store::schema::key;

impl Staging<'_> {
    /// The row of the part's time is there.
    pub(in crate::store) fn meet_part(
        &mut self,
        table: &mut Table,
        place: usize,
        row: &Incoming<'_>,
        on_conflict: OnConflict,
        stored: &Stored,
    ) -> rusqlite::Result<Outcome> {
        let derived = table.derived_places();
        let (list, is_other) = match unite(&stored.values, row.values, &derived) {
            Parts::Known => {
                self.is_finished(table, stored.id, row.line)?;
                return Ok(Outcome::Duplicate);
            }
            Parts::More(list) => (list, false),
            Parts::Other(list) => (list, true),
        };
        let ts = key::time(stored.id, stored.nanos);
        let (list, numbers) = table.derived_again(list, ts);
        let whole =
            Incoming { ts, record: stored.record, values: &list, numbers: &numbers, ts_text: row.ts_text, ..*row };
        // The verdict so far is that of the part alone.
        self.judge(table, place, &whole)?;
        if let Some(exchange) = self.exchange.take() {
            return self.exchange(table, place, &whole, stored, &exchange);
        }
        let is_finished = self.is_finished(table, stored.id, row.line)?;
        if !is_other || is_finished {
            self.replace(table, place, Old { ts, values: &stored.values }, &whole)?;
            if row.line.state != LineState::Whole {
                self.note_provisional(table, stored.id, row.line)?;
            }
            return Ok(if is_other { Outcome::Finished } else { Outcome::Staged });
        }
        if self.part_gave_way(table, place, row, &derived)? {
            return Ok(Outcome::Conflict);
        }
        match on_conflict {
            // The content is that of the line alone.
            OnConflict::Keep => self.met(table, place, row, on_conflict, stored),
            OnConflict::Replace => self.met(table, place, &whole, on_conflict, stored),
        }
    }

    /// Whether a row that gave way at this time had the values of the part: the file is read again.
    fn part_gave_way(
        &self,
        table: &mut Table,
        place: usize,
        row: &Incoming<'_>,
        derived: &[usize],
    ) -> rusqlite::Result<bool> {
        let series = table.series.at(place).id;
        let mut contents = self
            .store
            .conn
            .prepare_cached("SELECT raw FROM conflict WHERE series = ?1 AND ts = ?2 AND header IS NULL")?;
        let mut contents = contents.query(params![series, row.ts.nanos()])?;
        while let Some(content) = contents.next()? {
            let raw: String = content.get(0)?;
            if unite(&raw, row.values, derived) == Parts::Known {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
