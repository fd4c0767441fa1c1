//! The context of a file's lines: the headers, the logger table's name in them, and the layout of the rows.
//!
//! A header of another table never decides about a row: the lines under it are kept with the reason (I1). An appended
//! file is read on under its earlier header, as long as the configuration can still read that header.

use std::path::Path;

use super::lines::{Expect, LineTaker};
use super::long::{self, LongReading};
use super::names::{self, Ahead, Relation, Under};
use super::rows::{RowReading, unreadable};
use crate::config::{ColumnUse, CsvFormat, FileFormat};
use crate::format::{self, ColumnSource, Derived, Header, HeaderBlock, HeaderError, HeaderLine, Keys, Layout};
use crate::source::QuietFile;
use crate::store::{LineAt, Result, Staging, Table};

impl LineTaker<'_> {
    /// Continues after `lines` lines, under a header that an earlier run has read.
    pub(super) fn resume(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        lines: u64,
        header_id: i64,
    ) -> Result<bool> {
        let Some(header) = self.store.header(header_id)? else { return Ok(false) };
        if let FileFormat::Csv(csv) = &self.config.format
            && !csv.fits(&header)
        {
            return Ok(false);
        }
        self.number = lines + 1;
        let is_named = self.config.logger_table.as_ref() == Some(&header.table);
        if table.names.is_refused(header_id) && !is_named {
            self.header = Some(header_id);
            let is_elsewhere = self.elsewhere.contains(&header.table.as_str());
            self.expect = if is_elsewhere { Expect::Elsewhere } else { Expect::Foreign(self.beside(table, &header)) };
            return Ok(true);
        }
        self.use_header(staging, table, &header)?;
        if self.config.logger_table.is_none() && table.names.ended(&header.table).is_some() {
            self.under = Some(header);
        }
        Ok(true)
    }

    /// Reads ahead to the rows after the present line, if a header is about to end or the reading continues under an
    /// earlier name.
    pub(super) fn look_ahead_for_name(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        rest: &[u8],
    ) -> Result<()> {
        self.ahead = Ahead::of(rest);
        let Some(header) = self.under.take() else { return Ok(()) };
        match names::standing(self.store, staging, table, self.config, Under { header: &header, ahead: &self.ahead })? {
            Relation::Beside => {
                let reason = self.beside(table, &header);
                self.refuse_table(staging, table, &header, reason)
            }
            _ => Ok(()),
        }
    }

    /// Whether [`LineTaker::look_ahead_for_name`] must be called before the next line is taken.
    pub(super) fn asks_for_name(&self) -> bool {
        match &self.expect {
            Expect::Header { block, .. } => {
                block.lacks_one()
                    && matches!(self.config.format, FileFormat::Logger(_))
                    && self.config.logger_table.is_none()
            }
            _ => self.under.is_some(),
        }
    }

    /// Begins with lines whose header an earlier read has stored. If the configuration names the columns, those names
    /// are the header.
    pub(super) fn begin_under(&mut self, staging: &mut Staging<'_>, table: &mut Table, header_id: i64) -> Result<()> {
        staging.begin()?;
        if let FileFormat::Csv(csv) = &self.config.format
            && csv.names.is_some()
        {
            return self.use_names_under(staging, table, (csv, header_id));
        }
        if !self.resume(staging, table, 0, header_id)? {
            let reason = "stood under a header that lacks a column of time or record number".to_owned();
            self.expect = Expect::Rejecting(reason);
        }
        Ok(())
    }

    /// Begins a file whose format the configuration describes (`csv`).
    pub(super) fn begin_csv(&mut self, staging: &mut Staging<'_>, table: &mut Table) -> Result<()> {
        let FileFormat::Csv(csv) = &self.config.format else { return Ok(()) };
        match csv.head_lines() {
            0 => self.use_names(staging, table, csv),
            of => {
                self.expect = Expect::Header { block: HeaderBlock::of_text_table(of), before: None };
                Ok(())
            }
        }
    }

    /// Uses the column names of the configuration as the header.
    fn use_names(&mut self, staging: &mut Staging<'_>, table: &mut Table, csv: &CsvFormat) -> Result<()> {
        let header = Header::from_names(&self.config.name.0, csv.known_names());
        self.use_header(staging, table, &header)
    }

    /// Like [`LineTaker::use_names`], for lines that stood under a header of an earlier read.
    fn use_names_under(&mut self, staging: &mut Staging<'_>, table: &mut Table, of: (&CsvFormat, i64)) -> Result<()> {
        let (csv, header_id) = of;
        let year = self.store.header(header_id)?.and_then(|header| header.year);
        let header = Header { year, ..Header::from_names(&self.config.name.0, csv.known_names()) };
        self.use_header(staging, table, &header)
    }

    /// The number of lines of an incomplete header block. They are deferred.
    pub(super) fn unfinished_header_lines(&self) -> u64 {
        match &self.expect {
            Expect::Header { block, .. } => block.lines().len() as u64,
            _ => 0,
        }
    }

    /// Whether the current header is damaged or belongs to another table.
    pub(super) fn is_rejecting(&self) -> bool {
        matches!(self.expect, Expect::Rejecting(_) | Expect::Foreign(_) | Expect::Elsewhere)
    }

    pub(super) fn finish_header(&mut self, staging: &mut Staging<'_>, table: &mut Table, last: u64) -> Result<()> {
        staging.begin()?;
        let Expect::Header { block, before } = std::mem::replace(&mut self.expect, Expect::Beginning) else {
            return Ok(());
        };
        let lines = block.lines();
        if let FileFormat::Csv(csv) = &self.config.format {
            return match csv.header(&self.config.name.0, lines) {
                Ok(header) => {
                    self.counts.header += lines.len() as u64;
                    self.use_header(staging, table, &header)
                }
                Err(reason) => {
                    self.refuse_file(reason, last + 1 - lines.len() as u64, lines);
                    Ok(())
                }
            };
        }
        let counted = block.counted();
        match read_block(&counted, block.of(), before.as_deref()) {
            Ok(header) => {
                self.counts.header += counted.len() as u64;
                self.counts.blank += (lines.len() - counted.len()) as u64;
                if let Some(reason) = self.foreign(staging, table, &header)? {
                    return self.refuse_table(staging, table, &header, reason);
                }
                self.use_header(staging, table, &header)
            }
            Err(error) if self.header.is_none() => {
                self.refuse_file(format!("has a damaged header: {error}"), last + 1 - lines.len() as u64, lines);
                Ok(())
            }
            Err(error) => {
                let reason = format!("is in or after a damaged header: {error}");
                let first = last + 1 - lines.len() as u64;
                let refusal = unreadable(reason.clone());
                for (number, line) in (first..).zip(lines) {
                    self.reject(staging, table, self.at(number, line), &refusal)?;
                }
                self.note = Some(format!("{}:{first} {reason}", self.path));
                self.expect = Expect::Rejecting(reason);
                Ok(())
            }
        }
    }

    /// Takes a line that is not a row, if it is a header line: the names or units again, or other names, under which
    /// the rows after it are read.
    #[cold]
    pub(super) fn take_header_line(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        line: LineAt<'_>,
    ) -> Result<bool> {
        let FileFormat::Csv(csv) = &self.config.format else { return Ok(false) };
        let Expect::Rows(reading) = &self.expect else { return Ok(false) };
        let Some(header) = &reading.header else { return Ok(false) };
        let is_behind_names = self.names_at > 0 && self.names_at + 1 == line.number;
        let new = match csv.header_line(line.raw, header) {
            Some(HeaderLine::Names) => {
                self.names_at = line.number;
                return Ok(true);
            }
            Some(HeaderLine::Units) => return Ok(true),
            Some(HeaderLine::Other(header)) if self.is_in_order => {
                self.names_at = line.number;
                Some(header)
            }
            _ if is_behind_names && self.is_in_order => csv.with_units(line.raw, header),
            _ => None,
        };
        let Some(new) = new else { return Ok(false) };
        staging.begin()?;
        self.use_header(staging, table, &new)?;
        Ok(true)
    }

    /// Refuses the file, because these lines show that it cannot be read in its format: they and all lines after them
    /// are deferred. `first` is the number of the first of them.
    pub(super) fn refuse_file(&mut self, reason: String, first: u64, lines: &[Vec<u8>]) {
        self.refusal = Some(reason);
        self.keeps_refused = true;
        self.counts.deferred += lines.len() as u64;
        for (number, line) in (first..).zip(lines) {
            self.deferred.keep_refused(number, line);
        }
    }

    /// From here on, lines under the header are kept with the reason.
    fn refuse_table(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        header: &Header,
        reason: String,
    ) -> Result<()> {
        staging.begin()?;
        let id = self.store.keep_header(table, header, self.now)?;
        self.store.refuse_header(table, id)?;
        self.header = Some(id);
        if self.elsewhere.contains(&header.table.as_str()) {
            self.expect = Expect::Elsewhere;
            return Ok(());
        }
        self.note = Some(format!("{}: {reason}", self.path));
        self.expect = Expect::Foreign(reason);
        Ok(())
    }

    /// The reason if a header belongs to another table. The name in line 1 may change with a logger's program. So a
    /// header belongs to the table if it shares half of the columns and its rows follow those of the table, unless the
    /// configuration gives the name.
    fn foreign(&mut self, staging: &mut Staging<'_>, table: &mut Table, header: &Header) -> Result<Option<String>> {
        let name = &self.config.name;
        let of_other = |expected: &str| {
            format!(
                "line 1 names the logger table \"{}\", but table \"{name}\" holds \"{expected}\"; give the file its own [[table]]",
                header.table
            )
        };
        if let Some(configured) = &self.config.logger_table {
            return Ok((*configured != header.table).then(|| of_other(configured)));
        }
        let Some(known) = table.logger_name().filter(|known| *known != header.table).map(str::to_owned) else {
            return Ok(None);
        };
        let values: Vec<usize> = self.value_places(header);
        let shared = values.iter().filter(|&&place| table.place(&header.names[place]).is_some()).count();
        if shared * 2 < values.len().max(1) {
            return Ok(Some(of_other(&known)));
        }
        match names::standing(self.store, staging, table, self.config, Under { header, ahead: &self.ahead })? {
            Relation::Known => {}
            Relation::Beside => return Ok(Some(self.beside(table, header))),
            Relation::GoesOn(until) => self.store.rename_logger_table(table, &header.table, until)?,
            Relation::Earlier(until) => {
                // Its rows were refused before; that they are older than all others is no news about whose they are.
                staging.begin()?;
                let id = self.store.keep_header(table, header, self.now)?;
                if table.names.is_refused(id) {
                    return Ok(Some(of_other(&known)));
                }
                self.store.note_earlier_name(table, &header.table, until)?;
            }
            Relation::Renamed(until) => {
                let end = self.config.clock.event_time(until);
                self.said = Some(format!(
                    "{}: line 1 names the logger table \"{}\", and rows of \"{known}\" ended at {end}: taken as the same table, \
                     renamed. If it is another one, write logger_table = \"{known}\" in [[table]] \"{name}\"",
                    self.path, header.table
                ));
                self.store.rename_logger_table(table, &header.table, until)?;
            }
        }
        Ok(None)
    }

    /// The reason why the lines of a header are not rows of the table.
    fn beside(&self, table: &Table, header: &Header) -> String {
        let (known, name) = (table.logger_name().unwrap_or_default(), &self.config.name);
        format!(
            "line 1 names the logger table \"{}\", but table \"{name}\" holds \"{known}\", and {}; write \
             logger_table = \"{known}\" in [[table]] \"{name}\", or a pattern in files that matches one of them",
            header.table,
            names::TWO_TABLES
        )
    }

    /// The positions of the value columns in the file.
    fn value_places(&self, header: &Header) -> Vec<usize> {
        let keys = Keys::of(&self.config.format, header);
        (0..header.names.len()).filter(|&place| !keys.contain(place)).collect()
    }

    pub(super) fn use_header(&mut self, staging: &mut Staging<'_>, table: &mut Table, header: &Header) -> Result<()> {
        let of_year = self.years.as_ref().map(|years| years.under(header));
        let header = of_year.as_ref().unwrap_or(header);
        self.see_logger(table, header)?;
        let values = self.value_places(header);
        // In a table with one value per line, each new sensor adds a column.
        let is_long = matches!(&self.config.format, FileFormat::Csv(csv) if csv.long.is_some());
        let columns = if is_long { long::tags_of(self.config, header, &values).collect() } else { values.clone() };
        self.header = Some(self.store.learn_header(table, header, &columns, self.now)?);
        self.store.learn_derived(table, self.config)?;
        staging.use_header(table, self.config)?;
        let is_tag =
            |name: &str| self.config.columns.get(name).is_some_and(|column| column.column_use == ColumnUse::Tag);
        let names = table.column_names();
        let long = LongReading::of(self.config, header, &values, table);
        let derived = if long.is_some() { Vec::new() } else { self.derived(&values, header, &names) };
        let mut has_tags = long.as_ref().is_some_and(LongReading::has_tags);
        let width = if long.is_some() { values.len() } else { names.len() };
        let mut in_order = 0..width;
        let layout = Layout::of_file(&self.config.format, header, width, derived, |name| {
            if long.is_some() {
                return ColumnSource::Value(in_order.next().unwrap_or_default());
            }
            // `learn_header` has added every name to the list.
            let place = table.place(name).unwrap_or_default();
            if is_tag(name) {
                has_tags = true;
                ColumnSource::Tag(place)
            } else {
                ColumnSource::Value(place)
            }
        });
        let earlier = if self.were_rows { table.time_formats.as_slice() } else { &[] };
        let layout = layout.or_earlier(earlier);
        let header = matches!(self.config.format, FileFormat::Csv(_)).then(|| header.clone());
        self.expect = Expect::Rows(Box::new(RowReading { layout, has_tags, header, long }));
        Ok(())
    }

    /// The derived columns to compute. The note names each one that cannot be computed, with the reason.
    fn derived(&mut self, values: &[usize], header: &Header, names: &[String]) -> Vec<Derived> {
        let mut derived = Derived::of(self.config, names);
        derived.retain(|column| {
            let is_measured = values.iter().any(|&place| header.names[place] == names[column.place]);
            if is_measured {
                let name = &names[column.place];
                self.note = Some(format!("the formula of {name} is not used: the file has a column of that name"));
            }
            !is_measured
        });
        for column in &derived {
            if let Some(lacking) = column.lacks().next() {
                let name = &names[column.place];
                self.note =
                    Some(format!("{name} has no values: its formula reads {lacking}, which the file does not have"));
            }
        }
        derived
    }
}

/// Reads the lines of a header block of so many lines. One that lacks its first line has that of the header before it,
/// and where it has names alone their units and processes.
fn read_block(lines: &[Vec<u8>], of: usize, before: Option<&Header>) -> std::result::Result<Header, HeaderError> {
    let Some(before) = before else {
        return if lines.len() < of { Err(HeaderError::Short) } else { Header::read(lines) };
    };
    // The first line is none of the block's.
    let of = of + 1;
    let mut block = vec![before.first_line(of)];
    block.extend_from_slice(lines);
    let is_whole = block.len() >= of;
    block.resize(of, Vec::new());
    let mut header = Header::read(&block)?;
    if !is_whole {
        for (place, name) in header.names.iter().enumerate() {
            if let Some(stated) = before.stated(name) {
                stated.unit.clone_into(&mut header.units[place]);
                stated.process.clone_into(&mut header.process[place]);
            }
        }
    }
    Ok(header)
}

/// The table name in a file's header, if it has one.
pub(super) fn header_table(path: &Path) -> Option<String> {
    let mut file = QuietFile::open(path).ok()?;
    format::begin(&mut file, &FileFormat::Logger(None)).ok()?.ok()?;
    let chunk = file.next_chunk().ok()??;
    let lines: Vec<Vec<u8>> = chunk.bytes.split(|&byte| byte == b'\n').take(4).map(<[u8]>::to_vec).collect();
    let count = format::header_lines(&format::strip_noise(lines.first()?))?;
    Some(Header::read(lines.get(..count)?).ok()?.table)
}
