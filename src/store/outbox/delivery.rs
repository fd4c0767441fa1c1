//! Reports what was sent and when, and what was refused: read from the receipts, through the index on their time.

use rusqlite::params;

use crate::store::intake::tables::i64_of;
use crate::store::outbox::outcome::ReceiptOutcome;
use crate::store::{Result, Store};
use crate::time::{Interval, Timestamp};

/// The lines acknowledged within one bin of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentBin {
    /// When the bin begins.
    pub from: Timestamp,
    /// The number of lines.
    pub rows: u64,
    /// Bytes of line protocol.
    pub bytes: u64,
}

/// Equal answers to requests that the server did not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When the last of them came.
    pub at: Timestamp,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The outcome of the request.
    pub outcome: ReceiptOutcome,
    /// The message of the server, or of the network.
    pub message: String,
    /// How many there were.
    pub times: u64,
}

impl Store {
    /// The lines acknowledged in the interval, in bins of `bin` nanoseconds counted from 1970; empty bins are left out.
    pub fn sent_by_time(&self, interval: Interval, bin: i64) -> Result<Vec<SentBin>> {
        let work = || -> rusqlite::Result<Vec<SentBin>> {
            self.conn
                .prepare_cached(
                    "SELECT at / ?3, sum(rows), sum(bytes) FROM receipt
                     WHERE at >= ?1 AND at < ?2 AND outcome = ?4 GROUP BY 1 ORDER BY 1",
                )?
                .query_map(
                    params![interval.from.nanos().max(0), interval.until.nanos(), bin.max(1), ReceiptOutcome::Stored],
                    |row| {
                        Ok(SentBin {
                            from: Timestamp::from_nanos(row.get::<_, i64>(0)?.saturating_mul(bin.max(1))),
                            rows: row.get::<_, i64>(1)?.cast_unsigned(),
                            bytes: row.get::<_, i64>(2)?.cast_unsigned(),
                        })
                    },
                )?
                .collect()
        };
        work().map_err(|source| self.at(source))
    }

    /// The answers in the interval to requests that the server did not accept; equal ones are counted together, the
    /// latest first.
    pub fn refusals(&self, interval: Interval, most: usize) -> Result<Vec<Refusal>> {
        let work = || -> rusqlite::Result<Vec<Refusal>> {
            self.conn
                .prepare_cached(&format!(
                    "SELECT max(at), status, outcome, words, count(*) FROM receipt
                     WHERE at >= ?1 AND at < ?2 AND outcome NOT IN ({})
                     GROUP BY status, outcome, words ORDER BY 1 DESC LIMIT ?3",
                    ReceiptOutcome::taken_in_sql()
                ))?
                .query_map(params![interval.from.nanos(), interval.until.nanos(), i64_of(most)], |row| {
                    Ok(Refusal {
                        at: Timestamp::from_nanos(row.get(0)?),
                        status: row.get(1)?,
                        outcome: row.get(2)?,
                        message: row.get(3)?,
                        times: row.get::<_, i64>(4)?.cast_unsigned(),
                    })
                })?
                .collect()
        };
        work().map_err(|source| self.at(source))
    }
}
