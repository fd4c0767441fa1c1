//! Times of day that are no part of the time: in a form that is not known, or beside a date of its own in each row.
//!
//! Such a column tells rows of one date apart, but it is neither a tag nor the sensor of a long table: the rows would keep the
//! time of midnight, and each clock time would become a series.

use super::{Line, clock, time};

/// The columns with a time of day in nearly every row.
pub(super) fn clocks(rows: &[(&Line<'_>, Vec<String>)], time: &time::Found) -> Vec<usize> {
    let rows: Vec<&Vec<String>> =
        rows[time.first..].iter().map(|(_, fields)| fields).filter(|fields| time.reads(fields)).collect();
    let width = rows.first().map_or(0, |row| row.len());
    let is_clock =
        |place: &usize| rows.iter().filter(|row| clock::is_text(&row[*place])).count() * 10 >= rows.len() * 9;
    (0..width).filter(|place| !time.columns.contains(place)).filter(is_clock).collect()
}

/// A CHECK, if the time has no hour and a column beside it has.
pub(super) fn note(
    rows: &[(&Line<'_>, Vec<String>)],
    time: &time::Found,
    clocks: &[usize],
    names: &[String],
) -> Option<String> {
    let clock = clocks.iter().find(|_| !time.has_hour)?;
    let text =
        rows[time.first..].iter().find(|(_, fields)| time.reads(fields)).and_then(|(_, fields)| fields.get(*clock));
    let mut columns: Vec<&str> =
        time.columns.iter().filter_map(|place| names.get(*place)).map(String::as_str).collect();
    let name = names.get(*clock)?.as_str();
    columns.push(name);
    let columns: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
    Some(format!(
        "CHECK: the column {name} has times of day (\"{}\"), and the time of a row is its date alone. If they are the time of the row, \
         write time_columns = [{}] in [table.csv] in place of time_column, and time_format = \"{} ...\" with the form of both.",
        text.map_or("", String::as_str),
        columns.join(", "),
        time.formats.first()?.as_deref().unwrap_or("%Y-%m-%d")
    ))
}
