//! What the store knows of the hour that a zone repeats: which of two instants a row without a row before it has.

use rusqlite::OptionalExtension as _;

use crate::format::same_reading;
use crate::store::Result;
use crate::store::intake::staging::Staging;
use crate::store::intake::tables::Table;
use crate::store::schema::key::key;
use crate::time::Timestamp;

impl Staging<'_> {
    /// Time of the newest row with these tag values.
    pub fn newest_of(&self, table: &mut Table, tags: &str) -> Option<Timestamp> {
        let place = table.series.find(tags)?;
        table.series.at(place).newest
    }

    /// Whether the row of this key says the same as these values. None: no row has the key.
    pub fn says_same(&self, table: &mut Table, tags: &str, ts: Timestamp, values: &str) -> Result<Option<bool>> {
        let Some(place) = table.series.find(tags) else { return Ok(None) };
        let stored: Option<String> = self
            .store
            .conn
            .prepare_cached("SELECT vals FROM reading WHERE id = ?1")
            .and_then(|mut statement| {
                statement.query_row([key(table.series.at(place).id, ts)], |row| row.get(0)).optional()
            })
            .map_err(|source| self.store.at(source))?;
        Ok(stored.map(|stored| same_reading(&stored, values, &table.derived_places())))
    }
}
