//! Store to destination: the right half of the flow.
//!
//! A plan is made from the backlog (`plan`), turned into batches by one thread (`feed`), carried by another
//! (`courier`) and settled in the store by this one (`deliver`), so that the link is never idle while SQLite syncs to
//! disk. Rows leave `pending` here and nowhere else, and only by an answer (I5, I6).

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use thiserror::Error;

use crate::config::{ColumnUse, Config, TableConfig};
use crate::destination::{Destination, DestinationError};
use crate::line::{LineError, LineShape};
use crate::qc;
use crate::store::{SeriesBacklog, Store, StoreError};
use crate::time::{Clock, Timestamp};

mod batch;
mod carried;
mod columns;
mod courier;
mod deliver;
mod dry_run;
mod estimate;
mod expected;
mod feed;
mod halt;
mod health;
mod known_good;
mod lanes;
mod left_alone;
mod pace;
mod pin;
mod plan;
mod settled;
mod stale;

pub use batch::{Batch, BatchRow};
pub use carried::{compare as compare_lines, requeue_withheld};
pub use columns::most_columns;
pub use dry_run::{DryRun, dry_run, dry_run_with};
pub use estimate::{Waiting, waiting};
pub use halt::Halt;
pub use pace::{Pace, Waits};
pub use pin::{Verdict, foresee, retentions};
pub use plan::{BucketPlan, Piece, live_rows, plan};

use deliver::{Delivery, Work};
use feed::Feed;
use known_good::KnownGood;
use lanes::Lanes;

/// The window in which the free plan counts bytes (InfluxDB Cloud, account limits). Ours trails behind now, so that no
/// placement of the server's window can hold more.
pub const BUDGET_WINDOW: Duration = Duration::from_secs(300);

/// Told how far a long drain is.
pub trait Progress {
    /// So many rows wait.
    fn backlog(&self, rows: u64);
    /// So many rows more are settled.
    fn done(&self, rows: u64);
}

/// For when nobody looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unseen;

impl Progress for Unseen {
    fn backlog(&self, _rows: u64) {}
    fn done(&self, _rows: u64) {}
}

/// Why a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// Nothing is due any more.
    Done,
    /// The time of the run is used up.
    Deadline,
    /// The bytes of the window are used up.
    Budget,
    /// The network or the server is not ready; rows wait.
    Unreachable,
    /// The destination refuses us; a person has to act.
    Held,
    /// More rows were refused than one run sets aside.
    Refusals,
    /// Another sync is at work.
    AlreadyRunning,
    /// The caller wanted it ([`Halt`]).
    Interrupted,
}

/// What a sync did.
#[derive(Debug, Clone, Serialize)]
pub struct SyncReport {
    /// Rows acknowledged.
    pub sent: u64,
    /// Rows refused alone, with the server's words kept.
    pub rejected: u64,
    /// Rows older than the bucket keeps them.
    pub expired: u64,
    /// Rows that still wait, of all tables.
    pub pending: u64,
    /// Requests made.
    pub requests: u64,
    /// Bytes of line protocol in them, as a quota counts.
    pub bytes: u64,
    /// Bytes on the wire.
    pub wire_bytes: u64,
    /// Why it ended.
    pub stopped_by: StoppedBy,
    /// What a person should do or know.
    pub notes: Vec<String>,
    /// How long the server asked to be left alone, where that is longer than the run had left.
    #[serde(skip)]
    pub left_alone: Option<Duration>,
    /// Why it ended apart from buckets and tables that were refused.
    #[serde(skip)]
    ended_by: StoppedBy,
    /// Whether the destination's own bucket was refused.
    #[serde(skip)]
    holds_own_bucket: bool,
}

impl SyncReport {
    /// Of a sync that left the work to another.
    pub fn already_running() -> SyncReport {
        SyncReport { stopped_by: StoppedBy::AlreadyRunning, ..SyncReport::new() }
    }

    fn note_once(&mut self, note: String) {
        if !self.notes.contains(&note) {
            tracing::warn!("{note}");
            self.notes.push(note);
        }
    }

    fn new() -> SyncReport {
        SyncReport {
            sent: 0,
            rejected: 0,
            expired: 0,
            pending: 0,
            requests: 0,
            bytes: 0,
            wire_bytes: 0,
            stopped_by: StoppedBy::Done,
            notes: Vec::new(),
            left_alone: None,
            ended_by: StoppedBy::Done,
            holds_own_bucket: false,
        }
    }
}

/// What stops a sync before its work is done.
#[derive(Debug, Error)]
pub enum SyncError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The destination cannot be used at all.
    #[error("{source}; {}", .source.hint())]
    Destination {
        /// Why.
        #[from]
        source: DestinationError,
    },
    /// Memory could not be written; never seen.
    #[error("a batch cannot be compressed: {0}")]
    Compress(std::io::Error),
    /// A thread of the sync ended without a word.
    #[error("sync lost one of its threads; run it again, nothing is lost")]
    Thread,
}

impl SyncError {
    /// Whether trying again later cannot help.
    pub fn is_permanent(&self) -> bool {
        match self {
            SyncError::Store(error) => error.is_permanent(),
            SyncError::Destination { source } => source.is_permanent(),
            SyncError::Compress(_) | SyncError::Thread => false,
        }
    }
}

/// A line may be longer than the newest one of its table by this part of it.
const LINES_VARY: usize = 4;

/// The backlog, with what is needed to spell it.
struct Outbox {
    backlog: Vec<SeriesBacklog>,
    shapes: Vec<LineShape>,
    buckets: Vec<Option<String>>,
    plan: Vec<BucketPlan>,
    notes: Vec<String>,
}

impl Outbox {
    /// With `now`, only of rows whose flags are settled by then.
    fn open(config: &Config, store: &Store, now: Option<Timestamp>) -> Result<Outbox, SyncError> {
        let mut outbox = Outbox {
            backlog: Vec::new(),
            shapes: Vec::new(),
            buckets: Vec::new(),
            plan: Vec::new(),
            notes: Vec::new(),
        };
        for mut series in store.backlog()? {
            let Some(table) = config.table(&series.table) else {
                outbox.note(format!("table \"{}\" is no longer in the configuration; its rows wait", series.table));
                continue;
            };
            if let Some(now) = now {
                settled::cut(config, store, table, &mut series, now)?;
                if series.intervals.is_empty() {
                    continue;
                }
            }
            match shape(config, store, table, &series)? {
                Ok(shape) => {
                    outbox.shapes.push(shape);
                    outbox.buckets.push(table.bucket.clone());
                    outbox.backlog.push(series);
                }
                Err(error) => outbox.note(format!("table \"{}\": {error}; its rows wait", series.table)),
            }
        }
        outbox.note_shared_identity();
        let live = live_rows(outbox.rows_in_a_request(config, store)?, outbox.backlog.len());
        let mut live_from = Vec::new();
        for series in &outbox.backlog {
            live_from.push(match series.hull() {
                Some(hull) => store.nth_newest_pending(series.series, hull, live)?,
                None => None,
            });
        }
        outbox.plan = plan(&outbox.backlog, |index| outbox.buckets[index].clone(), |index| live_from[index]);
        Ok(outbox)
    }

    /// Each series with the time of the newest row that may be sent.
    fn ends(&self) -> Vec<(i64, Timestamp)> {
        self.backlog.iter().filter_map(|series| Some((series.series, series.hull()?.1))).collect()
    }

    /// By the length of the longest of the series' newest lines.
    fn rows_in_a_request(&self, config: &Config, store: &Store) -> Result<usize, SyncError> {
        let mut longest = 0;
        for (series, shape) in self.backlog.iter().zip(&self.shapes) {
            let Some(hull) = series.hull() else { continue };
            let Some(newest) = store.nth_newest_pending(series.series, hull, 1)? else { continue };
            store.pending_rows(series.series, (newest, hull.1), 1, |row| {
                let mut line = Vec::new();
                // A row that cannot be spelled is not sent.
                let _ = shape.render(row.ts, row.values, row.flags, &mut line);
                longest = longest.max(line.len());
                true
            })?;
        }
        let lines = config.sync.batch_bytes / (longest + longest / LINES_VARY).max(1);
        Ok(lines.min(config.sync.batch_rows))
    }

    /// Two tables that send a field under one measurement and tag set would overwrite each other's points silently
    /// (docs/influx-answers.md#line-protocol, "Identity").
    fn note_shared_identity(&mut self) {
        let mut notes = Vec::new();
        for (place, shape) in self.shapes.iter().enumerate() {
            for (other, twin) in self.shapes.iter().enumerate().take(place) {
                let same_point = self.buckets[place] == self.buckets[other]
                    && shape.measurement() == twin.measurement()
                    && shape.tags() == twin.tags();
                if same_point
                    && let Some(field) = shape.field_names().find(|name| twin.field_names().any(|known| known == *name))
                {
                    notes.push(format!(
                        "tables \"{}\" and \"{}\" both send field {field} of measurement {} with the same tags, so one overwrites \
                         the other; give one of them a tag or a measurement of its own",
                        self.backlog[other].table,
                        self.backlog[place].table,
                        shape.measurement()
                    ));
                }
            }
        }
        notes.into_iter().for_each(|note| self.note(note));
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            tracing::warn!("{note}");
            self.notes.push(note);
        }
    }
}

/// How the lines of a series are spelled, if they can be.
pub fn shape(
    config: &Config,
    store: &Store,
    table: &TableConfig,
    series: &SeriesBacklog,
) -> Result<Result<LineShape, LineError>, SyncError> {
    let columns = store.column_names(&series.table)?;
    let tag_names = columns
        .iter()
        .filter(|name| table.columns.get(*name).is_some_and(|column| column.column_use == ColumnUse::Tag));
    let tags: Vec<(String, String)> = tag_names.cloned().zip(series.tags.iter().cloned()).collect();
    let by_hand = store.columns_flagged_by_hand(&series.table)?;
    let is_flagged =
        |column: &str| qc::is_tested(config, table, column) || by_hand.iter().any(|flagged| flagged == column);
    Ok(LineShape::within(
        most_columns(config, table, |name| store.column_names(name))?,
        table,
        &columns,
        &tags,
        &is_flagged,
    ))
}

/// Sends what is due, within deadline and budget. The caller holds the sync lock. `destination` is opened only when there
/// is something to send.
pub fn run(
    config: &Config,
    store: &Store,
    clock: &dyn Clock,
    open: impl FnOnce() -> Result<Box<dyn Destination>, DestinationError>,
    progress: &dyn Progress,
) -> Result<SyncReport, SyncError> {
    run_until(config, store, clock, open, progress, &Halt::default())
}

/// As [`run`], for a caller that may want it to end early.
pub fn run_until(
    config: &Config,
    store: &Store,
    clock: &dyn Clock,
    open: impl FnOnce() -> Result<Box<dyn Destination>, DestinationError>,
    progress: &dyn Progress,
    halt: &Halt,
) -> Result<SyncReport, SyncError> {
    let mut report = SyncReport::new();
    let now = Timestamp::from_utc(clock.now());
    let mut outbox = Outbox::open(config, store, Some(now))?;
    report.notes.clone_from(&outbox.notes);
    if outbox.plan.is_empty() && !health::is_due(config) && store.stale_series()?.is_empty() {
        report.pending = store.pending()?;
        return Ok(report);
    }
    let mut destination = open()?;
    let name = destination.name();
    if let Some(left) = left_alone::still(store, &name, now)? {
        let note = format!(
            "the server asked to be left alone for another {} s; rows stay pending until then",
            left.as_secs().max(1)
        );
        tracing::warn!("{note}");
        report.notes.push(note);
        report.stopped_by = StoppedBy::Unreachable;
        report.left_alone = Some(left);
        report.pending = store.pending()?;
        return Ok(report);
    }
    let looked = look(store, clock, &outbox, &name, destination.as_mut(), &mut report)?;
    if looked.expired {
        outbox = Outbox::open(config, store, Some(now))?;
    }
    report.notes.extend(carried::notes(store, &outbox.backlog, &outbox.shapes)?);
    let buckets = outbox.plan.iter().map(|bucket| bucket.bucket.as_deref());
    let buckets: Vec<_> = buckets.filter(|bucket| !looked.holds(*bucket)).collect();
    let removed = stale::remove(config, store, destination.as_mut(), &buckets, halt)?;
    report.notes.extend(removed.notes);
    if removed.requeued {
        outbox = Outbox::open(config, store, Some(now))?;
    }
    store.note_offered(&outbox.ends())?;
    outbox.plan.retain(|bucket| !looked.holds(bucket.bucket.as_deref()));
    let sending = Sending { config, store, clock, halt, progress, outbox: &outbox };
    send(&sending, destination.as_mut(), &mut report)?;
    report.pending = store.pending()?;
    for held in &looked.held {
        tracing::error!("{}", held.text);
        report.stopped_by = StoppedBy::Held;
        report.notes.push(held.text.clone());
    }
    let is_well = matches!(report.ended_by, StoppedBy::Done | StoppedBy::Budget | StoppedBy::Deadline);
    if is_well && !report.holds_own_bucket && !looked.holds(None) {
        health::send(config, store, clock, destination.as_mut(), &mut report)?;
    }
    Ok(report)
}

/// What a sync works with.
struct Sending<'a> {
    config: &'a Config,
    store: &'a Store,
    clock: &'a dyn Clock,
    halt: &'a Halt,
    progress: &'a dyn Progress,
    outbox: &'a Outbox,
}

/// Carries out the plan.
fn send(
    sending: &Sending<'_>,
    destination: &mut (dyn Destination + 'static),
    report: &mut SyncReport,
) -> Result<(), SyncError> {
    let Sending { config, store, clock, halt, progress, outbox } = *sending;
    if outbox.plan.is_empty() {
        return Ok(());
    }
    let name = destination.name();
    let reader = Store::open_reader(store.path())?;
    progress.backlog(store.pending()?);
    let lanes = Lanes::default();
    let (ready_out, ready) = sync_channel(1);
    let feed = Feed {
        store: reader,
        backlog: &outbox.backlog,
        shapes: &outbox.shapes,
        limits: &config.sync,
        compress: destination.wants_gzip(),
        lanes: &lanes,
        out: ready_out,
    };
    let plan = &outbox.plan;
    let known_good = KnownGood { config, store, outbox, clock, takes_health: destination.can_be_asked() };
    let mut others: Vec<Box<dyn Destination>> =
        (1..config.sync.requests).map_while(|_| destination.another()).collect();
    std::thread::scope(|scope| {
        // Moved in, so that its channel closes with the last batch.
        scope.spawn(move || feed.run(plan));
        let others = others.iter_mut().map(AsMut::as_mut);
        let courier = courier::Courier::start(scope, std::iter::once(destination).chain(others));
        let work = Work {
            store,
            clock,
            halt,
            limits: &config.sync,
            destination: &name,
            progress,
            lanes: &lanes,
            known_good: &known_good,
        };
        // Moved in, so that the feed ends with the delivery.
        let ready = ready;
        Delivery::new(work, courier, report).run(&ready)
    })?;
    if let Some(asked) = report.left_alone {
        left_alone::remember(store, &name, Timestamp::from_utc(clock.now()), asked)?;
    }
    report.holds_own_bucket = lanes.is_closed(None);
    Ok(())
}

/// What a look at the buckets led to.
#[derive(Default)]
struct Looked {
    /// Rows left the backlog.
    expired: bool,
    held: Vec<HeldBucket>,
}

/// A bucket that is not the one that it was.
struct HeldBucket {
    bucket: Option<String>,
    text: String,
}

impl Looked {
    fn holds(&self, bucket: Option<&str>) -> bool {
        self.held.iter().any(|held| held.bucket.as_deref() == bucket)
    }
}

fn clocks_disagree(server: Option<DateTime<Utc>>, clock: &dyn Clock) -> String {
    let shown = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M:%S UTC");
    format!(
        "this computer's clock shows {}, the server's {}: nothing expires and nothing is deleted until they agree; set the \
         clock that is wrong",
        shown(clock.now()),
        server.map_or_else(String::new, |server| shown(server).to_string())
    )
}

/// Asks for every bucket's id and retention, holds one that is another bucket, and lets go of rows that it would not keep.
fn look(
    store: &Store,
    clock: &dyn Clock,
    outbox: &Outbox,
    name: &str,
    destination: &mut dyn Destination,
    report: &mut SyncReport,
) -> Result<Looked, SyncError> {
    let mut looked = Looked::default();
    for bucket in &outbox.plan {
        let look = destination.look(bucket.bucket.as_deref());
        match pin::compare(store, name, bucket.bucket.as_deref(), &look)? {
            pin::Verdict::Same => {}
            pin::Verdict::Note(note) => report.notes.push(note),
            pin::Verdict::Hold(text) => {
                looked.held.push(HeldBucket { bucket: bucket.bucket.clone(), text });
                continue;
            }
        }
        if look.clocks_disagree(clock.now()) {
            report.note_once(clocks_disagree(look.server_time, clock));
        }
        let Some(cutoff) = look.kept_from(clock.now()) else { continue };
        for (series, of) in outbox.backlog.iter().zip(&outbox.buckets) {
            if *of == bucket.bucket {
                report.expired += store.expire(series.series, cutoff)?;
            }
        }
    }
    if report.expired > 0 {
        tracing::warn!("{} rows are older than their bucket keeps rows; they are not sent", report.expired);
        looked.expired = true;
    }
    Ok(looked)
}
