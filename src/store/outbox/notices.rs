//! Notifications about findings: what was reported, what is pending, and how sending to each receiver goes.
//!
//! A change of the findings and its messages are stored in one transaction before anything is sent. A message is
//! pending until its receiver has taken it. So a kill loses none, and at worst one is sent twice, with the same id. At
//! most [`Store::MOST_NOTICES`] are kept: the oldest are dropped, and their number is kept.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::store::{Result, Store};
use crate::time::Timestamp;

/// What happened to a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeEvent {
    /// The finding appeared.
    Appeared,
    /// The finding was reported before, and is still there.
    Stands,
    /// The finding cleared.
    Cleared,
}

impl NoticeEvent {
    fn code(self) -> i64 {
        match self {
            NoticeEvent::Appeared => 0,
            NoticeEvent::Stands => 1,
            NoticeEvent::Cleared => 2,
        }
    }

    fn of(code: i64) -> NoticeEvent {
        match code {
            0 => NoticeEvent::Appeared,
            1 => NoticeEvent::Stands,
            _ => NoticeEvent::Cleared,
        }
    }
}

/// A finding that was reported, or is to be reported, and is still there or cleared within the last day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingFinding {
    /// Identifies the finding.
    pub key: String,
    /// The finding, in JSON.
    pub body: String,
    /// When it appeared, by this computer's clock.
    pub appeared: Timestamp,
    /// When a message about it was last made.
    pub reported: Timestamp,
    /// Since when the finding is no longer there; None while it is.
    pub gone: Option<Timestamp>,
    /// How often it appeared, each time within a day of the previous time.
    pub comings: u32,
}

/// A message that is pending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The id does not change when the message is sent again, and is never used twice.
    pub id: i64,
    /// The key of the finding.
    pub key: String,
    /// What happened.
    pub event: NoticeEvent,
    /// When it happened, by this computer's clock.
    pub at: Timestamp,
    /// The finding, in JSON.
    pub body: String,
}

/// A message to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotice {
    /// The key of the finding.
    pub key: String,
    /// What happened.
    pub event: NoticeEvent,
    /// When it happened, by this computer's clock.
    pub at: Timestamp,
    /// The finding, in JSON.
    pub body: String,
}

/// A change of the findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingsChange {
    /// Findings that are new or whose record changed.
    pub kept: Vec<StandingFinding>,
    /// The keys of findings that are to be deleted.
    pub forgotten: Vec<String>,
    /// The messages to be sent.
    pub notices: Vec<NewNotice>,
    /// Messages that no receiver has got yet and that a new message replaces.
    pub replaced: Vec<i64>,
}

/// How sending to a receiver goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReceiverLine {
    /// `the webhook`, or the address that mail goes to.
    pub receiver: String,
    /// The number of messages that it has not got.
    pub pending: u64,
    /// Fingerprint of the configuration with which the failures happened.
    pub inputs: i64,
    /// Attempts since the last success.
    pub failures: u32,
    /// Whether the last failure lasts until a user has acted.
    pub is_permanent: bool,
    /// When the last attempt failed.
    pub failed: Option<Timestamp>,
    /// The next attempt is not due before this time.
    pub not_before: Option<Timestamp>,
    /// Why the last attempt failed; none after a success.
    pub error: Option<String>,
    /// When it last took a message.
    pub sent: Option<Timestamp>,
    /// The number of messages that were dropped and not reported yet.
    pub dropped: u64,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeFailure {
    /// Fingerprint of the configuration.
    pub inputs: i64,
    /// Attempts since the last success, this one included.
    pub failures: u32,
    /// Whether the failure lasts until a user has acted.
    pub is_permanent: bool,
    /// When it failed.
    pub at: Timestamp,
    /// The next attempt is not due before this time.
    pub not_before: Timestamp,
    /// The reason.
    pub error: String,
}

impl Store {
    /// The most messages that are kept until they are sent. A site with a hundred tables that all stop and return twice
    /// during an outage makes four hundred.
    pub const MOST_NOTICES: usize = 500;

    /// Findings that were reported, or are to be reported, and are still there or cleared within the last day.
    pub fn standing_findings(&self) -> Result<Vec<StandingFinding>> {
        self.conn
            .prepare_cached("SELECT key, body, appeared, reported, gone, comings FROM standing_finding ORDER BY key")
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| {
                        Ok(StandingFinding {
                            key: row.get(0)?,
                            body: row.get(1)?,
                            appeared: Timestamp::from_nanos(row.get(2)?),
                            reported: Timestamp::from_nanos(row.get(3)?),
                            gone: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_nanos),
                            comings: row.get(5)?,
                        })
                    })?
                    .collect()
            })
            .map_err(|source| self.at(source))
    }

    /// Messages that none of these receivers has got, oldest first.
    pub fn notices_none_has(&self, receivers: &[String]) -> Result<Vec<Notice>> {
        let count = i64::try_from(receivers.len()).unwrap_or(i64::MAX);
        let names = serde_json::Value::from(receivers).to_string();
        self.notices(
            "SELECT n.id, n.key, n.event, n.at, n.body
             FROM (SELECT notice, count(*) AS receivers FROM notice_pending
                   WHERE receiver IN (SELECT value FROM json_each(?1)) GROUP BY notice) p
             JOIN notice n ON n.id = p.notice
             WHERE p.receivers >= ?2 ORDER BY n.id",
            params![names, count],
        )
    }

    /// To be called when the configuration may name other receivers than before. Messages that are pending for
    /// receivers that it no longer names become pending for receivers that were never tried, because an address may
    /// have been corrected. Then the former are deleted.
    pub fn settle_receivers(&self, receivers: &[String]) -> Result<()> {
        let work = || -> rusqlite::Result<()> {
            if strangers(&self.conn, receivers)?.is_empty() {
                return Ok(());
            }
            let transaction = Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate)?;
            let strangers = strangers(&transaction, receivers)?;
            let is_tried = |receiver: &String| {
                transaction.prepare_cached("SELECT 1 FROM receiver WHERE receiver = ?1")?.exists([receiver])
            };
            for receiver in receivers {
                if is_tried(receiver)? {
                    continue;
                }
                for stranger in &strangers {
                    transaction
                        .prepare_cached(
                            "INSERT OR IGNORE INTO notice_pending (receiver, notice)
                             SELECT ?1, notice FROM notice_pending WHERE receiver = ?2",
                        )?
                        .execute([receiver, stranger])?;
                }
            }
            for stranger in &strangers {
                transaction.prepare_cached("DELETE FROM receiver WHERE receiver = ?1")?.execute([stranger])?;
                transaction.prepare_cached("DELETE FROM notice_pending WHERE receiver = ?1")?.execute([stranger])?;
            }
            forget_what_none_lacks(&transaction)?;
            transaction.commit()
        };
        work().map_err(|source| self.at(source))
    }

    /// The oldest messages that a receiver has not got.
    pub fn pending_notices(&self, receiver: &str, most: usize) -> Result<Vec<Notice>> {
        self.notices(
            "SELECT n.id, n.key, n.event, n.at, n.body FROM notice_pending p JOIN notice n ON n.id = p.notice
             WHERE p.receiver = ?1 ORDER BY p.notice LIMIT ?2",
            params![receiver, i64::try_from(most).unwrap_or(i64::MAX)],
        )
    }

    fn notices(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Notice>> {
        self.conn
            .prepare_cached(sql)
            .and_then(|mut statement| {
                statement
                    .query_map(values, |row| {
                        Ok(Notice {
                            id: row.get(0)?,
                            key: row.get(1)?,
                            event: NoticeEvent::of(row.get(2)?),
                            at: Timestamp::from_nanos(row.get(3)?),
                            body: row.get(4)?,
                        })
                    })?
                    .collect()
            })
            .map_err(|source| self.at(source))
    }

    /// Stores a change of the findings and the messages for these receivers.
    pub fn note_findings(&self, change: &FindingsChange, receivers: &[String]) -> Result<()> {
        let work = || -> rusqlite::Result<()> {
            let transaction = Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate)?;
            for key in &change.forgotten {
                transaction.prepare_cached("DELETE FROM standing_finding WHERE key = ?1")?.execute([key])?;
            }
            for finding in &change.kept {
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO standing_finding (key, body, appeared, reported, gone, comings)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![
                        finding.key,
                        finding.body,
                        finding.appeared.nanos(),
                        finding.reported.nanos(),
                        finding.gone.map(Timestamp::nanos),
                        finding.comings
                    ])?;
            }
            for id in &change.replaced {
                transaction.prepare_cached("DELETE FROM notice_pending WHERE notice = ?1")?.execute([id])?;
            }
            for notice in &change.notices {
                transaction
                    .prepare_cached("INSERT INTO notice (key, event, at, body) VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![notice.key, notice.event.code(), notice.at.nanos(), notice.body])?;
                let id = transaction.last_insert_rowid();
                for receiver in receivers {
                    transaction
                        .prepare_cached("INSERT INTO notice_pending (receiver, notice) VALUES (?1, ?2)")?
                        .execute(params![receiver, id])?;
                }
            }
            drop_oldest(&transaction)?;
            forget_what_none_lacks(&transaction)?;
            transaction.commit()
        };
        work().map_err(|source| self.at(source))
    }

    /// Stores that a receiver has taken these messages, including the report of dropped ones.
    pub fn notices_sent(&self, receiver: &str, ids: &[i64], at: Timestamp) -> Result<()> {
        let work = || -> rusqlite::Result<()> {
            let transaction = Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate)?;
            for id in ids {
                transaction
                    .prepare_cached("DELETE FROM notice_pending WHERE receiver = ?1 AND notice = ?2")?
                    .execute(params![receiver, id])?;
            }
            transaction
                .prepare_cached(
                    "INSERT INTO receiver (receiver, inputs, sent) VALUES (?1, 0, ?2)
                     ON CONFLICT (receiver) DO UPDATE SET failures = 0, is_permanent = 0, failed = NULL, not_before = NULL,
                         error = NULL, sent = ?2, dropped = CASE WHEN ?3 THEN 0 ELSE dropped END",
                )?
                .execute(params![receiver, at.nanos(), !ids.is_empty()])?;
            forget_what_none_lacks(&transaction)?;
            transaction.commit()
        };
        work().map_err(|source| self.at(source))
    }

    /// Stores that an attempt to send to a receiver failed.
    pub fn notices_failed(&self, receiver: &str, failure: &NoticeFailure) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO receiver (receiver, inputs, failures, is_permanent, failed, not_before, error)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (receiver) DO UPDATE SET inputs = ?2, failures = ?3, is_permanent = ?4, failed = ?5,
                     not_before = ?6, error = ?7",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    receiver,
                    failure.inputs,
                    failure.failures,
                    failure.is_permanent,
                    failure.at.nanos(),
                    failure.not_before.nanos(),
                    failure.error
                ])
            })
            .map(drop)
            .map_err(|source| self.at(source))
    }

    /// How sending to a receiver goes.
    pub fn receiver(&self, receiver: &str) -> Result<ReceiverLine> {
        let known = self
            .conn
            .prepare_cached(
                "SELECT inputs, failures, is_permanent, failed, not_before, error, sent, dropped FROM receiver WHERE receiver = ?1",
            )
            .and_then(|mut statement| {
                let time = |nanos: Option<i64>| nanos.map(Timestamp::from_nanos);
                statement
                    .query_row([receiver], |row| {
                        Ok(ReceiverLine {
                            inputs: row.get(0)?,
                            failures: row.get(1)?,
                            is_permanent: row.get(2)?,
                            failed: time(row.get(3)?),
                            not_before: time(row.get(4)?),
                            error: row.get(5)?,
                            sent: time(row.get(6)?),
                            dropped: row.get::<_, i64>(7)?.unsigned_abs(),
                            ..ReceiverLine::default()
                        })
                    })
                    .optional()
            })
            .map_err(|source| self.at(source))?;
        let pending = self
            .conn
            .prepare_cached("SELECT count(*) FROM notice_pending WHERE receiver = ?1")
            .and_then(|mut statement| statement.query_row([receiver], |row| row.get::<_, i64>(0)))
            .map_err(|source| self.at(source))?;
        Ok(ReceiverLine { receiver: receiver.to_owned(), pending: pending.unsigned_abs(), ..known.unwrap_or_default() })
    }
}

/// Receivers in the store that are not among these.
fn strangers(conn: &Connection, receivers: &[String]) -> rusqlite::Result<Vec<String>> {
    let known: Vec<String> = conn
        .prepare_cached("SELECT receiver FROM receiver UNION SELECT receiver FROM notice_pending")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(known.into_iter().filter(|known| !receivers.contains(known)).collect())
}

fn drop_oldest(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let most = i64::try_from(Store::MOST_NOTICES).unwrap_or(i64::MAX);
    let too_many = "SELECT id FROM notice ORDER BY id DESC LIMIT -1 OFFSET ?1";
    transaction
        .prepare_cached(&format!(
            "INSERT INTO receiver (receiver, inputs, dropped)
             SELECT receiver, 0, count(*) FROM notice_pending WHERE notice IN ({too_many}) GROUP BY receiver
             ON CONFLICT (receiver) DO UPDATE SET dropped = dropped + excluded.dropped"
        ))?
        .execute([most])?;
    transaction.prepare_cached(&format!("DELETE FROM notice_pending WHERE notice IN ({too_many})"))?.execute([most])?;
    Ok(())
}

fn forget_what_none_lacks(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM notice WHERE id NOT IN (SELECT notice FROM notice_pending)")?
        .execute([])
        .map(drop)
}
