//! Which of two times of a row is its own, where a file has the start and the end of each row's interval.
//!
//! A row has the end as its time, as loggers stamp rows and as this program's files for AmeriFlux are made. A start alone is read
//! as it stands, and the user is asked to look.

use super::time::{Reading, TRIED, joined, nanos, reading};

/// How names of columns tell start and end.
const PAIRS: [(&str, &str); 3] = [("start", "end"), ("begin", "end"), ("start", "stop")];

/// Where the names of the columns of `best` and of as many others say that they are start and end of each row's interval: the
/// columns of the start, and the reading of the end.
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
    let end = reading(rows, &ends, &best.way)?;
    let read = |row: &[String], columns: &[usize]| {
        joined(row, columns).and_then(|text| best.way.format.read(text.as_bytes())).map(|read| nanos(read.time))
    };
    let is_after = |row: &&&[String]| read(row, &starts).zip(read(row, &ends)).is_some_and(|(start, end)| start < end);
    let tried = rows[best.first..].iter().take(TRIED);
    (tried.filter(is_after).count() * 4 >= best.rows * 3).then_some((starts, end))
}

/// What a user should know of a time whose name says that it is the start or the end of an interval.
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
