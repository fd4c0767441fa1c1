//! The series of a table: its rows that have the same tags.
//!
//! They are kept in memory while the table is read, because each row asks for its series.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::qc;
use crate::store::intake::changed::Touched;
use crate::store::judge::due::Due;
use crate::time::Timestamp;

/// One series of a table.
#[derive(Debug, Clone)]
pub(in crate::store) struct Series {
    pub(in crate::store) id: i64,
    pub(in crate::store) newest: Option<Timestamp>,
    /// Newest row before this transaction, and the interval of rows it staged.
    pub(in crate::store) newest_saved: Option<Timestamp>,
    pub(in crate::store) staged: Option<(Timestamp, Timestamp)>,
    /// Rows staged or replaced that other tables are compared with.
    pub(in crate::store) touched: Due,
    /// The tests, up to the newest row; none before they begin and after a late row.
    pub(in crate::store) state: Option<qc::Series>,
    /// Rows to judge from the store before the commit.
    pub(in crate::store) due: Due,
    /// Slots of time whose rows were written.
    pub(in crate::store) changed: Touched,
}

impl Series {
    pub(in crate::store) fn new(id: i64, newest: Option<Timestamp>) -> Series {
        Series {
            id,
            newest,
            newest_saved: newest,
            staged: None,
            touched: Due::default(),
            state: None,
            due: Due::default(),
            changed: Touched::default(),
        }
    }
}

/// The series of a table. Rows of one series are together in a file, so the latest one found is tried first.
#[derive(Debug, Default)]
pub(in crate::store) struct SeriesList {
    list: Vec<(String, Series)>,
    by_tags: HashMap<String, usize>,
    last: usize,
    /// By the id of a series, that of the one whose tags are spelled as the store gives them back.
    twins: HashMap<i64, Option<i64>>,
}

impl SeriesList {
    /// Its index in the list.
    #[inline]
    pub(in crate::store) fn find(&mut self, tags: &str) -> Option<usize> {
        if self.list.get(self.last).is_some_and(|(known, _)| known == tags) {
            return Some(self.last);
        }
        self.last = *self.by_tags.get(tags)?;
        Some(self.last)
    }

    pub(in crate::store) fn push(&mut self, tags: &str, series: Series) -> usize {
        self.last = self.list.len();
        self.list.push((tags.to_owned(), series));
        self.by_tags.insert(tags.to_owned(), self.last);
        self.last
    }

    #[inline]
    pub(in crate::store) fn at(&mut self, place: usize) -> &mut Series {
        &mut self.list[place].1
    }

    /// The series with the same tags as the store's arrays spell them, `7.0` for `007`: rows from before a column was a tag are
    /// there.
    pub(in crate::store) fn twin_of(&mut self, id: i64, tags: &str) -> Option<i64> {
        if let Some(known) = self.twins.get(&id) {
            return *known;
        }
        let own: Vec<String> = serde_json::from_str(tags).unwrap_or_default();
        let given: Vec<String> =
            own.iter().map(|tag| crate::format::given_back(tag).unwrap_or_else(|| tag.clone())).collect();
        let other = serde_json::to_string(&given).ok().filter(|_| given != own);
        let twin = other.and_then(|tags| self.by_tags.get(&tags)).map(|place| self.list[*place].1.id);
        self.twins.insert(id, twin);
        twin
    }

    /// Where the series of this id is.
    pub(in crate::store) fn place_of(&self, id: i64) -> Option<usize> {
        self.list.iter().position(|(_, series)| series.id == id)
    }

    /// The series of the row that was staged last.
    pub(in crate::store) fn latest(&self) -> Option<&Series> {
        self.list.get(self.last).map(|(_, series)| series)
    }

    pub(in crate::store) fn newest_of(&self, id: i64) -> Option<Timestamp> {
        self.list.iter().find(|(_, series)| series.id == id).and_then(|(_, series)| series.newest)
    }

    /// The tags of the series with this id.
    pub(in crate::store) fn tags_of(&self, id: i64) -> Option<&str> {
        self.list.iter().find(|(_, series)| series.id == id).map(|(tags, _)| tags.as_str())
    }

    pub(in crate::store) fn ids(&self) -> Vec<i64> {
        self.list.iter().map(|(_, series)| series.id).collect()
    }

    pub(in crate::store) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Series> {
        self.list.iter_mut().map(|(_, series)| series)
    }
}

/// The series of a table that the store knows.
pub(in crate::store) fn series(conn: &Connection, table: i64) -> rusqlite::Result<SeriesList> {
    let mut list = SeriesList::default();
    let mut statement = conn.prepare_cached("SELECT tags, id, newest FROM series WHERE logger_table = ?1")?;
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let newest = row.get::<_, Option<i64>>(2)?.map(Timestamp::from_nanos);
        list.push(&row.get::<_, String>(0)?, Series::new(row.get(1)?, newest));
    }
    Ok(list)
}
