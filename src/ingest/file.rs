//! Reads one file: finds where to begin, reads chunk by chunk, and saves where the next read resumes.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Progress;
use super::again;
use super::counts::OpenEntries;
use super::deferred::Deferred;
use super::glued::{self, Watch};
use super::kept::KeptTaker;
use super::lines::LineTaker;
use super::names;
use super::report::{Counts, FileReport};
use super::rows::unreadable;
use super::samples::share_stamp;
use crate::config::{FileFormat, SharedStamps, TableConfig};
use crate::format;
use crate::source::{Chunk, QuietFile, Snapshot, SourceError};
use crate::store::{DeferredLine, FileSeen, LineAt, LineRefusal, LineState, Result, Staging, Store, Table};
use crate::time::{Clock, Timestamp};

/// The number of attempts to read a file that changes during the read, and the pause between them.
const ATTEMPTS: u32 = 6;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(40);

/// The reason for a last line without a line end.
const CUT: &str = "its file was overwritten before it had its line end, so that it may be cut; if the last line of such files never has \
                   one, set last_line_after = \"0s\", and let `fluxtower rejected --again` take what is here";
/// The reason for a line after which time steps back.
const GLUED: &str = "its file was overwritten before it was read again, and it may be two lines in one; `fluxtower rejected --again` \
                     takes it as it stands";
/// The reason for a line under a header that could not be read.
const UNREAD: &str = "its file was overwritten before its header could be read, so that it is not known what it holds; put the lines \
                      behind a right header into a file, and `fluxtower ingest` it";

/// A file whose last write is older than this has no active writer.
const JUST_WRITTEN: Duration = Duration::from_secs(1);

/// Reads the files of one table.
pub(super) struct Reader<'a, 's> {
    pub(super) store: &'s Store,
    pub(super) staging: &'a mut Staging<'s>,
    pub(super) config: &'a TableConfig,
    pub(super) clock: &'a dyn Clock,
    pub(super) progress: &'a dyn Progress,
    /// The logger tables that other [[table]]s take from the table's files.
    pub(super) elsewhere: &'a HashMap<PathBuf, Vec<&'a str>>,
    /// The user named the file: it is read whole, even if it was read before.
    pub(super) by_hand: bool,
    /// The configuration has changed since files were refused or got a note: these files are read although they did
    /// not change.
    pub(super) tries_noted: bool,
    /// The number of kept lines and contents that became rows because of this read.
    pub(super) taken_up: u64,
    /// Observations about the table's rows.
    pub(super) notes: Vec<String>,
    /// Clock entries that end where RECORD starts again.
    pub(super) entries: OpenEntries,
}

/// Why an attempt ended early.
enum Stop {
    Store(crate::store::StoreError),
    Source(SourceError),
}

impl From<crate::store::StoreError> for Stop {
    fn from(error: crate::store::StoreError) -> Stop {
        Stop::Store(error)
    }
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Stop {
        Stop::Source(error)
    }
}

/// The position where reading begins.
enum Start {
    /// Nothing has changed.
    Unchanged,
    /// The first line.
    Whole,
    /// After the part that an earlier run has read.
    At(FileSeen),
}

impl Reader<'_, '_> {
    /// Reads the file. A problem with the file becomes a note in the report; an error is returned for a problem with
    /// the store.
    pub(super) fn read(&mut self, table: &mut Table, path: &Path) -> Result<FileReport> {
        let name = path.to_string_lossy().into_owned();
        let mut report = FileReport { file: name.clone(), unchanged: false, counts: Counts::default(), note: None };
        for attempt in 1.. {
            let before = report.counts;
            // These deferred lines are read again, so they are not counted twice.
            report.counts.lines -= report.counts.deferred;
            report.counts.deferred = 0;
            match self.attempt(table, path, &name, &mut report) {
                Ok(()) => {
                    if report.unchanged && attempt > 1 {
                        report.unchanged = false;
                        report.counts = before;
                    }
                    if attempt == ATTEMPTS || self.by_hand || !is_being_written(path, &report) {
                        return Ok(report);
                    }
                }
                Err(Stop::Store(error)) => return Err(error),
                Err(Stop::Source(error)) if error.is_permanent() || attempt == ATTEMPTS => {
                    tracing::warn!(table = %table.name, "{error}");
                    if let SourceError::Damaged { .. } = &error {
                        self.note_damaged(table, path, &name, &error)?;
                    }
                    report.note = Some(error.to_string());
                    return Ok(report);
                }
                Err(Stop::Source(_)) => {}
            }
            // A writer is active: give it time to finish, and let a sync write in the meantime.
            self.staging.flush(table)?;
            self.staging.commit()?;
            std::thread::sleep(BETWEEN_ATTEMPTS);
        }
        Ok(report)
    }

    /// Stores the reason why the file cannot be read; it is read again when it changes.
    fn note_damaged(&mut self, table: &mut Table, path: &Path, name: &str, error: &SourceError) -> Result<()> {
        let file =
            QuietFile::open(path).and_then(|mut file| Ok((file.snapshot(), file.fingerprint(file.snapshot().size)?.0)));
        let Ok((snapshot, hash)) = file else { return Ok(()) };
        let taker = LineTaker::new(self.store, self.config, name, Timestamp::from_utc(self.clock.now()));
        let mut seen = Resume::BEGINNING.seen(&taker, snapshot, hash, hash);
        seen.note = Some(error.to_string());
        self.staging.save_file(table, &seen)
    }

    fn attempt(
        &mut self,
        table: &mut Table,
        path: &Path,
        name: &str,
        report: &mut FileReport,
    ) -> std::result::Result<(), Stop> {
        let mut file = QuietFile::open(path)?;
        let now = Timestamp::from_utc(self.clock.now());
        file.set_written(self.by_hand || self.tail_is_due(&file, now));
        let mut taker = LineTaker::new(self.store, self.config, name, now);
        taker.elsewhere = self.elsewhere.get(path).map(Vec::as_slice).unwrap_or_default();
        taker.is_by_hand = self.by_hand;
        taker.is_in_order = true;
        taker.entries = self.entries.clone();
        let seen = self.store.file_seen(table, name)?;
        let mut start = self.start(&mut file, seen.as_ref(), now)?;
        let was_rewritten = matches!(start, Start::Whole) && !self.by_hand && !file.is_compressed() && {
            let size = file.snapshot().size;
            seen.as_ref().is_some_and(|seen| seen.resume_at > 0 && size >= seen.size)
        };
        let has_note = seen.as_ref().is_some_and(|seen| seen.note.is_some());
        if matches!(start, Start::Unchanged) && self.tries_noted && has_note {
            start = Start::Whole;
        }
        if !matches!(start, Start::Unchanged) {
            taker.refusal = format::begin(&mut file, &self.config.format)?.err().map(|error| error.to_string());
        }
        let still_held = matches!(&start, Start::At(seen) if seen.held);
        if was_rewritten || still_held {
            taker.watch = if self.tail_is_due(&file, now) { Watch::Take } else { Watch::Hold };
        }
        if let Start::At(seen) = &start {
            let header = seen.header.map(|id| self.store.header(id)).transpose()?.flatten();
            taker.years = self.years(table, &mut file, (seen.resume_at, header.as_ref()))??;
        }
        let from = match start {
            Start::Unchanged => {
                report.unchanged = true;
                report.note = seen.and_then(|seen| seen.note);
                return Ok(());
            }
            Start::At(seen)
                if format::begin_under(&mut file, seen.headed_at)? && self.resume(&mut taker, table, &seen)? =>
            {
                taker.is_append = !seen.held && !seen.tail_taken && seen.resume_at == seen.size;
                seen.resume_at
            }
            _ => {
                if file.headed_at() > 0 {
                    // Its later header was opened for a resume, and the file is read from its beginning.
                    taker.refusal = format::begin(&mut file, &self.config.format)?.err().map(|error| error.to_string());
                }
                taker.years = self.years(table, &mut file, (0, None))??;
                if matches!(self.config.format, FileFormat::Csv(_)) {
                    self.staging.begin()?;
                    taker.begin_csv(self.staging, table)?;
                }
                0
            }
        };
        taker.deferred = Deferred::new(self.store.deferred_lines(table, name)?, from > 0);
        table.runs.begin_file();
        file.start_at(from);
        self.progress.file(path, file.snapshot().size.saturating_sub(from));
        let read = self.chunks(table, &mut file, &mut taker, from);
        taker.resolve_waiting(self.staging, table)?;
        taker.look_back(self.staging, table)?;
        report.counts.add(&taker.counts);
        self.entries = std::mem::take(&mut taker.entries);
        self.taken_up += taker.placing.taken_up;
        self.notes.extend(taker.placing.note.take());
        self.notes.extend(taker.said.take());
        report.note = taker.note;
        if let Some(refusal) = taker.refusal {
            report.note = Some(format!("{name} {refusal}"));
        }
        read
    }

    fn resume(&mut self, taker: &mut LineTaker<'_>, table: &mut Table, seen: &FileSeen) -> Result<bool> {
        match seen.header {
            Some(header) => taker.resume(self.staging, table, seen.resume_line, header),
            None => Ok(false),
        }
    }

    /// Compares the file with what the store knows about it.
    fn start(
        &self,
        file: &mut QuietFile,
        seen: Option<&FileSeen>,
        now: Timestamp,
    ) -> std::result::Result<Start, SourceError> {
        let Some(seen) = seen.filter(|_| !self.by_hand) else { return Ok(Start::Whole) };
        // The configuration now gives the logger table's name, so the earlier refusal no longer applies.
        if self.config.logger_table.is_some() && seen.note.as_ref().is_some_and(|note| note.contains(names::TWO_TABLES))
        {
            return Ok(Start::Whole);
        }
        let snapshot = file.snapshot();
        let same_time = snapshot.modified_nanos() == seen.modified;
        if snapshot.size == seen.size {
            let (hash, complete) = file.fingerprint(seen.size)?;
            if hash == seen.whole_hash && (complete || same_time) {
                let tail_is_pending = seen.resume_at < seen.size && !seen.tail_taken && seen.note.is_none();
                if !(tail_is_pending && self.tail_is_due(file, now)) {
                    return Ok(Start::Unchanged);
                }
                return Ok(Start::At(seen.clone()));
            }
            if !complete {
                return Ok(Start::Whole);
            }
        }
        if file.is_compressed() || seen.resume_at == 0 || seen.resume_at > snapshot.size {
            return Ok(Start::Whole);
        }
        let (hash, _) = file.fingerprint(seen.resume_at)?;
        Ok(if hash == seen.prefix_hash { Start::At(seen.clone()) } else { Start::Whole })
    }

    fn tail_is_due(&self, file: &QuietFile, now: Timestamp) -> bool {
        let still = now.nanos().saturating_sub(file.snapshot().modified_nanos());
        u128::try_from(still).is_ok_and(|still| still >= self.config.last_line_after.as_nanos())
    }

    fn chunks(
        &mut self,
        table: &mut Table,
        file: &mut QuietFile,
        taker: &mut LineTaker<'_>,
        from: u64,
    ) -> std::result::Result<(), Stop> {
        let snapshot = file.snapshot();
        // The writer of a compressed file has closed it.
        let is_closed = file.is_compressed();
        let tail_is_due = is_closed || self.tail_is_due(file, taker.now);
        let mut resume = Resume { at: from, line: taker.number - 1, header: taker.header, headed_at: file.headed_at() };
        let mut tail_taken = false;
        while let Some(chunk) = file.next_chunk()? {
            let Chunk { offset, bytes, is_tail, end, is_cut, headed_at, breaks_off, .. } = chunk;
            taker.is_cut = is_cut;
            taker.is_clean = format::is_clean(bytes);
            if is_tail {
                if chunk.is_translated() {
                    taker.take_rest(bytes);
                } else {
                    tail_taken = self.take_tail(table, taker, bytes, tail_is_due && !breaks_off)?;
                }
                self.progress.advance(end - offset);
                break;
            }
            if offset == 0 && from == 0 && matches!(self.config.format, FileFormat::Logger(_)) {
                let first = format::detect(glued::first_line(bytes));
                taker.header_follows = matches!(first, format::Format::Unknown | format::Format::Array)
                    && format::next_header(bytes).is_some();
            }
            let mut begin = 0;
            let mut looks_ahead = table.samples.is_none() && self.config.samples == SharedStamps::AsShown;
            for (place, line_end) in memchr::memchr_iter(b'\n', bytes).enumerate() {
                let line_at = chunk.place(place, begin);
                let line = &bytes[begin..line_end];
                taker.deferred.see(line);
                if taker.asks_for_name() {
                    taker.look_ahead_for_name(self.staging, table, &bytes[begin..])?;
                }
                if taker.asks_for_pass() {
                    taker.look_ahead_for_pass(table, &bytes[begin..]);
                }
                begin = line_end + 1;
                if looks_ahead && share_stamp(line, &bytes[begin..]) && taker.reads_rows() {
                    looks_ahead = false;
                    self.staging.begin()?;
                    taker.look_ahead(self.staging, table, &bytes[begin - line.len() - 1..])?;
                }
                if let Some(length) = chunk.damage(place) {
                    taker.take_damage(self.staging, table, line, (line_at, length))?;
                } else if taker.watch == Watch::Off {
                    taker.take_said(self.staging, table, line, chunk.said(place))?;
                } else {
                    // A line that was held at the last read is judged now.
                    let again = line_at == from && from > 0;
                    let watch = taker.watch;
                    taker.watch = if again { Watch::Take } else { watch };
                    // If the file has a single row, it is new, because the file changed.
                    taker.is_append |= begin == bytes.len();
                    taker.take_watched(self.staging, table, line, glued::first_line(&bytes[begin..]))?;
                    taker.watch = if taker.deferred.is_full() { Watch::Take } else { watch };
                    if taker.held_from == Some(taker.number - 1) {
                        resume = Resume { at: line_at, line: taker.number - 2, header: taker.header, headed_at };
                    }
                }
                if taker.held_from.is_none() && taker.unfinished_header_lines() == 1 {
                    resume = Resume { at: line_at, line: taker.number - 2, header: taker.header, headed_at };
                }
            }
            self.progress.advance(end - offset);
            // If rows are rejected because of their header, the next read of an appended file starts at that header,
            // because only the header gives the reason.
            let goes_on_here =
                taker.unfinished_header_lines() == 0 && !taker.is_rejecting() && taker.held_from.is_none();
            if goes_on_here {
                resume = Resume { at: end, line: taker.number - 1, header: taker.header, headed_at };
            }
            if (is_closed || end < snapshot.size) && taker.refusal.is_none() && self.staging.is_commit_due() {
                if goes_on_here && !is_closed {
                    let (hash, _) = file.fingerprint(end)?;
                    let so_far = resume.seen(taker, Snapshot { size: end, ..snapshot }, hash, hash);
                    self.staging.save_file(table, &so_far)?;
                }
                taker.resolve_waiting(self.staging, table)?;
                self.staging.flush(table)?;
                self.staging.commit()?;
            }
        }
        taker.counts.deferred += taker.unfinished_header_lines();
        if taker.refusal.is_some() || taker.header.is_none() {
            resume = Resume::BEGINNING;
        }
        if file.breaks_off() {
            resume = Resume { header: resume.header, ..Resume::BEGINNING };
            let cut = SourceError::Cut { path: taker.path.into() };
            taker.note.get_or_insert_with(|| cut.to_string());
        } else if is_closed && resume.header.is_some() {
            resume.at = snapshot.size;
        }
        taker.resolve_waiting(self.staging, table)?;
        if taker.refusal.is_none() || taker.keeps_refused {
            let (gone, left) = taker.deferred.end();
            self.reject_overwritten(table, taker.path, &gone)?;
            self.staging.keep_deferred(table, taker.path, &left)?;
        }
        let (whole, _) = file.fingerprint(snapshot.size)?;
        let prefix = if resume.at == snapshot.size { whole } else { file.fingerprint(resume.at)?.0 };
        let mut seen = resume.seen(taker, snapshot, whole, prefix);
        seen.tail_taken = tail_taken;
        seen.held = taker.held_from.is_some();
        seen.note =
            taker.refusal.as_ref().map(|refusal| format!("{} {refusal}", taker.path)).or_else(|| taker.note.clone());
        self.staging.save_file(table, &seen)?;
        if self.staging.is_commit_due() {
            self.staging.flush(table)?;
            self.staging.commit()?;
        }
        Ok(())
    }

    /// Rejects lines that an earlier read deferred and that the file no longer contains.
    fn reject_overwritten(&mut self, table: &mut Table, path: &str, lines: &[DeferredLine]) -> Result<()> {
        let mut kept = KeptTaker::that_keeps(self.store, self.config, Timestamp::from_utc(self.clock.now()));
        for line in lines {
            // The row of the line is known from another read, or the line is too short for a row.
            if !kept.is_new_row(self.staging, table, line)? {
                continue;
            }
            let at = LineAt { path, number: line.number, raw: line.raw.as_bytes(), state: LineState::Unfinished };
            let reason = match line.header {
                None => UNREAD,
                Some(_) if line.glued => GLUED,
                Some(_) => CUT,
            };
            let refusal = LineRefusal { header: line.header, ..unreadable(reason.to_owned()) };
            // The refusal is stored as decided with the present inputs.
            let refusal = refusal.decided_by(again::inputs(self.config));
            self.staging.reject(table, at, &refusal)?;
        }
        Ok(())
    }

    /// Like [`Reader::reject_overwritten`], for files that no longer exist.
    pub(super) fn reject_vanished(&mut self, table: &mut Table) -> Result<()> {
        for path in self.store.files_with_deferred_lines(table)? {
            if Path::new(&path).symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
                let lines = self.store.deferred_lines(table, &path)?;
                self.reject_overwritten(table, &path, &lines)?;
                self.staging.keep_deferred(table, &path, &[])?;
            }
        }
        Ok(())
    }

    /// Takes the bytes after the last line end: they are blank, or staged because the file has not changed for long
    /// enough, or deferred.
    fn take_tail(&mut self, table: &mut Table, taker: &mut LineTaker<'_>, bytes: &[u8], is_due: bool) -> Result<bool> {
        let in_header = taker.unfinished_header_lines() > 0 || taker.header.is_none();
        taker.deferred.see(bytes);
        let blank = format::strip_noise(bytes).iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0);
        if blank && !in_header {
            taker.counts.lines += 1;
            taker.counts.blank += 1;
            return Ok(false);
        }
        if is_due && !in_header && format::header_lines(&format::strip_noise(bytes)).is_none() {
            taker.state = LineState::Unfinished;
            taker.take(self.staging, table, bytes)?;
            return Ok(true);
        }
        if taker.header.is_none() && taker.unfinished_header_lines() == 0 && taker.refusal.is_none() {
            // One line without a line end: it has no header if the file does not grow any more.
            let format = format::detect(bytes);
            let is_toa5 = matches!(self.config.format, FileFormat::Logger(_));
            let refusal = format.refusal().filter(|_| is_toa5 && (is_due || format != format::Format::Unknown));
            let ends_in_cr = is_due && memchr::memchr(b'\r', bytes).is_some_and(|at| at + 1 < bytes.len());
            taker.refusal = if ends_in_cr { Some(format::NO_LINE_FEED) } else { refusal }.map(str::to_owned);
        }
        if !in_header {
            taker.deferred.keep(taker.number, taker.header, &format::strip_noise(bytes), false);
        }
        taker.counts.lines += 1;
        taker.counts.deferred += 1;
        Ok(false)
    }
}

/// Whether a writer seems to be active: the file was written a moment ago and ends within a line, within the header or
/// is empty. LoggerNet and a scheduler both start on full minutes, so this happens in the field, and data written a
/// moment later may be overwritten before the next run.
fn is_being_written(path: &Path, report: &FileReport) -> bool {
    let stops_short = report.counts.deferred > 0 || report.counts.lines == 0;
    if report.unchanged || report.note.is_some() || !stops_short {
        return false;
    }
    let age = path.metadata().ok().and_then(|metadata| metadata.modified().ok()?.elapsed().ok());
    age.is_some_and(|age| age < JUST_WRITTEN)
}

/// A position in the file. Everything after it is still to be read.
#[derive(Clone, Copy)]
struct Resume {
    at: u64,
    line: u64,
    header: Option<i64>,
    /// Where that one begins, in a file of records.
    headed_at: u64,
}

impl Resume {
    /// Everything is to be read.
    const BEGINNING: Resume = Resume { at: 0, line: 0, header: None, headed_at: 0 };

    fn seen(&self, taker: &LineTaker<'_>, snapshot: Snapshot, whole_hash: u64, prefix_hash: u64) -> FileSeen {
        FileSeen {
            path: taker.path.to_owned(),
            size: snapshot.size,
            modified: snapshot.modified_nanos(),
            whole_hash,
            resume_at: self.at,
            resume_line: self.line,
            prefix_hash,
            header: self.header,
            headed_at: self.headed_at,
            tail_taken: false,
            held: false,
            note: None,
            seen: taker.now,
        }
    }
}
