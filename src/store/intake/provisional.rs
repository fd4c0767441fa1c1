//! Lines that were read without their line end (I2): the row or decision made of such a line is provisional. The
//! finished line replaces it silently, wherever it is found: appended to the file, in a file that was rewritten, after
//! a restart, or in a file that is read by hand.
//!
//! A complete line is never replaced by a provisional one.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use crate::config::OnConflict;
use crate::format::Likeness;
use crate::store::Result;
use crate::store::intake::staging::{Incoming, LineAt, Outcome, Staging};
use crate::store::intake::tables::{Table, hash_of};
use crate::store::intake::taken_key::Stored;
use crate::store::schema::key;

/// What was made of a provisional line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Row,
    Conflict,
    Rejected,
    Glued,
    /// Columns that a whole row got.
    More,
}

impl Kind {
    fn code(self) -> i64 {
        match self {
            Kind::Row => 0,
            Kind::Conflict => 1,
            Kind::Rejected => 2,
            Kind::Glued => 3,
            Kind::More => 4,
        }
    }

    fn from_code(code: i64) -> Kind {
        match code {
            1 => Kind::Conflict,
            2 => Kind::Rejected,
            3 => Kind::Glued,
            4 => Kind::More,
            _ => Kind::Row,
        }
    }
}

/// How far a line can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineState {
    /// It has its line end.
    Whole,
    /// It stands at the end of the file, without a line end.
    Unfinished,
    /// It has a line end, but may be the beginning of one line and the end of another.
    PerhapsGlued,
}

#[derive(Debug, Clone)]
struct Provisional {
    kind: Kind,
    raw: String,
}

/// The provisional lines of a table.
#[derive(Debug, Default)]
pub(in crate::store) struct ProvisionalLines {
    /// By `reading.id`.
    rows: HashMap<i64, Provisional>,
    /// The newest of those that are rows.
    recent: Vec<i64>,
    /// Those that are no rows: hash and text.
    rejected: Vec<(i64, String)>,
}

impl ProvisionalLines {
    pub(in crate::store) fn load(conn: &Connection, table: i64) -> rusqlite::Result<ProvisionalLines> {
        let mut lines = ProvisionalLines::default();
        let mut statement = conn.prepare_cached("SELECT kind, id, raw FROM provisional WHERE logger_table = ?1")?;
        let mut rows = statement.query([table])?;
        while let Some(row) = rows.next()? {
            let (kind, raw) = (Kind::from_code(row.get(0)?), row.get(2)?);
            if kind == Kind::Rejected {
                lines.rejected.push((row.get(1)?, raw));
            } else {
                lines.rows.insert(row.get(1)?, Provisional { kind, raw });
            }
        }
        let mut keys: Vec<i64> = lines.rows.keys().copied().collect();
        keys.sort_unstable();
        keys.into_iter().for_each(|id| lines.note_recent(id));
        Ok(lines)
    }

    fn note_recent(&mut self, id: i64) {
        self.recent.retain(|known| *known != id);
        self.recent.push(id);
        if self.recent.len() > RECENT {
            self.recent.remove(0);
        }
    }

    /// Whether a whole line may go on where a row's line stopped.
    #[inline]
    pub(in crate::store) fn has_rows(&self) -> bool {
        !self.recent.is_empty()
    }

    /// Whether an unfinished line was rejected.
    #[inline]
    pub(in crate::store) fn has_rejected(&self) -> bool {
        !self.rejected.is_empty()
    }

    /// Whether the rejected line of this hash is unfinished.
    pub(in crate::store) fn is_rejected(&self, hash: i64) -> bool {
        self.rejected.iter().any(|(known, _)| *known == hash)
    }
}

fn remember(conn: &Connection, table: &mut Table, id: i64, line: Provisional) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM provisional WHERE logger_table = ?1 AND id = ?2 AND kind <> 2")?
        .execute([table.id, id])?;
    conn.prepare_cached("INSERT OR REPLACE INTO provisional (logger_table, kind, id, raw) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![table.id, line.kind.code(), id, line.raw])?;
    if line.kind == Kind::Rejected {
        table.provisional.rejected.push((id, line.raw));
    } else {
        table.provisional.rows.insert(id, line);
        table.provisional.note_recent(id);
    }
    Ok(())
}

/// A line is finished soon after it was begun, or never: so many are compared with each whole line.
const RECENT: usize = 16;

/// So many rows of one table may be provisional. In a file whose last line never has an end, one more is with each collection; the
/// oldest are whole lines from then on.
const MOST: usize = 1_000;

fn forget_oldest(conn: &Connection, table: &mut Table) -> rusqlite::Result<()> {
    if table.provisional.rows.len() <= MOST {
        return Ok(());
    }
    let oldest = table.provisional.rows.keys().min().copied();
    oldest.map_or(Ok(()), |id| forget(conn, table, id))
}

fn forget(conn: &Connection, table: &mut Table, id: i64) -> rusqlite::Result<()> {
    table.provisional.rows.remove(&id);
    table.provisional.recent.retain(|known| *known != id);
    conn.prepare_cached("DELETE FROM provisional WHERE logger_table = ?1 AND id = ?2 AND kind <> 2")?
        .execute([table.id, id])
        .map(drop)
}

impl Staging<'_> {
    /// The line without its end became a new row.
    #[cold]
    pub(in crate::store) fn note_provisional(
        &self,
        table: &mut Table,
        id: i64,
        line: LineAt<'_>,
    ) -> rusqlite::Result<()> {
        let kind = if line.state == LineState::PerhapsGlued { Kind::Glued } else { Kind::Row };
        let raw = crate::format::decode(line.raw).into_owned();
        remember(&self.store.conn, table, id, Provisional { kind, raw })?;
        forget_oldest(&self.store.conn, table)
    }

    /// Whether the line goes on where the line stopped that the row of this id, or a part of it, was made of. The row is provisional
    /// no more.
    pub(in crate::store) fn is_finished(&self, table: &mut Table, id: i64, line: LineAt<'_>) -> rusqlite::Result<bool> {
        let Some(known) = table.provisional.rows.get(&id) else { return Ok(false) };
        if line.state != LineState::Whole || !crate::format::decode(line.raw).starts_with(&known.raw) {
            return Ok(false);
        }
        forget(&self.store.conn, table, id).map(|()| true)
    }

    /// Takes away rows of lines without their end where this whole line goes on and has another key: their time or their tag was cut.
    #[cold]
    pub(in crate::store) fn drop_cut_keys(&mut self, table: &mut Table, id: i64, line: LineAt<'_>) -> Result<()> {
        let raw = crate::format::decode(line.raw);
        let goes_on = |other: &i64| {
            let known = table.provisional.rows.get(other);
            *other != id
                && known.is_some_and(|known| {
                    known.kind == Kind::Row && raw.len() > known.raw.len() && raw.starts_with(&known.raw)
                })
        };
        let cut: Vec<i64> = table.provisional.recent.iter().copied().filter(goes_on).collect();
        for other in cut {
            let rows = self.store.rows_of_keys(other, other).map_err(|source| self.store.at(source))?;
            self.drop_rows(table, key::series(other), &rows)?;
            forget(&self.store.conn, table, other).map_err(|source| self.store.at(source))?;
        }
        Ok(())
    }

    /// The line without its end is no row.
    #[cold]
    pub(in crate::store) fn note_provisional_rejected(
        &self,
        table: &mut Table,
        line: LineAt<'_>,
    ) -> rusqlite::Result<()> {
        let raw = crate::format::decode(line.raw).into_owned();
        remember(&self.store.conn, table, hash_of(line.raw), Provisional { kind: Kind::Rejected, raw })
    }

    /// A whole line was read: the rejected lines that are its beginning are dropped.
    #[cold]
    pub(in crate::store) fn finish_rejected(&self, table: &mut Table, line: LineAt<'_>) -> rusqlite::Result<()> {
        let raw = crate::format::decode(line.raw);
        let beginnings = table.provisional.rejected.iter().filter(|(_, beginning)| raw.starts_with(beginning.as_str()));
        let finished: Vec<i64> = beginnings.map(|(hash, _)| *hash).collect();
        finished.into_iter().try_for_each(|hash| self.drop_rejected(table, hash))
    }

    /// Deletes a rejected line, and its provisional mark if it has one. It is counted only if it is still there.
    pub(in crate::store) fn drop_rejected(&self, table: &mut Table, hash: i64) -> rusqlite::Result<()> {
        let conn = &self.store.conn;
        let dropped = conn
            .prepare_cached("DELETE FROM rejected_line WHERE logger_table = ?1 AND hash = ?2")?
            .execute([table.id, hash])?;
        table.tally.rejected_lines -= i64::from(dropped == 1);
        if table.provisional.is_rejected(hash) {
            table.provisional.rejected.retain(|(known, _)| *known != hash);
            conn.prepare_cached("DELETE FROM provisional WHERE logger_table = ?1 AND kind = 2 AND id = ?2")?
                .execute([table.id, hash])?;
        }
        Ok(())
    }

    /// The row has another key, and is as provisional as before.
    pub(in crate::store) fn move_provisional(&self, table: &mut Table, from: i64, to: i64) -> rusqlite::Result<()> {
        let Some(line) = table.provisional.rows.get(&from).cloned() else { return Ok(()) };
        let conn = &self.store.conn;
        forget(conn, table, from)?;
        remember(conn, table, to, line)
    }

    /// The key is taken, and the row or the line that meets it is provisional. None: as any other line.
    pub(in crate::store) fn meet_provisional(
        &mut self,
        table: &mut Table,
        place: usize,
        row: &Incoming<'_>,
        stored: &Stored,
    ) -> rusqlite::Result<Option<Outcome>> {
        let known = table.provisional.rows.get(&stored.id).cloned();
        let is_whole = row.line.state == LineState::Whole;
        let Some(known) = known else {
            if is_whole {
                return Ok(None);
            }
            return self.meet_whole(table, place, row, stored).map(Some);
        };
        let raw = crate::format::decode(row.line.raw).into_owned();
        if known.kind == Kind::Conflict {
            if !raw.starts_with(&known.raw) || (!is_whole && raw == known.raw) {
                return Ok(None);
            }
            let conn = &self.store.conn;
            let dropped = conn
                .prepare_cached("DELETE FROM conflict WHERE series = ?1 AND ts = ?2 AND raw = ?3")?
                .execute(params![table.series.at(place).id, row.ts.nanos(), known.raw])?;
            table.tally.conflicts -= i64::try_from(dropped).unwrap_or(0);
            forget(conn, table, stored.id)?;
            return if is_whole { Ok(None) } else { self.meet_whole(table, place, row, stored).map(Some) };
        }
        let is_record = row.record.is_some() && row.record == stored.record;
        let goes_on = raw.starts_with(&known.raw) || (known.kind == Kind::Glued && is_record);
        if known.kind == Kind::More && !goes_on {
            return if is_whole { Ok(None) } else { self.meet_whole(table, place, row, stored).map(Some) };
        }
        if stored.likeness == Likeness::Same {
            // A line with fewer columns proves nothing of the others.
            if is_whole && (goes_on || table.side_of(row).covers(stored.side())) {
                forget(&self.store.conn, table, stored.id)?;
            }
            return Ok(Some(Outcome::Duplicate));
        }
        if !is_whole && known.raw.starts_with(&raw) {
            return Ok(Some(Outcome::Duplicate));
        }
        if !goes_on && stored.likeness == Likeness::More {
            // It may be cut as before.
            return self.extend(table, place, row, stored).map(Some);
        }
        if !is_whole && !goes_on {
            return self.met(table, place, row, OnConflict::Keep, stored).map(Some);
        }
        let outcome = if goes_on {
            self.take_over(table, place, row, stored)?;
            Outcome::Finished
        } else {
            // Another line than the one that was begun: both are kept, and the whole one counts.
            self.met(table, place, row, OnConflict::Replace, stored)?
        };
        if is_whole {
            forget(&self.store.conn, table, stored.id)?;
        } else if known.kind == Kind::More {
            remember(&self.store.conn, table, stored.id, Provisional { kind: Kind::More, raw })?;
        } else {
            self.note_provisional(table, stored.id, row.line)?;
        }
        Ok(Some(outcome))
    }

    /// A provisional line meets the row of a whole one, which stays.
    fn meet_whole(
        &mut self,
        table: &mut Table,
        place: usize,
        row: &Incoming<'_>,
        stored: &Stored,
    ) -> rusqlite::Result<Outcome> {
        let is_beginning = table.side_of(row).is_beginning_of(stored.side(), &table.derived_places());
        if stored.likeness == Likeness::Same || is_beginning {
            return Ok(Outcome::Duplicate);
        }
        if stored.likeness == Likeness::More {
            let outcome = self.extend(table, place, row, stored)?;
            let raw = crate::format::decode(row.line.raw).into_owned();
            remember(&self.store.conn, table, stored.id, Provisional { kind: Kind::More, raw })?;
            return Ok(outcome);
        }
        let before = table.tally.conflicts;
        let outcome = self.met(table, place, row, OnConflict::Keep, stored)?;
        if table.tally.conflicts > before {
            let raw = crate::format::decode(row.line.raw).into_owned();
            remember(&self.store.conn, table, stored.id, Provisional { kind: Kind::Conflict, raw })?;
        }
        Ok(outcome)
    }
}
