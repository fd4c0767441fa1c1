//! The column that tells rows of one time stamp apart: a plot, a profile level, a sensor's name.
//!
//! Rows that share a stamp are the samples of a fast table, or readings of several places. Where each stamp has different texts in
//! one column, and the same few texts come again and again, they are places, and no sample of one of them is a sample of another.

use std::collections::HashSet;

/// Fewer do not.
const LEAST: usize = 4;

/// Rows of a table, as far as they tell.
#[derive(Debug, Default)]
pub struct Apart {
    /// Stamp, and the text in each column; empty where a column has none.
    rows: Vec<(i64, Vec<String>)>,
}

impl Apart {
    /// The number of rows that are considered.
    pub const LOOKED_AT: usize = 400;

    /// Takes note of a row: its stamp, and its values as a JSON array. Rows behind the first ones tell nothing new.
    pub fn see(&mut self, stamp: i64, values: &str) {
        if self.rows.len() < Apart::LOOKED_AT {
            let values: Vec<serde_json::Value> = serde_json::from_str(values).unwrap_or_default();
            let text = |value| if let serde_json::Value::String(text) = value { text } else { String::new() };
            self.see_texts(stamp, values.into_iter().map(text).collect());
        }
    }

    /// As [`Apart::see`], of its texts.
    pub fn see_texts(&mut self, stamp: i64, texts: Vec<String>) {
        if self.rows.len() < Apart::LOOKED_AT {
            self.rows.push((stamp, texts));
        }
    }

    /// The place of the first column that tells rows apart, where most rows share their stamps.
    pub fn column(&self) -> Option<usize> {
        let stamps: HashSet<i64> = self.rows.iter().map(|(stamp, _)| *stamp).collect();
        if self.rows.len() < LEAST || stamps.len() * 3 > self.rows.len() * 2 {
            return None;
        }
        let width = self.rows.iter().map(|(_, texts)| texts.len()).min()?;
        (0..width).find(|&place| {
            let rows = self.rows.iter().map(|(stamp, texts)| (*stamp, texts[place].as_str()));
            let keys: HashSet<(i64, &str)> = rows.clone().collect();
            let values: HashSet<&str> = rows.map(|(_, text)| text).collect();
            keys.len() == self.rows.len() && values.len() * 2 <= self.rows.len() && !values.contains("")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(rows: &[(i64, &str)]) -> Option<usize> {
        let mut apart = Apart::default();
        rows.iter().for_each(|(stamp, values)| apart.see(*stamp, values));
        apart.column()
    }

    #[test]
    fn plots_that_come_again_at_each_stamp_tell_rows_apart() {
        let plots = [(1, "[20,\"6a\"]"), (1, "[21,\"6b\"]"), (2, "[20,\"6a\"]"), (2, "[21,\"6b\"]")];
        assert_eq!(column(&plots), Some(1));
    }

    #[test]
    fn no_text_tells_samples_of_one_place_apart() {
        for rows in [
            [(1, "[20,\"ok\"]"), (1, "[21,\"ok\"]"), (2, "[20,\"ok\"]"), (2, "[21,\"ok\"]")],
            [(1, "[20,\"a\"]"), (1, "[21,\"b\"]"), (2, "[20,\"c\"]"), (2, "[21,\"d\"]")],
            [(1, "[1,2]"), (1, "[2,2]"), (2, "[1,2]"), (2, "[2,2]")],
            [(1, "[20,\"6a\"]"), (2, "[21,\"6b\"]"), (3, "[20,\"6a\"]"), (4, "[21,\"6b\"]")],
        ] {
            assert_eq!(column(&rows), None, "{rows:?}");
        }
    }
}
