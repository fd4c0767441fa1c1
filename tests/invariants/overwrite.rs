//! A thousand collections of a file that is overwritten in every way that was seen in the field, against a plain set of
//! the records that stood complete in the file when it was read.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::support::dice::Dice;
use crate::support::{DAT, InProcess, Logger, Station, TABLE, physical_lines};
use fluxtower::ingest::{Counts, IngestReport};

const COLLECTIONS: u32 = 1000;
/// RECORD of the first row: the tower was there before fluxtower.
const FIRST_RECORD: i64 = 4000;

/// From one whole number to another, both among them.
fn between(dice: &mut Dice, from: i64, to: i64) -> i64 {
    from + i64::try_from(dice.below(u64::try_from(to - from + 1).unwrap())).unwrap()
}

/// A program of the logger: from this row on its rows have these columns, and RECORD began again or not.
struct Program {
    first_row: i64,
    /// RECORD of row 0 on this program's count.
    record_of_row_0: i64,
    logger: Logger,
}

/// The field station: a logger that goes on by itself, LoggerNet, and what fluxtower was able to see.
struct Life {
    tower: Station,
    fluxtower: InProcess,
    dice: Dice,
    programs: Vec<Program>,
    /// Rows that the logger has made.
    made: i64,
    /// Rows that LoggerNet has asked for; those it never wrote to a file are lost.
    collected: i64,
    /// The last collection's rows, if the file still holds them.
    in_file: Range<i64>,
    /// Rows that stood complete in a file when it was read.
    seen: BTreeSet<i64>,
    /// What each file held at the last read.
    last_read: BTreeMap<String, Vec<u8>>,
    ingests: u32,
}

impl Life {
    fn new() -> Life {
        let tower = Station::new();
        let fluxtower = tower.in_process();
        let first = Program { first_row: 0, record_of_row_0: FIRST_RECORD, logger: Logger::par() };
        Life {
            tower,
            fluxtower,
            dice: Dice(1),
            programs: vec![first],
            made: 0,
            collected: 0,
            in_file: 0..0,
            seen: BTreeSet::new(),
            last_read: BTreeMap::new(),
            ingests: 0,
        }
    }

    fn program_of(&self, row: i64) -> &Program {
        self.programs.iter().rev().find(|program| program.first_row <= row).unwrap()
    }

    fn record_of(&self, row: i64) -> i64 {
        self.program_of(row).record_of_row_0 + row
    }

    fn lines(&self, rows: Range<i64>) -> String {
        rows.map(|row| self.program_of(row).logger.row_as(row, self.record_of(row))).collect()
    }

    fn file(&self, rows: Range<i64>) -> String {
        self.program_of(rows.start).logger.header() + &self.lines(rows)
    }

    /// Rows of the file's complete lines, read without fluxtower: by the time on the line.
    fn complete_rows(&self, content: &[u8]) -> Vec<i64> {
        let text = String::from_utf8_lossy(content);
        if !text.contains(",\"PARCal\"\r\n") {
            return Vec::new();
        }
        let start = Logger::par().stamp(0);
        let complete = text.rfind('\n').map_or("", |end| &text[..end]);
        let stamps = complete.lines().filter_map(|line| line.strip_prefix('"')?.get(..19));
        let times = stamps.filter_map(|stamp| chrono::NaiveDateTime::parse_from_str(stamp, "%Y-%m-%d %H:%M:%S").ok());
        times.map(|time| (time - start).num_seconds() / 5).collect()
    }

    /// Every file of the table, in the order in which fluxtower reads them.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let names = [format!("{DAT}.backup"), DAT.to_owned()];
        let there = names.into_iter().filter(|name| self.tower.path(name).exists());
        there.map(|name| (name.clone(), self.tower.read(&name))).collect()
    }

    fn ingest(&mut self) {
        let report = self.fluxtower.ingest();
        self.ingests += 1;
        let files = self.files();
        assert_eq!(report.tables[0].sources.len(), files.len());
        for ((name, content), source) in files.iter().zip(&report.tables[0].sources) {
            assert!(source.file.ends_with(name.as_str()));
            self.lines_are_all_accounted_for(name, content, &source.counts);
        }
        self.last_read.extend(files.iter().cloned());
        self.staged_is_what_is_new(&report, files.iter().map(|(_, content)| content.as_slice()));
    }

    fn lines_are_all_accounted_for(&self, name: &str, content: &[u8], counts: &Counts) {
        let all = physical_lines(content);
        let before = self.last_read.get(name).map_or(&[][..], Vec::as_slice);
        let ended = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let new = all - physical_lines(&before[..ended]).min(all);
        let expected = match counts.lines {
            0 if content == before => 0,
            lines if lines == new && content.starts_with(&before[..ended]) => new,
            _ => all,
        };
        assert_eq!(counts.lines, expected, "I1: lines of {name} that were read, ingest {}", self.ingests);
    }

    fn staged_is_what_is_new<'a>(&mut self, report: &IngestReport, contents: impl Iterator<Item = &'a [u8]>) {
        let before = self.seen.len();
        for content in contents {
            let rows = self.complete_rows(content);
            self.seen.extend(rows);
        }
        let totals = report.totals();
        assert_eq!(totals.staged, (self.seen.len() - before) as u64, "I3: rows staged at ingest {}", self.ingests);
        assert_eq!(totals.conflicts, 0, "I3: conflicts at ingest {}", self.ingests);
    }

    /// The rows of a collection that leaves out what was collected before, and at worst some of what was not.
    fn rows_since(&mut self, may_lose: i64, at_most: i64) -> Range<i64> {
        let program = self.programs.last().unwrap().first_row;
        let first = (self.made - at_most).max(self.collected + between(&mut self.dice, 0, may_lose)).max(program);
        first.min(self.made)..self.made
    }

    fn overwrite(&mut self, rows: Range<i64>) {
        self.tower.write(DAT, self.file(rows.clone()));
        self.is_in_file(rows);
    }

    fn is_in_file(&mut self, rows: Range<i64>) {
        self.collected = self.made;
        self.in_file = rows;
    }

    /// One collection, in one of the ways seen in the field.
    fn collect(&mut self) {
        self.made += between(&mut self.dice, 1, 6);
        match self.dice.below(13) {
            0 | 1 => self.same_size(),
            2 => self.larger(),
            3 => self.smaller(),
            4 => self.renamed_over(),
            5 => self.written_slowly(),
            6 => self.torn(),
            7 => self.missing_for_a_moment(),
            8 => self.something_else_for_a_moment(),
            9 | 10 => self.appended(),
            11 => self.set_aside(),
            _ => self.exported_by_hand(),
        }
        self.ingest();
    }

    fn same_size(&mut self) {
        let program = self.programs.last().unwrap().first_row;
        let length = self.in_file.end - self.in_file.start;
        let rows = (self.made - length).max(program).min(self.made)..self.made;
        self.overwrite(rows);
    }

    fn larger(&mut self) {
        let program = self.programs.last().unwrap().first_row;
        let length = self.in_file.end - self.in_file.start + between(&mut self.dice, 1, 8);
        self.overwrite((self.made - length).max(program)..self.made);
    }

    fn smaller(&mut self) {
        let rows = self.rows_since(2, 3);
        self.overwrite(rows);
    }

    fn renamed_over(&mut self) {
        let rows = self.rows_since(0, 20);
        self.tower.rename_over(DAT, self.file(rows.clone()));
        self.is_in_file(rows);
    }

    /// The first half of it is there, and ends in mid-line, when fluxtower comes by.
    fn written_slowly(&mut self) {
        let rows = self.rows_since(0, 20);
        let content = self.file(rows.clone());
        let half = content.len() / 2 + usize::try_from(self.dice.below(40)).unwrap();
        let half = content[..half.min(content.len())].trim_end();
        self.tower.write(DAT, half);
        self.ingest();
        self.tower.write(DAT, &content);
        self.is_in_file(rows);
    }

    /// Cut anywhere, and never completed: the next collection overwrites it.
    fn torn(&mut self) {
        let rows = self.rows_since(1, 20);
        let mut content = self.file(rows.clone());
        content.truncate(usize::try_from(self.dice.below(content.len() as u64)).unwrap());
        self.tower.write(DAT, content);
        self.is_in_file(rows);
    }

    fn missing_for_a_moment(&mut self) {
        self.tower.remove(DAT);
        self.ingest();
        let rows = self.rows_since(1, 20);
        self.overwrite(rows);
    }

    fn something_else_for_a_moment(&mut self) {
        let other = Logger::par().table("Status").columns(&["Battery", "PanelTemp", "Watchdog"]).file(0..3);
        let contents = [
            "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
            other.as_str(),
            "{\"head\": {\"fields\": []}, \"data\": []}\r\n",
            "",
        ];
        let there = self.tower.read(DAT);
        self.tower.write(DAT, contents[usize::try_from(self.dice.below(4)).unwrap()]);
        self.ingest();
        self.tower.write(DAT, there);
    }

    fn appended(&mut self) {
        let there = self.tower.read(DAT);
        let is_whole = there.ends_with(b"\n") && self.complete_rows(&there).last() == Some(&(self.in_file.end - 1));
        if !is_whole {
            return self.same_size();
        }
        let rows = self.rows_since(1, 20);
        self.tower.append(DAT, self.lines(rows.clone()));
        self.is_in_file(self.in_file.start..rows.end);
    }

    /// A new program with other columns: LoggerNet puts the last rows into the old file, sets it aside and begins anew.
    /// With some programs the table is reset and RECORD begins again.
    fn set_aside(&mut self) {
        // Two resets with hardly a row seen between them look like rows lost from one count: nothing can tell.
        let count = self.programs.last().unwrap().record_of_row_0;
        let seen = self.seen.last().filter(|&&row| self.program_of(row).record_of_row_0 == count);
        if seen.is_none_or(|&row| self.record_of(row) < 100) {
            return self.smaller();
        }
        let rows = self.rows_since(1, 6);
        self.overwrite(rows);
        self.tower.rename(DAT, &format!("{DAT}.backup"));
        let reset = self.dice.below(2) == 0;
        let current = self.programs.last().unwrap();
        let record_of_row_0 = if reset { -self.made } else { current.record_of_row_0 };
        let logger = current.logger.clone().column(&format!("Extra_{}", self.programs.len()));
        self.programs.push(Program { first_row: self.made, record_of_row_0, logger });
        self.made += between(&mut self.dice, 1, 5);
        let rows = self.rows_since(2, 6);
        self.overwrite(rows);
    }

    /// Somebody exports a stretch that may hold lost rows, and gives the file to `ingest FILE`.
    fn exported_by_hand(&mut self) {
        let at = usize::try_from(self.dice.below(self.programs.len() as u64)).unwrap();
        let end = self.programs.get(at + 1).map_or(self.made, |next| next.first_row);
        let from = between(&mut self.dice, self.programs[at].first_row, end - 1);
        let to = (from + between(&mut self.dice, 1, 12)).min(end);
        let content = self.file(from..to);
        self.tower.write("export.dat", &content);
        let report = self.fluxtower.ingest_file(&self.tower.path("export.dat"));
        assert_eq!(report.totals().lines, physical_lines(content.as_bytes()));
        self.staged_is_what_is_new(&report, std::iter::once(content.as_bytes()));
    }

    /// (whether RECORD began again, record before, record after, how many) as the plain set has it.
    fn holes(&self) -> Vec<(bool, Option<i64>, i64, i64)> {
        let mut holes = Vec::new();
        let mut before: Option<(i64, i64)> = None;
        for &row in &self.seen {
            // Programs that count on share the record number of row 0.
            let (count, record) = (self.program_of(row).record_of_row_0, self.record_of(row));
            match before {
                Some((known, last)) if known == count && record > last + 1 => {
                    holes.push((false, Some(last), record, record - last - 1));
                }
                Some((known, _)) if known != count && record > 0 => holes.push((true, None, record, record)),
                _ => {}
            }
            before = Some((count, record));
        }
        holes
    }

    fn check_gaps(&self, collection: u32) {
        let (lost, reported) = (self.holes(), self.reported_holes());
        let missed: Vec<_> = lost.iter().filter(|hole| !reported.contains(hole)).collect();
        let invented: Vec<_> = reported.iter().filter(|hole| !lost.contains(hole)).collect();
        let same = lost.len() == reported.len() && missed.is_empty() && invented.is_empty();
        assert!(
            same,
            "gaps after collection {collection}: not reported {missed:?}, reported though not lost {invented:?}"
        );
    }

    fn reported_holes(&self) -> Vec<(bool, Option<i64>, i64, i64)> {
        let gaps = self.fluxtower.store.gaps().unwrap();
        let hole = |line: fluxtower::store::GapLine| {
            let gap = line.gap;
            (gap.after_reset, gap.before.map(|before| before.0), gap.after.0, gap.missing)
        };
        gaps.into_iter().map(hole).collect()
    }

    fn check_rows(&self) {
        let rows = self.tower.rows(TABLE);
        let staged: Vec<i64> = rows.iter().map(|row| (row.ts - rows_begin()) / 5_000_000_000).collect();
        let seen: Vec<i64> = self.seen.iter().copied().collect();
        assert_eq!(staged, seen, "I3: each complete row once, and nothing else");
        for (row, at) in rows.iter().zip(staged) {
            assert_eq!(row.record, Some(self.record_of(at)));
            // Columns that came with a later program are null in a row that an export of the earlier one brought.
            let values: Vec<Option<f64>> = row.values().iter().map(serde_json::Value::as_f64).collect();
            let logged = self.program_of(at).logger.values(at).into_iter().map(Some);
            let expected: Vec<Option<f64>> = logged.chain(std::iter::repeat(None)).take(values.len()).collect();
            assert_eq!(values, expected, "I2: the row of record {:?}", row.record);
        }
    }
}

/// Five hours west of UTC.
fn rows_begin() -> i64 {
    (Logger::par().stamp(0).and_utc() + chrono::TimeDelta::hours(5)).timestamp_nanos_opt().unwrap()
}

#[test]
fn i3_a_thousand_overwrites_stage_each_complete_record_once_and_report_each_lost_one() {
    let mut station = Life::new();
    // The first file tells which logger table this is.
    station.made = 12;
    station.overwrite(0..12);
    station.ingest();
    for collection in 1..=COLLECTIONS {
        station.collect();
        station.check_gaps(collection);
        if collection % 100 == 0 {
            station.check_rows();
        }
    }
    let lost = station.made - i64::try_from(station.seen.len()).unwrap();
    assert!(station.holes().len() > 50, "the collections lost too little to prove anything: {lost} rows");
    assert!(station.holes().iter().any(|hole| hole.0), "no record was lost behind a reset");
    assert!(station.programs.len() > 20);
    let events = station.fluxtower.store.clock_events().unwrap();
    let resets = station.programs.windows(2).filter(|pair| pair[0].record_of_row_0 != pair[1].record_of_row_0).count();
    assert_eq!(events.iter().filter(|event| event.kind == "reset").count(), resets);
}
