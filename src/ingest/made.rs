//! Makes the rows of tables that are aggregated from other tables' rows (`aggregate`), such as half hours.
//!
//! - A window's row is made when no more rows are expected in the window: the newest row of the source table is at or
//!   after its end, or one window length has passed since its end. It is made again whenever a row in the window is
//!   added, removed or gets other flags: the store notes this, whatever changes the row ([`crate::store::Making`]).
//! - Only one window is read at a time. One pass makes windows for at most [`LONGEST`], so that files are read in
//!   between; the next pass continues.
//! - Windows with pruned rows are not made again: the rows made of them before are kept.

mod under;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::IngestError;
use crate::config::{ColumnUse, Config, MadeOf, TableConfig, TurbulenceConfig};
use crate::format::{Header, numbers_of, texts_of, values_of};
use crate::qc::{Flag, Value};
use crate::quantity::{
    Made, Member, Quick, Scans, Shape, Stated, Turbulence, Window, coverage_of, is_companion, members, samples_of,
};
use crate::store::{Incoming, LineAt, LineState, MadeSeries, Making, Outcome, Result, Sample, Staging, Store, Table};
use crate::time::{Clock, Timestamp, Windows, nanos};
use under::{Mixture, Under};

/// How long one pass makes windows.
const LONGEST: Duration = Duration::from_secs(30);
/// The version of the calculation. A new number makes all rows again, because older programs computed values
/// differently.
const METHOD: u32 = 3;
/// A value with less than this share of its samples, in hundredths of a percent, is not made.
const LEAST: u64 = 5_000;

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

/// The source of a value of the made table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The computed value with this index: first the members, then the turbulence quick look.
    Value(usize),
    Samples(usize),
    Coverage(usize),
    /// The tag with this index.
    Tag(usize),
    Nothing,
}

/// A made column: its name, and the unit and process that a logger's header would state.
struct MadeColumn {
    name: String,
    unit: String,
    process: String,
}

/// A quick look at turbulence: statistics of the scans of a window.
struct QuickLook {
    scans: Scans,
    values: Vec<Quick>,
    pressure: Option<f64>,
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
        if interval.is_some() {
            self.staging.begin()?;
            for series in &due {
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

    fn sums(&self, plan: &Plan<'_>, series: i64, end: Timestamp) -> Result<Sums> {
        let has_headers = !plan.under.is_empty();
        let header = if has_headers { self.store.header_at_or_before(series, end)? } else { None };
        let under = plan.under(header);
        let mut mixture = Mixture::new(plan, header);
        let mut window = Window::new(&under.members);
        let mut row = Row { width: plan.width, suspects: self.of.suspects, ..Row::default() };
        let mut turbulence = plan.quick.as_ref().map(|quick| Turbulence::new(&quick.scans));
        let mut times: Vec<Timestamp> = Vec::new();
        let mut before: Option<(Timestamp, Row)> = None;
        if under.members.iter().any(Member::looks_back) {
            self.store.sample_at_or_before(series, plan.windows.begin(end), |sample| {
                let mut row = row.clone();
                row.read(sample);
                mixture.look_back(sample.header, &mut row.numbers);
                before = Some((sample.ts, row));
            })?;
        }
        // If a gap extends from before the window into it, what a counter counted in the gap may not belong to the
        // window.
        let begins = match &before {
            Some((at, _)) => {
                let next = self.store.first_row_after(series, *at)?;
                let interval = self.store.interval_of_window(series, (plan.windows, end), &[])?;
                // What was counted since the very beginning of the window belongs to it.
                *at == plan.windows.begin(end)
                    || next
                        .zip(interval)
                        .is_some_and(|(next, interval)| next.nanos_since(*at) * 2 <= nanos(interval) * 3)
            }
            None => false,
        };
        if let Some((_, before)) = before.filter(|_| begins) {
            window.begin(&before);
        }
        self.store.samples_of_window(series, plan.windows, end, has_headers, |sample| {
            row.read(sample);
            mixture.add(sample.header, &mut row.numbers);
            window.add(&row);
            if let Some(turbulence) = &mut turbulence {
                turbulence.add(&row);
            }
            times.push(sample.ts);
        })?;
        let interval = match &times[..] {
            [] => None,
            times => {
                let own = self.store.interval_of_window(series, (plan.windows, end), times)?;
                own.or_else(|| plan.interval.filter(|interval| are_steps_of(*interval, times)))
            }
        };
        let is_divided = interval.is_none_or(|interval| self.of.is_divided_by(interval));
        let every = plan.windows.every();
        let rows = |interval: i64| ((every + interval / 2) / interval.max(1)).max(1).unsigned_abs();
        let expected = interval.filter(|_| is_divided).map(|interval| rows(nanos(interval)));
        let has_value =
            |at: usize| is_divided && !under.lacks.contains(&at) && mixture.is_one(under.members[at].reads());
        let values = window.end().enumerate();
        let mut values: Vec<(Made, u32)> =
            values.map(|(at, (value, count))| (if has_value(at) { value } else { Made::Nothing }, count)).collect();
        if let (Some(turbulence), Some(quick)) = (&turbulence, &plan.quick) {
            let is_one = mixture.is_one(quick.scans.wind.iter().chain(&quick.scans.gases).copied());
            values.extend(quick.values.iter().map(|value| {
                let (value, count) = turbulence.value(*value, quick.pressure);
                (value.filter(|_| is_one && is_divided).map_or(Made::Nothing, Made::Number), count)
            }));
        }
        Ok(Sums { values, times: times.len(), expected, is_interval_unknown: interval.is_none(), header: under.header })
    }
}

/// The aggregates of the rows of a window.
struct Sums {
    values: Vec<(Made, u32)>,
    /// The number of rows.
    times: usize,
    /// The expected number of rows, if known.
    expected: Option<u64>,
    is_interval_unknown: bool,
    /// The header of the made row.
    header: i64,
}

impl Sums {
    /// The share of the expected rows, in hundredths of a percent, rounded down.
    fn coverage(&self, samples: u32) -> Option<u64> {
        self.expected.map(|expected| (u64::from(samples) * 10_000 / expected.max(1)).min(10_000))
    }
}

/// A row of the source, with the values that count.
#[derive(Debug, Clone, Default)]
struct Row {
    width: usize,
    suspects: bool,
    numbers: Vec<f64>,
    values: Vec<u8>,
    flags: Vec<u8>,
}

impl Row {
    fn read(&mut self, sample: Sample<'_>) {
        numbers_of(sample.values, self.width, &mut self.numbers);
        self.numbers.resize(self.width, f64::NAN);
        let suspects = self.suspects;
        // In nearly every row, all values count.
        let all_count = sample.flags.get(..self.width).is_some_and(|flags| {
            flags.iter().fold(true, |all, flag| all & (matches!(flag, b'1' | b'2') | (suspects & (*flag == b'3'))))
        });
        let mut has_text = false;
        if all_count {
            has_text = self.numbers.iter().any(|number| number.is_nan());
        } else {
            for (place, number) in self.numbers.iter_mut().enumerate() {
                if number.is_nan() {
                    has_text |= counts(sample.flags, place, suspects);
                } else if !counts(sample.flags, place, suspects) {
                    *number = f64::NAN;
                }
            }
        }
        self.values.clear();
        self.flags.clear();
        if has_text {
            self.values.extend_from_slice(sample.values);
            self.flags.extend_from_slice(sample.flags);
        }
    }
}

/// Whether a value counts: it is not missing and did not fail.
#[inline]
fn counts(flags: &[u8], place: usize, suspects: bool) -> bool {
    match flags.get(place).copied().and_then(Flag::from_digit) {
        Some(Flag::Pass | Flag::NotEvaluated) => true,
        Some(Flag::Suspect) => suspects,
        Some(Flag::Fail | Flag::Missing) | None => false,
    }
}

impl Shape for Row {
    #[inline]
    fn number(&self, place: usize) -> f64 {
        self.numbers.get(place).copied().unwrap_or(f64::NAN)
    }

    fn text(&self, place: usize) -> Option<String> {
        if !counts(&self.flags, place, self.suspects) {
            return None;
        }
        texts_of(std::str::from_utf8(&self.values).ok()?, &[place]).pop().flatten()
    }
}

/// Whether the rows may be some of those that come at this interval.
fn are_steps_of(interval: Duration, times: &[Timestamp]) -> bool {
    let interval = nanos(interval).max(1);
    times.windows(2).all(|pair| pair[1].nanos_since(pair[0]) % interval == 0)
}

/// The row in the form in which the store keeps it.
fn spelled(plan: &Plan<'_>, sums: &Sums, tags: &str) -> String {
    let tags: Vec<String> = serde_json::from_str(tags).unwrap_or_default();
    let cell = |from: &Source| match *from {
        Source::Value(at) => match &sums.values[at] {
            (_, samples) if sums.coverage(*samples).is_some_and(|share| share < LEAST) => "null".to_owned(),
            (Made::Number(number), _) => without_noise(*number),
            (Made::Text(text), _) => serde_json::to_string(text).unwrap_or_else(|_| "null".to_owned()),
            (Made::Nothing, _) => "null".to_owned(),
        },
        Source::Samples(at) => sums.values[at].1.to_string(),
        Source::Coverage(at) => sums.coverage(sums.values[at].1).map_or_else(
            || "null".to_owned(),
            #[allow(clippy::cast_precision_loss, reason = "at most 10,000")]
            |share| (share as f64 / 100.0).to_string(),
        ),
        Source::Tag(at) => {
            tags.get(at).and_then(|tag| serde_json::to_string(tag).ok()).unwrap_or_else(|| "null".to_owned())
        }
        Source::Nothing => "null".to_owned(),
    };
    format!("[{}]", plan.cells.iter().map(cell).collect::<Vec<_>>().join(","))
}

/// The shortest text of the number; of 0.6000000000000001, which a sum of tenths is in binary, the text 0.6. A number is taken
/// for such a sum if all but the last two of its sixteen digits say a number of at most eleven.
fn without_noise(number: f64) -> String {
    let text = number.to_string();
    if text.len() <= FIGURES_OF_SHORT {
        return text;
    }
    // Writing fourteen digits and reading them again cannot fail for a finite number.
    let rounded: f64 = format!("{number:.13e}").parse().unwrap_or(number);
    let short = rounded.to_string();
    if figures(&short) <= FIGURES_OF_SHORT { short } else { text }
}

/// The most digits of a number that a sum of measured values is taken for.
const FIGURES_OF_SHORT: usize = 11;

/// The number of digits between the zeros at both ends.
fn figures(text: &str) -> usize {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').len()
}

/// The source of each column of the made table.
fn cells(table: &Table, columns: &[MadeColumn], stated: &[Stated<'_>], tags: &[usize]) -> Vec<Source> {
    let mut cells = vec![Source::Nothing; table.columns.len()];
    let mut put = |name: &str, from: Source| {
        if let Some(place) = table.place(name) {
            cells[place] = from;
        }
    };
    for (at, column) in columns.iter().enumerate() {
        put(&samples_of(&column.name), Source::Samples(at));
        put(&coverage_of(&column.name), Source::Coverage(at));
    }
    // A column of the source keeps its name, even if a made column has the same one.
    for (at, column) in columns.iter().enumerate().rev() {
        put(&column.name, Source::Value(at));
    }
    for (at, place) in tags.iter().enumerate() {
        put(stated[*place].name, Source::Tag(at));
    }
    cells
}

/// The columns that are made: one for each member, then those of the turbulence quick look.
fn made_columns(under: &Under<'_>, quick: Option<&QuickLook>, of: &MadeOf) -> Vec<MadeColumn> {
    let stated = &under.stated;
    // The number of samples and their share have their names, whatever the source calls its own columns.
    let is_beside = |name: &str| {
        let of = |column: &Stated<'_>| samples_of(column.name) == name || coverage_of(column.name) == name;
        is_companion(name) && under.members.iter().any(|member| of(&stated[member.place]))
    };
    let of_member = |member: &Member| {
        let column = &stated[member.place];
        let name = if is_beside(column.name) { format!("{}_2", column.name) } else { column.name.to_owned() };
        let unit = column.unit.to_owned();
        MadeColumn { name, unit, process: member.process(column).to_owned() }
    };
    let mut columns: Vec<MadeColumn> = under.members.iter().map(of_member).collect();
    if let (Some(quick), Some(turbulence)) = (quick, &of.turbulence) {
        let units: Vec<&str> = quick.scans.gases.iter().map(|place| stated[*place].unit).collect();
        columns.extend(turbulence.values().into_iter().map(|(name, quick)| MadeColumn {
            name,
            unit: quick.unit(&units),
            process: "Avg".to_owned(),
        }));
    }
    columns
}

/// The turbulence quick look at these columns; None if the table lacks one of them.
fn quick_look(turbulence: &TurbulenceConfig, stated: &[Stated<'_>]) -> Option<QuickLook> {
    let place = |name: &String| stated.iter().position(|column| column.name == name);
    let [u, v, w, ts] = &turbulence.wind;
    let wind = [place(u)?, place(v)?, place(w)?, place(ts)?];
    let gases = turbulence.gases.iter().map(place).collect::<Option<Vec<usize>>>()?;
    let values = turbulence.values().into_iter().map(|(_, quick)| quick).collect();
    Some(QuickLook { scans: Scans { wind, gases }, values, pressure: turbulence.pressure })
}

/// The header of the made table: every column of the source, so that tags keep their order, then the made columns, each
/// with two more beside it.
fn header_of(source: &TableConfig, stated: &[Stated<'_>], columns: &[MadeColumn]) -> Header {
    let mut header = Header {
        environment: Vec::new(),
        table: source.name.0.clone(),
        names: Vec::new(),
        units: Vec::new(),
        process: Vec::new(),
        year: None,
    };
    let mut add = |name: String, unit: &str, process: &str| {
        if !header.names.contains(&name) {
            header.names.push(name);
            header.units.push(unit.to_owned());
            header.process.push(process.to_owned());
        }
    };
    let made = |column: &MadeColumn, add: &mut dyn FnMut(String, &str, &str)| {
        add(column.name.clone(), &column.unit, &column.process);
        add(samples_of(&column.name), "samples", "Smp");
        add(coverage_of(&column.name), "%", "Smp");
    };
    let is_beside =
        |name: &str| columns.iter().any(|made| name == samples_of(&made.name) || name == coverage_of(&made.name));
    for column in stated.iter().filter(|column| !is_beside(column.name)) {
        match columns.iter().find(|made| made.name == column.name) {
            Some(column) => made(column, &mut add),
            None => add(column.name.to_owned(), column.unit, column.process),
        }
    }
    for column in columns {
        made(column, &mut add);
    }
    header
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

#[cfg(test)]
mod tests {
    use super::without_noise;

    #[test]
    fn a_sum_of_tenths_is_spelled_without_the_error_of_its_last_bit() {
        for (number, text) in [
            (0.1 + 0.2, "0.3"),
            (0.2 + 0.2 + 0.2, "0.6"),
            (1.1 + 2.2, "3.3"),
            (-(0.1 + 0.7), "-0.8"),
            (4.35 * 100.0, "435"),
            (13.0 / 3.0, "4.333333333333333"),
            (0.123_456_789_012_345_6, "0.1234567890123456"),
            (1_234_567.890_123_456_7, "1234567.8901234567"),
            (98.5, "98.5"),
            (0.0, "0"),
        ] {
            assert_eq!(without_noise(number), text);
        }
    }
}
