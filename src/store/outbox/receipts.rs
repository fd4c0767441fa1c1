//! The states of rows, and the receipts that prove them (I5, I6).

use rusqlite::{Connection, params};

use crate::store::intake::tables::i64_of;
use crate::store::outbox::backlog;
use crate::store::outbox::outcome::ReceiptOutcome;
use crate::store::schema::key;
use crate::store::{Result, Store};
use crate::time::Timestamp;

/// The state of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The row is to be sent.
    Pending,
    /// The row was in a request answered with exactly 204, or in a file synced to disk (I5).
    Sent,
    /// The row was refused alone, and a known-good line was accepted in between (I6).
    Rejected,
    /// The row is older than the bucket's retention.
    Expired,
}

impl State {
    pub(in crate::store) const fn code(self) -> i64 {
        match self {
            State::Pending => 0,
            State::Sent => 1,
            State::Rejected => 2,
            State::Expired => 3,
        }
    }

    pub(in crate::store) const fn from_code(code: i64) -> State {
        match code {
            1 => State::Sent,
            2 => State::Rejected,
            3 => State::Expired,
            _ => State::Pending,
        }
    }

    /// The name of the state; also the name of its count in `logger_table`.
    pub const fn word(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Sent => "sent",
            State::Rejected => "rejected",
            State::Expired => "expired",
        }
    }
}

/// Rows of one series that get the same state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Their series.
    pub series: i64,
    /// Ids and versions of the rows.
    rows: Vec<(i64, i64)>,
    /// The time of the oldest and of the newest row.
    span: (Timestamp, Timestamp),
}

impl Mark {
    /// Makes a mark of one row from its id, version and time.
    pub fn new(series: i64, id: i64, version: i64, ts: Timestamp) -> Mark {
        Mark { series, rows: vec![(id, version)], span: (ts, ts) }
    }

    /// Adds a row.
    pub fn push(&mut self, id: i64, version: i64, ts: Timestamp) {
        self.rows.push((id, version));
        self.span = (self.span.0.min(ts), self.span.1.max(ts));
    }
}

/// A receipt to be written.
#[derive(Debug, Clone)]
pub struct ReceiptDraft<'a> {
    /// When the answer came.
    pub at: i64,
    /// The destination of the request.
    pub destination: &'a str,
    /// The bucket, if it is not the destination's default.
    pub bucket: Option<&'a str>,
    /// Lines in the request.
    pub rows: usize,
    /// Bytes of line protocol.
    pub bytes: usize,
    /// Bytes on the wire.
    pub wire_bytes: usize,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The outcome of the request.
    pub outcome: ReceiptOutcome,
    /// The message of the server or of the network.
    pub message: &'a str,
}

impl Store {
    /// Writes a receipt and, in the same transaction, changes the state of the marked rows from `pending` to `state`.
    /// Rows that are no longer pending, or were replaced since they were read, keep their state. Returns the number of
    /// rows that changed.
    pub fn mark(&self, receipt: &ReceiptDraft<'_>, state: State, marks: &[Mark]) -> Result<u64> {
        let work = || -> rusqlite::Result<u64> {
            let transaction =
                rusqlite::Transaction::new_unchecked(&self.conn, rusqlite::TransactionBehavior::Immediate)?;
            let id = insert_receipt(&transaction, receipt)?;
            let marked = mark_rows(&transaction, id, state, marks)?;
            transaction.commit()?;
            Ok(marked)
        };
        work().map_err(|source| self.at(source))
    }

    /// Like [`Store::mark`], for several requests in one transaction: their receipts are stored in the given order.
    /// Returns the number of changed rows of each request.
    pub fn mark_each(&self, requests: &[(ReceiptDraft<'_>, Vec<Mark>)], state: State) -> Result<Vec<u64>> {
        let work = || -> rusqlite::Result<Vec<u64>> {
            let transaction =
                rusqlite::Transaction::new_unchecked(&self.conn, rusqlite::TransactionBehavior::Immediate)?;
            let mut marked = Vec::with_capacity(requests.len());
            for (receipt, marks) in requests {
                let id = insert_receipt(&transaction, receipt)?;
                marked.push(mark_rows(&transaction, id, state, marks)?);
            }
            transaction.commit()?;
            Ok(marked)
        };
        work().map_err(|source| self.at(source))
    }

    /// Writes the receipt of a request that proved nothing.
    pub fn note_answer(&self, receipt: &ReceiptDraft<'_>) -> Result<()> {
        insert_receipt(&self.conn, receipt).map(drop).map_err(|source| self.at(source))
    }

    /// Marks one row as rejected, and stores the line and the server's message.
    pub fn reject_row(&self, receipt: &ReceiptDraft<'_>, mark: &Mark, line: &str) -> Result<u64> {
        let work = || -> rusqlite::Result<u64> {
            let transaction =
                rusqlite::Transaction::new_unchecked(&self.conn, rusqlite::TransactionBehavior::Immediate)?;
            let receipt_id = insert_receipt(&transaction, receipt)?;
            let marked = mark_rows(&transaction, receipt_id, State::Rejected, std::slice::from_ref(mark))?;
            if let ([(id, _)], 1) = (mark.rows.as_slice(), marked) {
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO refused_row (id, receipt, line, words) VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![id, receipt_id, line, receipt.message])?;
            }
            transaction.commit()?;
            Ok(marked)
        };
        work().map_err(|source| self.at(source))
    }

    /// Marks rows as rejected that are refused for one proven reason. `shown` is the one of them that lists show, with
    /// its line and the common reason.
    pub fn reject_rows(
        &self,
        receipt: &ReceiptDraft<'_>,
        marks: &[Mark],
        (shown, line, reason): (i64, &str, &str),
    ) -> Result<u64> {
        let work = || -> rusqlite::Result<u64> {
            let transaction =
                rusqlite::Transaction::new_unchecked(&self.conn, rusqlite::TransactionBehavior::Immediate)?;
            let receipt_id = insert_receipt(&transaction, receipt)?;
            let marked = mark_rows(&transaction, receipt_id, State::Rejected, marks)?;
            if marked > 0 {
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO refused_row (id, receipt, line, words) VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![shown, receipt_id, line, reason])?;
            }
            transaction.commit()?;
            Ok(marked)
        };
        work().map_err(|source| self.at(source))
    }

    /// Makes pending rows of the series older than `cutoff` expired: they are not sent, and `replay` makes them pending
    /// again.
    pub fn expire(&self, series: i64, cutoff: Timestamp) -> Result<u64> {
        let work = || -> rusqlite::Result<u64> {
            let transaction =
                rusqlite::Transaction::new_unchecked(&self.conn, rusqlite::TransactionBehavior::Immediate)?;
            let oldest: Option<i64> = transaction
                .prepare_cached("SELECT min(from_ts) FROM backlog WHERE series = ?1 AND from_ts < ?2")?
                .query_row(params![series, cutoff.nanos()], |row| row.get(0))?;
            let Some(oldest) = oldest else { return Ok(0) };
            let (low, high) = key::keys(series, Timestamp::from_nanos(oldest), cutoff.previous());
            let expired = transaction
                .prepare_cached("UPDATE reading SET state = ?3 WHERE id BETWEEN ?1 AND ?2 AND state = 0")?
                .execute(params![low, high, State::Expired.code()])?;
            move_series_tally(&transaction, series, State::Pending, State::Expired, i64_of(expired))?;
            backlog::tighten(&transaction, series, Timestamp::from_nanos(oldest), cutoff)?;
            transaction.commit()?;
            Ok(expired as u64)
        };
        work().map_err(|source| self.at(source))
    }

    /// The bytes of line protocol in requests that were answered from `since` to `now`, as a quota counts them. A
    /// receipt in the future was written by a wrong clock, and does not count.
    pub fn bytes_between(&self, since: Timestamp, now: Timestamp) -> Result<u64> {
        self.conn
            .prepare_cached("SELECT coalesce(sum(bytes), 0) FROM receipt WHERE at BETWEEN ?1 AND ?2")
            .and_then(|mut statement| statement.query_row([since.nanos(), now.nanos()], |row| row.get::<_, i64>(0)))
            .map(i64::cast_unsigned)
            .map_err(|source| self.at(source))
    }
}

fn insert_receipt(conn: &Connection, receipt: &ReceiptDraft<'_>) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "INSERT INTO receipt (at, destination, bucket, rows, bytes, wire_bytes, status, outcome, words)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        receipt.at,
        receipt.destination,
        receipt.bucket,
        i64_of(receipt.rows),
        i64_of(receipt.bytes),
        i64_of(receipt.wire_bytes),
        receipt.status,
        receipt.outcome,
        receipt.message,
    ])?;
    Ok(conn.last_insert_rowid())
}

/// Changes the state in one step if the request carried every pending row of a range, otherwise row by row, because
/// something was staged or replaced since the rows were read.
fn mark_rows(conn: &Connection, receipt: i64, state: State, marks: &[Mark]) -> rusqlite::Result<u64> {
    let mut count = conn.prepare_cached(
        "SELECT count(*), coalesce(sum(version), 0) FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 0",
    )?;
    let mut range = conn.prepare_cached("UPDATE reading SET state = ?3 WHERE id BETWEEN ?1 AND ?2 AND state = 0")?;
    let mut single =
        conn.prepare_cached("UPDATE reading SET state = ?3 WHERE id = ?1 AND version = ?2 AND state = 0")?;
    let mut cover =
        conn.prepare_cached("INSERT INTO receipt_rows (receipt, first_id, last_id, rows) VALUES (?1, ?2, ?3, ?4)")?;
    let mut total = 0;
    for mark in marks {
        let ids = mark.rows.iter().map(|row| row.0);
        let (Some(first), Some(last)) = (ids.clone().min(), ids.max()) else { continue };
        let there: (i64, i64) = count.query_row([first, last], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let carried = (i64_of(mark.rows.len()), mark.rows.iter().map(|row| row.1).sum());
        let mut moved = 0;
        if there == carried && carried.1 == 0 {
            moved = range.execute(params![first, last, state.code()])?;
        } else {
            for (id, version) in &mark.rows {
                moved += single.execute(params![id, version, state.code()])?;
            }
        }
        cover.execute(params![receipt, first, last, i64_of(mark.rows.len())])?;
        move_series_tally(conn, mark.series, State::Pending, state, i64_of(moved))?;
        backlog::tighten(conn, mark.series, mark.span.0, mark.span.1)?;
        total += moved as u64;
    }
    Ok(total)
}

pub(in crate::store) fn move_series_tally(
    conn: &Connection,
    series: i64,
    from: State,
    to: State,
    rows: i64,
) -> rusqlite::Result<()> {
    let table: i64 =
        conn.prepare_cached("SELECT logger_table FROM series WHERE id = ?1")?.query_row([series], |row| row.get(0))?;
    move_tally(conn, table, from, to, rows)
}

/// Moves rows from one kept count of a table to another.
pub(in crate::store) fn move_tally(
    conn: &Connection,
    table: i64,
    from: State,
    to: State,
    rows: i64,
) -> rusqlite::Result<()> {
    if rows == 0 || from == to {
        return Ok(());
    }
    let sql = format!(
        "UPDATE logger_table SET {from} = {from} - ?2, {to} = {to} + ?2 WHERE id = ?1",
        from = from.word(),
        to = to.word()
    );
    conn.prepare_cached(&sql)?.execute(params![table, rows])?;
    Ok(())
}
