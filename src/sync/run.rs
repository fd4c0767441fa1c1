//! One sync, from the look at the buckets to the last answer.

use std::sync::mpsc::sync_channel;

use super::cancel::Cancel;
use super::deliver::{Delivery, Work};
use super::feed::Feed;
use super::known_good::KnownGood;
use super::lanes::Lanes;
use super::look::{Looked, look};
use super::outbox::Outbox;
use super::{
    Progress, Standing, StoppedBy, SyncError, SyncReport, carried, health, left_alone, left_series, stale, workers,
};
use crate::config::Config;
use crate::destination::{Destination, DestinationError};
use crate::store::Store;
use crate::time::{Clock, Timestamp};

/// Sends what is due, within deadline and budget. The caller holds the sync lock. `destination` is opened only if there
/// is something to send.
pub fn run(
    config: &Config,
    store: &Store,
    clock: &dyn Clock,
    open: impl FnOnce() -> Result<Box<dyn Destination>, DestinationError>,
    progress: &dyn Progress,
) -> Result<SyncReport, SyncError> {
    let judge = |_: &SyncReport| Ok(Standing::NOT_JUDGED);
    run_until(&Sync { config, store, clock, progress, cancel: &Cancel::default(), judge: &judge }, open)
}

/// What a sync works with.
#[derive(Clone, Copy)]
pub struct Sync<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The store with the pending rows.
    pub store: &'a Store,
    /// This computer's clock.
    pub clock: &'a dyn Clock,
    /// Receives the progress.
    pub progress: &'a dyn Progress,
    /// Cancels the sync.
    pub cancel: &'a Cancel,
    /// Judges the findings, for the health line and the heartbeat.
    pub judge: &'a dyn Fn(&SyncReport) -> Result<Standing, SyncError>,
}

/// Like [`run`], for a caller that may cancel it.
pub fn run_until(
    sync: &Sync<'_>,
    open: impl FnOnce() -> Result<Box<dyn Destination>, DestinationError>,
) -> Result<SyncReport, SyncError> {
    let Sync { config, store, clock, progress, cancel, .. } = *sync;
    let mut report = SyncReport::new();
    let now = Timestamp::from_utc(clock.now());
    let mut outbox = Outbox::open(config, store, Some(now))?;
    report.notes.clone_from(&outbox.notes);
    let looks_for_left = left_series::is_due(config, store, now)?;
    if outbox.plan.is_empty() && !health::is_due(config) && store.stale_series()?.is_empty() && !looks_for_left {
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
    let mut looked = look(sync, &outbox, destination.as_mut(), &mut report)?;
    if looked.expired {
        outbox = Outbox::open(config, store, Some(now))?;
    }
    report.notes.extend(carried::notes(store, &outbox.backlog, &outbox.shapes)?);
    let buckets = outbox.plan.iter().map(|bucket| bucket.bucket.as_deref());
    let buckets: Vec<_> = buckets.filter(|bucket| !looked.holds(*bucket)).collect();
    let removed = stale::remove(config, store, destination.as_mut(), &buckets, cancel)?;
    report.notes.extend(removed.notes);
    if removed.requeued {
        outbox = Outbox::open(config, store, Some(now))?;
    }
    store.note_offered(&outbox.ends())?;
    outbox.plan.retain(|bucket| !looked.holds(bucket.bucket.as_deref()));
    let sending = Sending { config, store, clock, cancel, progress, outbox: &outbox };
    send(&sending, destination.as_mut(), &mut looked, &mut report)?;
    report.pending = store.pending()?;
    for held in &looked.held {
        report.held(&held.text);
    }
    let is_well = matches!(report.ended_by, StoppedBy::Done | StoppedBy::Budget | StoppedBy::Deadline);
    if is_well {
        health::send(sync, destination.as_mut(), &mut looked, &mut report)?;
    }
    if is_well && looks_for_left {
        left_series::look(config, store, destination.as_mut(), now)?;
    }
    Ok(report)
}

/// What the sending part works with.
struct Sending<'a> {
    config: &'a Config,
    store: &'a Store,
    clock: &'a dyn Clock,
    cancel: &'a Cancel,
    progress: &'a dyn Progress,
    outbox: &'a Outbox,
}

/// Carries out the plan.
fn send(
    sending: &Sending<'_>,
    destination: &mut (dyn Destination + 'static),
    looked: &mut Looked,
    report: &mut SyncReport,
) -> Result<(), SyncError> {
    let Sending { config, store, clock, cancel, progress, outbox } = *sending;
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
        let workers = workers::Workers::start(scope, std::iter::once(destination).chain(others));
        let work = Work {
            store,
            clock,
            cancel,
            limits: &config.sync,
            destination: &name,
            progress,
            lanes: &lanes,
            known_good: &known_good,
        };
        // Moved in, so that the feed ends with the delivery.
        let ready = ready;
        Delivery::new(work, workers, report).run(&ready)
    })?;
    if let Some(asked) = report.left_alone {
        left_alone::remember(store, &name, Timestamp::from_utc(clock.now()), asked)?;
    }
    for bucket in plan.iter().map(|bucket| bucket.bucket.as_deref()).filter(|bucket| lanes.is_closed(*bucket)) {
        looked.refused(bucket);
    }
    Ok(())
}
