//! Reads rows of another table at the times of this table's rows, for pairs across tables.

use std::collections::VecDeque;

use rusqlite::{Connection, OptionalExtension, params};

use crate::config::TableConfig;
use crate::format::{Value, values_of};
use crate::qc::{Across, GrossRange, Partner};
use crate::quantity::Stated;
use crate::store::intake::tables;
use crate::store::schema::key;
use crate::time::Timestamp;

/// Another table with whose values this table's values are compared.
#[derive(Debug, Clone)]
pub(in crate::store) struct PartnerTable {
    across: Across,
    series: Option<i64>,
    /// The positions of the columns in its column list, with the range test that excludes a value from the comparison.
    columns: [Option<(usize, GrossRange)>; 2],
}

/// The number of a partner's rows that one statement reads. It is small, so that a one-minute table beside a 10 Hz
/// table reads hardly more rows than it compares.
const PARTNER_STRIDE: usize = 256;

/// Rows of a partner, read on demand, because the partner may have a thousand times as many rows as this table.
pub(in crate::store) struct PartnerRows<'c> {
    conn: &'c Connection,
    partner: &'c PartnerTable,
    series: i64,
    /// The rows from the one before the requested time on.
    rows: VecDeque<(i64, Partner)>,
    /// The first and the last unread key; None at the end.
    unread: Option<(i64, i64)>,
    values: Vec<Value>,
}

impl PartnerRows<'_> {
    /// The values of the row nearest to `nanos`, or of the earlier one of two equally near; NAN if none is close
    /// enough. Later calls must not ask for an earlier time.
    pub(in crate::store) fn nearest(&mut self, nanos: i64) -> rusqlite::Result<Partner> {
        loop {
            while self.rows.get(1).is_some_and(|second| second.0 <= nanos) {
                self.rows.pop_front();
            }
            let is_reached = self.rows.back().is_some_and(|last| last.0 >= nanos);
            match self.unread.take_if(|_| !is_reached) {
                Some(unread) => self.read_on(nanos, unread)?,
                None => break,
            }
        }
        let within = self.partner.across.within;
        let nearest = self.rows.iter().take(2).min_by_key(|row| (row.0 - nanos).abs());
        Ok(nearest.filter(|row| (row.0 - nanos).abs() <= within).map_or([f64::NAN; 2], |row| row.1))
    }

    /// Reads the next rows. No later call asks for a time before `nanos`.
    fn read_on(&mut self, nanos: i64, (first, end): (i64, i64)) -> rusqlite::Result<()> {
        let reach = Timestamp::from_nanos(nanos.saturating_sub(self.partner.across.within));
        let low = key::keys(self.series, reach, reach).0.max(first);
        let mut statement = self
            .conn
            .prepare_cached("SELECT id, nanos, vals FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3")?;
        let mut rows = statement.query(params![low, end, tables::i64_of(PARTNER_STRIDE)])?;
        let mut count = 0;
        let mut last = low;
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            count += 1;
            values_of(row.get_ref(2)?.as_str()?, &mut self.values);
            let mut partner = [f64::NAN; 2];
            for (slot, column) in partner.iter_mut().zip(&self.partner.columns) {
                if let Some((place, tests)) = column {
                    *slot = tests.witness(self.values.get(*place).copied().unwrap_or(Value::Missing));
                }
            }
            self.rows.push_back((key::time(last, row.get(1)?).nanos(), partner));
        }
        self.unread = (count == PARTNER_STRIDE).then_some((last + 1, end));
        Ok(())
    }
}

impl PartnerTable {
    pub(in crate::store) fn new(
        conn: &Connection,
        config: &TableConfig,
        across: &Across,
    ) -> rusqlite::Result<PartnerTable> {
        let id = tables::table_id(conn, &config.name.0)?;
        let mut places = [None, None];
        let mut spec = config.spec(&[]);
        let mut series = None;
        if let Some(id) = id {
            let columns = tables::columns(conn, id)?;
            let stated: Vec<Stated<'_>> = columns.iter().map(|column| column.stated_in(config)).collect();
            for (column, kind) in stated.iter().zip(config.kinds(&stated)) {
                if let (Some(own), Some(own_config)) =
                    (spec.columns.get_mut(column.name), config.columns.get(column.name))
                {
                    own.range = own_config.range_in(column);
                    own.kind = kind;
                }
            }
            let tests = |name: &String| GrossRange::of(&spec, name);
            for (place, name) in places.iter_mut().zip(&across.columns) {
                *place = name
                    .as_ref()
                    .and_then(|name| Some((columns.iter().position(|column| column.name == *name)?, tests(name))));
            }
            series = conn
                .query_row("SELECT id FROM series WHERE logger_table = ?1 AND tags = '[]'", [id], |row| row.get(0))
                .optional()?;
        }
        Ok(PartnerTable { across: across.clone(), series, columns: places })
    }

    /// None if the table has no rows yet.
    pub(in crate::store) fn rows<'c>(
        &'c self,
        conn: &'c Connection,
        from: Timestamp,
        to: Timestamp,
    ) -> Option<PartnerRows<'c>> {
        let series = self.series?;
        let reach = |ts: Timestamp, nanos: i64| ts.plus(nanos);
        let (low, high) = key::keys(series, reach(from, -self.across.within), reach(to, self.across.within));
        Some(PartnerRows {
            conn,
            partner: self,
            series,
            rows: VecDeque::new(),
            unread: Some((low, high)),
            values: Vec::new(),
        })
    }
}
