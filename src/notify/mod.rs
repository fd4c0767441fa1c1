//! Tells users of findings: by a webhook, by mail, in the event log of Windows.
//!
//! - A finding of the one list ([`crate::status::findings`]) is reported once when it appears and once when it clears; one that
//!   stands is reported again at most each time `again` has passed. One that is about history is reported once. The finding that
//!   notifications fail is never reported.
//! - Nothing is reported as cleared that is only unknown: kinds that say so themselves, findings beside which another one
//!   says that too little is known ([`Kind::leaves_open`](crate::status::Kind::leaves_open)), and notes of a pass, which the
//!   next pass may leave out.
//! - What is pending for an address that the configuration names no more goes to the one that was written in its place.
//! - What is reported is in the store before it is sent, and is pending until its receiver has taken it. A kill or a link that is
//!   down loses nothing; at worst a message comes twice, with the same id.
//! - It changes nothing of reading and sending rows: it has a time limit, runs one at a time under a lock of its own, and its
//!   failures are a finding ([`Kind::NotifyFailed`](crate::status::Kind::NotifyFailed)) and no error of a pass.
//! - No secret reaches a message, the log or the store, and no redirect is followed (I10).
//! - A computer's clock that is wrong makes neither a flood nor silence: a time that lies in the future is no evidence.

mod change;
mod error;
mod event_log;
mod mail;
mod message;
mod outgoing;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

pub use error::NotifyError;

use crate::config::{Config, NotifyConfig};
use crate::status::Finding;
use crate::store::{FindingsChange, Lock, LockKind, Store, StoreError};
use crate::time::Timestamp;
use message::{Message, Station};
use outgoing::Parcel;

/// Whether findings were noted and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "another process may be notifying"]
pub enum Pass {
    /// They were, or the configuration names no receiver.
    Made,
    /// Another process is notifying; what it does not know of is reported with the next pass.
    LeftToAnother,
}

/// Notes what changed in the findings, then sends what is pending and due, for no longer than `limit`.
///
/// # Errors
/// The store fails. A receiver that cannot be reached or refuses is no error here: the store keeps it.
pub fn tell(
    config: &Config,
    store: &Store,
    findings: &[Finding],
    now: Timestamp,
    limit: Duration,
) -> Result<Pass, StoreError> {
    let Some(notify) = &config.notify else { return Ok(Pass::Made) };
    let Some(_lock) = Lock::take(store.path(), LockKind::Notify)? else { return Ok(Pass::LeftToAnother) };
    let receivers = notify.receivers();
    store.settle_receivers(&receivers)?;
    let known = change::Known { standing: store.standing_findings()?, unsent: store.notices_none_has(&receivers)? };
    let change = change::of(config, notify, findings, &known, now);
    if change != FindingsChange::default() {
        store.note_findings(&change, &receivers)?;
    }
    outgoing::send_what_is_due(config, notify, store, now, limit)?;
    Ok(Pass::Made)
}

/// What became of a test message.
#[derive(Debug)]
pub struct Tested {
    /// Who was to get it.
    pub receiver: String,
    /// Whether it was taken.
    pub result: Result<(), Arc<NotifyError>>,
}

/// Sends a test message to each receiver. One that takes it is tried again at once with what is pending for it.
///
/// # Errors
/// The store fails.
pub fn test(
    config: &Config,
    notify: &NotifyConfig,
    store: &Store,
    now: Timestamp,
    limit: Duration,
) -> Result<Vec<Tested>, StoreError> {
    // Before a new receiver counts as tried.
    store.settle_receivers(&notify.receivers())?;
    let station = Station { name: &config.station.name, clock: &config.station.clock };
    let parcels = notify.receivers().into_iter().map(|receiver| Parcel {
        receiver,
        message: Message::test(station, now),
        first: None,
    });
    let mut tested: Vec<Tested> = Vec::new();
    outgoing::carry(notify, parcels.collect(), limit, |done| {
        if done.result.is_ok() {
            store.notices_sent(&done.receiver, &[], now)?;
        }
        tested.push(Tested { receiver: done.receiver, result: done.result });
        Ok(())
    })?;
    Ok(tested)
}

/// What would keep a message from being sent before any server is asked: a secret that cannot be read, or a file of
/// certificates.
pub fn faults(notify: &NotifyConfig) -> Vec<NotifyError> {
    let webhook = notify.webhook.as_ref().and_then(|webhook| webhook::Webhook::open(webhook, Duration::ZERO).err());
    let mail = notify.mail.as_ref().and_then(|mail| mail::faults(mail).err());
    webhook.into_iter().chain(mail).collect()
}

/// The servers that messages go to, without what may be secret in their addresses.
pub fn places(notify: &NotifyConfig) -> Vec<String> {
    let webhook = notify.webhook.iter().map(|webhook| format!("the webhook at {}", webhook::place(webhook)));
    let mail = notify.mail.iter().map(|mail| {
        let to: Vec<String> = mail.to.iter().map(|to| to.email.to_string()).collect();
        format!("mail to {} by {}", to.join(", "), mail::place(mail))
    });
    let event_log = notify.event_log.then(|| NotifyConfig::EVENT_LOG.to_owned());
    webhook.chain(mail).chain(event_log).collect()
}
