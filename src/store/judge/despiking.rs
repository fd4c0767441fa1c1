//! Despikes complete blocks of stored rows ([`crate::qc::Despike`]), and stores the findings with the rows.
//!
//! A block is read once and its values are held in memory: two weeks of averages. Then its rows are judged again
//! together with its spikes in one transaction, so that rows whose flags change are sent again as after any other
//! judgement. Later judgements of a row keep its spikes until the block is despiked again.

use std::collections::{BTreeMap, HashMap};

use crate::config::{Config, TableConfig};
use crate::format::{Value, values_of};
use crate::qc::{Block, Daylight, Despike, DespikeSample, Finding, Flag, Test};
use crate::quantity::{Kind, Stated};
use crate::store::judge::flagging::{Again, Judge, SeriesPart, StoredRow, read};
use crate::store::{Result, Store, usual_interval};
use crate::time::{NANOS_PER_SECOND, StationClock, Timestamp, nanos};

/// The most rows of a block. Two weeks of one-minute means are 19,000; despiking is for averages, not for scans.
const MOST_ROWS: usize = 100_000;
const NANOS_OF_DAY: i64 = 86_400 * NANOS_PER_SECOND;
/// Prefix of the [`Store::remember`] keys for blocks that ingests have completed.
const DESPIKED: &str = "despiked: ";

/// The result of despiking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Despiked {
    /// Blocks that were judged, counted for each series and column.
    pub blocks: u64,
    /// Blocks that were not judged because they have too many rows.
    pub too_many_rows: u64,
    /// Rows whose flags changed.
    pub changed: u64,
}

/// The findings of one judgement of a block.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Spikes<'a> {
    /// The columns that were despiked.
    pub(in crate::store) places: &'a [usize],
    /// The spikes of each row, by the row's id.
    pub(in crate::store) found: &'a HashMap<i64, Vec<Finding>>,
}

/// A column that is to be despiked.
#[derive(Debug, Clone, Copy)]
struct DespikedColumn {
    place: usize,
    kind: Kind,
    despike: Despike,
}

/// A row with the values of these columns.
#[derive(Debug, Clone)]
struct Row {
    id: i64,
    ts: Timestamp,
    /// In the order of the columns; NaN where the value is missing or failed.
    values: Vec<f64>,
}

/// Collects the rows of a block while they are read.
struct Rows {
    block: Block,
    /// The newest row of the previous block.
    before: Option<Row>,
    rows: Vec<Row>,
    is_too_long: bool,
    /// Whether a row has a spike from an earlier judgement.
    has_spikes: bool,
}

/// Despikes those columns of a series whose blocks cover the same days.
struct Pass<'a> {
    store: &'a Store,
    judge: &'a Judge,
    table: i64,
    series: i64,
    columns: Vec<DespikedColumn>,
    clock: StationClock,
    daylight: Daylight,
    done: Despiked,
}

impl Store {
    /// Despikes every complete block that has rows from `span.0` to `span.1`. Rows whose flags change become pending
    /// again. The caller holds the ingest lock. None if no column of the table is despiked, or the station's position
    /// is not known.
    pub fn despike(
        &self,
        config: &Config,
        table: &TableConfig,
        span: (Timestamp, Timestamp),
    ) -> Result<Option<Despiked>> {
        self.despike_where(config, table, span, |_| true)
    }

    /// Like [`Store::despike`], for the columns whose settings `wanted` accepts.
    fn despike_where(
        &self,
        config: &Config,
        table: &TableConfig,
        span: (Timestamp, Timestamp),
        is_wanted: impl Fn(&Despike) -> bool,
    ) -> Result<Option<Despiked>> {
        let Some(position) = table.position.filter(|_| table.is_despiked()) else { return Ok(None) };
        let known = self.table(table)?;
        let judge = Judge::new(&self.conn, config, table, &known).map_err(|source| self.at(source))?;
        let stated: Vec<Stated<'_>> = known.columns.iter().map(|column| column.stated_in(table)).collect();
        let spec = config.spec_of(table, &stated);
        let mut groups: BTreeMap<u16, Vec<DespikedColumn>> = BTreeMap::new();
        for (place, column) in stated.iter().enumerate() {
            if let Some(own) = spec.columns.get(column.name)
                && let Some(despike) = own.settings.despike.filter(&is_wanted)
            {
                groups.entry(despike.days).or_default().push(DespikedColumn { place, kind: own.kind, despike });
            }
        }
        let mut done = Despiked::default();
        for series in self.series(&table.name.0)? {
            let Some(newest) = series.newest else { continue };
            for columns in groups.values() {
                let pass = Pass {
                    store: self,
                    judge: &judge,
                    table: known.id,
                    series: series.id,
                    columns: columns.clone(),
                    clock: table.station_clock,
                    daylight: Daylight::new(position, table.station_clock),
                    done: Despiked::default(),
                };
                let of_series = pass.run(span, newest).map_err(|source| self.at(source))?;
                done.blocks += of_series.blocks;
                done.too_many_rows += of_series.too_many_rows;
                done.changed += of_series.changed;
            }
        }
        Ok(Some(done))
    }

    /// Despikes the blocks that were completed since the last call, in tables where a column asks for it. The caller
    /// holds the ingest lock.
    pub fn despike_completed(&self, config: &Config, table: &TableConfig) -> Result<Option<Despiked>> {
        let is_wanted = |despike: &Despike| despike.is_done_when_complete();
        let Some(despike) = table
            .columns
            .values()
            .filter_map(|column| column.quality.despike)
            .filter(is_wanted)
            .min_by_key(|it| it.days)
        else {
            return Ok(None);
        };
        let Some(newest) = self.newest_of_table(&table.name.0)? else { return Ok(None) };
        let key = format!("{DESPIKED}{}", table.name);
        let before = self.recall(&key)?.and_then(|text| text.parse().ok()).map(Timestamp::from_nanos);
        let block = |at: Timestamp| despike.block(table.station_clock.local(at));
        if before.is_some_and(|before| block(before) == block(newest)) {
            return Ok(None);
        }
        let done = self.despike_where(config, table, (before.unwrap_or(Timestamp::MIN), newest), is_wanted)?;
        // Without a position nothing was judged; as soon as there is one, all rows are.
        if done.is_some() {
            self.remember(&key, &newest.nanos().to_string())?;
        }
        Ok(done)
    }
}

impl Pass<'_> {
    fn run(mut self, (from, to): (Timestamp, Timestamp), newest: Timestamp) -> rusqlite::Result<Despiked> {
        let Some(despike) = self.columns.first().map(|column| column.despike) else { return Ok(self.done) };
        let block = |at: Timestamp| despike.block(self.clock.local(at));
        let (first, last, newest) = (block(from), block(to.min(newest)), block(newest));
        let reach = i64::from(despike.days).saturating_mul(2) + 2;
        // The rows from before the first block to after the last one.
        let edges = (from.minus(reach * NANOS_OF_DAY), to.plus(reach * NANOS_OF_DAY));
        let (clock, mut open): (StationClock, Option<Rows>) = (self.clock, None);
        let mut before: Option<Row> = None;
        let (store, series) = (self.store, self.series);
        let mut values = Vec::new();
        read(&store.conn, series, edges, |row| {
            let of = despike.block(clock.local(row.ts));
            let own = self.row(&row, &mut values);
            if open.as_ref().is_some_and(|rows| rows.block != of)
                && let Some(rows) = open.take()
            {
                self.judge_block(&rows, Some(&own))?;
            }
            if of < first || of > last || of >= newest {
                before = Some(own);
                return Ok(());
            }
            let rows = open.get_or_insert_with(|| Rows {
                block: of,
                before: before.take(),
                rows: Vec::new(),
                is_too_long: false,
                has_spikes: false,
            });
            rows.has_spikes |= row.raised.as_deref().is_some_and(|raised| raised.contains(Test::Despike.name()));
            rows.is_too_long |= rows.rows.len() >= MOST_ROWS;
            if rows.is_too_long {
                rows.rows.clear();
            } else {
                rows.rows.push(own.clone());
            }
            before = Some(own);
            Ok(())
        })?;
        if let Some(rows) = open {
            self.judge_block(&rows, None)?;
        }
        Ok(self.done)
    }

    fn row(&self, row: &StoredRow, values: &mut Vec<Value>) -> Row {
        values_of(&row.values, values);
        let usable = |place: usize| {
            let flag = row.flags.as_bytes().get(place).copied().and_then(Flag::from_digit)?;
            match values.get(place)? {
                Value::Number(number) if !matches!(flag, Flag::Fail | Flag::Missing) => Some(*number),
                _ => None,
            }
        };
        let values = self.columns.iter().map(|column| usable(column.place).unwrap_or(f64::NAN)).collect();
        Row { id: row.id, ts: row.ts, values }
    }

    /// `after` is the first row after the block.
    fn judge_block(&mut self, block: &Rows, after: Option<&Row>) -> rusqlite::Result<()> {
        if block.is_too_long {
            self.done.too_many_rows += 1;
            return Ok(());
        }
        let (Some(first), Some(last)) = (block.rows.first(), block.rows.last()) else { return Ok(()) };
        let Some(interval) = usual_interval(block.rows.iter().map(|row| row.ts)).map(nanos) else { return Ok(()) };
        let all: Vec<&Row> = block.before.iter().chain(&block.rows).chain(after).collect();
        let inner = usize::from(block.before.is_some())..usize::from(block.before.is_some()) + block.rows.len();
        let is_day: Vec<bool> = all.iter().map(|row| self.daylight.is_day(row.ts, interval)).collect();
        let mut found: HashMap<i64, Vec<Finding>> = HashMap::new();
        for (number, column) in self.columns.iter().enumerate() {
            let mut before: Option<Timestamp> = None;
            let samples = all.iter().zip(&is_day).enumerate().map(|(at, (row, is_day))| DespikeSample {
                value: row.values[number],
                is_day: *is_day,
                // A logger's clock may be slightly irregular.
                is_joined: before
                    .replace(row.ts)
                    .is_some_and(|before| row.ts.nanos_since(before) <= interval + interval / 2),
                belongs: inner.contains(&at),
            });
            let samples: Vec<DespikeSample> = samples.collect();
            for spike in column.despike.spikes(column.kind, &samples) {
                let detail = spike.detail(column.despike.days);
                let finding = Finding { place: column.place, test: Test::Despike, flag: Flag::Suspect, detail };
                found.entry(all[spike.at].id).or_default().push(finding);
            }
            self.done.blocks += 1;
        }
        if found.is_empty() && !block.has_spikes {
            return Ok(());
        }
        let places: Vec<usize> = self.columns.iter().map(|column| column.place).collect();
        let part = SeriesPart { table: self.table, series: self.series, from: first.ts, to: last.ts };
        let again = Again { derive: false, spikes: Some(Spikes { places: &places, found: &found }) };
        let conn = &self.store.conn;
        conn.execute_batch("BEGIN IMMEDIATE")?;
        let judged = self.judge.judge(conn, part, again);
        conn.execute_batch(if judged.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        self.done.changed += judged?.changed;
        Ok(())
    }
}
