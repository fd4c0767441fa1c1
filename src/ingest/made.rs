//! Makes the rows of tables that are aggregated from other tables' rows (`aggregate`), such as half hours.
//!
//! - A window's row is made when no more rows are expected in the window: the newest row of the source table is at or
//!   after its end, or one window length has passed since its end. It is made again whenever a row in the window is
//!   added, removed or gets other flags: the store notes this, whatever changes the row ([`crate::store::Making`]).
//! - Only one window is read at a time. One pass makes windows for at most [`LONGEST`], so that files are read in
//!   between; the next pass continues.
//! - Windows with pruned rows are not made again: the rows made of them before are kept.

mod columns;
mod spelled;
mod sums;
mod under;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::IngestError;
use crate::config::{ColumnUse, Config, MadeOf, TableConfig};
use crate::format::{Header, values_of};
use crate::qc::Value;
use crate::quantity::{Member, Stated, members};
use crate::store::{Incoming, LineAt, LineState, MadeSeries, Making, Outcome, Result, Staging, Store, Table};
use crate::time::{Clock, Timestamp, Windows};
use columns::{QuickLook, Source, cells, header_of, made_columns, quick_look};
use spelled::spelled;
use under::Under;

/// How long one pass makes windows.
const LONGEST: Duration = Duration::from_secs(30);
/// The version of the calculation. A new number makes all rows again, because older programs computed values
/// differently.
const METHOD: u32 = 4;

/// The result of making rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MadeRows {
    /// The number of rows that are new or have other values.
    pub rows: u64,
    /// Whether the name of the table to be made is used by a table with rows from files.
    pub is_taken: bool,
}

/// Makes every due window of every table. The caller holds the ingest lock.
///
/// # Errors
/// The store fails.
pub fn make(
    config: &Config,
    store: &Store,
    staging: &mut Staging<'_>,
    clock: &dyn Clock,
) -> Result<Vec<(String, MadeRows)>> {
    // The notes are processed in transactions of their own.
    staging.commit()?;
    store.forget_makings(config)?;
    let began = Instant::now();
    let mut list = Vec::new();
    for (table, of) in config.made_tables() {
        let Some(source) = config.table(&of.table.0) else { continue };
        let mut maker =
            Maker { store, staging, config: table, source, of, now: Timestamp::from_utc(clock.now()), began };
        list.push((table.name.0.clone(), maker.table()?));
    }
    Ok(list)
}

/// Makes the rows that are due, after a command that changed rows.
///
/// # Errors
/// The store fails.
pub fn make_now(config: &Config, store: &Store, clock: &dyn Clock) -> std::result::Result<(), IngestError> {
    let mut staging = Staging::new(store, config)?;
    make(config, store, &mut staging, clock)?;
    Ok(())
}

/// Makes the rows of one table.
struct Maker<'a, 's> {
    store: &'a Store,
    staging: &'a mut Staging<'s>,
    config: &'a TableConfig,
    source: &'a TableConfig,
    of: &'a MadeOf,
    now: Timestamp,
    began: Instant,
}

/// How the rows of a table are made.
struct Plan<'h> {
    quick: Option<QuickLook>,
    /// The number of columns of the source that are needed.
    width: usize,
    /// The source of each cell, in the order of the made table's columns.
    cells: Vec<Source>,
    /// How rows are made under the column list.
    usual: Under<'h>,
    /// How rows are made under each header that differs from the column list, by its id.
    under: HashMap<i64, Under<'h>>,
    windows: Windows,
    /// The interval of the source's rows now, for windows whose rows are too few to tell theirs.
    interval: Option<Duration>,
}

impl Plan<'_> {
    /// How a window is made whose last row stands under this header.
    fn under(&self, header: Option<i64>) -> &Under<'_> {
        header.and_then(|header| self.under.get(&header)).unwrap_or(&self.usual)
    }
}

impl Maker<'_, '_> {
    fn table(&mut self) -> Result<MadeRows> {
        let mut made = MadeRows::default();
        let columns = self.store.columns_of(&self.source.name.0)?;
        if columns.is_empty() {
            return Ok(made);
        }
        let Some(mut table) = self.store.made_table(self.config)? else {
            made.is_taken = true;
            return Ok(made);
        };
        let stated: Vec<Stated<'_>> = columns.iter().map(|column| column.stated_in(self.source)).collect();
        let kinds = self.source.kinds(&stated);
        let usage = |place: usize| {
            self.source.columns.get(stated[place].name).map(|column| column.column_use).unwrap_or_default()
        };
        let members = members(&stated, &kinds, |place| usage(place) == ColumnUse::Field);
        let windows = Windows::new(self.of.every, &self.config.clock);
        let making = Making {
            source: &self.source.name.0,
            windows,
            reaches: members.iter().any(Member::looks_back),
            inputs: inputs(&members, &stated, self.source, self.of),
        };
        let quick = self.of.turbulence.as_ref().and_then(|turbulence| quick_look(turbulence, &stated));
        self.store.note_making(&table, &making)?;
        // Most passes end here: the current window is always noted.
        let newest = self.store.newest_of_table(&self.source.name.0)?;
        let mut due = Vec::new();
        for series in self.store.due_series(&self.source.name.0)? {
            let first = self.store.next_due(series.source)?;
            if first.is_some_and(|(first, _)| self.is_ready(windows, first, newest)) {
                due.push(series);
            }
        }
        if due.is_empty() {
            return Ok(made);
        }
        let headers = self.store.headers_of(&self.source.name.0)?;
        let usual = Under { stated: stated.clone(), kinds, members, lacks: Vec::new(), header: 0 };
        let (usual, under) = self.learn(&mut table, usual, &headers, quick.as_ref())?;
        self.staging.use_columns(&mut table, self.config)?;
        let tags: Vec<usize> = (0..stated.len()).filter(|place| usage(*place) == ColumnUse::Tag).collect();
        let columns = made_columns(&usual, quick.as_ref(), self.of);
        let cells = cells(&table, &columns, &stated, &tags);
        let interval = self.store.regular_interval_of_table(&self.source.name.0)?;
        self.staging.begin()?;
        for series in &due {
            self.store.remake_open_intervals(series.source)?;
            if interval.is_some() {
                self.store.remake_unknown_intervals(series.source)?;
            }
        }
        let plan = Plan { quick, width: stated.len(), cells, usual, under, windows, interval };
        for series in due {
            while self.began.elapsed() < LONGEST {
                let Some(changed) = self.window(&mut table, &plan, &series, newest)? else { break };
                made.rows += changed;
                if self.staging.is_commit_due() {
                    self.staging.flush(&mut table)?;
                    self.staging.commit()?;
                }
            }
        }
        self.staging.flush(&mut table)?;
        self.staging.commit()?;
        Ok(made)
    }

    /// Teaches the made table its columns: once for the column list, and once for each header that differs from it.
    fn learn<'h>(
        &mut self,
        table: &mut Table,
        mut usual: Under<'h>,
        headers: &'h [(i64, Header)],
        quick: Option<&QuickLook>,
    ) -> Result<(Under<'h>, HashMap<i64, Under<'h>>)> {
        self.staging.begin()?;
        let mut learn = |under: &Under<'_>| {
            let header = header_of(self.source, &under.stated, &made_columns(under, quick, self.of));
            let places: Vec<usize> = (0..header.names.len()).collect();
            self.store.learn_header(table, &header, &places, self.now)
        };
        usual.header = learn(&usual)?;
        let mut others = HashMap::new();
        for (id, header) in headers {
            if let Some(mut under) = usual.under(header, self.source) {
                under.header = learn(&under)?;
                others.insert(*id, under);
            }
        }
        self.store.learn_derived(table, self.config)?;
        Ok((usual, others))
    }

    /// Makes the next window that is due and ready. Returns the number of changed rows; None if no window is ready.
    fn window(
        &mut self,
        table: &mut Table,
        plan: &Plan<'_>,
        series: &MadeSeries,
        newest: Option<Timestamp>,
    ) -> Result<Option<u64>> {
        let windows = plan.windows;
        // Begins a transaction, so that no row is pruned between reading and making.
        self.staging.begin()?;
        let Some((first, last)) = self.store.next_due(series.source)? else { return Ok(None) };
        if let Some(pruned) = series.pruned.filter(|pruned| windows.begin(first) < *pruned) {
            self.staging.window_done(series.source, windows, windows.end_of(pruned))?;
            return Ok(Some(0));
        }
        let next = self.store.first_row_after(series.source, windows.begin(first))?;
        let made = match self.staging.series_if_known(table, &series.tags) {
            Some(made) => self.store.first_row_after(made, windows.begin(first))?,
            None => None,
        };
        let Some(end) = next.into_iter().chain(made).map(|at| windows.end_of(at)).min().filter(|end| *end <= last)
        else {
            // A window without rows is noted again when a row is staged in it.
            self.staging.window_done(series.source, windows, last)?;
            return Ok(Some(0));
        };
        if !self.is_ready(windows, end, newest) {
            return Ok(None);
        }
        let begin = windows.begin(end);
        let sums = self.sums(plan, series.source, end)?;
        if sums.times > 0 && sums.is_interval_unknown {
            self.store.note_unknown_interval(series.source, end)?;
        }
        if sums.times > 0 && sums.may_change {
            self.store.note_open_interval(series.source, end)?;
        }
        let mut changed = self.staging.drop_made(table, &series.tags, (begin, end), sums.times > 0)?;
        if sums.times > 0 {
            let values = spelled(plan, &sums, &series.tags);
            let mut numbers: Vec<Value> = Vec::new();
            values_of(&values, &mut numbers);
            let line = LineAt { path: "made of its samples", number: 0, raw: &[], state: LineState::Whole };
            let row = Incoming {
                tags: &series.tags,
                ts: end,
                record: None,
                values: &values,
                numbers: &numbers,
                ts_text: None,
                line,
                header: None,
                stated_by: Some(sums.header),
                is_part: false,
            };
            changed += u64::from(self.staging.put_made(table, &row)? != Outcome::Duplicate);
        }
        self.staging.window_done(series.source, windows, end)?;
        Ok(Some(changed))
    }

    /// Whether no more rows are expected in the window that ends at `end`, or waiting for them has ended.
    fn is_ready(&self, windows: Windows, end: Timestamp, newest: Option<Timestamp>) -> bool {
        newest.is_some_and(|newest| newest >= end) || end.plus(windows.every()) <= self.now
    }
}

/// Fingerprint of everything that decides the made values, except rows, headers and flags. It includes the kinds that the
/// configuration sets, because a change of these may affect rows under one header only.
fn inputs(members: &[Member], stated: &[Stated<'_>], source: &TableConfig, of: &MadeOf) -> i64 {
    let bare: Vec<Stated<'_>> = stated.iter().map(|column| Stated { name: column.name, ..Stated::default() }).collect();
    let kinds = source.kinds(&bare);
    let names: Vec<_> = members.iter().map(|member| (stated[member.place].name, member, kinds[member.place])).collect();
    xxhash_rust::xxh3::xxh3_64(format!("{METHOD} {names:?} {} {:?}", of.suspects, of.turbulence).as_bytes())
        .cast_signed()
}
