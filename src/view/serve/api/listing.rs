//! Rejected lines and rows, conflicts, and flags by hand.

use serde::Serialize;

use super::Millis;
use crate::store::Store;
use crate::view::serve::error::ApiError;

/// Rejected lines and rows, and conflicts.
#[derive(Debug, Default, Serialize)]
pub struct Rejected {
    rejected: Vec<Line>,
    conflicts: Vec<Conflict>,
}

#[derive(Debug, Serialize)]
struct Line {
    table: String,
    kind: &'static str,
    place: String,
    reason: String,
    raw: String,
}

#[derive(Debug, Serialize)]
struct Conflict {
    table: String,
    at: Millis,
    record: Option<i64>,
    place: String,
    stays: String,
    raw: String,
    row: Option<String>,
    decided: Option<i64>,
}

/// Lists at most `limit` of each, the newest first.
pub(super) fn rejected(store: Option<&Store>, limit: usize) -> Result<Rejected, ApiError> {
    let Some(store) = store else { return Ok(Rejected::default()) };
    let rejected = store.rejected(None, limit)?.into_iter().map(|line| Line {
        table: line.table,
        kind: line.kind,
        place: line.place,
        reason: line.reason,
        raw: line.raw,
    });
    let conflicts = store.conflicts(None, limit)?.into_iter().map(|line| Conflict {
        table: line.table,
        at: Millis(line.ts),
        record: line.record,
        place: line.place,
        stays: line.stays,
        raw: line.raw,
        row: line.row,
        decided: line.decided,
    });
    Ok(Rejected { rejected: rejected.collect(), conflicts: conflicts.collect() })
}

/// Flags by hand.
#[derive(Debug, Default, Serialize)]
pub struct Flags {
    flags: Vec<ByHand>,
}

#[derive(Debug, Serialize)]
struct ByHand {
    id: i64,
    table: String,
    column: String,
    from: Millis,
    to: Millis,
    flag: &'static str,
    reason: String,
    made: Millis,
    revoked: Option<Millis>,
}

/// Lists all, the newest first.
pub(super) fn flags(store: Option<&Store>) -> Result<Flags, ApiError> {
    let Some(store) = store else { return Ok(Flags::default()) };
    let mut lines = store.flags_by_hand()?;
    lines.reverse();
    let flags = lines.into_iter().map(|line| ByHand {
        id: line.id,
        table: line.table,
        column: line.column,
        from: Millis(line.span.0),
        to: Millis(line.span.1),
        flag: line.flag.word(),
        reason: line.reason,
        made: Millis(line.made),
        revoked: line.revoked.map(Millis),
    });
    Ok(Flags { flags: flags.collect() })
}
