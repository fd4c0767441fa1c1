//! Finds columns whose unit changed under one name: the values before and after are not comparable, but one field has
//! both.

use crate::ameriflux::unit;
use crate::format::Header;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// A column whose unit is another one in the newest header than in one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitChange {
    /// Its name in the file.
    pub column: String,
    /// In the other header.
    pub before: String,
    /// In the newest header.
    pub after: String,
    /// When the later of the two headers was seen first.
    pub since: Timestamp,
}

/// Columns of a table whose unit in the newest header is surely another one than in a header before.
pub(super) fn of(store: &Store, table: &str) -> Result<Vec<UnitChange>, StoreError> {
    let headers = store.headers_seen(table)?;
    if headers.len() < 2 {
        return Ok(Vec::new());
    }
    let Some(newest) = store.newest_header(table)? else { return Ok(Vec::new()) };
    let newest_seen = headers.iter().filter(|(_, header)| *header == newest).map(|(seen, _)| *seen).max();
    let mut found = Vec::new();
    for (column, after) in newest.names.iter().zip(&newest.units) {
        let unit_in = |header: &Header| {
            let place = header.names.iter().position(|name| name == column)?;
            header.units.get(place).filter(|unit| unit::differ(unit, after)).cloned()
        };
        let before = headers.iter().rev().find_map(|(seen, header)| Some((*seen, unit_in(header)?)));
        found.extend(before.map(|(seen, before)| UnitChange {
            column: column.clone(),
            before,
            after: after.clone(),
            since: newest_seen.map_or(seen, |newest| newest.max(seen)),
        }));
    }
    Ok(found)
}
