//! Reads tables with one value per line: time, sensor, value (docs/file-formats.md#long-tables).
//!
//! Each line becomes a row with one value, and the store merges it into the row of its time. So each line is counted by
//! its own result (I1), in any order of the lines.

use std::collections::HashMap;

use super::lines::LineTaker;
use super::rows::{Taken, unreadable};
use crate::config::{ColumnUse, CsvFormat, FileFormat, TableConfig};
use crate::format::{self, Derived, Header, Value};
use crate::store::{Incoming, LineAt, LineRefusal, Result, Staging, Table};
use crate::time::Timestamp;

/// The most sensors. More different texts are not names of sensors: the configuration names a wrong column.
const MOST_SENSORS: usize = 1_000;

/// The columns of the file that determine what a line contains. All columns that are not part of the key are read as
/// texts and values in the order of the file.
#[derive(Debug)]
pub(super) struct LongReading {
    /// Among these columns, the positions of the sensor and of the value.
    sensor: usize,
    value: usize,
    /// The columns that distinguish rows of one time: the position among these columns, and that in the column list.
    tags: Vec<(usize, usize)>,
    /// The sensors by name, with their positions in the column list.
    places: HashMap<String, usize>,
    derived: Vec<Derived>,
}

impl LongReading {
    /// Builds it for the columns of a header that are not part of the key, in their order. None if the table has whole
    /// rows.
    pub(super) fn of(config: &TableConfig, header: &Header, values: &[usize], table: &Table) -> Option<LongReading> {
        let FileFormat::Csv(CsvFormat { long: Some(long), .. }) = &config.format else { return None };
        let place = |wanted: &String| values.iter().position(|at| header.names[*at] == *wanted);
        let tags = tags_of(config, header, values).filter_map(|at| {
            let place = values.iter().position(|value| *value == at)?;
            Some((place, table.place(&header.names[at])?))
        });
        let mut tags: Vec<(usize, usize)> = tags.collect();
        // The order of the column list.
        tags.sort_by_key(|(_, column)| *column);
        Some(LongReading {
            sensor: place(&long.sensor)?,
            value: place(&long.value)?,
            tags,
            places: HashMap::new(),
            derived: Derived::of(config, &table.column_names()),
        })
    }

    /// Whether rows of one time are distinguished by tags.
    pub(super) fn has_tags(&self) -> bool {
        !self.tags.is_empty()
    }

    /// The sensor of the parsed line.
    pub(super) fn sensor(&self, json: &str) -> Option<String> {
        text_of(json, self.sensor).filter(|name| !name.is_empty())
    }

    /// The tags of the parsed line, as a JSON array in the order of the column list.
    pub(super) fn tags(&self, json: &str) -> String {
        let text = |(place, _): &(usize, usize)| text_of(json, *place).unwrap_or_default();
        serde_json::to_string(&self.tags.iter().map(text).collect::<Vec<_>>()).unwrap_or_default()
    }
}

/// The columns of the file that are also columns of the table.
pub(super) fn tags_of<'h>(
    config: &'h TableConfig,
    header: &'h Header,
    values: &'h [usize],
) -> impl Iterator<Item = usize> + 'h {
    let is_tag = |name: &String| config.columns.get(name).is_some_and(|column| column.column_use == ColumnUse::Tag);
    values.iter().copied().filter(move |at| is_tag(&header.names[*at]))
}

/// The text at a position of a JSON array; a number as it is written there.
fn text_of(json: &str, place: usize) -> Option<String> {
    let token = format::element(json, place)?;
    if token == "null" {
        return None;
    }
    Some(serde_json::from_str::<String>(token).unwrap_or_else(|_| token.to_owned()).trim().to_owned())
}

impl LineTaker<'_> {
    /// Stages the value of the parsed line, at its time. None if the table has whole rows.
    pub(super) fn stage_part(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        (line, ts, is_odd): (LineAt<'_>, Timestamp, bool),
    ) -> Result<Option<Taken>> {
        let Some(long) = self.long() else { return Ok(None) };
        let json = self.row.values_json();
        let Some(sensor) = long.sensor(json) else {
            return Ok(Some(Taken::Refused(self.refused("names no sensor".to_owned(), None))));
        };
        let token = format::element(json, long.value).unwrap_or("null").to_owned();
        let value = self.row.values.get(long.value).copied().unwrap_or(Value::Missing);
        let of_tags: Vec<(usize, String)> = long
            .tags
            .iter()
            .filter_map(|(place, column)| Some((*column, format::element(json, *place)?.to_owned())))
            .collect();
        let Some(place) = self.sensor(staging, table, &sensor)? else {
            let refusal = unreadable(format!(
                "names the sensor \"{sensor}\", and the table has {MOST_SENSORS} columns already; is sensor_column right?"
            ));
            return Ok(Some(Taken::Refused(LineRefusal { header: self.header, ..refusal })));
        };
        let mut list = vec!["null"; table.columns()];
        list[place] = &token;
        for (column, text) in &of_tags {
            list[*column] = text;
        }
        let mut values = vec![Value::Missing; list.len()];
        values[place] = value;
        let mut values_json = format!("[{}]", list.join(","));
        let derived = self.long().map_or(&[][..], |long| &long.derived);
        if !derived.is_empty()
            && let Some(again) = format::derive_again(&values_json, derived, ts, &mut values)
        {
            values_json = again;
        }
        let row = Incoming {
            tags: if self.long().is_some_and(LongReading::has_tags) { &self.tags } else { "[]" },
            ts,
            record: None,
            values: &values_json,
            numbers: &values,
            ts_text: is_odd.then_some(self.row.time_text.as_str()),
            line,
            header: self.header,
            stated_by: None,
            is_part: true,
        };
        let outcome = staging.stage(table, &row, self.on_conflict)?;
        self.previous = Some(ts);
        Ok(Some(Taken::Row(outcome)))
    }

    /// The position of a sensor in the column list; None if there are too many sensors.
    fn sensor(&mut self, staging: &mut Staging<'_>, table: &mut Table, name: &str) -> Result<Option<usize>> {
        if let Some(place) = self.long().and_then(|long| long.places.get(name)) {
            return Ok(Some(*place));
        }
        let before = table.columns();
        if table.place(name).is_none() && before >= MOST_SENSORS {
            return Ok(None);
        }
        staging.begin()?;
        let place = self.store.learn_column(table, name)?;
        if table.columns() != before {
            staging.use_header(table, self.config)?;
        }
        let derived = Derived::of(self.config, &table.column_names());
        if let Some(long) = self.long_mut() {
            long.places.insert(name.to_owned(), place);
            long.derived = derived;
        }
        Ok(Some(place))
    }
}
