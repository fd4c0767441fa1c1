//! Reads the rows once and checks time stamps, missing values and the number of columns. (`timestamp_checks.py`,
//! `missing_value_format.py`, `gap_fill.py`, `data_missing.py`.)

use std::collections::HashSet;

use chrono::{NaiveDateTime, TimeDelta};

use super::file_name::{FileName, stamp};
use super::header::{END, FLUXES, Header, START};
use super::{Check, Checked, Name, Severity, reads_as_missing};
use crate::text::count;

/// How often a problem occurred, and where first.
#[derive(Debug, Default)]
struct Places {
    times: u64,
    first: Option<(u64, String)>,
}

impl Places {
    fn see(&mut self, line: u64, what: impl FnOnce() -> String) {
        self.times += 1;
        if self.first.is_none() {
            self.first = Some((line, what()));
        }
    }

    /// The text `3 rows, the first in line 12: …`.
    fn text(&self, noun: &str) -> Option<String> {
        let (line, what) = self.first.as_ref()?;
        Some(match self.times {
            1 => format!("line {line}: {what}"),
            times => format!("{}, the first in line {line}: {what}", count(times, noun)),
        })
    }
}

/// What was found in a column of data.
#[derive(Debug, Default)]
struct Column {
    missing: u64,
    wrong: Places,
}

/// One of the two columns of time stamps.
#[derive(Debug, Default)]
struct Stamps {
    place: Option<usize>,
    /// Time stamps that do not have twelve characters.
    length: Places,
    /// Time stamps that are not a time.
    no_time: Places,
    first: Option<String>,
    last: Option<(String, Option<NaiveDateTime>)>,
    seen: HashSet<String>,
    twice: Places,
    between: Places,
}

impl Stamps {
    fn see(&mut self, line: u64, text: &str, step: Option<TimeDelta>) -> Option<NaiveDateTime> {
        let time = stamp(text);
        if text.chars().count() != 12 {
            self.length.see(line, || format!("\"{text}\" is not YYYYMMDDHHMM"));
        } else if time.is_none() {
            self.no_time.see(line, || format!("\"{text}\" is no time"));
        }
        if !self.seen.insert(text.to_owned()) {
            self.twice.see(line, || format!("{text} again"));
        }
        if let (Some((before, known)), Some(step)) = (&self.last, step) {
            let is_step = known.zip(time).is_some_and(|(before, time)| time - before == step);
            if !is_step {
                self.between.see(line, || format!("{text} follows {before}"));
            }
        }
        self.first.get_or_insert_with(|| text.to_owned());
        self.last = Some((text.to_owned(), time));
        time
    }
}

/// The state while the rows of a file are read.
pub(super) struct Rows<'h> {
    header: &'h Header,
    name: &'h FileName,
    step: Option<TimeDelta>,
    rows: u64,
    width: Places,
    columns: Vec<Column>,
    start: Stamps,
    end: Stamps,
    within: Places,
}

impl<'h> Rows<'h> {
    pub(super) fn of(header: &'h Header, name: &'h FileName) -> Rows<'h> {
        let stamps = |name| Stamps { place: header.place(name), ..Stamps::default() };
        Rows {
            header,
            name,
            step: name.interval.and_then(|interval| TimeDelta::from_std(interval).ok()),
            rows: 0,
            width: Places::default(),
            columns: header.names.iter().map(|_| Column::default()).collect(),
            start: stamps(START),
            end: stamps(END),
            within: Places::default(),
        }
    }

    /// Checks a line below the header, split into cells as numpy's `genfromtxt` splits it.
    pub(super) fn see(&mut self, number: u64, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = text.split('#').next().unwrap_or_default().trim_matches([' ', '\r', '\n']);
        if text.is_empty() {
            return;
        }
        self.rows += 1;
        let width = text.split(',').count();
        if width != self.columns.len() {
            let names = self.columns.len();
            self.width.see(number, || format!("{width} cells, and the line of names has {names}"));
            return;
        }
        let mut times = (None, None);
        for (place, (cell, column)) in text.split(',').zip(&mut self.columns).enumerate() {
            if matches!(cell.trim(), "" | "-9999") {
                column.missing += 1;
            }
            if reads_as_missing(cell) {
                column.wrong.see(number, || format!("\"{cell}\""));
            }
            if self.start.place == Some(place) {
                times.0 = self.start.see(number, cell, self.step);
            } else if self.end.place == Some(place) {
                times.1 = self.end.see(number, cell, self.step);
            }
        }
        let is_step = matches!(times, (Some(start), Some(end)) if Some(end - start) == self.step);
        if self.step.is_some() && !is_step {
            self.within.see(number, || "its end is not one interval after its start".to_owned());
        }
    }

    pub(super) fn finish(self, now: NaiveDateTime, checked: &mut Checked) {
        checked.rows = self.rows;
        let mut unreadable = |message: String| checked.add(Check::Readable, Severity::Critical, message);
        if let Some(text) = self.width.text("line") {
            return unreadable(format!("not a table of one width: {text}"));
        }
        match self.rows {
            0 => return unreadable("no row below the line of names".to_owned()),
            1 => return unreadable("one row only; AmeriFlux's checker needs two".to_owned()),
            _ => {}
        }
        self.stamps(now, checked);
        self.values(checked);
    }

    fn stamps(&self, now: NaiveDateTime, checked: &mut Checked) {
        let both = [(START, &self.start), (END, &self.end)];
        let mut are_readable = true;
        for (name, stamps) in both {
            if stamps.place.is_none() {
                are_readable = false;
                checked.add(Check::StampsPresent, Severity::Critical, format!("no column is {name}"));
            }
            for (places, severity) in [(&stamps.length, Severity::Error), (&stamps.no_time, Severity::Critical)] {
                if let Some(text) = places.text("stamp") {
                    are_readable = false;
                    checked.add(Check::StampFormat, severity, format!("{name}: {text}"));
                }
            }
        }
        if !are_readable {
            let message = "intervals, repeats and the times in the file's name are not checked without readable stamps";
            checked.add(Check::StampsChecked, Severity::Critical, message.to_owned());
            return;
        }
        let first = self.start.first.as_deref().unwrap_or_default();
        let last = self.end.last.as_ref().map(|(text, _)| text.as_str()).unwrap_or_default();
        for (which, said, found) in [("start", &self.name.start, first), ("end", &self.name.end, last)] {
            if said.as_deref() != Some(found) {
                let said = said.as_deref().unwrap_or("none");
                let message = format!("the {which} in the file's name is {said}, and the rows have {found}");
                checked.add(Check::NameMatches, Severity::Error, message);
            }
        }
        for (name, stamps) in both {
            if let Some(text) = stamps.twice.text("stamp") {
                checked.add(Check::DuplicateStamps, Severity::Error, format!("{name} repeats: {text}"));
            }
            if let Some(text) = stamps.between.text("row") {
                let message = format!("{name} is not one interval after the row before: {text}");
                checked.add(Check::Interval, Severity::Error, message);
            }
        }
        if let Some(text) = self.within.text("row") {
            checked.add(Check::Interval, Severity::Error, format!("rows of another length: {text}"));
        }
        if self.step.is_none() {
            let message =
                "the interval of the rows is not checked, because the file's name says neither HH nor HR".to_owned();
            checked.add(Check::Interval, Severity::Critical, message);
        }
        if let Some((text, Some(time))) = &self.start.last
            && *time > now
        {
            let message = format!("the last row begins at {text}, which is not yet: AmeriFlux accepts no future rows");
            checked.add(Check::Future, Severity::Critical, message);
        }
    }

    fn values(&self, checked: &mut Checked) {
        for (name, column) in self.header.names.iter().zip(&self.columns) {
            if let Some(text) = column.wrong.text("cell") {
                let message = format!("{name}: missing is written otherwise than -9999: {text}");
                checked.add(Check::Missing, Severity::Error, message);
            }
        }
        let (mut empty, mut without_gap) = (0, Vec::new());
        for (place, name) in self.header.data_columns() {
            let Some(column) = self.columns.get(place) else { continue };
            let parts = Name::of(name);
            let is_filled = parts.is_some_and(|parts| parts.is_filled);
            match column.missing {
                0 if !is_filled => without_gap.push(name),
                0 => {
                    let flux = parts.filter(|parts| FLUXES.contains(&parts.base));
                    if let Some(measured) = flux.map(|parts| parts.unfilled())
                        && self.header.place(&measured).is_none()
                    {
                        let message = format!("{name} stands without {measured}, the values that were not filled");
                        checked.add(Check::Unfilled, Severity::Error, message);
                    }
                }
                missing if missing == self.rows => {
                    empty += 1;
                    let message = format!("{name} has no value; it replaces the values of an earlier upload");
                    checked.add(Check::NoData, Severity::Warning, message);
                }
                _ => {}
            }
        }
        if !without_gap.is_empty() {
            let message = format!(
                "no missing value in {}: AmeriFlux suspects that gaps were filled; no harm where none was",
                without_gap.join(", ")
            );
            checked.add(Check::GapFilled, Severity::Warning, message);
        }
        if empty > 0 && empty == checked.variables {
            checked.add(Check::NoDataAtAll, Severity::Warning, "no column has a value".to_owned());
        }
    }
}
