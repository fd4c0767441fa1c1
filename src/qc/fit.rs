//! Checks whether the configured tests fit the columns of the files.
//!
//! A test on a column whose name is misspelled is never run, which looks like good data, so `check` reports it.

use super::spec::TableSpec;
use crate::text::look_alikes;

/// A column as the store knows it.
#[derive(Debug, Clone, Copy)]
pub struct KnownColumn<'a> {
    /// The name in line 2 of the file.
    pub name: &'a str,
    /// The unit in line 3, or the configured one of a derived column.
    pub units: &'a str,
}

/// Columns that need the sun's position although the station's position is not known, one sentence each.
pub fn without_position(table: &TableSpec<'_>) -> Vec<String> {
    if table.position.is_some() {
        return Vec::new();
    }
    let asks = table.columns.iter().filter(|(_, column)| column.needs_sun);
    asks.map(|(name, _)| {
        format!(
            "column {name} asks where the sun stands, which is not known: write latitude and longitude in [station]"
        )
    })
    .collect()
}

/// Names in the configuration that no file of the table contains, one sentence each.
pub fn unknown_columns(table: &TableSpec<'_>, columns: &[KnownColumn<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    let mut ask = |name: &str, whence: String| {
        if !columns.iter().any(|column| column.name == name) {
            let alike = look_alikes(name, columns.iter().map(|column| column.name));
            let advice = alike.first().map_or_else(String::new, |alike| format!("; did you mean {alike}?"));
            found.push(format!("{whence} names {name}, which no file of the table has{advice}"));
        }
    };
    for (name, column) in &table.columns {
        match column.inputs {
            Some(inputs) => inputs.iter().for_each(|input| ask(input, format!("the formula of {name}"))),
            None => ask(name, format!("[table.columns.{name}]")),
        }
        if let Some(diagnostic) = column.diagnostic {
            diagnostic.governs.iter().for_each(|governed| ask(governed, format!("governs of {name}")));
        }
        for governed in column.guards.iter().flat_map(|guard| &guard.governs) {
            ask(governed, format!("guards of {name}"));
        }
    }
    for pair in table.pairs {
        let guard = pair.guard.as_ref().map(|guard| &guard.column);
        for side in [Some(&pair.first), Some(&pair.second), guard].into_iter().flatten() {
            if side.table == *table.name {
                ask(&side.column, format!("[[pair]] \"{}\"", pair.name));
            }
        }
    }
    found
}
