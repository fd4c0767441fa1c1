//! Notifies users of findings: by webhook, by mail, in the event log of Windows.
//!
//! - A finding of the list ([`crate::status::findings`]) is reported once when it appears and once when it clears.
//!   While it is there, it is reported again at most once in each interval of `again`. A finding about the past is
//!   reported once. The finding that notifications fail is never reported.
//! - A finding that is only unknown is not reported as cleared: kinds that say so themselves, findings beside another
//!   one that says that too little is known ([`Kind::leaves_open`](crate::status::Kind::leaves_open)), and notes of a
//!   pass, which may be absent from the next pass.
//! - Messages that are pending for an address that is no longer configured are sent to the address that replaced it.
//! - A message is in the store before it is sent, and is pending until its receiver has taken it. A kill or a link
//!   failure loses nothing; at worst a message is sent twice, with the same id.
//! - Reading and sending of rows are not affected: notifying has a time limit, runs one at a time under a lock of its
//!   own, and its failures are a finding ([`Kind::NotifyFailed`](crate::status::Kind::NotifyFailed)) and not an error
//!   of a pass.
//! - No message, log or store contains a secret, and no redirect is followed (I10).
//! - A wrong clock of the computer causes neither a flood of messages nor silence: a time in the future is not used as
//!   evidence.

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

/// Whether findings were stored and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "another process may be notifying"]
pub enum Pass {
    /// They were, or the configuration names no receiver.
    Made,
    /// Another process is notifying; findings that it does not know are reported with the next pass.
    LeftToAnother,
}

/// Stores what changed in the findings, then sends what is pending and due, for at most `limit`.
///
/// # Errors
/// The store fails. A receiver that cannot be reached or refuses is not an error here: the store keeps that failure.
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

/// The result of a test message.
#[derive(Debug)]
pub struct Tested {
    /// The receiver.
    pub receiver: String,
    /// Whether the receiver accepted it.
    pub result: Result<(), Arc<NotifyError>>,
}

/// Sends a test message to each receiver. A receiver that accepts it gets its pending messages with the next attempt,
/// which is due at once.
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
    // This comes before a new receiver counts as tried.
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

/// Finds errors that would prevent sending, before any server is contacted: a secret that cannot be read, or a file of
/// certificates.
pub fn faults(notify: &NotifyConfig) -> Vec<NotifyError> {
    let webhook = notify.webhook.as_ref().and_then(|webhook| webhook::Webhook::open(webhook, Duration::ZERO).err());
    let mail = notify.mail.as_ref().and_then(|mail| mail::faults(mail).err());
    webhook.into_iter().chain(mail).collect()
}

/// The servers to which messages are sent, without parts of their addresses that may be secret.
pub fn places(notify: &NotifyConfig) -> Vec<String> {
    let webhook = notify.webhook.iter().map(|webhook| format!("the webhook at {}", webhook::place(webhook)));
    let mail = notify.mail.iter().map(|mail| {
        let to: Vec<String> = mail.to.iter().map(|to| to.email.to_string()).collect();
        format!("mail to {} by {}", to.join(", "), mail::place(mail))
    });
    let event_log = notify.event_log.then(|| NotifyConfig::EVENT_LOG.to_owned());
    webhook.chain(mail).chain(event_log).collect()
}
