//! Small texts under keys, which are kept from one run to the next.

use rusqlite::OptionalExtension;

use crate::store::{Result, Store};

impl Store {
    /// The prefix of [`Store::remember`] keys for the identity of a bucket.
    pub const BUCKET_IDENTITY: &'static str = "bucket: ";
    /// The prefix of keys for the observed time difference between a table's rows and the files that they came in.
    pub const OFFSETS_SEEN: &'static str = "offset:";

    /// Keeps a text under a key.
    pub fn remember(&self, key: &str, text: &str) -> Result<()> {
        if self.recall(key)?.as_deref() == Some(text) {
            return Ok(());
        }
        self.conn
            .execute("INSERT OR REPLACE INTO setting (key, value) VALUES (?1, ?2)", [key, text])
            .map(drop)
            .map_err(|source| self.at(source))
    }

    /// The text kept under a key.
    pub fn recall(&self, key: &str) -> Result<Option<String>> {
        self.conn
            .prepare_cached("SELECT value FROM setting WHERE key = ?1")
            .and_then(|mut statement| statement.query_row([key], |row| row.get(0)).optional())
            .map_err(|source| self.at(source))
    }

    /// Moves the text of a key to another key, and replaces the text there.
    pub fn move_setting(&self, from: &str, to: &str) -> Result<()> {
        self.conn
            .execute("UPDATE OR REPLACE setting SET key = ?2 WHERE key = ?1", [from, to])
            .map(drop)
            .map_err(|source| self.at(source))
    }

    /// The keys with this beginning, and their texts.
    pub fn recall_all(&self, beginning: &str) -> Result<Vec<(String, String)>> {
        self.conn
            .prepare_cached("SELECT key, value FROM setting WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key")
            .and_then(|mut statement| statement.query_map([beginning], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .map_err(|source| self.at(source))
    }

    /// Deletes a key.
    pub fn forget_one(&self, key: &str) -> Result<()> {
        self.conn
            .prepare_cached("DELETE FROM setting WHERE key = ?1")
            .and_then(|mut statement| statement.execute([key]))
            .map(drop)
            .map_err(|source| self.at(source))
    }

    /// Deletes every key with this beginning. Returns their number.
    pub fn forget(&self, beginning: &str) -> Result<usize> {
        self.conn
            .execute("DELETE FROM setting WHERE substr(key, 1, length(?1)) = ?1", [beginning])
            .map_err(|source| self.at(source))
    }
}
