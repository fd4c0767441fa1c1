//! Judges rows as they are staged.
//!
//! A row that is newer than every row of its series passes through the tests at once. Its own flags are then final
//! except for the spike test, and the flags of the row before it become final. Every other row, and every row of a
//! table that is compared with another table, is judged at the end of the transaction
//! ([`crate::store::judge::flagging`]).

use rusqlite::OptionalExtension as _;

use crate::config::TableConfig;
use crate::store::intake::lost::{Content, SentFields};
use crate::store::intake::staging::{Incoming, Staging};
use crate::store::intake::tables::Table;
use crate::store::judge::flagging::{Again, Judge, SeriesPart, update};
use crate::store::outbox::stale::{self, Change};
use crate::store::schema::key;
use crate::store::{Result, State};
use crate::time::Timestamp;

impl Staging<'_> {
    /// Compiles the table's tests for its column list. To be called when columns were added.
    pub fn use_columns(&mut self, table: &mut Table, config: &TableConfig) -> Result<()> {
        // Rows that were staged under the old list are judged before the new list applies.
        if table.judge.is_some() {
            self.flush(table)?;
        }
        let judge = Judge::new(&self.store.conn, self.config, config, table).map_err(|source| self.store.at(source))?;
        table.judge = Some(judge);
        for series in table.series.iter_mut() {
            series.state = None;
        }
        Ok(())
    }

    /// To be called for a new header: the tests are compiled again only if it added columns.
    pub fn use_header(&mut self, table: &mut Table, config: &TableConfig) -> Result<()> {
        match table.judge.take() {
            Some(mut judge) if judge.fits(table) => {
                let taken = judge.compare_headers(&self.store.conn, self.config, config, table);
                table.judge = Some(judge);
                taken.map_err(|source| self.store.at(source))
            }
            judge => {
                table.judge = judge;
                self.use_columns(table, config)
            }
        }
    }

    /// Writes the row's flags to `self.verdict`. Returns whether the row must be judged again from the store.
    #[inline]
    pub(in crate::store) fn judge(
        &mut self,
        table: &mut Table,
        place: usize,
        row: &Incoming<'_>,
    ) -> rusqlite::Result<bool> {
        let Some(judge) = &table.judge else { return Ok(false) };
        let tests = judge.tests_under(row.stated_by);
        if tests.is_pointwise() {
            tests.flag_row(row.numbers, &mut self.verdict.flags, &mut self.verdict.raised);
            return Ok(false);
        }
        let series = table.series.at(place);
        let is_newest = series.newest.is_none_or(|newest| key::key(0, newest) < key::key(0, row.ts));
        if !is_newest || !series.due.is_empty() || judge.looks_across() {
            tests.flag_row(row.numbers, &mut self.verdict.flags, &mut self.verdict.raised);
            return Ok(true);
        }
        let conn = &self.store.conn;
        if series.state.is_none() {
            series.state = Some(match series.newest {
                Some(newest) => judge.seeded(conn, series.id, newest)?,
                None => crate::qc::Series::new(&judge.tests),
            });
        }
        let Some(state) = &mut series.state else { return Ok(true) };
        let before = state.last_time();
        if state.push(tests, row.ts, row.numbers, &[])
            && let Some(before) = before
        {
            let verdict = state.before();
            series.changed.add(before);
            rewrite(conn, &judge.sent, RowAt { table: table.id, series: series.id, ts: before }, verdict)?;
        }
        self.verdict.clone_from(state.current());
        Ok(false)
    }

    /// To be called before a commit: judges the newest row of each series as the newest, and the noted intervals from
    /// the store, in this table and in the tables that are compared with it.
    pub(in crate::store) fn judge_what_is_due(&mut self, table: &mut Table) -> rusqlite::Result<()> {
        let Some(judge) = &table.judge else { return Ok(()) };
        let conn = &self.store.conn;
        if !judge.tests.is_pointwise() {
            for series in table.series.iter_mut() {
                if let Some(state) = &mut series.state
                    && state.close()
                    && let Some(last) = state.last_time()
                {
                    series.changed.add(last);
                    let at = RowAt { table: table.id, series: series.id, ts: last };
                    rewrite(conn, &judge.sent, at, state.current())?;
                }
                for interval in series.due.take() {
                    let part = SeriesPart { table: table.id, series: series.id, from: interval.0, to: interval.1 };
                    judge.judge(conn, part, Again::default())?;
                    series.state = None;
                }
            }
        }
        let touched: Vec<_> = table.series.iter_mut().flat_map(|series| series.touched.take()).collect();
        if !touched.is_empty() {
            self.store.judge_others(self.config, &table.name, &touched)?;
        }
        Ok(())
    }
}

/// The row to be judged again.
#[derive(Clone, Copy)]
struct RowAt {
    table: i64,
    series: i64,
    ts: Timestamp,
}

/// The stored state with which a new verdict of a row is compared.
struct Judged {
    flags: String,
    state: State,
    values: String,
}

/// Writes a new verdict for the row that was the newest until now; it was staged in this transaction or sent long ago.
fn rewrite(
    conn: &rusqlite::Connection,
    sent: &SentFields,
    RowAt { table, series, ts }: RowAt,
    verdict: &crate::qc::Verdict,
) -> rusqlite::Result<()> {
    let id = key::key(series, ts);
    let found: Option<Judged> = conn
        .prepare_cached("SELECT flags, state, vals FROM reading WHERE id = ?1")?
        .query_row([id], |row| {
            Ok(Judged { flags: row.get(0)?, state: State::from_code(row.get(1)?), values: row.get(2)? })
        })
        .optional()?;
    // A concurrent prune may have deleted the row.
    let Some(Judged { flags, state, values }) = found else { return Ok(()) };
    let is_resent = flags != verdict.flags;
    if is_resent {
        let content = |flags| Content { values: &values, flags };
        let change = Change { id, ts, before: content(&flags), after: content(&verdict.flags) };
        stale::mark(conn, stale::offered(conn, series)?, sent, &change)?;
    }
    update(conn, id, verdict, None, is_resent)?;
    if is_resent && state == State::Sent {
        crate::store::outbox::receipts::move_tally(conn, table, State::Sent, State::Pending, 1)?;
        crate::store::outbox::backlog::add(conn, series, ts, ts, None)?;
    }
    Ok(())
}
