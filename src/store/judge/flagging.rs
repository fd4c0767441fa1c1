//! Judges rows of the store again after a late row, a changed neighbour or a changed limit.
//!
//! [`Staging`] judges rows as they are staged, which is the usual case and reads nothing. A row that it cannot judge
//! then (a row before the newest one, a replaced row, a pair across tables) is noted as an interval and judged from the
//! store in the same transaction, so that no reader sees a row with outdated flags.
//!
//! [`Staging`]: crate::store::Staging

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use crate::config::{Config, TableConfig, TableName};
use crate::format::{Value, values_of};
use crate::qc::{self, Finding, ManualFlag, Partner, TableTests, Test};
use crate::quantity::Stated;
use crate::store::intake::changed::Touched;
use crate::store::intake::headers;
use crate::store::intake::lost::{Content, SentFields};
use crate::store::intake::tables::{self, Column, Table};
use crate::store::judge::despiking::Spikes;
use crate::store::judge::partners::PartnerTable;
use crate::store::outbox::stale::{self, Change};
use crate::store::outbox::{backlog, receipts};
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::{Timestamp, nanos};

/// The number of rows that one statement reads.
const STRIDE: usize = 2_000;

/// The tests of a table and what they need to run on stored rows.
#[derive(Debug, Clone)]
pub(in crate::store) struct Judge {
    /// The tests by the column list, for rows whose header is not known.
    pub(in crate::store) tests: Arc<TableTests>,
    /// The tests by header id, for headers that differ from the column list; they differ only in kinds, ranges and
    /// units of light.
    by_header: HashMap<i64, Arc<TableTests>>,
    /// Headers that differ from the column list, by their id.
    otherwise: HashMap<i64, HeaderDifference>,
    /// The id of the newest header that was compared, and the column list that it was compared with.
    compared: (i64, Vec<Column>),
    partners: Vec<PartnerTable>,
    /// The derived columns, which are computed again if the configuration changed.
    derived: Vec<crate::format::Derived>,
    /// Those derived columns whose values depend on the row's time.
    of_time: Vec<crate::format::Derived>,
    /// Whether rows of other tables are compared with rows of this one.
    is_compared: bool,
    /// The columns that are sent.
    pub(in crate::store) sent: SentFields,
}

/// How a header differs from the column list.
#[derive(Debug, Clone, Default)]
struct HeaderDifference {
    /// Whether it states another unit or process for a column, even if no test depends on it.
    states: bool,
    /// The positions of columns that it does not have, except derived ones.
    lacks: Vec<usize>,
}

/// The result of judging rows again.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::store) struct Judged {
    pub(in crate::store) changed: u64,
    /// The first and the last row with changed derived values. Rows of other tables may be compared with them.
    pub(in crate::store) derived: Option<(Timestamp, Timestamp)>,
}

impl Judge {
    /// Builds the tests for the table with its present columns.
    pub(in crate::store) fn new(
        conn: &Connection,
        config: &Config,
        table: &TableConfig,
        known: &Table,
    ) -> rusqlite::Result<Judge> {
        let names = known.column_names();
        let manual = manual_flags(conn, known.id, &names)?;
        let stated: Vec<Stated<'_>> = known.columns.iter().map(|column| column.stated_in(table)).collect();
        let spec = config.spec_of(table, &stated);
        let tests = TableTests::new(&spec, &names, manual);
        let partners = tests
            .across()
            .filter_map(|across| Some((config.table(&across.table.0)?, across)))
            .map(|(other, across)| PartnerTable::new(conn, other, across))
            .collect::<rusqlite::Result<_>>()?;
        // A column of the file with that name is measured, and is never computed (I8).
        let computed = known.derived_places();
        let mut derived = crate::format::Derived::of(table, &names);
        derived.retain(|column| computed.contains(&column.place));
        let of_time = derived.iter().filter(|column| column.needs_time()).cloned().collect();
        let is_compared = compared_with(config, &table.name).next().is_some();
        let sent = SentFields::of(table, names.iter().map(String::as_str));
        let (by_header, otherwise, compared) = (HashMap::new(), HashMap::new(), (0, known.columns.clone()));
        let mut judge = Judge { tests, by_header, otherwise, compared, partners, derived, of_time, is_compared, sent };
        judge.compare_headers(conn, config, table, known)?;
        Ok(judge)
    }

    /// Whether it was built for the table's present columns.
    pub(in crate::store) fn fits(&self, known: &Table) -> bool {
        self.compared.1 == known.columns
    }

    /// Compares the headers that the table got since the last call. Each is read only once, however many follow.
    pub(in crate::store) fn compare_headers(
        &mut self,
        conn: &Connection,
        config: &Config,
        table: &TableConfig,
        known: &Table,
    ) -> rusqlite::Result<()> {
        let new = headers::headers(conn, known.id, self.compared.0)?;
        let Some(newest) = new.iter().map(|(id, _)| *id).max() else { return Ok(()) };
        self.compared.0 = newest;
        let stated: Vec<Stated<'_>> = known.columns.iter().map(|column| column.stated_in(table)).collect();
        let spec = config.spec_of(table, &stated);
        let computed = known.derived_places();
        for (id, header) in &new {
            let mut lacks = Vec::new();
            let mut own: Vec<Stated<'_>> = Vec::with_capacity(stated.len());
            for (place, column) in stated.iter().enumerate() {
                let of_header = header.stated(column.name);
                if of_header.is_none() && !computed.contains(&place) {
                    lacks.push(place);
                }
                own.push(of_header.unwrap_or(*column));
            }
            let states = own != stated;
            if states || !lacks.is_empty() {
                self.otherwise.insert(*id, HeaderDifference { states, lacks });
            }
            if !states {
                continue;
            }
            let own = config.spec_of(table, &own);
            if !own.judges_as(&spec) {
                let names = known.column_names();
                let manual = manual_flags(conn, known.id, &names)?;
                self.by_header.insert(*id, TableTests::new(&own, &names, manual));
            }
        }
        Ok(())
    }

    /// The derived columns whose values depend on the row's time.
    pub(in crate::store) fn derived_of_time(&self) -> &[crate::format::Derived] {
        &self.of_time
    }

    /// The tests for a row with this header.
    #[inline]
    pub(in crate::store) fn tests_under(&self, header: Option<i64>) -> &Arc<TableTests> {
        if self.by_header.is_empty() {
            return &self.tests;
        }
        header.and_then(|header| self.by_header.get(&header)).unwrap_or(&self.tests)
    }

    /// Whether a row must be stored with this header's id because the header differs from the column list.
    #[inline]
    pub(in crate::store) fn says_otherwise(&self, header: i64) -> bool {
        !self.otherwise.is_empty() && self.otherwise.contains_key(&header)
    }

    /// Whether a row's header states another unit or process for a column than the column list does.
    pub(in crate::store) fn states_otherwise(&self, header: Option<i64>) -> bool {
        header.and_then(|header| self.otherwise.get(&header)).is_some_and(|otherwise| otherwise.states)
    }

    /// The positions in the column list that the header of a stored row does not have. A header of None has all columns
    /// for which the row has values.
    #[inline]
    pub(in crate::store) fn lacks(&self, header: Option<i64>) -> &[usize] {
        header.and_then(|header| self.otherwise.get(&header)).map_or(&[], |otherwise| &otherwise.lacks)
    }

    /// Whether the header was compared with the column list.
    pub(in crate::store) fn has_compared(&self, header: i64) -> bool {
        header <= self.compared.0
    }

    /// The derived columns.
    pub(in crate::store) fn derived(&self) -> &[crate::format::Derived] {
        &self.derived
    }

    pub(in crate::store) fn looks_across(&self) -> bool {
        !self.partners.is_empty()
    }

    pub(in crate::store) fn is_compared(&self) -> bool {
        self.is_compared
    }

    /// The tests of a series, in their state after its newest row.
    pub(in crate::store) fn seeded(
        &self,
        conn: &Connection,
        series: i64,
        newest: Timestamp,
    ) -> rusqlite::Result<qc::Series> {
        let mut state = qc::Series::new(&self.tests);
        let from = self.begin(conn, series, newest)?;
        let mut values = Vec::new();
        read(conn, series, (from, newest), |row| {
            values_of(&row.values, &mut values);
            state.push_despiked(self.tests_under(row.header), row.ts, &values, &[], row.spikes(None));
            Ok(())
        })?;
        state.close();
        Ok(state)
    }

    /// The time of the first row that a flag at `at` can depend on: the row before the window.
    fn begin(&self, conn: &Connection, series: i64, at: Timestamp) -> rusqlite::Result<Timestamp> {
        let edge = at.minus(self.tests.look_back());
        Ok(neighbour(conn, series, edge, true)?.unwrap_or(edge))
    }

    /// Judges again every row whose flags can depend on rows of the interval, and writes the changed verdicts.
    pub(in crate::store) fn judge(
        &self,
        conn: &Connection,
        part: SeriesPart,
        again: Again<'_>,
    ) -> rusqlite::Result<Judged> {
        let SeriesPart { table, series, from, to } = part;
        // The row before has a new next row, and the rows after have a new history.
        let first = neighbour(conn, series, from, true)?.unwrap_or(from);
        let after = neighbour(conn, series, to, false)?;
        let last = to.plus(self.tests.look_back()).max(after.unwrap_or(to));
        let end = neighbour(conn, series, last, false)?.unwrap_or(last);
        let begin = self.begin(conn, series, first)?;
        let mut partners = self.partners.iter().map(|partner| partner.rows(conn, first, last)).collect::<Vec<_>>();
        let mut state = qc::Series::new(&self.tests);
        let offered = stale::offered(conn, series)?;
        let sent = &self.sent;
        let mut writer = Writer { conn, table, series, offered, sent, changed: Vec::new(), judged: Judged::default() };
        let mut values = Vec::new();
        let mut there: Vec<Partner> = Vec::new();
        let mut before: Option<StoredRow> = None;
        let is_wanted = |row: &StoredRow| first <= row.ts && row.ts <= last;
        read(conn, series, (begin, end), |mut row| {
            let is_inside = (from..=to).contains(&row.ts);
            if again.derive && is_inside {
                row.derive(&self.derived, &mut values);
            } else {
                values_of(&row.values, &mut values);
            }
            there.clear();
            for partner in &mut partners {
                there.push(match partner {
                    Some(partner) => partner.nearest(row.ts.nanos())?,
                    None => [f64::NAN; 2],
                });
            }
            let spikes = row.spikes(again.spikes.filter(|_| is_inside));
            state.push_despiked(self.tests_under(row.header), row.ts, &values, &there, spikes);
            if let Some(before) = before.replace(row).filter(|before| is_wanted(before)) {
                writer.compare(before, state.before())?;
            }
            Ok(())
        })?;
        if let Some(row) = before.filter(|row| is_wanted(row)) {
            state.close();
            writer.compare(row, state.current())?;
        }
        writer.write()?;
        Ok(writer.judged)
    }
}

/// An interval of a series, whose rows are judged.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct SeriesPart {
    pub(in crate::store) table: i64,
    pub(in crate::store) series: i64,
    pub(in crate::store) from: Timestamp,
    /// Inclusive.
    pub(in crate::store) to: Timestamp,
}

/// What is done in addition to judging the rows of an interval.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::store) struct Again<'a> {
    /// Derived values are computed again.
    pub(in crate::store) derive: bool,
    /// The result of despiking the rows.
    pub(in crate::store) spikes: Option<Spikes<'a>>,
}

/// A stored row.
pub(in crate::store) struct StoredRow {
    pub(in crate::store) id: i64,
    pub(in crate::store) ts: Timestamp,
    pub(in crate::store) values: String,
    pub(in crate::store) flags: String,
    pub(in crate::store) raised: Option<String>,
    state: i64,
    header: Option<i64>,
    /// The stored values, if derived values were computed again and differ.
    stored_values: Option<String>,
}

impl StoredRow {
    /// Computes the derived columns again, and keeps the stored values if they differ.
    fn derive(&mut self, derived: &[crate::format::Derived], values: &mut Vec<Value>) {
        let again = crate::format::derive_again(&self.values, derived, self.ts, values);
        if let Some(again) = again {
            self.stored_values = Some(std::mem::replace(&mut self.values, again));
        }
    }

    /// The row's spikes: the stored ones, replaced for despiked columns by those of a new judgement.
    fn spikes(&self, new: Option<Spikes<'_>>) -> Vec<Finding> {
        let has_spikes = self.raised.as_deref().filter(|raised| raised.contains(Test::Despike.name()));
        let mut kept = has_spikes.map_or_else(Vec::new, qc::findings);
        kept.retain(|finding| {
            finding.test == Test::Despike && new.is_none_or(|new| !new.places.contains(&finding.place))
        });
        kept.extend(new.and_then(|new| new.found.get(&self.id)).into_iter().flatten().cloned());
        kept
    }

    fn has_new_values(&self) -> bool {
        self.stored_values.is_some()
    }

    fn before(&self) -> Content<'_> {
        Content { values: self.stored_values.as_ref().unwrap_or(&self.values), flags: &self.flags }
    }
}

/// Writes rows whose verdict changed.
struct Writer<'c> {
    conn: &'c Connection,
    table: i64,
    series: i64,
    /// The newest time that was offered to a destination: rows after it are in no bucket.
    offered: Option<Timestamp>,
    sent: &'c SentFields,
    changed: Vec<(StoredRow, qc::Verdict)>,
    judged: Judged,
}

impl Writer<'_> {
    fn compare(&mut self, row: StoredRow, verdict: &qc::Verdict) -> rusqlite::Result<()> {
        let is_same = row.flags == verdict.flags && row.raised.as_deref().unwrap_or_default() == verdict.raised;
        if is_same && !row.has_new_values() {
            return Ok(());
        }
        self.changed.push((row, verdict.clone()));
        if self.changed.len() >= STRIDE { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> rusqlite::Result<()> {
        let mut was_sent = 0;
        let mut touched = Touched::default();
        let mut span: Option<(Timestamp, Timestamp)> = None;
        for (row, verdict) in self.changed.drain(..) {
            // Only a change of sent content counts: a changed text of a finding is no reason to send the row again.
            let is_resent = row.flags != verdict.flags || row.has_new_values();
            let values = row.has_new_values().then_some(row.values.as_str());
            if is_resent {
                let after = Content { values: &row.values, flags: &verdict.flags };
                let change = Change { id: row.id, ts: row.ts, before: row.before(), after };
                stale::mark(self.conn, self.offered, self.sent, &change)?;
            }
            update(self.conn, row.id, &verdict, values, is_resent)?;
            self.judged.changed += 1;
            touched.add(row.ts);
            if row.has_new_values() {
                let known = self.judged.derived;
                self.judged.derived =
                    Some(known.map_or((row.ts, row.ts), |(from, to)| (from.min(row.ts), to.max(row.ts))));
            }
            if is_resent && row.state == receipts::State::Sent.code() {
                was_sent += 1;
                span = Some(span.map_or((row.ts, row.ts), |(from, to)| (from.min(row.ts), to.max(row.ts))));
            }
        }
        touched.mark(self.conn, self.series)?;
        if let Some((from, to)) = span {
            receipts::move_tally(self.conn, self.table, receipts::State::Sent, receipts::State::Pending, was_sent)?;
            backlog::add(self.conn, self.series, from, to, None)?;
        }
        Ok(())
    }
}

pub(in crate::store) fn verdict_columns(verdict: &qc::Verdict) -> (&str, Option<&str>) {
    (&verdict.flags, Some(verdict.raised.as_str()).filter(|raised| !raised.is_empty()))
}

/// Writes a verdict. If sent content changed, a sent row becomes pending again under a new version, so that a request
/// in flight cannot mark it as sent. Rejected and expired rows keep their state.
pub(in crate::store) fn update(
    conn: &Connection,
    id: i64,
    verdict: &qc::Verdict,
    values: Option<&str>,
    is_resent: bool,
) -> rusqlite::Result<()> {
    let (flags, raised) = verdict_columns(verdict);
    conn.prepare_cached(
        "UPDATE reading SET flags = ?2, raised = ?3, vals = coalesce(?4, vals), version = version + ?5,
         state = CASE WHEN ?5 AND state = 1 THEN 0 ELSE state END WHERE id = ?1",
    )?
    .execute(params![id, flags, raised, values, is_resent])
    .map(drop)
}

/// The time of the nearest row of the series before or after an instant; a row at the instant is not considered.
pub(in crate::store) fn neighbour(
    conn: &Connection,
    series: i64,
    ts: Timestamp,
    is_before: bool,
) -> rusqlite::Result<Option<Timestamp>> {
    let (low, high) = key::keys(series, key::TIMES.0, key::TIMES.1);
    let id = key::keys(series, ts, ts).0;
    let time = |row: &rusqlite::Row<'_>| Ok(key::time(row.get(0)?, row.get(1)?));
    if is_before {
        let sql = "SELECT id, nanos FROM reading WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1";
        conn.prepare_cached(sql)?.query_row([low, id], time).optional()
    } else {
        let sql = "SELECT id, nanos FROM reading WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT 1";
        conn.prepare_cached(sql)?.query_row([id, high], time).optional()
    }
}

/// Passes every row of the closed interval to `take`, in the order of time. Each statement reads a limited number of
/// rows, so that rows may be written between statements.
pub(in crate::store) fn read(
    conn: &Connection,
    series: i64,
    (from, to): (Timestamp, Timestamp),
    mut take: impl FnMut(StoredRow) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let (mut low, high) = key::keys(series, from, to);
    let mut statement = conn.prepare_cached(
        "SELECT id, nanos, vals, flags, raised, state, header FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3",
    )?;
    loop {
        let mut stride = Vec::with_capacity(STRIDE.min(64));
        let mut rows = statement.query(params![low, high, tables::i64_of(STRIDE)])?;
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            stride.push(StoredRow {
                id,
                ts: key::time(id, row.get(1)?),
                values: row.get(2)?,
                flags: row.get(3)?,
                raised: row.get(4)?,
                state: row.get(5)?,
                header: row.get(6)?,
                stored_values: None,
            });
        }
        drop(rows);
        let count = stride.len();
        for row in stride {
            low = row.id + 1;
            take(row)?;
        }
        if count < STRIDE || low > high {
            return Ok(());
        }
    }
}

/// The active flags by hand.
fn manual_flags(conn: &Connection, table: i64, names: &[String]) -> rusqlite::Result<Vec<ManualFlag>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, column_name, from_ts, to_ts, flag, reason FROM manual_flag
         WHERE logger_table = ?1 AND revoked IS NULL ORDER BY id",
    )?;
    let mut flags = Vec::new();
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(1)?;
        let digit: u8 = row.get(4)?;
        let Some(place) = names.iter().position(|known| *known == name) else { continue };
        let Some(flag) = qc::Flag::from_digit(digit.wrapping_add(b'0')) else { continue };
        flags.push(ManualFlag {
            id: row.get(0)?,
            place,
            span: (Timestamp::from_nanos(row.get(2)?), Timestamp::from_nanos(row.get(3)?)),
            flag,
            reason: row.get(5)?,
        });
    }
    Ok(flags)
}

impl Store {
    /// Judges the rows of a table from `from` to `to` again by the present configuration. With `derive`, derived
    /// columns are computed again. Rows whose flags change become pending again. It works in short transactions, so
    /// that a concurrent sync can write. The caller holds the ingest lock. Returns the number of changed rows,
    /// including those of other tables that are compared with changed derived values.
    pub fn judge_again(
        &self,
        config: &Config,
        table: &TableConfig,
        (from, to): (Timestamp, Timestamp),
        derive: bool,
    ) -> Result<u64> {
        let mut known = self.table(table)?;
        let judge = {
            self.learn_derived(&mut known, table)?;
            Judge::new(&self.conn, config, table, &known).map_err(|source| self.at(source))?
        };
        let mut changed = 0;
        for series in known.series.iter_mut() {
            let mut at = from;
            while let Some(begin) = neighbour_or_at(&self.conn, series.id, at).map_err(|source| self.at(source))? {
                if begin > to {
                    break;
                }
                let end = self.stride_end(series.id, begin)?.min(to);
                let work = || -> rusqlite::Result<u64> {
                    self.conn.execute_batch("BEGIN IMMEDIATE")?;
                    let part = SeriesPart { table: known.id, series: series.id, from: begin, to: end };
                    let judged = judge.judge(&self.conn, part, Again { derive, spikes: None });
                    let changed = judged.and_then(|judged| match judged.derived {
                        Some(span) => Ok(judged.changed + self.judge_others(config, &table.name, &[span])?),
                        None => Ok(judged.changed),
                    });
                    self.conn.execute_batch(if changed.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
                    changed
                };
                changed += work().map_err(|source| self.at(source))?;
                at = end.next_key();
            }
        }
        Ok(changed)
    }

    /// Judges again the rows of other tables that are compared with rows of this table in these intervals.
    pub(in crate::store) fn judge_others(
        &self,
        config: &Config,
        table: &TableName,
        intervals: &[(Timestamp, Timestamp)],
    ) -> rusqlite::Result<u64> {
        // Two tables may be compared in several columns, but their rows are judged only once.
        let mut others: BTreeMap<&TableName, i64> = BTreeMap::new();
        for (other, within) in compared_with(config, table) {
            let widest = others.entry(other).or_insert(within);
            *widest = within.max(*widest);
        }
        let mut changed = 0;
        for (other, within) in others {
            let Some(other) = config.table(&other.0) else { continue };
            let Some(known) = self.known_table(other)? else { continue };
            let judge = Judge::new(&self.conn, config, other, &known)?;
            for &(from, to) in intervals {
                let (from, to) = (from.minus(within), to.plus(within));
                for series in known.series_ids() {
                    let part = SeriesPart { table: known.id, series, from, to };
                    changed += judge.judge(&self.conn, part, Again::default())?.changed;
                }
            }
        }
        Ok(changed)
    }

    /// The time of the last row of one transaction that begins at `begin`.
    fn stride_end(&self, series: i64, begin: Timestamp) -> Result<Timestamp> {
        let (low, high) = key::keys(series, begin, key::TIMES.1);
        self.conn
            .prepare_cached(
                "SELECT max(id) FROM (SELECT id FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 20000)",
            )
            .and_then(|mut statement| statement.query_row([low, high], |row| row.get::<_, Option<i64>>(0)))
            .map(|id| id.map_or(begin, |id| key::time(id, 999)))
            .map_err(|source| self.at(source))
    }
}

/// The tables whose rows are compared with rows of this one, each with the largest time difference between the two
/// rows.
fn compared_with<'c>(config: &'c Config, table: &TableName) -> impl Iterator<Item = (&'c TableName, i64)> {
    config.pairs_across(table).filter_map(|pair| {
        let other = pair.other(table);
        pair.flags_in(other).then(|| (other, nanos(pair.within)))
    })
}

/// The first row at or after an instant.
fn neighbour_or_at(conn: &Connection, series: i64, ts: Timestamp) -> rusqlite::Result<Option<Timestamp>> {
    let (low, high) = key::keys(series, ts, key::TIMES.1);
    conn.prepare_cached("SELECT id, nanos FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1")?
        .query_row([low, high], |row| Ok(key::time(row.get(0)?, row.get(1)?)))
        .optional()
}
