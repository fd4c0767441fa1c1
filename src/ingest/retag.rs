//! Applies a change of the tag columns in the configuration after rows were staged: columns added, exchanged or
//! removed.
//!
//! Rows that differed only in such a column were conflicts; they become rows. Every stored row gets the key that its
//! own values give it, so that a file that is read again finds the row there (I3). This is done once per change of the
//! tag columns.
//!
//! The store keeps the value of a number, not its spelling, and no value for `NAN`. So a tag that was a field before
//! gets the text `7` where the file has `007`, and a row without a value does not change. If a file has such a row
//! again, it is staged under the file's spelling, beside the earlier row. A column that was a tag before keeps the
//! spelling of the file.

use std::collections::BTreeSet;

use super::kept::KeptTaker;
use super::rows::Taken;
use crate::config::{ColumnUse, TableConfig};
use crate::format;
use crate::store::{Outcome, Records, Result, Staging, Store, Table, TaggedSeries, tags_inputs};
use crate::text::count;
use crate::time::{Clock, Timestamp};

/// The result for the rows of a table.
#[derive(Debug, Default)]
struct Moved {
    /// The number of rows with a new key, and of contents that became rows.
    rows: u64,
    /// The number of rows that have no value in one of the tag columns.
    left: u64,
    /// The tags under which the moved rows were sent before.
    from: BTreeSet<Vec<String>>,
    /// The tags that they have now.
    to: BTreeSet<Vec<String>>,
}

impl Moved {
    /// The series in which points were left, for the message.
    fn left_series(&self) -> String {
        let name = |tags: &Vec<String>| if tags.is_empty() { "without tags".to_owned() } else { tags.join(", ") };
        self.from.iter().map(name).collect::<Vec<_>>().join("; ")
    }
}

/// Moves every row whose key has changed. Returns a message if there were any.
pub(super) fn apply(
    store: &Store,
    staging: &mut Staging<'_>,
    table: &mut Table,
    config: &TableConfig,
    clock: &dyn Clock,
) -> Result<Option<String>> {
    let is_tag = |name: &str| config.columns.get(name).is_some_and(|column| column.column_use == ColumnUse::Tag);
    let inputs = tags_inputs(config);
    let judged = store.tags_judged_by(table)?;
    if judged == Some(inputs) {
        return Ok(None);
    }
    let places: Vec<usize> = (0..table.columns.len()).filter(|place| is_tag(&table.columns[*place].name)).collect();
    let all = store.series_with_tags(table)?;
    if !all.is_empty() && places.is_empty() && config.columns.keys().any(|name| is_tag(name)) {
        // The column name is misspelled, or not in a file yet.
        return Ok(None);
    }
    staging.begin_retagging(table)?;
    let now = Timestamp::from_utc(clock.now());
    let (mut moved, mut seen) = (Moved::default(), Vec::new());
    for series in all {
        if series.tags.len() == places.len() && (judged.is_none() || places.is_empty()) {
            continue;
        }
        staging.set_records(Records::Moved);
        let mut retag = Retag { store, staging, table, config, places: &places, series: &series };
        let done = retag.rows(&mut moved).and_then(|()| retag.contents(&mut moved, now));
        staging.set_records(Records::AsRead);
        done?;
        seen.push(series.id);
    }
    if !places.is_empty() {
        // Record numbers are followed of rows without tags.
        staging.keep_records_of_rows(table)?;
    }
    staging.flush(table)?;
    staging.end_retagging(table, &seen, inputs)?;
    if moved.rows == 0 {
        return Ok(None);
    }
    // Reads the table again without the series that no longer have rows.
    *table = store.table(config)?;
    let have = if moved.rows == 1 { "has" } else { "have" };
    let are = if moved.rows == 1 { "is" } else { "are" };
    let left = match moved.left {
        0 => String::new(),
        left => format!("; {} without a value there did not change", count(left, "row")),
    };
    let points = match moved.left_series() {
        from if from.is_empty() => String::new(),
        from => format!(". The old points stay in the bucket, in the series {from}; delete them there"),
    };
    Ok(Some(format!(
        "the tag columns changed: {} {have} new tags and {are} sent again{left}{points}",
        count(moved.rows, "row")
    )))
}

/// One series of the table, and the columns that are tags now.
struct Retag<'a, 's> {
    store: &'a Store,
    staging: &'a mut Staging<'s>,
    table: &'a mut Table,
    config: &'a TableConfig,
    places: &'a [usize],
    series: &'a TaggedSeries,
}

impl Retag<'_, '_> {
    /// The tags that these values give. None if one of the columns has no value.
    fn tags_of(&self, values: &str) -> Option<Vec<String>> {
        let texts = format::texts_of(values, self.places);
        texts.into_iter().map(|text| spelled(&self.series.tags, text)).collect()
    }

    fn rows(&mut self, moved: &mut Moved) -> Result<()> {
        self.staging.begin()?;
        self.staging.use_columns(self.table, self.config)?;
        let mut has_left = false;
        let mut after = None;
        loop {
            let rows = self.store.old_rows(self.series.id, after)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.id());
            for row in &rows {
                match self.tags_of(row.values()) {
                    // The row's file had no such column.
                    None => moved.left += 1,
                    Some(tags) if tags == self.series.tags => {}
                    Some(tags) => {
                        // In the transaction of the first row that leaves, and comes: what is killed is named all the same.
                        if !has_left && self.staging.note_left_series(self.table, self.series)? {
                            moved.from.insert(self.series.tags.clone());
                        }
                        has_left = true;
                        if !moved.to.contains(&tags) {
                            if !moved.from.contains(&tags) {
                                self.staging.note_returned_to(self.table, &written(&tags))?;
                            }
                            moved.to.insert(tags.clone());
                        }
                        self.staging.move_row(self.table, row, &written(&tags))?;
                        moved.rows += 1;
                    }
                }
            }
            self.staging.note_left(self.series.id, &rows)?;
            self.staging.flush(self.table)?;
            self.staging.commit()?;
        }
    }

    /// Moves the contents that are kept beside the rows of the series.
    fn contents(&mut self, moved: &mut Moved, now: Timestamp) -> Result<()> {
        let mut kept = KeptTaker::that_keeps(self.store, self.config, now);
        for content in self.store.conflicts_of_series(self.series.id)? {
            self.staging.begin()?;
            let tags = match content.header {
                Some(header) => kept.tags_of(self.staging, self.table, header, &content.raw)?,
                None => self.tags_of(&content.raw).map(|tags| written(&tags)),
            };
            let Some(tags) = tags else { continue };
            // The row beside which it is kept may have been pruned, and is in the bucket.
            if tags == content.tags && self.series.pruned.is_some_and(|pruned| content.ts <= pruned) {
                continue;
            }
            if let Taken::Row(outcome) = kept.content(self.staging, self.table, &content, &tags)? {
                self.staging.resolve_conflict(self.table, &content, outcome)?;
                moved.rows += u64::from(outcome == Outcome::Staged);
            }
        }
        Ok(())
    }
}

/// The tags in the form in which a series holds them.
fn written(tags: &[String]) -> String {
    serde_json::to_string(tags).unwrap_or_default()
}

/// The text of a tag from the store's text of the value: the spelling of the series, if it has the same value.
fn spelled(known: &[String], text: Option<String>) -> Option<String> {
    let Some(text) = text else {
        return known.iter().find(|tag| tag.is_empty() || tag.eq_ignore_ascii_case("NAN")).cloned();
    };
    let number = |text: &str| format::parse_number(text.as_bytes()).map(|number| number.value);
    let same = |tag: &&String| **tag == text || number(&text).is_some_and(|value| number(tag) == Some(value));
    // An equal text is preferred to an equal number.
    let found = known.iter().find(|tag| **tag == text).or_else(|| known.iter().find(same));
    Some(found.cloned().unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_keeps_the_spelling_of_its_series() {
        let known = ["007".to_owned(), "NAN".to_owned(), "6a".to_owned()];
        let spelled = |text: Option<&str>| spelled(&known, text.map(str::to_owned));
        assert_eq!(spelled(Some("7")).as_deref(), Some("007"));
        assert_eq!(spelled(Some("8")).as_deref(), Some("8"));
        assert_eq!(spelled(Some("6a")).as_deref(), Some("6a"));
        assert_eq!(spelled(None).as_deref(), Some("NAN"));
        assert_eq!(super::spelled(&known[2..], None), None);
    }
}
