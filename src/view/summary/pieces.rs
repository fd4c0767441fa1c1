//! Fills bins from kept pieces; pieces that are missing or outdated are made from rows and kept.
//!
//! A piece is six hours of a series. Its version is read before its rows, so a piece whose rows change in the meantime
//! has the older version and is made again at the next request.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use rusqlite::Connection;

use super::blob::{self, Seal};
use super::grid::{Bin, Column, Form, Grid};
use super::sidecar::{Level, PieceDraft, bins_id, piece_id, place_of};
use super::width::{HOUR_MS, ROWS_A_BIN, SLOT_MS};
use super::{Summaries, SummaryError};
use crate::quantity::Aggregate;
use crate::store::{self, Store, StoreError, Versions, slot_of, slot_start};
use crate::time::Timestamp;

/// The number of pieces in a chapter: 32 days, in bins of six hours.
pub(super) const CHAPTER: i64 = 128;
/// The number of pieces written in one transaction.
const PIECES_A_WRITE: usize = 32;
/// The number of rows that justifies a second thread with its own connection.
const ROWS_A_THREAD: i64 = 20_000;

/// If the kept bins are wider than this, bins of an hour are not kept in addition.
const WIDEST_WITH_HOURS: i64 = 600_000;

/// A series and the width of its narrowest kept bins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept<'a> {
    pub(super) series: i64,
    pub(super) width: i64,
    /// All columns of its table, by their place.
    pub(super) form: &'a Form,
}

/// Pieces to be made from rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stale<'a> {
    pub(super) kept: Kept<'a>,
    pub(super) slots: &'a [i64],
    pub(super) versions: &'a Versions,
}

/// Consecutive kept pieces of one level.
#[derive(Debug, Clone)]
struct Pieces<'a> {
    kept: Kept<'a>,
    level: Level,
    places: RangeInclusive<i64>,
    versions: &'a Versions,
}

impl Pieces<'_> {
    fn version(&self, place: i64) -> i64 {
        version(self.level, place, self.versions)
    }

    /// The seal that is required for the bytes of a column, or of the row counts.
    fn seal(&self, place: i64, column: Option<Column>) -> Seal {
        seal(self.kept, (self.level, place), column, self.versions)
    }
}

/// The version of a piece's rows.
fn version(level: Level, place: i64, versions: &Versions) -> i64 {
    match level {
        Level::Slots => versions.of_all(place * CHAPTER..=place * CHAPTER + CHAPTER - 1),
        Level::Narrow | Level::Hours => versions.of(place),
    }
}

/// The seal of a column of a piece, or of its row counts.
fn seal(kept: Kept<'_>, (level, place): (Level, i64), column: Option<Column>, versions: &Versions) -> Seal {
    let first = if level == Level::Slots { place * CHAPTER } else { place };
    let content = match column.map(|column| column.aggregate) {
        None | Some(Aggregate::Mean | Aggregate::Sum | Aggregate::Maximum | Aggregate::Minimum) => 0,
        Some(Aggregate::VectorMean) => 1,
        Some(Aggregate::RootMeanSquare) => 2,
        Some(Aggregate::Last) => 3,
        // The first increment depends on a row of the previous piece, and on the definition of a gap.
        Some(Aggregate::Increments) => {
            let parts = [kept.form.longest_step, versions.of(first - 1)];
            xxhash_rust::xxh3::xxh3_64(&parts.map(i64::to_le_bytes).concat()).cast_signed()
        }
    };
    let id = bins_id(kept.series, level, column.map_or(0, |column| column.place + 1), place);
    Seal { id, version: version(level, place, versions), width: kept.width, content }
}

/// Work for several threads.
#[derive(Debug)]
struct Tasks<'a, T> {
    list: &'a [T],
    /// The most threads.
    threads: usize,
}

impl Summaries {
    /// Fills a grid whose width is a multiple of the kept one.
    pub(super) fn fill_from_pieces(
        &self,
        reader: &Store,
        kept: Kept<'_>,
        newest: Timestamp,
        grid: &mut Grid,
    ) -> Result<(), SummaryError> {
        let Some(oldest) = reader.first_row(kept.series, Timestamp::EPOCH)? else { return Ok(()) };
        let asked = stretch(grid);
        let first = slot_of(asked.0).max(slot_of(oldest));
        let last = slot_of(asked.1.previous()).min(slot_of(newest.max(oldest)));
        if first > last {
            return Ok(());
        }
        if grid.width % SLOT_MS != 0 {
            return self.fill_from_slots(reader, kept, first..=last, grid);
        }
        // Only chapters that are entirely in the request: rows outside it are not read.
        let is_whole = |chapter: i64| {
            (slot_of(oldest).max(chapter * CHAPTER) >= first)
                && (slot_of(newest).min(chapter * CHAPTER + CHAPTER - 1) <= last)
        };
        let chapters: Vec<i64> =
            (first.div_euclid(CHAPTER)..=last.div_euclid(CHAPTER)).filter(|chapter| is_whole(*chapter)).collect();
        let versions = reader.versions(kept.series, with_before(whole(&chapters)))?;
        let read = match (chapters.first(), chapters.last()) {
            (Some(from), Some(to)) => {
                let pieces = Pieces { kept, level: Level::Slots, places: *from..=*to, versions: &versions };
                self.add_kept(&pieces, grid)
            }
            _ => BTreeSet::new(),
        };
        for chapter in first.div_euclid(CHAPTER)..=last.div_euclid(CHAPTER) {
            if read.contains(&chapter) {
                continue;
            }
            let slots = first.max(chapter * CHAPTER)..=last.min(chapter * CHAPTER + CHAPTER - 1);
            if !chapters.contains(&chapter) {
                self.fill_from_slots(reader, kept, slots, grid)?;
                continue;
            }
            let form = kept.form.reaching(reader.column_count(kept.series)?);
            let mut made = Grid::new((slot_ms(*slots.start()), slot_ms(*slots.end())), SLOT_MS, form);
            self.fill_from_slots(reader, kept, slots, &mut made)?;
            grid.merge(&made);
            let draft = draft(kept, (Level::Slots, chapter), &versions, &made);
            self.sidecar.write(&[draft], kept.width);
        }
        Ok(())
    }

    fn fill_from_slots(
        &self,
        reader: &Store,
        kept: Kept<'_>,
        slots: RangeInclusive<i64>,
        grid: &mut Grid,
    ) -> Result<(), SummaryError> {
        let versions = reader.versions(kept.series, with_before(slots.clone()))?;
        let level = if has_hours(kept) && grid.width % HOUR_MS == 0 { Level::Hours } else { Level::Narrow };
        let pieces = Pieces { kept, level, places: slots.clone(), versions: &versions };
        let read = self.add_kept(&pieces, grid);
        let stale = unread(reader, kept.series, slots, &read)?;
        self.make(reader, Stale { kept, slots: &stale, versions: &versions }, 2, |made| grid.merge(made))
    }

    /// Pieces with rows that are missing or outdated.
    pub(super) fn stale(
        &self,
        reader: &Store,
        kept: Kept<'_>,
        slots: RangeInclusive<i64>,
        versions: &Versions,
    ) -> Result<Vec<i64>, SummaryError> {
        let mut nothing = Grid::new((0, 0), kept.width, Form { columns: Vec::new(), ..kept.form.clone() });
        let pieces = Pieces { kept, level: Level::Narrow, places: slots.clone(), versions };
        let held = self.add_kept(&pieces, &mut nothing);
        unread(reader, kept.series, slots, &held)
    }

    /// Makes pieces from rows, keeps them and passes them on.
    pub(super) fn make(
        &self,
        reader: &Store,
        stale: Stale<'_>,
        threads: usize,
        mut each: impl FnMut(&Grid),
    ) -> Result<(), SummaryError> {
        let Stale { kept, slots, versions } = stale;
        // Read after the versions: a column that was added since then belongs to rows of a later version.
        let form = kept.form.reaching(reader.column_count(kept.series)?);
        let empty = |slot: i64| Grid::new((slot_ms(slot), slot_ms(slot + 1) - 1), kept.width, form.clone());
        let drafts = |slot: i64, made: &Grid| {
            let mut drafts = vec![draft(kept, (Level::Narrow, slot), versions, made)];
            if has_hours(kept) {
                let mut hours = Grid::new((slot_ms(slot), slot_ms(slot + 1) - 1), HOUR_MS, made.form());
                hours.merge(made);
                drafts.push(draft(kept, (Level::Hours, slot), versions, &hours));
            }
            drafts
        };
        if let (&[slot], true) = (slots, threads > 1) {
            // The growing piece is made after every ingest, and a user waits for it: two threads share its rows.
            let mut made = empty(slot);
            self.fill_from_rows(reader, kept.series, SLOT_MS / (kept.width / ROWS_A_BIN), &mut made)?;
            each(&made);
            self.sidecar.write(&drafts(slot, &made), kept.width);
            return Ok(());
        }
        let work = |reader: &Store, slot: &i64| -> store::Result<(Grid, Vec<PieceDraft>)> {
            let mut made = empty(*slot);
            look_back(reader, kept.series, &mut made)?;
            reader.scan(kept.series, (slot_start(*slot), slot_start(slot + 1)), |row| made.take(&row))?;
            let drafts = drafts(*slot, &made);
            Ok((made, drafts))
        };
        let mut unwritten = Vec::new();
        self.spread(reader, &Tasks { list: slots, threads }, work, |(made, drafts)| {
            each(&made);
            unwritten.extend(drafts);
            if unwritten.len() >= PIECES_A_WRITE {
                self.sidecar.write(&unwritten, kept.width);
                unwritten.clear();
            }
        })?;
        self.sidecar.write(&unwritten, kept.width);
        Ok(())
    }

    /// Fills a grid from rows. `rows` is their estimated number.
    pub(super) fn fill_from_rows(
        &self,
        reader: &Store,
        series: i64,
        rows: i64,
        grid: &mut Grid,
    ) -> Result<(), SummaryError> {
        let parts = usize::try_from(rows / ROWS_A_THREAD + 1).unwrap_or(1).min(8);
        let bins = grid.len().div_ceil(parts).max(1);
        let parts: Vec<Range<usize>> =
            (0..grid.len()).step_by(bins).map(|at| at..(at + bins).min(grid.len())).collect();
        let shape = grid.clone_empty();
        let work = |reader: &Store, bins: &Range<usize>| -> store::Result<Grid> {
            let (from, until) = (shape.time(bins.start), shape.time(bins.end));
            let mut part = Grid::new((from, until - 1), shape.width, shape.form());
            look_back(reader, series, &mut part)?;
            reader.scan(series, stretch(&part), |row| part.take(&row))?;
            Ok(part)
        };
        self.spread(reader, &Tasks { list: &parts, threads: 2 }, work, |part| grid.merge(&part))
    }

    /// Runs the work on several threads, each with its own reader.
    fn spread<T: Sync, R: Send>(
        &self,
        reader: &Store,
        tasks: &Tasks<'_, T>,
        work: impl Fn(&Store, &T) -> store::Result<R> + Sync,
        mut each: impl FnMut(R),
    ) -> Result<(), SummaryError> {
        let Tasks { list: tasks, threads } = *tasks;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = threads.min(cores).min(tasks.len());
        if threads < 2 {
            for task in tasks {
                each(work(reader, task)?);
            }
            return Ok(());
        }
        let next = AtomicUsize::new(0);
        let (work, next) = (&work, &next);
        std::thread::scope(|scope| {
            // The channel is short, so that memory use does not grow.
            let (send, results) = mpsc::sync_channel::<Result<R, StoreError>>(threads);
            for _ in 0..threads {
                let send = send.clone();
                scope.spawn(move || {
                    let done = || -> store::Result<()> {
                        let reader = Store::open_reader(&self.store_path)?;
                        while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                            if send.send(Ok(work(&reader, task)?)).is_err() {
                                break;
                            }
                        }
                        Ok(())
                    };
                    if let Err(error) = done() {
                        // The receiver is gone if another thread failed first.
                        let _ = send.send(Err(error));
                    }
                });
            }
            drop(send);
            for result in results {
                each(result?);
            }
            Ok(())
        })
    }

    /// Adds every up-to-date kept piece to the grid. Returns their places.
    fn add_kept(&self, pieces: &Pieces<'_>, grid: &mut Grid) -> BTreeSet<i64> {
        let columns = grid.columns.clone();
        let found = self.sidecar.with(|conn| Found::read(conn, pieces, &columns));
        let found = found.unwrap_or_default();
        let (piece_ms, bin_ms) = match pieces.level {
            Level::Narrow => (SLOT_MS, pieces.kept.width),
            Level::Hours => (SLOT_MS, HOUR_MS),
            Level::Slots => (SLOT_MS * CHAPTER, SLOT_MS),
        };
        for (place, column, bytes) in &found.parts {
            if !found.pieces.contains_key(place) {
                continue;
            }
            let aggregate = column.and_then(|at| columns.get(at)).map_or(Aggregate::Mean, |column| column.aggregate);
            blob::decode(aggregate, &found.bytes[bytes.clone()], |at, bin| {
                let ms = place * piece_ms + bin_ms * i64::try_from(at).unwrap_or(0);
                match column {
                    None => grid.add_rows(ms, bin.flags[0]),
                    Some(column) => grid.add_bin(ms, *column, bin),
                }
            });
        }
        found.pieces.into_keys().collect()
    }
}

/// The up-to-date pieces in the sidecar.
#[derive(Default)]
struct Found {
    /// The position of each piece, and its number of columns when it was made.
    pieces: BTreeMap<i64, i64>,
    /// The position, the column of the grid (None for row counts), and the bytes.
    parts: Vec<(i64, Option<usize>, Range<usize>)>,
    bytes: Vec<u8>,
}

impl Found {
    fn read(conn: &mut Connection, pieces: &Pieces<'_>, columns: &[Column]) -> rusqlite::Result<Found> {
        let Pieces { kept, level, places, .. } = pieces;
        let (kept, level) = (*kept, *level);
        let transaction = conn.transaction()?;
        let mut found = Found::default();
        {
            let mut query =
                transaction.prepare_cached("SELECT id, version, columns FROM piece WHERE id BETWEEN ?1 AND ?2")?;
            let bounds = [*places.start(), *places.end()].map(|place| piece_id(kept.series, level, place));
            let mut rows = query.query(bounds)?;
            while let Some(row) = rows.next()? {
                let place = place_of(row.get(0)?);
                if row.get::<_, i64>(1)? == pieces.version(place) {
                    found.pieces.insert(place, row.get(2)?);
                }
            }
            let mut bins =
                transaction.prepare_cached("SELECT id, data FROM bins WHERE id BETWEEN ?1 AND ?2 ORDER BY id")?;
            let of_columns = columns.iter().enumerate().map(|(at, column)| Some((at, *column)));
            for column in std::iter::once(None).chain(of_columns) {
                let stored = column.map_or(0, |(_, column)| column.place + 1);
                // A piece from before the column was added has no values of it.
                let needs = i64::try_from(stored).unwrap_or(i64::MAX);
                let mut lacking: BTreeSet<i64> =
                    found.pieces.iter().filter(|(_, columns)| **columns > needs).map(|(place, _)| *place).collect();
                let bounds = [*places.start(), *places.end()].map(|place| bins_id(kept.series, level, stored, place));
                let mut rows = bins.query(bounds)?;
                while let Some(row) = rows.next()? {
                    let id = row.get(0)?;
                    let place = place_of(id);
                    let seal = pieces.seal(place, column.map(|(_, column)| column));
                    let Some(bytes) = blob::unsealed(row.get_ref(1)?.as_blob()?, seal) else { continue };
                    if lacking.remove(&place) {
                        let begin = found.bytes.len();
                        found.bytes.extend_from_slice(bytes);
                        found.parts.push((place, column.map(|(at, _)| at), begin..found.bytes.len()));
                    }
                }
                found.pieces.retain(|place, _| !lacking.contains(place));
            }
        }
        transaction.commit()?;
        Ok(found)
    }
}

/// Pieces with rows that were not read.
fn unread(
    reader: &Store,
    series: i64,
    slots: RangeInclusive<i64>,
    read: &BTreeSet<i64>,
) -> Result<Vec<i64>, SummaryError> {
    let mut stale = Vec::new();
    let mut slot = *slots.start();
    while slot <= *slots.end() {
        if read.contains(&slot) {
            slot += 1;
            continue;
        }
        // Skips years without rows in one step.
        let Some(next) = reader.first_row(series, slot_start(slot))?.map(slot_of) else { break };
        if next == slot {
            stale.push(slot);
        }
        slot = next.max(slot + i64::from(next == slot));
    }
    Ok(stale)
}

fn draft(kept: Kept<'_>, (level, place): (Level, i64), versions: &Versions, grid: &Grid) -> PieceDraft {
    let start_ms = if level == Level::Slots { place * CHAPTER * SLOT_MS } else { slot_ms(place) };
    let skipped = usize::try_from((grid.start - start_ms) / grid.width).unwrap_or(0);
    let sealed =
        |column: Option<Column>, bytes: Vec<u8>| blob::seal(bytes, seal(kept, (level, place), column, versions));
    let rows: Vec<Bin> = grid.rows.iter().map(|rows| Bin { flags: [*rows, 0, 0, 0, 0], ..Bin::EMPTY }).collect();
    let placed = |at: usize| at + skipped;
    let counts = blob::encode(Aggregate::Mean, rows.iter().enumerate().map(|(at, bin)| (placed(at), bin)));
    let mut columns = vec![sealed(None, counts)];
    for (at, column) in grid.columns.iter().enumerate() {
        let bins = grid.column(at).enumerate().map(|(at, bin)| (placed(at), bin));
        columns.push(sealed(Some(*column), blob::encode(column.aggregate, bins)));
    }
    PieceDraft { series: kept.series, level, place, version: version(level, place, versions), columns }
}

/// Reads the counters of the row before a grid. A row that is too far away is not used.
fn look_back(reader: &Store, series: i64, grid: &mut Grid) -> store::Result<()> {
    if !grid.has_counters() {
        return Ok(());
    }
    let begin = Timestamp::from_millis(grid.start);
    let Some(&at) = reader.newest_times(series, begin.previous(), 1)?.first() else { return Ok(()) };
    reader.scan(series, (at, at.next()), |row| grid.look_back(&row))
}

/// These slots and the previous one, on which a counter's first increment depends.
fn with_before(slots: RangeInclusive<i64>) -> RangeInclusive<i64> {
    slots.start() - 1..=*slots.end()
}

fn has_hours(kept: Kept<'_>) -> bool {
    kept.width <= WIDEST_WITH_HOURS
}

fn slot_ms(slot: i64) -> i64 {
    slot * SLOT_MS
}

/// The slots of these chapters.
fn whole(chapters: &[i64]) -> RangeInclusive<i64> {
    let first = chapters.first().map_or(0, |chapter| chapter * CHAPTER);
    first..=chapters.last().map_or(-1, |chapter| chapter * CHAPTER + CHAPTER - 1)
}

/// The time from the beginning of the first bin to before the end of the last.
fn stretch(grid: &Grid) -> (Timestamp, Timestamp) {
    let at = |place| Timestamp::from_millis(grid.time(place));
    (at(0), at(grid.len()))
}
