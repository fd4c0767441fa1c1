//! Finds the time of a row in a file with the start and the end of each row's interval.
//!
//! The time of a row is the end, as in a logger's files and as the export for AmeriFlux expects. A start without an end is used
//! unchanged, with a note for the user.

use super::time::{Reading, TRIED, joined, nanos, reading};

/// Parts of column names for start and end.
const PAIRS: [(&str, &str); 3] = [("start", "end"), ("begin", "end"), ("start", "stop")];

/// The columns of the start, and the reading of the end, if the columns of `best` and as many others are start and end of each
/// row's interval by their names, and the end is later in most rows.
pub(super) fn of(rows: &[&[String]], best: &Reading, names: &[String]) -> Option<(Vec<usize>, Reading)> {
    let names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let others = |from: &str, to: &str| -> Option<Vec<usize>> {
        let other = |&own: &usize| {
            let wanted = names.get(own).filter(|name| name.contains(from))?.replace(from, to);
            names.iter().position(|name| *name == wanted)
        };
        best.columns.iter().map(other).collect()
    };
    let (starts, ends) = PAIRS.iter().find_map(|(start, end)| {
        let own = || best.columns.clone();
        others(start, end).map(|ends| (own(), ends)).or_else(|| others(end, start).map(|starts| (starts, own())))
    })?;
    // The ends of a query, which are the same in all rows, are no interval of a row.
    let end = reading(rows, &ends, &best.way).filter(|end| !end.is_constant())?;
    let read = |row: &[String], columns: &[usize]| {
        joined(row, columns).and_then(|text| best.way.format.read(text.as_bytes())).map(|read| nanos(read.time))
    };
    let is_after = |row: &&&[String]| read(row, &starts).zip(read(row, &ends)).is_some_and(|(start, end)| start < end);
    let tried = rows[best.first..].iter().take(TRIED);
    (tried.filter(is_after).count() * 4 >= best.rows * 3).then_some((starts, end))
}

/// A note for the user about a time that is the start or the end of an interval by its name.
pub(super) fn note(names: &[String], best: &Reading, starts: &[usize]) -> Option<String> {
    let named = |columns: &[usize]| -> Vec<&str> {
        columns.iter().filter_map(|column| names.get(*column)).map(String::as_str).collect()
    };
    let own = named(&best.columns);
    if !starts.is_empty() {
        return Some(format!(
            "A row has the end of its interval ({}) as its time, as loggers have; the start ({}) is not sent.",
            own.join(", "),
            named(starts).join(", ")
        ));
    }
    let is_start = |name: &&&str| PAIRS.iter().any(|(start, _)| name.to_lowercase().contains(start));
    own.iter().find(is_start).map(|name| {
        format!(
            "CHECK: by its name {name} is the start of each row's interval, and a row's time is its end, as loggers have it. Add the \
             interval by a [[table.clock]] with from = \"2000-01-02 00:00:00\" and, for half hours, add = \"30m\"."
        )
    })
}
