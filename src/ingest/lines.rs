//! Takes physical lines one by one, decides what each is (a part of a header, a row, blank, or none of these), and counts it in
//! exactly one place (I1). Headers are read in [`super::heads`], and rows in [`super::rows`].

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::counts::OpenEntries;
use super::deferred::Deferred;
use super::double_hour::RowsAhead;
use super::glued::{self, Watch};
use super::joined::Joined;
use super::long::LongReading;
use super::names::Ahead;
use super::report::Counts;
use super::rows::{RowReading, Taken, unreadable};
use super::samples::Placing;
use super::steps_back::BackSteps;
use super::years::Years;
use crate::config::{FileFormat, OnConflict, Separator, TableConfig};
use crate::format::{self, Armor, Header, HeaderBlock, Layout, ParsedRow};
use crate::source::Said;
use crate::store::{LineAt, LineRefusal, LineState, Outcome, Result, Staging, Store, Table};
use crate::time::{LoggerClock, Timestamp};

/// The kind of line that is expected next.
pub(super) enum Expect {
    /// The first line of the file.
    Beginning,
    /// The next line of a header block. `before` is the header before it, whose first line stands for one that the
    /// file lacks.
    Header { block: HeaderBlock, before: Option<Box<Header>> },
    /// Rows of the current header.
    Rows(Box<RowReading>),
    /// Rows without a usable header: each is rejected with this reason.
    Rejecting(String),
    /// Rows of another logger table: each is kept with this reason under its header, until the configuration changes.
    Foreign(String),
    /// Rows of another logger table that a [[table]] of its own takes from the same file.
    Elsewhere,
}

/// Takes the lines of one file in order.
pub(super) struct LineTaker<'a> {
    pub(super) store: &'a Store,
    pub(super) config: &'a TableConfig,
    pub(super) path: &'a str,
    pub(super) now: Timestamp,
    /// The number of the next line.
    pub(super) number: u64,
    pub(super) counts: Counts,
    /// The id of the current header.
    pub(super) header: Option<i64>,
    /// Why the file cannot be read in its format. Every line is then deferred.
    pub(super) refusal: Option<String>,
    /// Whether the refusal is about lines of text, which are kept until the file can be read or is overwritten.
    pub(super) keeps_refused: bool,
    /// A problem that did not stop the reading.
    pub(super) note: Option<String>,
    /// The state of the next line.
    pub(super) state: LineState,
    /// Whether reading began after earlier rows of the file, so that no line is read a second time.
    pub(super) is_append: bool,
    /// Whether only the beginning of the next line is passed, because it is too long for a line.
    pub(super) is_cut: bool,
    /// Whether the next line is of a text without NUL bytes and Ctrl-Z, which was searched for them as a whole.
    pub(super) is_clean: bool,
    /// The time of the next line, if it is known already: the repeated hour of a time zone is not decided again.
    pub(super) known_time: Option<Timestamp>,
    /// Whether the lines were rows under an earlier configuration, so that their times may be in its format.
    pub(super) were_rows: bool,
    /// How a row under an existing key is handled.
    pub(super) on_conflict: OnConflict,
    /// Whether the file is being overwritten.
    pub(super) watch: Watch,
    /// The number of the first line that is held until the next read.
    pub(super) held_from: Option<u64>,
    /// The lines that are deferred to a later read.
    pub(super) deferred: Deferred,
    /// The state for rows that share a time stamp.
    pub(super) placing: Placing,
    /// Whether a header follows after the first lines, which are the rest of an earlier file: these lines are rejected,
    /// and not the file.
    pub(super) header_follows: bool,
    /// A message about the table's name in line 1, separate from the note.
    pub(super) said: Option<String>,
    /// The rows after a header that is being read.
    pub(super) ahead: Ahead,
    /// The header under which reading continues, if its name is not the table's present one.
    pub(super) under: Option<Header>,
    pub(super) expect: Expect,
    /// The time and the record number of the previous row in the file.
    pub(super) previous: Option<Timestamp>,
    pub(super) previous_record: Option<i64>,
    /// The first instant of a stamp in the repeated hour, and what distinguishes its rows so far.
    pub(super) of_stamp: (Timestamp, BTreeSet<String>),
    /// The rows after the first row in the repeated hour.
    pub(super) rows_ahead: RowsAhead,
    /// The logger tables that other [[table]]s take from the file.
    pub(super) elsewhere: &'a [&'a str],
    /// Whether the file was named on the command line.
    pub(super) is_by_hand: bool,
    /// Whether the lines are those of a file in their order, so that a header in the middle applies to those after it.
    pub(super) is_in_order: bool,
    /// Whether a PGP message is being passed.
    pub(super) armor: Armor,
    /// The number of the last line that named the columns.
    pub(super) names_at: u64,
    /// Set where the stamps of the file have no year.
    pub(super) years: Option<Years>,
    /// The loggers that the headers of the file name.
    pub(super) joined: Joined,
    /// Where rows without record numbers go back in time.
    pub(super) back_steps: BackSteps,
    /// Whether the next line is one that was kept because it was no row.
    pub(super) was_kept: bool,
    /// Clock entries that end where RECORD starts again.
    pub(super) entries: OpenEntries,
    pub(super) row: ParsedRow,
    /// Whether the next line was parsed into [`LineTaker::row`] already.
    pub(super) is_read: bool,
    pub(super) tags: String,
}

impl<'a> LineTaker<'a> {
    pub(super) fn new(store: &'a Store, config: &'a TableConfig, path: &'a str, now: Timestamp) -> LineTaker<'a> {
        LineTaker {
            store,
            config,
            path,
            now,
            number: 1,
            counts: Counts::default(),
            header: None,
            refusal: None,
            keeps_refused: false,
            note: None,
            state: LineState::Whole,
            is_append: false,
            is_cut: false,
            is_clean: false,
            known_time: None,
            were_rows: false,
            on_conflict: config.on_conflict,
            watch: Watch::Off,
            held_from: None,
            deferred: Deferred::default(),
            placing: Placing::default(),
            header_follows: false,
            said: None,
            ahead: Ahead::default(),
            under: None,
            expect: Expect::Beginning,
            previous: None,
            previous_record: None,
            of_stamp: (Timestamp::EPOCH, BTreeSet::new()),
            rows_ahead: RowsAhead::Unseen,
            elsewhere: &[],
            is_by_hand: false,
            is_in_order: false,
            armor: Armor::default(),
            names_at: 0,
            years: None,
            joined: Joined::default(),
            back_steps: BackSteps::default(),
            was_kept: false,
            entries: OpenEntries::default(),
            row: ParsedRow::default(),
            is_read: false,
            tags: String::new(),
        }
    }

    /// The meaning of the next line's stamp.
    #[inline]
    pub(super) fn stamps(&self) -> &LoggerClock {
        self.entries.limited.as_ref().unwrap_or(&self.config.stamps)
    }

    /// Describes a line of the file.
    #[inline]
    pub(super) fn at<'l>(&self, number: u64, raw: &'l [u8]) -> LineAt<'l>
    where
        'a: 'l,
    {
        LineAt { path: self.path, number, raw, state: self.state }
    }

    /// Takes one line of a file. `said` has the parsed content, if the line was translated from a binary record.
    #[inline]
    pub(super) fn take_said(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        line: &[u8],
        said: Option<Said<'_>>,
    ) -> Result<()> {
        self.is_read = match (said, &self.expect, &self.refusal) {
            (Some(said), Expect::Rows(reading), None) => self.row.take_said(&said, line, &reading.layout),
            _ => false,
        };
        let taken = self.take(staging, table, line);
        self.is_read = false;
        taken
    }

    /// Takes one physical line, with or without its carriage return.
    #[inline]
    pub(super) fn take(&mut self, staging: &mut Staging<'_>, table: &mut Table, raw: &[u8]) -> Result<()> {
        let number = self.number;
        self.number += 1;
        self.counts.lines += 1;
        if self.refusal.is_some() {
            self.counts.deferred += 1;
            if self.keeps_refused {
                self.deferred.keep_refused(number, raw);
            }
            return Ok(());
        }
        let line = if self.is_clean { Cow::Borrowed(format::trimmed(raw)) } else { format::strip_noise(raw) };
        let is_in_pieces = |line: &[u8]| !self.is_clean && memchr::memchr(0, line).is_some();
        if let Expect::Rows(_) = self.expect
            && !line.is_empty()
            && line[0] > b' '
            && line[0] != b'T'
            && !self.is_cut
            && !line.starts_with(b"\"T")
            && !is_in_pieces(&line)
        {
            return self.take_row(staging, table, number, &line);
        }
        if is_in_pieces(&line) && !matches!(self.expect, Expect::Header { .. }) && !self.is_cut {
            return self.take_pieces(staging, table, number, &line);
        }
        self.take_other(staging, table, number, &line)
    }

    /// Counts the bytes after the last whole record: the beginning of a record, or filler that cannot become one.
    pub(super) fn take_rest(&mut self, rest: &[u8]) {
        self.counts.lines += 1;
        if rest.is_empty() {
            self.counts.blank += 1;
        } else {
            self.counts.deferred += 1;
        }
    }

    /// Rejects what stands in a file of records and is none: `at` is its place and its length in bytes. No
    /// configuration makes a record of it.
    #[cold]
    pub(super) fn take_damage(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        line: &[u8],
        at: (u64, usize),
    ) -> Result<()> {
        let number = self.number;
        self.number += 1;
        self.counts.lines += 1;
        if self.refusal.is_some() {
            self.counts.deferred += 1;
            return Ok(());
        }
        let (place, length) = at;
        let bytes = crate::text::count(length as u64, "byte");
        let reason = format!(
            "no whole record stands in {bytes} from byte {place} of the file on: one was cut, or other bytes stand there; the records \
             behind are read. Collect the period again"
        );
        self.reject(staging, table, self.at(number, line), &unreadable(reason))
    }

    /// Takes a line with NUL bytes, which are there because a power failure removed text: the beginning of a row, and
    /// in most cases a whole row after it. Each piece counts as a line.
    #[cold]
    fn take_pieces(&mut self, staging: &mut Staging<'_>, table: &mut Table, number: u64, line: &[u8]) -> Result<()> {
        let pieces: Vec<&[u8]> = line.split(|byte| *byte == 0).filter(|piece| !piece.is_empty()).collect();
        let Some((last, torn)) = pieces.split_last() else { return Ok(()) };
        if self.watch == Watch::Hold {
            self.hold(number, line);
            return Ok(());
        }
        for piece in torn {
            self.counts.lines += 1;
            let refusal =
                unreadable("NUL bytes follow: the rest of the line was lost, as in a power failure".to_owned());
            self.reject(staging, table, self.at(number, piece), &refusal)?;
        }
        let is_row = match &self.expect {
            Expect::Rows(reading) => reading.layout.begins_with_time(),
            Expect::Beginning
            | Expect::Header { .. }
            | Expect::Rejecting(_)
            | Expect::Foreign(_)
            | Expect::Elsewhere => true,
        };
        if is_row {
            return self.take_other(staging, table, number, last);
        }
        let refusal =
            unreadable("NUL bytes precede: the beginning of the line was lost, as in a power failure".to_owned());
        self.reject(staging, table, self.at(number, last), &refusal)
    }

    #[cold]
    fn take_other(&mut self, staging: &mut Staging<'_>, table: &mut Table, number: u64, line: &[u8]) -> Result<()> {
        if let Expect::Header { block, before } = &mut self.expect {
            if block.ends_before(|| glued::time_of(line).is_some()) {
                self.finish_header(staging, table, number - 1)?;
                return self.take_other(staging, table, number, line);
            }
            // A header in mid-file that lost its end: the rows behind it are not to become a part of it.
            let is_row = self.header.is_some() && glued::time_of(line).is_some();
            if is_row && before.is_some() {
                self.finish_header(staging, table, number - 1)?;
                return self.take_other(staging, table, number, line);
            }
            block.push(line);
            if is_row || block.is_whole() {
                return self.finish_header(staging, table, number);
            }
            return Ok(());
        }
        if self.is_cut {
            let refusal = unreadable(format!("the line is too long; its first {} bytes are kept", line.len()));
            let line = self.at(number, line);
            return self.reject(staging, table, line, &refusal);
        }
        if format::is_blank(line) {
            self.counts.blank += 1;
            return Ok(());
        }
        if matches!(self.config.format, FileFormat::Logger(_)) {
            if matches!(self.expect, Expect::Beginning)
                && !self.header_follows
                && let Some(reason) = format::detect(line).refusal()
            {
                // Blank lines before it were counted already.
                self.refuse_file(reason.to_owned(), number, &[line.to_vec()]);
                return Ok(());
            }
            let is_within = self.header.is_some();
            if let Some(of) =
                format::header_lines(line).or_else(|| format::cut_header_lines(line).filter(|_| is_within))
            {
                self.expect = Expect::Header { block: HeaderBlock::of_logger(of, line), before: None };
                return Ok(());
            }
            if is_within
                && matches!(self.expect, Expect::Rows(_) | Expect::Rejecting(_))
                && let Some(of) = format::named_columns(line)
            {
                let before = self.header.map(|id| self.store.header(id)).transpose()?.flatten().map(Box::new);
                let block = HeaderBlock::of_logger(of - usize::from(before.is_some()), line);
                self.expect = Expect::Header { block, before };
                return Ok(());
            }
        }
        match &self.expect {
            Expect::Rejecting(reason) => {
                let refusal = unreadable(reason.clone());
                self.reject(staging, table, self.at(number, line), &refusal)
            }
            Expect::Foreign(reason) => {
                let refusal = self.refused(reason.clone(), None);
                self.reject(staging, table, self.at(number, line), &refusal)
            }
            Expect::Elsewhere => {
                self.counts.header += 1;
                Ok(())
            }
            _ => self.take_row(staging, table, number, line),
        }
    }

    #[inline]
    fn take_row(&mut self, staging: &mut Staging<'_>, table: &mut Table, number: u64, line: &[u8]) -> Result<()> {
        let line = self.at(number, line);
        let previous = self.previous;
        let before = previous.zip(self.previous_record);
        match self.stage_row(staging, table, line)? {
            Taken::Row(outcome) => {
                self.counts.row(outcome);
                if outcome == Outcome::Conflict {
                    self.note_conflict(before);
                }
                self.previous_record = self.row.record;
                if self.row.record.is_none() {
                    self.follow_clock(staging, table, previous, outcome)?;
                }
            }
            Taken::Header => self.counts.header += 1,
            Taken::Refused(_) if self.is_blank_row(line.raw) => self.counts.blank += 1,
            Taken::Refused(refusal)
                if self.watch == Watch::Hold && !refusal.is_held() && !self.deferred.is_confirmed(line.raw) =>
            {
                self.hold(number, line.raw);
            }
            Taken::Refused(refusal) => self.reject(staging, table, line, &refusal)?,
        }
        if self.placing.is_due() { self.resolve_waiting(staging, table) } else { Ok(()) }
    }

    /// Whether a line of a text table is nothing but separators, as spreadsheets write for the empty rows of a sheet. In a
    /// logger's file such a line is what was left of a row.
    #[cold]
    fn is_blank_row(&self, line: &[u8]) -> bool {
        let FileFormat::Csv(csv) = &self.config.format else { return false };
        let (separator, quote) = csv
            .dialect
            .as_ref()
            .map_or((Separator::Sign(b','), Some(b'"')), |dialect| (dialect.separator, dialect.quote));
        let is_nothing =
            |byte: &u8| byte.is_ascii_whitespace() || Separator::Sign(*byte) == separator || Some(*byte) == quote;
        line.iter().all(is_nothing)
    }

    pub(super) fn long(&self) -> Option<&LongReading> {
        if let Expect::Rows(reading) = &self.expect { reading.long.as_ref() } else { None }
    }

    pub(super) fn long_mut(&mut self) -> Option<&mut LongReading> {
        if let Expect::Rows(reading) = &mut self.expect { reading.long.as_mut() } else { None }
    }

    pub(super) fn layout_mut(&mut self) -> Option<&mut Layout> {
        if let Expect::Rows(reading) = &mut self.expect { Some(&mut reading.layout) } else { None }
    }

    /// Whether rows are expected, so that consecutive rows may share a stamp.
    pub(super) fn reads_rows(&self) -> bool {
        matches!(self.expect, Expect::Rows(_)) && self.refusal.is_none()
    }

    pub(super) fn reject(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        line: LineAt<'_>,
        refusal: &LineRefusal,
    ) -> Result<()> {
        let count = if refusal.is_held() { &mut self.counts.held } else { &mut self.counts.rejected };
        *count += 1;
        if let Some(sample) = &refusal.sample {
            self.note_held(line.raw);
            staging.see_waiting(table, sample)?;
        }
        if let Some(record) = refusal.record {
            staging.see_refused(table, record)?;
        }
        staging.reject(table, line, refusal)
    }
}
