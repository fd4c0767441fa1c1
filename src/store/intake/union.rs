//! Combines rows of one key whose headers have different columns (I3, I8, I11): a logger's program was changed, or each
//! of two files of one table has some of the columns.
//!
//! A row gets its missing columns from any line of its key that agrees with it in all columns that both have. If they
//! do not agree, the winner still gets the columns that only the other one has: a header without a column says nothing
//! about that column.
//!
//! The columns of a row follow from the length of its array and from its header. The header is stored with the row if
//! it lacks a column of the list ([`Table::header_to_keep`]). Rows that earlier versions stored with fewer columns in
//! the middle of the list are an exception: they are treated as having those columns, without a value.

use crate::format::{Cells, Header, Likeness};
use crate::quantity::Stated;
use crate::store::intake::headers;
use crate::store::intake::retag::OldRow;
use crate::store::intake::staging::{Incoming, Outcome, Staging};
use crate::store::intake::tables::{Column, Table};
use crate::store::intake::taken_key::{Old, Stored};
use crate::store::schema::key;
use crate::time::Timestamp;

/// One of two rows of a key.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Side<'a> {
    record: Option<i64>,
    pub(in crate::store) cells: Cells<'a>,
    /// The header that says what it has.
    header: Option<i64>,
}

impl Side<'_> {
    /// What a row that comes is to this one, which is stored.
    pub(in crate::store) fn compare(&self, row: Side<'_>, derived: &[usize]) -> Likeness {
        match (self.record, row.record) {
            (Some(stored), Some(record)) if stored != record => Likeness::Other,
            (None, Some(_)) => match self.cells.compare(row.cells, derived) {
                Likeness::Other => Likeness::Other,
                Likeness::Same | Likeness::More => Likeness::More,
            },
            _ => self.cells.compare(row.cells, derived),
        }
    }

    /// Whether it is the beginning of the other one, which is whole.
    pub(in crate::store) fn is_beginning_of(&self, whole: Side<'_>, derived: &[usize]) -> bool {
        let is_record = self.record.is_none() || whole.record.is_none() || self.record == whole.record;
        is_record && self.cells.is_beginning_of(whole.cells, derived)
    }

    /// Whether it has every column that the other one has.
    pub(in crate::store) fn covers(&self, other: Side<'_>) -> bool {
        (self.record.is_some() || other.record.is_none()) && self.cells.covers(other.cells)
    }
}

impl Stored {
    pub(in crate::store) fn side(&self) -> Side<'_> {
        Side { record: self.record, cells: Cells { json: &self.values, lacks: &self.lacks }, header: self.header }
    }
}

impl OldRow {
    fn side<'a>(&'a self, table: &'a Table) -> Side<'a> {
        let cells = Cells { json: &self.values, lacks: table.lacks(self.header) };
        Side { record: self.record, cells, header: self.header }
    }

    /// Whether a row that gets its time says the same, perhaps with more columns: it is no conflict then.
    pub fn is_met_alike(&self, row: &OldRow, table: &Table) -> bool {
        self.side(table).compare(row.side(table), &table.derived_places()).is_alike()
    }
}

impl Table {
    /// The columns that a line or a content has: those of its header.
    pub(in crate::store) fn side_of<'a>(&'a self, row: &Incoming<'a>) -> Side<'a> {
        let cells = Cells { json: row.values, lacks: self.lacks(row.stated_by) };
        Side { record: row.record, cells, header: row.stated_by }
    }

    /// Positions of the column list that the header of a row does not have.
    pub fn lacks(&self, header: Option<i64>) -> &[usize] {
        self.judge.as_ref().map_or(&[], |judge| judge.lacks(header))
    }
}

/// Which of the two gives the columns that both have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wins {
    Stored,
    Row,
}

impl Staging<'_> {
    /// The stored row gets the columns of the line that it lacks.
    pub(in crate::store) fn extend(
        &mut self,
        table: &mut Table,
        place: usize,
        row: &Incoming<'_>,
        stored: &Stored,
    ) -> rusqlite::Result<Outcome> {
        let extended = Incoming { ts_text: stored.ts_text.as_deref(), ..*row };
        self.write_union(table, place, &extended, (stored, Wins::Stored))?;
        Ok(Outcome::Extended { record: stored.record.is_none() && row.record.is_some() })
    }

    /// The line takes the place of the stored row, and keeps of it what its own header does not have.
    pub(in crate::store) fn take_over(
        &mut self,
        table: &mut Table,
        place: usize,
        row: &Incoming<'_>,
        stored: &Stored,
    ) -> rusqlite::Result<()> {
        self.write_union(table, place, row, (stored, Wins::Row))
    }

    /// Whether what the row says was kept beside the stored row when that took its place. A content that lost to a row and got its
    /// columns is more than the line that it came from.
    pub(in crate::store) fn gave_way(
        &self,
        table: &Table,
        series: i64,
        row: &Incoming<'_>,
        derived: &[usize],
    ) -> rusqlite::Result<bool> {
        let mut contents = self.store.conn.prepare_cached(
            "SELECT record, raw, stated_by FROM conflict WHERE series = ?1 AND ts = ?2 AND header IS NULL",
        )?;
        let mut contents = contents.query([series, row.ts.nanos()])?;
        while let Some(content) = contents.next()? {
            let (raw, header): (String, Option<i64>) = (content.get(1)?, content.get(2)?);
            let cells = Cells { json: &raw, lacks: table.lacks(header) };
            let kept = Side { record: content.get(0)?, cells, header };
            if kept.compare(table.side_of(row), derived) == Likeness::Same {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn write_union(
        &mut self,
        table: &mut Table,
        place: usize,
        row: &Incoming<'_>,
        (stored, wins): (&Stored, Wins),
    ) -> rusqlite::Result<()> {
        let (row_side, stored_side) = (table.side_of(row), stored.side());
        let (winner, other) = match wins {
            Wins::Row => (row_side, stored_side),
            Wins::Stored => (stored_side, row_side),
        };
        let old = Old { ts: key::time(stored.id, stored.nanos), values: &stored.values };
        if wins == Wins::Row && winner.covers(other) {
            return self.replace(table, place, old, row);
        }
        let record = winner.record.or(other.record);
        let (values, lacks) = winner.cells.united(other.cells);
        let header = match self.header_of(table, winner, other, &lacks)? {
            OfUnion::Known(header) => header,
            OfUnion::New(header) => Some(self.learn_union(table, &header)?),
        };
        let (values, numbers) = table.derived_again(values, row.ts);
        let union = Incoming { record, values: &values, numbers: &numbers, stated_by: header, ..*row };
        self.judge(table, place, &union)?;
        self.replace(table, place, old, &union)
    }

    /// The header that says what the union has.
    fn header_of(
        &self,
        table: &Table,
        winner: Side<'_>,
        other: Side<'_>,
        lacks: &[usize],
    ) -> rusqlite::Result<OfUnion> {
        let states = |side: Side<'_>| table.judge.as_ref().is_some_and(|judge| judge.states_otherwise(side.header));
        let state = states(winner) || states(other);
        if lacks.is_empty() && !state {
            return Ok(OfUnion::Known(None));
        }
        if winner.cells.covers(other.cells) {
            return Ok(OfUnion::Known(winner.header));
        }
        if !state && other.cells.covers(winner.cells) {
            return Ok(OfUnion::Known(other.header));
        }
        let mut headers = Vec::new();
        for side in [winner, other] {
            let header = side.header.map(|id| headers::header(&self.store.conn, id)).transpose()?.flatten();
            headers.push((side, header));
        }
        let computed = table.derived_places();
        let places =
            (0..table.columns.len()).filter(|place| lacks.binary_search(place).is_err() && !computed.contains(place));
        let columns: Vec<(&Column, Stated<'_>)> = places
            .filter_map(|place| {
                let column = &table.columns[place];
                let (_, header) = headers.iter().find(|(side, _)| side.cells.has_within(place))?;
                let own = header.as_ref().and_then(|header| header.stated(&column.name));
                Some((column, own.unwrap_or(column.stated())))
            })
            .collect();
        let name = table.header_table.as_ref().unwrap_or(&table.name.0);
        let names: Vec<String> = columns.iter().map(|(column, _)| column.name.clone()).collect();
        Ok(OfUnion::New(Header {
            units: columns.iter().map(|(_, stated)| stated.unit.to_owned()).collect(),
            process: columns.iter().map(|(_, stated)| stated.process.to_owned()).collect(),
            ..Header::from_names(name, &names)
        }))
    }

    fn learn_union(&self, table: &mut Table, header: &Header) -> rusqlite::Result<i64> {
        let conn = &self.store.conn;
        let id = self.store.header_version(table, header, Timestamp::from_utc(chrono::Utc::now()))?;
        let Some(mut judge) = table.judge.take() else { return Ok(id) };
        let config = self.config.table(&table.name.0).filter(|_| !judge.has_compared(id));
        let compared = config.map_or(Ok(()), |config| judge.compare_headers(conn, self.config, config, table));
        table.judge = Some(judge);
        compared.map(|()| id)
    }
}

/// The header of a union.
enum OfUnion {
    /// One that the store has; none says what the column list says.
    Known(Option<i64>),
    New(Header),
}
