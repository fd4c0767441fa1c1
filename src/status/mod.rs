//! The verdict of `fluxtower status`, `check`, the page and the report: whether data is read and sent.
//!
//! [`Facts`] are read from the store and the tables' folders. This takes as long for twenty million rows as for twenty
//! thousand, because the store keeps its counts. What the facts mean also depends on the present time, so [`findings`]
//! concludes separately from the reading: facts that are kept for a while still give the right age.

use std::path::Path;
use std::time::Duration;

use thiserror::Error;

use crate::config::{Config, Misfit};
use crate::store::{
    ClockLine, FutureTimes, GapLine, LoggerFile, ReadFile, ReceiverLine, RunLine, Store, StoreError, TableStatus,
    Uncounted, folder_of,
};
use crate::sync::{LeftPoints, PendingBytes, Standing, SyncError, SyncReport};
use crate::time::{Interval, Timestamp};

mod exit;
mod findings;
pub mod offset;
pub mod records;
mod sunlight;
mod units;

pub use exit::Exit;
#[cfg(windows)]
pub use findings::real_share;
pub use findings::{
    Finding, Folders, Kind, Lateness, Rule, SOON_S, Severity, TableFolders, Verdict, failure, findings, not_taken_up,
    of_ingest, of_sync,
};
pub use sunlight::Sunlight;

/// Under this key the store keeps how often a scheduler's entry starts the program, in milliseconds, or that it stays up.
pub const STARTS_KEY: &str = "schedule";

/// Under this key the store keeps why a changed configuration was not taken up.
const REFUSED_CONFIGURATION: &str = "configuration refused";

/// Less room than this is soon none: a day of a busy station, its log and a backup of the day's rows.
const LITTLE_ROOM: u64 = 500_000_000;
/// On a small disk, a part of less than one in so many.
const LITTLE_PART: u64 = 10;

/// What is free on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes that are free.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
}

impl Room {
    /// On the disk of a folder.
    ///
    /// # Errors
    /// The system does not say it.
    pub fn of(folder: &Path) -> std::io::Result<Room> {
        Ok(Room { free: fs4::available_space(folder)?, total: fs4::total_space(folder)? })
    }

    /// Whether it is soon none.
    pub fn is_little(self) -> bool {
        self.free < LITTLE_ROOM && self.free < self.total / LITTLE_PART
    }
}

const DAY: Duration = Duration::from_secs(86_400);

/// What another process dated so little after this one looked at the clock was done meanwhile, not in the future.
const BESIDE: Duration = Duration::from_secs(60);

/// Why there is no status.
#[derive(Debug, Error)]
pub enum StatusError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The backlog could not be estimated.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

/// Keeps when the first ingest of this database was: a table whose rows were old by then is an archive, unless the
/// configuration says when its rows are late.
///
/// # Errors
/// The store fails.
pub fn note_first_ingest(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    if store.first_ingest()?.is_none() && store.last_run_by("ingest", now)?.is_none() {
        store.remember_first_ingest(now)?;
    }
    Ok(())
}

/// A changed configuration that a continuous agent has not taken up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedConfiguration {
    /// When it was found to be wrong.
    pub since: Timestamp,
    /// What is wrong with it.
    pub why: String,
}

/// Keeps that a changed configuration was refused, or that the one in force is that of the file.
///
/// # Errors
/// The store fails.
pub fn keep_refused_configuration(store: &Store, refused: Option<&RefusedConfiguration>) -> Result<(), StoreError> {
    match refused {
        Some(refused) => store.remember(REFUSED_CONFIGURATION, &format!("{} {}", refused.since.nanos(), refused.why)),
        None if store.recall(REFUSED_CONFIGURATION)?.is_some() => store.forget(REFUSED_CONFIGURATION).map(drop),
        None => Ok(()),
    }
}

fn refused_configuration(store: &Store) -> Result<Option<RefusedConfiguration>, StoreError> {
    let kept = store.recall(REFUSED_CONFIGURATION)?;
    Ok(kept.as_deref().and_then(|kept| {
        let (since, why) = kept.split_once(' ')?;
        Some(RefusedConfiguration { since: Timestamp::from_nanos(since.parse().ok()?), why: why.to_owned() })
    }))
}

/// A table's usual interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsualInterval {
    /// The table.
    pub table: String,
    /// From row to row.
    pub interval: Duration,
}

/// What the store says about itself, and the folders about the files.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Every table that was ever read.
    pub tables: Vec<TableStatus>,
    /// Of each configured table with at least two rows.
    pub intervals: Vec<UsualInterval>,
    /// When this database's first ingest was; not known of a database of an earlier version.
    pub first_ingest: Option<Timestamp>,
    /// The last ingest.
    pub last_ingest: Option<RunLine>,
    /// The last sync.
    pub last_sync: Option<RunLine>,
    /// When a request was last acknowledged.
    pub last_stored: Option<Timestamp>,
    /// When a sync of the last day ended with nothing pending: what is pending came later.
    pub nothing_pending: Option<Timestamp>,
    /// Runs and receipts that are dated in the future.
    pub future: FutureTimes,
    /// By how much the server's clock was ahead of this computer's at the last sync, where the server confirmed its time.
    pub server_ahead_s: Option<i64>,
    /// How long each bucket keeps rows, as last seen; none means the destination's own.
    pub retentions: Vec<(Option<String>, Duration)>,
    /// Files as they were last read.
    pub files: Vec<ReadFile>,
    /// The tables' folders now.
    pub folders: Folders,
    /// Tables whose rows are behind their files by so many seconds, a whole number of half hours ([`offset`]).
    pub offsets: Vec<(String, i64)>,
    /// Tables that are made of another one's rows, whose interval does not divide the windows.
    pub unfit_windows: Vec<(String, Duration)>,
    /// Tables whose rows were staged with other offsets from UTC than the configuration has.
    pub unconfirmed_offsets: Vec<crate::ingest::UnconfirmedOffset>,
    /// Clock entries that ended where RECORD started again.
    pub ended_entries: Vec<crate::ingest::EndedEntry>,
    /// What is wrong with the light of radiometers or with the time at which it comes.
    pub sunlight: Vec<Sunlight>,
    /// Whether a scheduler's entry starts the program.
    pub is_scheduled: bool,
    /// A changed configuration that was not taken up.
    pub refused_configuration: Option<RefusedConfiguration>,
    /// Steps and resets of the loggers' clocks that were found in the last day.
    pub clock_events: Vec<ClockLine>,
    /// Missing records.
    pub gaps: Vec<GapLine>,
    /// The newest rows of tables whose RECORD does not tell what is missing, and the time steps that are.
    pub uncounted: Vec<Uncounted>,
    /// When a line was last rejected.
    pub newest_rejected_line: Option<Timestamp>,
    /// When a conflict was last found that is open.
    pub newest_open_conflict: Option<Timestamp>,
    /// Tables of which the newest conflicts came from another logger than other rows.
    pub two_loggers: Vec<(String, [LoggerFile; 2])>,
    /// Tables that two loggers write in turn, with a file of each.
    pub in_turn: Vec<(String, [LoggerFile; 2])>,
    /// Columns whose unit in the newest header is another one than before, by table.
    pub unit_changes: Vec<(String, units::UnitChange)>,
    /// How notifications go to each of their receivers; none where the configuration names no receiver.
    pub receivers: Vec<ReceiverLine>,
    /// Tables and what their newest header states against the configuration.
    pub misfits: Vec<(String, Misfit)>,
    /// Tables and what is wrong with their values of the last day, where the caller has judged these.
    pub wrong_values: Vec<(String, String)>,
    /// Bytes that are free on the disk of the database; none where the system does not say.
    pub room: Option<Room>,
    /// Points that hold what rows no longer have.
    pub left_points: Vec<LeftPoints>,
    /// Size of the backlog, and how long it takes to drain.
    pub pending_bytes: PendingBytes,
}

impl Facts {
    /// Reads them as of `now`.
    ///
    /// # Errors
    /// The store fails.
    pub fn read(config: &Config, store: &Store, now: Timestamp) -> Result<Facts, StatusError> {
        let mut intervals = Vec::new();
        let mut offsets = Vec::new();
        let mut sunlight = Vec::new();
        let mut unit_changes = Vec::new();
        for table in &config.tables {
            let name = &table.name.0;
            let interval = store.usual_interval_of_table(name)?;
            // What is wrong with rows that are made is wrong with those that they are made of.
            if table.made_of.is_none() {
                if let Some(seconds) = offset::of(store, name, interval, now)? {
                    offsets.push((name.clone(), seconds));
                }
                sunlight.extend(sunlight::of(store, config, table, interval)?);
                unit_changes.extend(units::of(store, name)?.into_iter().map(|change| (name.clone(), change)));
            }
            intervals.extend(interval.map(|interval| UsualInterval { table: name.clone(), interval }));
        }
        // What a server said before the rows went to a folder says nothing of it.
        let is_server = matches!(config.destination, crate::config::DestinationConfig::Influx(_));
        let server_ahead = if is_server { crate::sync::server_ahead(store)? } else { None };
        let mut clock_events =
            store.clock_events_seen(Interval::new(now.before(DAY), now.after(Duration::from_nanos(1))))?;
        for table in &config.tables {
            if let Some(place) = findings::set_back(table, &clock_events, now) {
                clock_events[place].right_again = store.right_again(&clock_events[place])?;
            }
        }
        let newest_open_conflict = store.newest_open_conflict()?;
        // Only recent conflicts are a finding, and this searches the files that were read.
        let is_recent = newest_open_conflict.is_some_and(|seen| age_s(now, seen) < findings::RECENT_S);
        let two_loggers = if is_recent { store.tables_of_two_loggers()? } else { Vec::new() };
        Ok(Facts {
            tables: store.table_status()?,
            intervals,
            first_ingest: store.first_ingest()?,
            last_ingest: store.last_run_by("ingest", now)?,
            last_sync: store.last_run_by("sync", now)?,
            last_stored: store.last_stored_by(now)?,
            nothing_pending: store.last_sync_with_nothing_pending(Interval::new(now.before(DAY), now))?,
            future: store.future_times(now.after(BESIDE))?,
            server_ahead_s: server_ahead.map(|ahead| ahead.num_seconds()),
            retentions: if is_server { crate::sync::retentions(store)? } else { Vec::new() },
            files: store.read_files()?,
            folders: Folders::look(config),
            offsets,
            unfit_windows: unfit_windows(config, store)?,
            unconfirmed_offsets: crate::ingest::unconfirmed_offsets(config, store)?,
            ended_entries: crate::ingest::ended_entries(config, store)?,
            sunlight,
            is_scheduled: store.recall(STARTS_KEY)?.is_some_and(|text| text.parse::<u64>().is_ok()),
            refused_configuration: refused_configuration(store)?,
            clock_events,
            gaps: store.gaps()?,
            uncounted: store.uncounted(
                now.before(std::time::Duration::from_secs(findings::RECENT_S.cast_unsigned())),
                records::ROWS_LOOKED_AT,
            )?,
            newest_rejected_line: store.newest_rejected_line()?,
            newest_open_conflict,
            two_loggers,
            in_turn: store.tables_in_turn(now.before(2 * DAY))?,
            unit_changes,
            receivers: receivers(config, store)?,
            misfits: misfits(config, store)?,
            wrong_values: Vec::new(),
            room: Room::of(folder_of(store.path())).ok(),
            left_points: crate::sync::left_points(config, store)?,
            pending_bytes: crate::sync::pending_bytes(config, store, now)?,
        })
    }

    /// Whether rows that are pending have been so for too long without an acknowledgement. Rows that come once a day, and
    /// those after an outage of the logger, have not been pending since the last acknowledgement.
    pub fn is_silent_too_long(&self, now: Timestamp) -> bool {
        let since = self.last_stored.map(|last| self.nothing_pending.map_or(last, |idle| idle.max(last)));
        since.is_some_and(|since| age_s(now, since) > findings::SILENT_TOO_LONG_S)
    }

    /// The table of that name, if it was ever read.
    pub fn table(&self, name: &str) -> Option<&TableStatus> {
        self.tables.iter().find(|table| table.table == name)
    }

    /// The usual interval of a table.
    pub fn interval(&self, name: &str) -> Option<Duration> {
        self.intervals.iter().find(|of| of.table == name).map(|of| of.interval)
    }
}

fn unfit_windows(config: &Config, store: &Store) -> Result<Vec<(String, Duration)>, StoreError> {
    let mut found = Vec::new();
    for (table, made) in config.made_tables() {
        let interval = store.regular_interval_of_table(&made.table.0)?;
        let unfit = interval.filter(|interval| !made.is_divided_by(*interval));
        found.extend(unfit.map(|interval| (table.name.0.clone(), interval)));
    }
    Ok(found)
}

/// How notifications go to each of their receivers.
fn receivers(config: &Config, store: &Store) -> Result<Vec<ReceiverLine>, StoreError> {
    let names = config.notify.iter().flat_map(crate::config::NotifyConfig::receivers);
    names.map(|name| store.receiver(&name)).collect()
}

/// What the newest header of each table states against the configuration; derived columns by their configured unit.
fn misfits(config: &Config, store: &Store) -> Result<Vec<(String, Misfit)>, StoreError> {
    let mut found = Vec::new();
    for table in config.logger_tables() {
        let name = &table.name.0;
        let columns = store.columns_of(name)?;
        let newest = store.newest_header(name)?;
        let stated: Vec<_> = columns
            .iter()
            .map(|column| {
                let of_header = newest.as_ref().and_then(|header| header.stated(&column.name));
                of_header.unwrap_or_else(|| column.stated_in(table))
            })
            .collect();
        let is_aggregated = config.made_tables().any(|(_, made)| made.table == table.name);
        let mut of_table = table.misfits(&stated, is_aggregated);
        if is_aggregated {
            of_table.extend(table.unclear_rain(&stated));
        }
        let at_work = store.headers_at_work(name)?;
        let is_there = |column: &String| at_work.iter().any(|header| header.names.contains(column));
        // Most tables have all of their columns, and their headers need not be read.
        if !at_work.is_empty() && !table.awaited().all(|(column, _)| is_there(column)) {
            let headers = store.headers_of(name)?;
            let all: Vec<&[String]> = headers.iter().map(|(_, header)| header.names.as_slice()).collect();
            let at_work: Vec<&[String]> = at_work.iter().map(|header| header.names.as_slice()).collect();
            of_table.extend(table.gone(&all, &at_work));
        }
        found.extend(of_table.into_iter().map(|misfit| (name.clone(), misfit)));
    }
    Ok(found)
}

/// The list of findings as the store, the folders and the clock give it now.
///
/// # Errors
/// The store fails.
pub fn judge(config: &Config, store: &Store, now: Timestamp) -> Result<Vec<Finding>, StatusError> {
    Ok(findings(config, &Facts::read(config, store, now)?, now))
}

/// What the list comes to at the end of a sync of which the store keeps no line yet: its own report takes the place of the
/// last one's.
///
/// # Errors
/// The store fails.
pub fn judge_during(
    config: &Config,
    store: &Store,
    report: &SyncReport,
    now: Timestamp,
) -> Result<Standing, SyncError> {
    let mut facts = Facts::read(config, store, now).map_err(|error| match error {
        StatusError::Store(error) => SyncError::from(error),
        StatusError::Sync(error) => error,
    })?;
    facts.last_sync = Some(RunLine {
        started: now,
        ended: now,
        exit: of_sync(report, facts.last_stored, now) as i64,
        summary: serde_json::to_string(report).unwrap_or_default(),
    });
    let findings = findings(config, &facts, now);
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count() as u64;
    let verdict = Verdict::of(&findings);
    Ok(Standing {
        verdict: verdict.name(),
        is_well: matches!(verdict, Verdict::Well | Verdict::Note),
        problems: count(Severity::Problem),
        warnings: count(Severity::Warning),
    })
}

/// Whole seconds from `then` to `now`.
pub fn age_s(now: Timestamp, then: Timestamp) -> i64 {
    now.seconds_since(then)
}
