//! Sends messages that are pending and due, within a time limit.
//!
//! Webhook, mail server and event log are served in parallel, each by a thread of its own: a server that does not
//! answer does not delay the others, and the caller continues when the time is over. A message that a remaining thread
//! still delivers after that is sent again later.

use std::collections::BTreeMap;
use std::hash::Hasher as _;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use xxhash_rust::xxh3::Xxh3;

use super::error::NotifyError;
use super::event_log;
use super::mail::{self, Letter};
use super::message::{Message, Room, Station};
use super::webhook::{self, Webhook};
use crate::config::{Config, MailConfig, NotifyConfig, WebhookAddress, WebhookConfig};
use crate::store::{NoticeFailure, ReceiverLine, Store, StoreError};
use crate::text::count;
use crate::time::Timestamp;

/// Waits double from the first to the longest. A link may be back in a minute; a fault that a user has to fix takes
/// longer, and a server may lock an account after wrong passwords.
const WAITS: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3_600));
const WAITS_WHERE_REFUSED: (Duration, Duration) = (Duration::from_secs(900), Duration::from_secs(6 * 3_600));

/// A message to be sent.
pub(super) struct Parcel {
    pub(super) receiver: String,
    pub(super) message: Message,
    /// The first of its events alone, if it has several, for a server that refuses them together.
    pub(super) first: Option<Message>,
}

/// The result for one message.
pub(super) struct Done {
    pub(super) receiver: String,
    ids: Vec<i64>,
    pub(super) result: Result<(), Arc<NotifyError>>,
}

/// Sends what is pending to every receiver that is due.
pub(super) fn send_what_is_due(
    config: &Config,
    notify: &NotifyConfig,
    store: &Store,
    now: Timestamp,
    limit: Duration,
) -> Result<(), StoreError> {
    let station = Station { name: &config.station.name, clock: &config.station.clock };
    let room_of_webhook = notify.webhook.as_ref().map_or(Room::WIDE, |webhook| Room::of(webhook.format));
    let mut parcels = Vec::new();
    let mut lines: BTreeMap<String, ReceiverLine> = BTreeMap::new();
    for receiver in notify.receivers() {
        let line = store.receiver(&receiver)?;
        if line.pending == 0 || !is_due(&line, inputs(notify, &receiver), now) {
            continue;
        }
        let notices = store.pending_notices(&receiver, Store::MOST_NOTICES)?;
        let room = if receiver == NotifyConfig::WEBHOOK { room_of_webhook } else { Room::WIDE };
        let (mut left, mut dropped) = (notices.as_slice(), line.dropped);
        while let Some(message) = Message::of(station, left, room, dropped) {
            let alone = || Message::of(station, left, room.for_one(), dropped);
            let first = if message.ids.len() > 1 { alone() } else { None };
            left = &left[message.ids.len()..];
            dropped = 0;
            parcels.push(Parcel { receiver: receiver.clone(), message, first });
        }
        lines.insert(receiver, line);
    }
    carry(notify, parcels, limit, |done| match done.result {
        Ok(()) => {
            tracing::info!("{} took {}", done.receiver, count(done.ids.len() as u64, "notification"));
            store.notices_sent(&done.receiver, &done.ids, now)
        }
        Err(error) => {
            let inputs = inputs(notify, &done.receiver);
            let before = lines.get(&done.receiver).filter(|line| line.inputs == inputs).map_or(0, |line| line.failures);
            let failures = before.saturating_add(1);
            let is_permanent = error.is_permanent();
            let wait = wait(failures, is_permanent).max(error.asked().unwrap_or_default());
            let error = error.to_string();
            if failures == 1 {
                tracing::warn!("a notification to {} was not taken: {error}", done.receiver);
            } else {
                tracing::debug!("a notification to {} was not taken again: {error}", done.receiver);
            }
            let not_before = now.after(wait);
            store.notices_failed(
                &done.receiver,
                &NoticeFailure { inputs, failures, is_permanent, at: now, not_before, error },
            )
        }
    })
}

/// Fingerprint of the configuration of a receiver: after a failure, another configuration is tried at once.
fn inputs(notify: &NotifyConfig, receiver: &str) -> i64 {
    // The event log has no configuration of its own.
    if receiver == NotifyConfig::EVENT_LOG {
        return 0;
    }
    let mut hash = Xxh3::new();
    match (&notify.webhook, &notify.mail) {
        (Some(webhook), _) if receiver == NotifyConfig::WEBHOOK => {
            hash.write(format!("{webhook:?}").as_bytes());
            // The Debug text does not show the whole address.
            if let WebhookAddress::Url(url) = &webhook.address {
                hash.write(url.as_str().as_bytes());
            }
        }
        (_, mail) => hash.write(format!("{mail:?}").as_bytes()),
    }
    hash.finish().cast_signed()
}

/// Whether an attempt is due. A failure with a time in the future was dated by a wrong clock, and does not delay
/// anything.
fn is_due(line: &ReceiverLine, inputs: i64, now: Timestamp) -> bool {
    let Some(not_before) = line.not_before.filter(|_| line.inputs == inputs) else { return true };
    let is_from_the_future = line.failed.is_some_and(|failed| failed > now);
    now >= not_before || is_from_the_future
}

fn wait(failures: u32, is_permanent: bool) -> Duration {
    let (first, longest) = if is_permanent { WAITS_WHERE_REFUSED } else { WAITS };
    first.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX)).min(longest)
}

/// Sends parcels, and reports the result of each, until all are sent or the time is over. After a failure a receiver
/// gets no further parcel in this call.
pub(super) fn carry(
    notify: &NotifyConfig,
    parcels: Vec<Parcel>,
    limit: Duration,
    mut said: impl FnMut(Done) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let until = Instant::now() + limit;
    let (report, reports) = channel();
    let mut waiting: Vec<String> = parcels.iter().map(|parcel| parcel.receiver.clone()).collect();
    let (posted, others): (Vec<Parcel>, Vec<Parcel>) =
        parcels.into_iter().partition(|parcel| parcel.receiver == NotifyConfig::WEBHOOK);
    let (logged, mailed): (Vec<Parcel>, Vec<Parcel>) =
        others.into_iter().partition(|parcel| parcel.receiver == NotifyConfig::EVENT_LOG);
    if !logged.is_empty() {
        let report = report.clone();
        std::thread::spawn(move || log_events(logged, until, &report));
    }
    if let Some(webhook) = notify.webhook.clone().filter(|_| !posted.is_empty()) {
        let report = report.clone();
        std::thread::spawn(move || post(&webhook, posted, (limit, until), &report));
    }
    if let Some(server) = notify.mail.clone().filter(|_| !mailed.is_empty()) {
        let report = report.clone();
        std::thread::spawn(move || send_mail(&server, mailed, (limit, until), &report));
    }
    drop(report);
    // The receivers whose result is known.
    let mut heard: Vec<String> = Vec::new();
    // Until the threads have finished or the time is over, at which they end too.
    while let Ok(done) = reports.recv_timeout(until.saturating_duration_since(Instant::now())) {
        if let Some(place) = waiting.iter().position(|receiver| *receiver == done.receiver) {
            waiting.swap_remove(place);
        }
        heard.push(done.receiver.clone());
        said(done)?;
    }
    // A receiver that accepted some messages and has not finished continues with the next pass.
    waiting.sort_unstable();
    waiting.dedup();
    for receiver in waiting.into_iter().filter(|receiver| !heard.contains(receiver)) {
        let place = match (&notify.webhook, &notify.mail) {
            (Some(webhook), _) if receiver == NotifyConfig::WEBHOOK => webhook::place(webhook),
            _ if receiver == NotifyConfig::EVENT_LOG => receiver.clone(),
            (_, Some(server)) => mail::place(server),
            _ => receiver.clone(),
        };
        said(Done { receiver, ids: Vec::new(), result: Err(Arc::new(NotifyError::TooSlow { place, limit })) })?;
    }
    Ok(())
}

/// The receiving end is closed when the time is over. A message that is sent after that counts as pending, and would be
/// sent twice.
fn post(config: &WebhookConfig, parcels: Vec<Parcel>, (limit, until): (Duration, Instant), report: &Sender<Done>) {
    let webhook = Webhook::open(config, limit).map_err(Arc::new);
    let post = |message: &Message| match &webhook {
        Ok(webhook) => webhook.post(message).map_err(Arc::new),
        Err(error) => Err(Arc::clone(error)),
    };
    for Parcel { receiver, mut message, first } in parcels {
        if Instant::now() >= until {
            return;
        }
        let mut result = post(&message);
        let mut goes_on = result.is_ok();
        let is_refused_as_it_is = |error: &Arc<NotifyError>| matches!(**error, NotifyError::RefusedAsItIs { .. });
        if let Some(first) = first.filter(|_| result.as_ref().is_err_and(is_refused_as_it_is)) {
            // The others are sent with the next pass.
            result = post(&first);
            message = first;
            goes_on = false;
        }
        if report.send(Done { receiver, ids: message.ids, result }).is_err() || !goes_on {
            return;
        }
    }
}

fn log_events(parcels: Vec<Parcel>, until: Instant, report: &Sender<Done>) {
    for Parcel { receiver, message, .. } in parcels {
        if Instant::now() >= until {
            return;
        }
        let result = event_log::write(&message).map_err(Arc::new);
        let goes_on = result.is_ok();
        if report.send(Done { receiver, ids: message.ids, result }).is_err() || !goes_on {
            return;
        }
    }
}

fn send_mail(server: &MailConfig, parcels: Vec<Parcel>, (limit, until): (Duration, Instant), report: &Sender<Done>) {
    let (mut letters, mut whose) = (Vec::new(), Vec::new());
    for Parcel { receiver, message, .. } in parcels {
        let Some(to) = server.to.iter().find(|to| MailConfig::receiver(to) == receiver) else { continue };
        whose.push((receiver, message.ids.clone()));
        letters.push(Letter { to: to.clone(), message });
    }
    mail::send(server, &letters, (limit, until), |number, result| {
        let Some((receiver, ids)) = whose.get(number) else { return true };
        report.send(Done { receiver: receiver.clone(), ids: ids.clone(), result }).is_ok()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_are_longer_after_a_refusal() {
        let minutes = |failures, is_permanent| wait(failures, is_permanent).as_secs() / 60;
        assert_eq!([1, 2, 3, 6, 7, 40, u32::MAX].map(|failures| minutes(failures, false)), [1, 2, 4, 32, 60, 60, 60]);
        assert_eq!([1, 2, 5, 6, 99].map(|failures| minutes(failures, true)), [15, 30, 240, 360, 360]);
    }

    #[test]
    fn an_attempt_is_due_after_its_pause_with_another_configuration_and_after_a_clock_that_was_ahead() {
        let at = Timestamp::from_seconds;
        let line = ReceiverLine {
            inputs: 7,
            failures: 1,
            failed: Some(at(1_000)),
            not_before: Some(at(1_060)),
            ..ReceiverLine::default()
        };
        assert!(!is_due(&line, 7, at(1_059)) && is_due(&line, 7, at(1_060)));
        assert!(is_due(&line, 8, at(1_001)) && is_due(&line, 7, at(999)));
        assert!(is_due(&ReceiverLine::default(), 7, at(0)));
    }
}
