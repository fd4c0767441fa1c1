//! The year of stamps that have none, such as those of arrays with the day of the year and hhmm.
//!
//! The configuration names the year in which a table begins. Behind that, the order of a file's rows says when a year
//! turns, and where a file begins is said by the table's newest row and by the time of the file's last change, which is
//! that of its newest rows where a logger's computer wrote it. Where these contradict each other the rows are rejected
//! with the reason: no row is put a year back without a word. A year that is not the configured one is a part of the
//! header, so that a line that is kept is judged again under its own.

use super::file::Reader;
use super::lines::LineTaker;
use super::rows::Taken;
use crate::config::FileFormat;
use crate::format::{self, ColumnSource, Header, Layout, ParsedRow, RowError};
use crate::source::{QuietFile, SourceError};
use crate::store::{LineAt, Result, Staging, Table};
use crate::time::{
    Candidates, HALF_A_YEAR, LocalTime, NANOS_PER_DAY, NEAR_ITS_FILE, Timestamp, YearlessSpan, begin_of_year,
};

/// A file whose newest row is older than this when it is changed was copied, and its time says nothing.
const COPIED: i64 = 60 * NANOS_PER_DAY;
/// The longest pause of a logger.
const PAUSE: i64 = 400 * NANOS_PER_DAY;
/// A leap year, so that each day of the year can be read.
const LEAP: u16 = 2000;

/// The years of the rows of one file.
#[derive(Debug)]
pub(super) struct Years {
    configured: u16,
    /// That of the rows at present.
    current: u16,
    previous: Option<LocalTime>,
    /// No row of the file is behind this.
    latest: LocalTime,
    /// Why the year of the rows is not known.
    undecided: Option<String>,
}

impl Years {
    /// The header with the present year.
    pub(super) fn under(&self, header: &Header) -> Header {
        let year = (self.current != self.configured).then_some(self.current);
        Header { year, ..header.clone() }
    }
}

/// What tells the year of a file's first row.
struct Witnesses {
    /// The configured year, or where the file was read before that of its last rows.
    known: i64,
    /// The table's newest row.
    newest: Option<LocalTime>,
    changed: LocalTime,
    /// Whether the rows stand behind others that were read.
    is_append: bool,
    /// Whether the table has a row at the time of the first one in the known year.
    is_there: bool,
}

enum Year {
    Is(i64),
    /// It is this one or the known one.
    Perhaps(i64),
}

/// The year of the first row.
fn year_of(span: &YearlessSpan, by: &Witnesses) -> Year {
    let age = |year: i64| span.age_in(year, by.changed).unwrap_or(i64::MAX);
    // The known year may be that of the last rows.
    let known = (0..=span.turns.max(0))
        .map(|back| by.known - back)
        .find(|year| age(*year) >= -NEAR_ITS_FILE)
        .unwrap_or(by.known);
    let Some(newest) = by.newest else { return Year::Is(known) };
    let behind = |year: i64| span.first_in(year).map_or(i64::MIN, |first| first.nanos_since(newest));
    let next = (known + 1..known + 60).find(|year| behind(*year) >= -HALF_A_YEAR);
    if behind(known) >= -HALF_A_YEAR && span.year_by(by.changed).is_none_or(|year| year <= known) {
        return Year::Is(known);
    }
    let written = span.year_by(by.changed).filter(|year| *year > known && behind(*year) <= PAUSE);
    if let Some(year) = written.filter(|year| age(*year) <= NEAR_ITS_FILE) {
        return Year::Is(year);
    }
    if by.is_append {
        return Year::Is(if behind(known) >= -HALF_A_YEAR { known } else { next.unwrap_or(known) });
    }
    // The table has gone on: its rows are of the known year if they were read before, and the file was copied since.
    let is_further = behind(known) < -HALF_A_YEAR && span.year_by(by.changed).is_some_and(|year| year > known);
    let fresh = written.filter(|year| age(*year) <= COPIED);
    let last = (known + 1..known + 60).take_while(|year| behind(*year) <= 0).last();
    match fresh.or(last).or(next).filter(|_| is_further && (fresh.is_some() || !by.is_there)) {
        Some(year) => Year::Perhaps(year),
        None => Year::Is(known),
    }
}

impl Reader<'_, '_> {
    /// What is known of the years of a file's rows from `from` on. None where its stamps have their year.
    pub(super) fn years(
        &self,
        table: &mut Table,
        file: &mut QuietFile,
        (from, read_under): (u64, Option<&Header>),
    ) -> Result<std::result::Result<Option<Years>, SourceError>> {
        let FileFormat::Csv(csv) = &self.config.format else { return Ok(Ok(None)) };
        let Some(configured) = csv.dialect.as_ref().and_then(|dialect| dialect.year) else { return Ok(Ok(None)) };
        let header = match (read_under, csv.head_lines()) {
            (Some(header), _) => Some(header.clone()),
            (None, 0) => Some(Header::from_names(&self.config.name.0, csv.known_names())),
            (None, _) => match file.head(LONGEST_HEAD) {
                Ok(head) => csv.open(&self.config.name.0, &head).ok().map(|(header, _)| header),
                Err(error) => return Ok(Err(error)),
            },
        };
        let changed = Timestamp::from_nanos(file.snapshot().modified_nanos());
        let changed = self.config.clock.local(changed);
        let known = read_under.and_then(|header| header.year).unwrap_or(configured);
        let mut years =
            Years { configured, current: known, previous: None, latest: changed.plus(NEAR_ITS_FILE), undecided: None };
        let span = match header.map(|header| span(&self.config.format, &header, file, from)).transpose() {
            Ok(span) => span.flatten(),
            Err(error) => return Ok(Err(error)),
        };
        let Some(span) = span else { return Ok(Ok(Some(years))) };
        let newest = self.staging.newest_of(table, "[]").max(self.store.newest_of_table(&self.config.name.0)?);
        let newest = newest.map(|newest| self.config.clock.local(newest));
        let known_year = i64::from(known);
        let is_there = match span.first_in(known_year).map(|first| self.config.stamps.candidates(first, None)) {
            Some(Candidates::One(ts)) => self.staging.has_row(table, "[]", ts)?,
            _ => false,
        };
        let by = Witnesses { known: known_year, newest, changed, is_append: from > 0, is_there };
        match year_of(&span, &by) {
            Year::Is(year) => years.current = u16::try_from(year).unwrap_or(known),
            Year::Perhaps(year) => {
                let newest = newest.map(|newest| newest.to_string()).unwrap_or_default();
                years.undecided = Some(format!(
                    "its stamp has no year, which is {known} or {year}: year = {known} puts it before {newest}, the table's newest row, \
                     and its file was changed at {changed}. If it is of {year}, write year = {year} in [table.csv]; if it is of {known}, \
                     read the file with a [[table]] of its own"
                ));
            }
        }
        Ok(Ok(Some(years)))
    }
}

/// Lines above the rows are not longer.
const LONGEST_HEAD: usize = 1 << 20;

/// Reads the stamps of a file from `from` on.
fn span(
    format: &FileFormat,
    header: &Header,
    file: &mut QuietFile,
    from: u64,
) -> std::result::Result<Option<YearlessSpan>, SourceError> {
    let header = Header { year: Some(LEAP), ..header.clone() };
    let mut places = 0..header.names.len();
    let layout = Layout::of_file(format, &header, header.names.len(), Vec::new(), |_| {
        ColumnSource::Value(places.next().unwrap_or_default())
    });
    let begin = begin_of_year(i64::from(LEAP)).unwrap_or(LocalTime::from_nanos(0));
    let mut row = ParsedRow::default();
    let mut found: Option<YearlessSpan> = None;
    file.start_at(from);
    while let Some(chunk) = file.next_chunk()? {
        for line in chunk.bytes.split(|byte| *byte == b'\n') {
            let line = format::strip_noise(line);
            if format.is_comment(&line) || row.read(&line, &layout).is_err() {
                continue;
            }
            let Some(into) = row.stamp.map(|stamp| stamp.time.nanos_since(begin)) else { continue };
            found.get_or_insert(YearlessSpan::at(into)).go_on(into);
        }
    }
    Ok(found)
}

impl LineTaker<'_> {
    /// Reads the line under the year that is next to the row before it. Returns why it is no row where that cannot be.
    /// `is_read`: it could be read under the present year.
    #[cold]
    pub(super) fn keep_year(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        line: LineAt<'_>,
        is_read: bool,
    ) -> Result<Option<Taken>> {
        let Some(years) = &self.years else { return Ok(None) };
        if let Some(reason) = years.undecided.clone().filter(|_| is_read) {
            return Ok(Some(Taken::Refused(self.refused(reason, None))));
        }
        let (current, previous, latest) = (years.current, years.previous, years.latest);
        let local = self.row.stamp.filter(|_| is_read).map(|stamp| stamp.time);
        let step = local.zip(previous).map_or(0, |(local, previous)| local.nanos_since(previous));
        if is_read && step.abs() <= HALF_A_YEAR {
            self.keep_previous(local);
            return Ok(None);
        }
        // The last day of a leap year is none of the years beside it.
        for year in [current.saturating_add(1), current.saturating_sub(1)] {
            let Some(in_year) = self.read_in(line.raw, year) else { continue };
            if in_year <= latest && previous.is_none_or(|previous| in_year.nanos_since(previous).abs() <= HALF_A_YEAR) {
                return self.turn(staging, table, line, year);
            }
        }
        let _ = self.read_in(line.raw, current);
        let Some((local, previous)) = local.zip(previous) else { return Ok(None) };
        let reason = format!(
            "its stamp has no year, and neither {local}, more than half a year from the row before it ({previous}), nor the year beside it \
             goes with the time of the file's last change; correct the stamp, or give the file the time at which it was written"
        );
        Ok(Some(Taken::Refused(self.refused(reason, None))))
    }

    /// Whether a line whose stamp is no time in the present year is a row of a year beside it.
    #[cold]
    pub(super) fn is_of_another_year(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        line: LineAt<'_>,
        error: &RowError,
    ) -> Result<bool> {
        let Some(years) = self.years.as_ref().filter(|_| matches!(error, RowError::Time { .. })) else {
            return Ok(false);
        };
        let before = years.current;
        self.keep_year(staging, table, line, false)?;
        Ok(self.years.as_ref().is_some_and(|years| years.current != before))
    }

    fn keep_previous(&mut self, local: Option<LocalTime>) {
        if let Some(years) = &mut self.years {
            years.previous = local;
        }
    }

    /// The stamp of a line in a year, under which its rows are read from now on.
    fn read_in(&mut self, line: &[u8], year: u16) -> Option<LocalTime> {
        let layout = self.layout_mut()?;
        layout.set_year(year);
        self.reads(line).then(|| self.row.stamp.map(|stamp| stamp.time)).flatten()
    }

    /// The rows from this one on are of `year`.
    fn turn(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        line: LineAt<'_>,
        year: u16,
    ) -> Result<Option<Taken>> {
        let header = self.header.map(|id| self.store.header(id)).transpose()?.flatten();
        if let Some(years) = &mut self.years {
            years.current = year;
        }
        if let Some(header) = header {
            staging.begin()?;
            self.use_header(staging, table, &header)?;
        }
        let local = self.read_in(line.raw, year);
        self.keep_previous(local);
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> LocalTime {
        LocalTime::parse(text.as_bytes()).unwrap()
    }

    fn year(first: i64, last: i64, turns: i64, known: i64, newest: Option<&str>, changed: &str) -> (i64, bool) {
        let span = YearlessSpan { first: (first - 1) * NANOS_PER_DAY, last: (last - 1) * NANOS_PER_DAY, turns };
        let by = Witnesses { known, newest: newest.map(at), changed: at(changed), is_append: false, is_there: false };
        match year_of(&span, &by) {
            Year::Is(year) => (year, true),
            Year::Perhaps(year) => (year, false),
        }
    }

    #[test]
    fn the_year_of_a_file_is_the_configured_one_unless_rows_and_the_files_time_say_another_one() {
        let (december, january) = ("2025-12-30 00:00:00", "2026-01-05 00:00:00");
        // A file over the end of the year, whose configured year is that of its first or of its last row.
        assert_eq!(year(360, 5, 1, 2025, None, january), (2025, true));
        assert_eq!(year(360, 5, 1, 2026, None, january), (2025, true));
        // Overwritten in January, collected at once, a month late, or after a pause of half a year and more.
        assert_eq!(year(1, 5, 0, 2025, Some(december), january), (2026, true));
        assert_eq!(year(1, 5, 0, 2025, Some(december), "2026-02-05 00:00:00"), (2026, false));
        assert_eq!(year(240, 241, 0, 2025, Some(december), "2026-08-29 12:00:00"), (2026, true));
        // An archive that was copied later, the same again, and an old file that is read late.
        assert_eq!(year(1, 5, 0, 2004, None, january), (2004, true));
        assert_eq!(year(100, 120, 0, 2004, Some("2004-05-30 00:00:00"), january), (2004, true));
        // One of a later year, or one that is read again: only a row that is there tells.
        assert_eq!(year(100, 120, 0, 2004, Some("2004-12-30 00:00:00"), january), (2005, false));
        // An older file of a table that has gone on, with its own time.
        assert_eq!(year(40, 50, 0, 2025, Some("2026-11-30 00:00:00"), "2026-02-20 00:00:00"), (2026, true));
        assert_eq!(year(40, 50, 0, 2025, Some("2026-11-30 00:00:00"), "2025-02-20 00:00:00"), (2025, true));
        assert_eq!(year(100, 120, 0, 2025, Some(december), "2025-04-30 00:00:00"), (2025, true));
        assert_eq!(year(100, 120, 0, 2025, Some(december), january), (2025, true));
    }
}
