//! The way out: which rows wait, what became of them, and the receipts that prove it.

use rusqlite::{Connection, OptionalExtension, params};

use super::tables::i64_of;
use super::{Result, Store, backlog, key};
use crate::time::Timestamp;

/// Rows that one transaction of a replay touches, so that no other writer waits long (I9).
const ROWS_PER_REPLAY_STEP: i64 = 20_000;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits to be sent.
    Pending,
    /// Was in a request answered with exactly 204, or in a file synced to disk (I5).
    Sent,
    /// Refused alone, with a known-good line accepted between (I6).
    Rejected,
    /// Older than the bucket keeps rows.
    Expired,
}

impl State {
    pub(super) const fn code(self) -> i64 {
        match self {
            State::Pending => 0,
            State::Sent => 1,
            State::Rejected => 2,
            State::Expired => 3,
        }
    }

    pub(super) const fn from_code(code: i64) -> State {
        match code {
            1 => State::Sent,
            2 => State::Rejected,
            3 => State::Expired,
            _ => State::Pending,
        }
    }

    /// Its word, also the name of its count in `logger_table`.
    pub const fn word(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Sent => "sent",
            State::Rejected => "rejected",
            State::Expired => "expired",
        }
    }
}

/// A series and the intervals of time that hold its pending rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesBacklog {
    /// Its id.
    pub series: i64,
    /// Its table's name in the configuration.
    pub table: String,
    /// Values of its tag columns, in the order of the columns.
    pub tags: Vec<String>,
    /// Closed, not overlapping, oldest first.
    pub intervals: Vec<(Timestamp, Timestamp)>,
}

impl SeriesBacklog {
    /// From the first interval's beginning to the last one's end.
    pub fn hull(&self) -> Option<(Timestamp, Timestamp)> {
        self.intervals.first().zip(self.intervals.last()).map(|(first, last)| (first.0, last.1))
    }
}

/// A pending row, borrowed from the statement that reads it.
#[derive(Debug, Clone, Copy)]
pub struct PendingRow<'a> {
    /// Its key: opaque, unique.
    pub id: i64,
    /// UTC.
    pub ts: Timestamp,
    /// JSON array, aligned with the column list (or shorter).
    pub values: &'a str,
    /// One digit per value.
    pub flags: &'a str,
    /// How often its content was replaced.
    pub version: i64,
}

/// A row that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRow {
    /// Its table's name in the configuration.
    pub table: String,
    /// Values of its tag columns.
    pub tags: Vec<String>,
    /// UTC.
    pub ts: Timestamp,
    /// JSON array.
    pub values: String,
    /// One digit per value.
    pub flags: String,
}

/// Rows of one series that share a fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Their series.
    pub series: i64,
    /// Ids and versions.
    rows: Vec<(i64, i64)>,
    /// Time of the oldest and the newest of them.
    span: (Timestamp, Timestamp),
}

impl Mark {
    /// One row, by its id, version and time.
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
#[derive(Debug, Clone, Default)]
pub struct ReceiptDraft<'a> {
    /// When the answer came.
    pub at: i64,
    /// Whom was written to.
    pub destination: &'a str,
    /// The bucket, where it is not the destination's own.
    pub bucket: Option<&'a str>,
    /// Lines in the request.
    pub rows: usize,
    /// Bytes of line protocol.
    pub bytes: usize,
    /// Bytes on the wire.
    pub wire_bytes: usize,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// What was made of it.
    pub outcome: &'a str,
    /// The server's words.
    pub words: &'a str,
}

/// What `replay` puts back.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    /// From this instant on.
    pub since: Option<Timestamp>,
    /// Up to and with this instant.
    pub until: Option<Timestamp>,
    /// Only this table.
    pub table: Option<String>,
    /// Only rows in these states.
    pub states: Vec<State>,
}

impl Store {
    /// Every series with pending rows, by table and series. Costs what the backlog costs, not what the archive does.
    pub fn backlog(&self) -> Result<Vec<SeriesBacklog>> {
        self.read_backlog().map_err(|source| self.at(source))
    }

    fn read_backlog(&self) -> rusqlite::Result<Vec<SeriesBacklog>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT b.series, t.name, s.tags, b.from_ts, b.to_ts
             FROM backlog b JOIN series s ON s.id = b.series JOIN logger_table t ON t.id = s.logger_table
             ORDER BY t.id, b.series, b.from_ts",
        )?;
        let mut list: Vec<SeriesBacklog> = Vec::new();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let series: i64 = row.get(0)?;
            let interval = (Timestamp(row.get(3)?), Timestamp(row.get(4)?));
            match list.last_mut().filter(|last| last.series == series) {
                Some(last) => last.intervals.push(interval),
                None => {
                    let tags = serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default();
                    list.push(SeriesBacklog { series, table: row.get(1)?, tags, intervals: vec![interval] });
                }
            }
        }
        Ok(list)
    }

    /// Hands the pending rows of `from ..= to` to `take`, oldest first, until it says stop by giving false.
    pub fn pending_rows(
        &self,
        series: i64,
        (from, to): (Timestamp, Timestamp),
        limit: usize,
        mut take: impl FnMut(PendingRow<'_>) -> bool,
    ) -> Result<()> {
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self.conn.prepare_cached(
                "SELECT id, nanos, vals, flags, version FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 0
                 ORDER BY id LIMIT ?3",
            )?;
            let (low, high) = key::keys(series, from, to);
            let mut rows = statement.query(params![low, high, i64_of(limit)])?;
            while let Some(row) = rows.next()? {
                let text = |place| row.get_ref(place).and_then(|value| Ok(value.as_str()?));
                let id = row.get(0)?;
                let ts = key::time(id, row.get(1)?);
                let pending = PendingRow { id, ts, values: text(2)?, flags: text(3)?, version: row.get(4)? };
                if !take(pending) {
                    break;
                }
            }
            Ok(())
        };
        read().map_err(|source| self.at(source))
    }

    /// Time of the pending row that has `rows - 1` newer pending rows in the interval, or of its oldest.
    pub fn nth_newest_pending(
        &self,
        series: i64,
        (from, to): (Timestamp, Timestamp),
        rows: usize,
    ) -> Result<Option<Timestamp>> {
        self.conn
            .prepare_cached(
                "SELECT min(id) FROM (SELECT id FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 0 ORDER BY id DESC LIMIT ?3)",
            )
            .and_then(|mut statement| {
                let (low, high) = key::keys(series, from, to);
                statement.query_row(params![low, high, i64_of(rows)], |row| row.get::<_, Option<i64>>(0))
            })
            .map(|id| id.map(|id| key::time(id, 0)))
            .map_err(|source| self.at(source))
    }

    /// Writes a receipt and, in the same transaction, what it proves: the marked rows leave `pending` for `state`. Rows that
    /// are no longer pending, or were replaced since, stay as they are. Gives how many were marked.
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

    /// Writes a receipt of a request that proved nothing.
    pub fn note_answer(&self, receipt: &ReceiptDraft<'_>) -> Result<()> {
        insert_receipt(&self.conn, receipt).map(drop).map_err(|source| self.at(source))
    }

    /// Marks one row as rejected, with the line and the server's words.
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
                    .execute(params![id, receipt_id, line, receipt.words])?;
            }
            transaction.commit()?;
            Ok(marked)
        };
        work().map_err(|source| self.at(source))
    }

    /// Pending rows of the series older than `cutoff` become expired: they are never sent, and come back with `replay`.
    pub fn expire(&self, series: i64, cutoff: Timestamp) -> Result<u64> {
        let work = || -> rusqlite::Result<u64> {
            let transaction =
                rusqlite::Transaction::new_unchecked(&self.conn, rusqlite::TransactionBehavior::Immediate)?;
            let oldest: Option<i64> = transaction
                .prepare_cached("SELECT min(from_ts) FROM backlog WHERE series = ?1 AND from_ts < ?2")?
                .query_row(params![series, cutoff.0], |row| row.get(0))?;
            let Some(oldest) = oldest else { return Ok(0) };
            let (low, high) = key::keys(series, Timestamp(oldest), Timestamp(cutoff.0 - 1));
            let expired = transaction
                .prepare_cached("UPDATE reading SET state = ?3 WHERE id BETWEEN ?1 AND ?2 AND state = 0")?
                .execute(params![low, high, State::Expired.code()])?;
            move_series_tally(&transaction, series, State::Pending, State::Expired, i64_of(expired))?;
            backlog::tighten(&transaction, series, Timestamp(oldest), cutoff)?;
            transaction.commit()?;
            Ok(expired as u64)
        };
        work().map_err(|source| self.at(source))
    }

    /// Puts rows back to pending, in steps that let other writers in. With `dry_run`, only counts them.
    pub fn replay(&self, replay: &Replay, dry_run: bool) -> Result<u64> {
        self.replay_all(replay, dry_run).map_err(|source| self.at(source))
    }

    fn replay_all(&self, replay: &Replay, dry_run: bool) -> rusqlite::Result<u64> {
        let (from, to) = (replay.since.unwrap_or(key::TIMES.0), replay.until.unwrap_or(key::TIMES.1));
        let mut series_of = self.conn.prepare_cached(
            "SELECT s.id FROM series s JOIN logger_table t ON t.id = s.logger_table WHERE ?1 IS NULL OR t.name = ?1 ORDER BY s.id",
        )?;
        let list: Vec<i64> =
            series_of.query_map([&replay.table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut total = 0;
        for series in list {
            let (low, high) = key::keys(series, from, to);
            if dry_run {
                for state in &replay.states {
                    let count: i64 = self
                        .conn
                        .prepare_cached("SELECT count(*) FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = ?3")?
                        .query_row(params![low, high, state.code()], |row| row.get(0))?;
                    total += count.cast_unsigned();
                }
            } else {
                total += self.replay_series(series, (low, high), &replay.states)?;
            }
        }
        Ok(total)
    }

    fn replay_series(&self, series: i64, (low, high): (i64, i64), states: &[State]) -> rusqlite::Result<u64> {
        let mut total = 0;
        let mut next = Some(low);
        while let Some(start) = next {
            let transaction =
                rusqlite::Transaction::new_unchecked(&self.conn, rusqlite::TransactionBehavior::Immediate)?;
            // The row behind this step begins the next one.
            next = transaction
                .prepare_cached("SELECT id FROM reading WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1 OFFSET ?3")?
                .query_row(params![start, high, ROWS_PER_REPLAY_STEP], |row| row.get(0))
                .optional()?;
            let last = next.map_or(high, |beyond| beyond - 1);
            let mut changed = 0;
            for &state in states.iter().filter(|&&state| state != State::Pending) {
                let moved = transaction
                    .prepare_cached("UPDATE reading SET state = 0 WHERE id BETWEEN ?1 AND ?2 AND state = ?3")?
                    .execute(params![start, last, state.code()])?;
                move_series_tally(&transaction, series, state, State::Pending, i64_of(moved))?;
                changed += moved;
            }
            if changed > 0 {
                // Steps that touch become one interval.
                let before = key::time(start - 1, 999);
                backlog::add(&transaction, series, key::time(start, 0), key::time(last, 999), Some(before))?;
            }
            if next.is_none() {
                backlog::tighten(&transaction, series, key::time(low, 0), key::time(high, 999))?;
            }
            transaction.commit()?;
            total += changed as u64;
        }
        Ok(total)
    }

    /// Bytes of line protocol in requests that were answered at or after `since`: what a quota has counted.
    pub fn bytes_since(&self, since: Timestamp) -> Result<u64> {
        self.conn
            .prepare_cached("SELECT coalesce(sum(bytes), 0) FROM receipt WHERE at >= ?1")
            .and_then(|mut statement| statement.query_row([since.0], |row| row.get::<_, i64>(0)))
            .map(i64::cast_unsigned)
            .map_err(|source| self.at(source))
    }

    /// A row that was sent to the bucket, from the newest receipt that still speaks for one.
    pub fn last_sent_row(&self, bucket: Option<&str>) -> Result<Option<SentRow>> {
        self.conn
            .prepare_cached(
                "SELECT t.name, s.tags, r.id, r.vals, r.flags, r.nanos
                 FROM receipt c JOIN receipt_rows w ON w.receipt = c.id
                 JOIN reading r ON r.id = w.last_id AND r.state = 1
                 JOIN series s ON s.id = ((r.id >> 52) & 4095) JOIN logger_table t ON t.id = s.logger_table
                 WHERE c.outcome = 'stored' AND c.bucket IS ?1 ORDER BY c.id DESC LIMIT 1",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([bucket], |row| {
                        Ok(SentRow {
                            table: row.get(0)?,
                            tags: serde_json::from_str(&row.get::<_, String>(1)?).unwrap_or_default(),
                            ts: key::time(row.get(2)?, row.get(5)?),
                            values: row.get(3)?,
                            flags: row.get(4)?,
                        })
                    })
                    .optional()
            })
            .map_err(|source| self.at(source))
    }

    /// Every series, by table, with the time of its oldest and newest sent row in `from ..= to`.
    pub fn sent_series(&self, (from, to): (Timestamp, Timestamp)) -> Result<Vec<SeriesBacklog>> {
        self.read_sent_series(from, to).map_err(|source| self.at(source))
    }

    fn read_sent_series(&self, from: Timestamp, to: Timestamp) -> rusqlite::Result<Vec<SeriesBacklog>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT s.id, t.name, s.tags FROM series s JOIN logger_table t ON t.id = s.logger_table ORDER BY t.id, s.id",
        )?;
        let mut ends = self.conn.prepare_cached(
            "SELECT (SELECT id FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 1 ORDER BY id LIMIT 1),
                    (SELECT id FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 1 ORDER BY id DESC LIMIT 1)",
        )?;
        let mut list = Vec::new();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let series: i64 = row.get(0)?;
            let found: (Option<i64>, Option<i64>) =
                ends.query_row(key::keys(series, from, to), |row| Ok((row.get(0)?, row.get(1)?)))?;
            let (Some(first), Some(last)) = found else { continue };
            let tags = serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default();
            let intervals = vec![(key::time(first, 0), key::time(last, 999))];
            list.push(SeriesBacklog { series, table: row.get(1)?, tags, intervals });
        }
        Ok(list)
    }

    /// Hands the sent rows of the closed interval to `take`, oldest first.
    pub fn sent_rows(
        &self,
        series: i64,
        (from, to): (Timestamp, Timestamp),
        mut take: impl FnMut(PendingRow<'_>),
    ) -> Result<()> {
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self.conn.prepare_cached(
                "SELECT id, nanos, vals, flags, version FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 1 ORDER BY id",
            )?;
            let mut rows = statement.query(key::keys(series, from, to))?;
            while let Some(row) = rows.next()? {
                let text = |place| row.get_ref(place).and_then(|value| Ok(value.as_str()?));
                let id = row.get(0)?;
                let ts = key::time(id, row.get(1)?);
                take(PendingRow { id, ts, values: text(2)?, flags: text(3)?, version: row.get(4)? });
            }
            Ok(())
        };
        read().map_err(|source| self.at(source))
    }

    /// Sent rows of the series in the closed interval go back to pending.
    pub fn requeue_sent(&self, series: i64, (from, to): (Timestamp, Timestamp)) -> Result<u64> {
        self.replay_series(series, key::keys(series, from, to), &[State::Sent]).map_err(|source| self.at(source))
    }

    /// Deletes sent rows of the series in the closed interval, in steps that let other writers in.
    pub fn prune_sent(&self, series: i64, (from, to): (Timestamp, Timestamp)) -> Result<u64> {
        let (low, high) = key::keys(series, from, to);
        let step = || -> rusqlite::Result<u64> {
            let transaction =
                rusqlite::Transaction::new_unchecked(&self.conn, rusqlite::TransactionBehavior::Immediate)?;
            let gone = transaction
                .prepare_cached(
                    "DELETE FROM reading WHERE id IN
                     (SELECT id FROM reading WHERE id BETWEEN ?1 AND ?2 AND state = 1 ORDER BY id LIMIT ?3)",
                )?
                .execute(params![low, high, ROWS_PER_REPLAY_STEP])?;
            transaction
                .prepare_cached(
                    "UPDATE logger_table SET rows = rows - ?2, sent = sent - ?2
                     WHERE id = (SELECT logger_table FROM series WHERE id = ?1)",
                )?
                .execute(params![series, i64_of(gone)])?;
            transaction.commit()?;
            Ok(gone as u64)
        };
        let mut total = 0;
        loop {
            match step().map_err(|source| self.at(source))? {
                0 => return Ok(total),
                gone => total += gone,
            }
        }
    }

    /// When a request was last acknowledged.
    pub fn last_stored(&self) -> Result<Option<Timestamp>> {
        self.conn
            .prepare_cached("SELECT at FROM receipt WHERE outcome = 'stored' ORDER BY id DESC LIMIT 1")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)).optional())
            .map(|at| at.map(Timestamp))
            .map_err(|source| self.at(source))
    }

    /// All pending rows, from the kept counts.
    pub fn pending(&self) -> Result<u64> {
        self.conn
            .query_row("SELECT coalesce(sum(pending), 0) FROM logger_table", [], |row| row.get::<_, i64>(0))
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
        receipt.words,
    ])?;
    Ok(conn.last_insert_rowid())
}

/// In one step where the request carried every pending row of a range, row by row where something was staged or replaced
/// since it was read.
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

fn move_series_tally(conn: &Connection, series: i64, from: State, to: State, rows: i64) -> rusqlite::Result<()> {
    let table: i64 =
        conn.prepare_cached("SELECT logger_table FROM series WHERE id = ?1")?.query_row([series], |row| row.get(0))?;
    move_tally(conn, table, from, to, rows)
}

/// Moves a table's kept counts.
pub(super) fn move_tally(conn: &Connection, table: i64, from: State, to: State, rows: i64) -> rusqlite::Result<()> {
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
