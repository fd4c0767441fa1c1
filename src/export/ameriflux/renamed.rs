//! Finds columns whose values of an earlier time are in a column under another name, which has no variable.
//!
//! A newer file replaces all columns of an older one at AmeriFlux, so a file in which a renamed column lacks the time before
//! would take that time from AmeriFlux too. Which column was which is for the user to say: the headers show only that one came
//! when the other went.

use super::{Ameriflux, ExportError};
use crate::config::{ColumnUse, TableConfig};
use crate::time::Timestamp;

/// A column of the file, and one that its headers have in its place.
struct Pair<'p> {
    part: usize,
    /// The logger's names, and the place of the other one in the column list.
    column: &'p str,
    variable: &'p str,
    place: usize,
    other: String,
    other_place: usize,
    /// The first and the last time at which only the other one has a value.
    span: Option<(Timestamp, Timestamp)>,
    /// Whether both have a value at a time, so that they are two sensors.
    are_two: bool,
}

/// A sentence for each column of the file that lacks values which another column has, under another name and in the same unit.
pub(super) fn notes(plan: &Ameriflux<'_>) -> Result<Vec<String>, ExportError> {
    let mut pairs = pairs(plan)?;
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    plan.each_interval(|due, rows| {
        for pair in &mut pairs {
            let (Some(row), part) = (&rows[pair.part], &plan.parts[pair.part]) else { continue };
            match (part.has_number(row, pair.place)?, part.has_number(row, pair.other_place)?) {
                (true, true) => pair.are_two = true,
                (false, true) => pair.span = Some((pair.span.map_or(due, |(first, _)| first), due)),
                (_, false) => {}
            }
        }
        Ok(())
    })?;
    let of_column = pairs.chunk_by(|one, other| (one.part, one.column) == (other.part, other.column));
    Ok(of_column.filter_map(|pairs| note(plan, pairs)).collect())
}

/// The sentence about one column; None if no other one has values in its place.
fn note(plan: &Ameriflux<'_>, pairs: &[Pair<'_>]) -> Option<String> {
    let former: Vec<(&Pair<'_>, (Timestamp, Timestamp))> =
        pairs.iter().filter(|pair| !pair.are_two).filter_map(|pair| Some((pair, pair.span?))).collect();
    let (first, last) = (former.iter().map(|(_, span)| span.0).min()?, former.iter().map(|(_, span)| span.1).max()?);
    let names: Vec<&str> = former.iter().map(|(pair, _)| pair.other.as_str()).collect();
    let (Pair { part, column, variable, .. }, _) = former.first()?;
    let part = &plan.parts[*part];
    let which = if names.len() == 1 { "that is" } else { "one of them is" };
    Some(format!(
        "table \"{}\", column {column} has no values from {} to {}, when the logger wrote {} in its place: if {which} the same sensor \
         under its former name, write variable = \"{variable}\" in the section of that name too, and both are one column of the file",
        part.table.name,
        part.grid.shown(first),
        part.grid.shown(last),
        names.join(", "),
    ))
}

/// The columns of the file that some headers of their table lack, each with every column of the same unit that has no variable
/// and stands in no header beside it.
fn pairs<'p>(plan: &'p Ameriflux<'_>) -> Result<Vec<Pair<'p>>, ExportError> {
    let mut found = Vec::new();
    for (at, part) in plan.parts.iter().enumerate() {
        // Half hours are made of the columns of a table that has headers.
        let source = part.table.made_of.as_ref().map_or(&part.table.name, |made| &made.table);
        let headers: Vec<_> = plan.store.headers_of(&source.0)?.into_iter().map(|(_, header)| header).collect();
        let known = plan.store.column_names(&part.table.name.0)?;
        for column in &part.columns {
            let (with, without): (Vec<_>, Vec<_>) =
                headers.iter().partition(|header| header.stated(&column.column).is_some());
            let units: Vec<&str> = with.iter().filter_map(|header| Some(header.stated(&column.column)?.unit)).collect();
            let mut others: Vec<&str> = Vec::new();
            for header in without {
                for name in &header.names {
                    let is_beside = with.iter().any(|header| header.names.contains(name));
                    let is_of_unit = header.stated(name).is_some_and(|stated| units.contains(&stated.unit));
                    if !is_beside && is_of_unit && is_free(part.table, name) && !others.contains(&name.as_str()) {
                        others.push(name);
                    }
                }
            }
            for other in others {
                let Some(other_place) = known.iter().position(|name| name == other) else { continue };
                found.push(Pair {
                    part: at,
                    column: &column.column,
                    variable: &column.variable,
                    place: column.place,
                    other: other.to_owned(),
                    other_place,
                    span: None,
                    are_two: false,
                });
            }
        }
    }
    Ok(found)
}

/// Whether it is a value that no variable claims.
fn is_free(table: &TableConfig, name: &str) -> bool {
    let is_claimed =
        |column: &crate::config::ColumnConfig| column.variable.is_some() || column.column_use != ColumnUse::Field;
    !table.columns.get(name).is_some_and(is_claimed)
}
