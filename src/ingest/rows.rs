//! Stages a line as a row, or says why it is none: what stands in it, which instant its stamp means, and whether a row can
//! have that time at present (I1).
//!
//! A line that is not a row has a reason for the operator and, where a later configuration or a later time may make it one, what
//! that depends on (I11). Nothing is counted here, so that new lines and lines that were kept are judged by one rule.

use std::time::Duration;

use super::again;
use super::lines::{Expect, LineTaker};
use super::long::LongReading;
use crate::config::{FileFormat, TableConfig};
use crate::format::{Header, Layout};
use crate::store::{Incoming, LineAt, LineRefusal, Outcome, Records, Result, Staging, Table};
use crate::time::{Candidates, LocalTime, StampRead, StationClock, Timestamp};

/// How far a logger's clock may be ahead of the computer's: less than a day.
const FUTURE_ALLOWED: Duration = Duration::from_secs(86_400);

/// So many counts of RECORD may disprove the time of a held line.
const COUNTS_ASKED: usize = 3;

/// The result for a line that should be a row.
pub(super) enum Taken {
    Row(Outcome),
    /// Not a row, and not expected to be one: a comment, or a header that is repeated.
    Header,
    Refused(LineRefusal),
}

/// How the rows under the current header are read.
pub(super) struct RowReading {
    pub(super) layout: Layout,
    pub(super) has_tags: bool,
    /// The header of the lines, if it may be repeated in the file.
    pub(super) header: Option<Header>,
    /// Set for a table with one value per line.
    pub(super) long: Option<LongReading>,
}

impl LineTaker<'_> {
    /// Stages a line as a row, or returns why it is not one. It does not count the line.
    #[inline]
    pub(super) fn stage_row(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        line: LineAt<'_>,
    ) -> Result<Taken> {
        let reading = match &self.expect {
            Expect::Rows(reading) => reading,
            Expect::Foreign(reason) => return Ok(Taken::Refused(self.refused(reason.clone(), None))),
            _ => return Ok(Taken::Refused(unreadable("is before the header".to_owned()))),
        };
        if self.config.format.is_comment(line.raw) {
            return Ok(Taken::Header);
        }
        if !std::mem::take(&mut self.is_read)
            && let Err(error) = self.row.read(line.raw, &reading.layout)
            && !self.is_of_another_year(staging, table, line, &error)?
        {
            let refusal = self.refused(error.to_string(), None);
            let is_message = matches!(self.config.format, FileFormat::Csv(_)) && self.armor.takes(line.raw);
            let is_header = is_message || self.take_header_line(staging, table, line)?;
            return Ok(if is_header { Taken::Header } else { Taken::Refused(refusal) });
        }
        if self.years.is_some()
            && let Some(taken) = self.keep_year(staging, table, line, true)?
        {
            return Ok(taken);
        }
        let Expect::Rows(reading) = &self.expect else { return Ok(Taken::Header) };
        let has_tags = reading.has_tags;
        if has_tags {
            self.tags = self.tags_read(reading);
        }
        // A layout without a time column was refused together with its header.
        let local = self.local().unwrap_or(LocalTime::from_nanos(0));
        let config = self.config;
        let known_stamp = self.known_time.map(|known| table.samples.map_or(known, |samples| samples.stamp_of(known)));
        if !self.entries.is_empty() && !has_tags {
            self.end_entries(staging, table, local)?;
        }
        // A stamp with an offset says which of the two instants it is.
        let known = self.row.stamp.and_then(StampRead::instant).or(known_stamp);
        let ts = match self.stamps().candidates(local, self.row.record) {
            Candidates::One(ts) => ts,
            // A content that an earlier version kept beside the row of this time.
            Candidates::Missing(ts) if known_stamp == Some(ts) => ts,
            Candidates::Missing(ts) => {
                let record = self.row.record.filter(|_| !has_tags);
                return Ok(Taken::Refused(LineRefusal { record, ..self.in_the_missing_hour(local, ts, line.number) }));
            }
            Candidates::Two(earlier, later) if known.is_some() => {
                if known == Some(later) {
                    later
                } else {
                    earlier
                }
            }
            Candidates::Two(earlier, later) => self.settle_double_hour(staging, table, (earlier, later), has_tags)?,
        };
        if self.was_kept
            && !has_tags
            && let Some(refusal) = self.is_disproved(table, local, ts)?
        {
            return Ok(Taken::Refused(refusal));
        }
        // A content beside a row moves with the row; a later `valid_from` does not reject it.
        if !self.were_rows
            && let Some(refusal) = self.refused_time(local, ts)
        {
            let record = self.row.record.filter(|_| !has_tags);
            return Ok(Taken::Refused(LineRefusal { record, ..refusal }));
        }
        let stamp = ts;
        let ts = match self.place(staging, table, stamp, local, has_tags)? {
            Ok(ts) => ts,
            Err(refusal) => {
                self.previous = Some(stamp);
                return Ok(Taken::Refused(refusal));
            }
        };
        let stamps = self.stamps();
        let odd_time =
            ts != stamp || !self.row.time_is_plain || (!stamps.is_plain() && stamps.usual_stamp(ts) != local);
        if odd_time && self.row.time_is_plain {
            self.row.time_text = local.to_string();
        }
        if let Some(taken) = self.stage_part(staging, table, (line, ts, odd_time))? {
            return Ok(taken);
        }
        if self.joined.is_asked {
            self.ask_logger(table, ts)?;
        }
        let is_other = self.joined.is_other;
        if let Expect::Rows(reading) = &self.expect {
            self.row.derive_at(&reading.layout, ts);
        }
        let row = Incoming {
            tags: if has_tags { &self.tags } else { "[]" },
            ts,
            record: self.row.record,
            values: self.row.values_json(),
            numbers: &self.row.values,
            ts_text: odd_time.then_some(self.row.time_text.as_str()),
            line,
            header: self.header,
            stated_by: self.header,
            is_part: false,
        };
        if is_other {
            staging.set_records(Records::OfAnother);
        }
        let outcome = staging.stage(table, &row, self.on_conflict)?;
        if is_other {
            staging.set_records(Records::AsRead);
        }
        self.previous = Some(ts);
        if self.row.quotes_numbers && matches!(config.format, FileFormat::Logger(_)) {
            self.note_quoted_numbers(line.number);
        }
        Ok(Taken::Row(outcome))
    }

    /// Why a line that was held for its time stays so when that time comes: a later record has an earlier time, so that the
    /// logger's clock was ahead when it wrote the line. Where the configuration puts its time right, that holds.
    #[cold]
    fn is_disproved(&self, table: &Table, local: LocalTime, ts: Timestamp) -> Result<Option<LineRefusal>> {
        let Some(record) = self.row.record.filter(|record| !self.stamps().corrects(local, Some(*record))) else {
            return Ok(None);
        };
        let mut behind = None;
        for (from, to) in table.runs.newest_epochs(COUNTS_ASKED) {
            let last = ts.previous_key();
            if from < last && behind.is_none() {
                behind = self.store.row_behind(table, (from, to.min(last)), record)?;
            }
        }
        let Some(behind) = behind else { return Ok(None) };
        let reason = format!(
            "held: RECORD {} behind it has the time {}, which is earlier: the logger's clock was ahead when it wrote {local}. It is staged when \
             [[table.clock]] gives its true time",
            behind.0,
            self.config.clock.local(behind.1)
        );
        Ok(Some(self.refused(reason, Some(Timestamp::MAX))))
    }

    /// A row of a new count of RECORD ends the clock entries that would take it in.
    #[cold]
    fn end_entries(&mut self, staging: &mut Staging<'_>, table: &Table, local: LocalTime) -> Result<()> {
        let Some(record) = self.row.record else { return Ok(()) };
        let by = self.stamps().clone();
        if self.entries.is_ended_by(staging, table, (local, record), &by)? {
            self.entries.end((self.store, staging), table, self.config, (&by, (local, record)))?;
        }
        Ok(())
    }

    /// The time that a line gives its row. None if the line is not a row. `known` is the row's present time.
    pub(super) fn time_of(&mut self, table: &Table, raw: &[u8], known: Timestamp) -> Option<Timestamp> {
        let Expect::Rows(reading) = &self.expect else { return None };
        self.row.read(raw, &reading.layout).ok()?;
        let within = table.samples.map_or(0, |samples| known.nanos_since(samples.stamp_of(known)));
        Some(self.config.stamps.instant(self.local()?, self.row.record, Some(known)).plus(within))
    }

    /// The stamp of a line. None if the line is not a row.
    pub(super) fn stamp_of(&mut self, raw: &[u8]) -> Option<LocalTime> {
        let Expect::Rows(reading) = &self.expect else { return None };
        self.row.read(raw, &reading.layout).ok()?;
        self.local()
    }

    /// The stamp of the parsed row, by the logger's clock.
    #[inline]
    pub(super) fn local(&self) -> Option<LocalTime> {
        self.row.stamp.map(|stamp| self.config.stamps.stamp_of(stamp))
    }

    /// The tags that a line gives its row, as a JSON array. None if the line is not a row.
    pub(super) fn tags_of(&mut self, raw: &[u8]) -> Option<String> {
        let Expect::Rows(reading) = &self.expect else { return None };
        self.row.read(raw, &reading.layout).ok()?;
        Some(if reading.has_tags { self.tags_read(reading) } else { "[]".to_owned() })
    }

    /// The tags of the parsed line.
    fn tags_read(&self, reading: &RowReading) -> String {
        match &reading.long {
            Some(long) => long.tags(self.row.values_json()),
            None => serde_json::to_string(&self.row.tags).unwrap_or_default(),
        }
    }

    /// The logger's time and the record number of a line. None if it is not a row, or has no record number.
    pub(super) fn time_and_record(&mut self, line: &[u8]) -> Option<(LocalTime, i64)> {
        self.stamp_of(line).zip(self.row.record)
    }

    /// Whether a line is a row that the store does not have, by time and tags. True also if that cannot be determined.
    pub(super) fn is_new_row(&mut self, staging: &Staging<'_>, table: &mut Table, line: &[u8]) -> Result<bool> {
        Ok(self.reads(line) && !self.has_row(staging, table)?.unwrap_or(false))
    }

    /// Parses a line as a row; false if it is not one.
    pub(super) fn reads(&mut self, line: &[u8]) -> bool {
        matches!(&self.expect, Expect::Rows(reading) if self.row.read(line, &reading.layout).is_ok())
    }

    /// Whether the store has a row with the time and the tags of the parsed line. None if the line alone does not
    /// determine its time.
    pub(super) fn has_row(&self, staging: &Staging<'_>, table: &mut Table) -> Result<Option<bool>> {
        let Expect::Rows(reading) = &self.expect else { return Ok(None) };
        let time = self.local().map(|local| self.stamps().candidates(local, self.row.record));
        match time {
            // Rows that share a stamp are stored under times that differ from it.
            Some(Candidates::One(ts)) if table.samples.is_none() => {
                let tags = if reading.has_tags { self.tags_read(reading) } else { "[]".to_owned() };
                staging.has_row(table, &tags, ts).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The reason if no row can have this time at present: it is before `valid_from` or before 1970 (keys of rows hold
    /// none), or too far ahead of the computer's clock.
    #[inline]
    fn refused_time(&self, local: LocalTime, ts: Timestamp) -> Option<LineRefusal> {
        if can_have(self.config, ts, self.now) {
            return None;
        }
        let valid_from = Timestamp::from_utc(self.config.valid_from);
        if ts < Timestamp::EPOCH && valid_from <= Timestamp::EPOCH.after(FUTURE_ALLOWED) {
            let reason = format!(
                "{local} is before 1970-01-01 00:00:00 UTC, and no row can have a time before that; if the logger's clock was \
                 wrong and the true time is known, [[table.clock]] puts it right"
            );
            return Some(self.refused(reason, None));
        }
        if ts < valid_from {
            let from = self.config.clock.local(valid_from);
            let reason = format!(
                "the logger's clock is wrong: {local} is before valid_from = \"{from}\"; where its true time is known, \
                 [[table.clock]] puts it right"
            );
            return Some(self.refused(reason, None));
        }
        let not_before = ts.before(FUTURE_ALLOWED);
        (not_before > self.now).then(|| {
            let now = self.config.clock.event_time(self.now);
            let reason = format!(
                "held: {local} is more than a day ahead of this computer's clock ({now}); it is staged automatically when this \
                 clock reaches it. If the logger's clock is wrong, set it and put its rows right with [[table.clock]]; if the \
                 computer's clock is wrong, set that one"
            );
            self.refused(reason, Some(not_before))
        })
    }

    /// Refuses a row in the hour that the time zone skips: it proves that the logger's clock did not follow the zone
    /// then. Stored under the time of another row, it would become a conflict of that row, so the line is kept
    /// unchanged.
    #[cold]
    fn in_the_missing_hour(&mut self, local: LocalTime, ts: Timestamp, number: u64) -> LineRefusal {
        let StationClock::Zone(zone) = self.config.stamps.first() else {
            // A fixed offset skips no hour.
            return self.refused(local.to_string(), None);
        };
        let standard = self.config.stamps.first().standard_offset(ts);
        let reason = format!(
            "{local} does not exist in {zone}, which leaves this hour out, so the logger's clock did not follow the zone, and rows behind \
 it may be an hour early. If it keeps standard time, write utc_offset = \"{standard}\" in place of timezone and run \
 `fluxtower rekey`"
        );
        self.note.get_or_insert_with(|| format!("{}:{number} {reason}", self.path));
        self.refused(reason, None)
    }

    #[cold]
    fn note_quoted_numbers(&mut self, number: u64) {
        let (path, is_record) = (&self.path, self.row.quotes_record);
        self.note.get_or_insert_with(|| {
            if is_record {
                format!(
                    "{path}:{number} has its record number in quotes, so another program saved the file; its numbers in quotes were \
                     read as numbers. Compare it with the logger's own file, or collect it again"
                )
            } else {
                format!(
                    "{path}:{number} has numbers in quotes in a column that no logger quotes, so another program saved the file; its \
                     numbers in quotes were read as numbers. Compare it with the logger's own file, or collect it again"
                )
            }
        });
    }

    #[cold]
    pub(super) fn refused(&self, reason: String, not_before: Option<Timestamp>) -> LineRefusal {
        LineRefusal {
            reason,
            header: self.header,
            inputs: again::inputs(self.config),
            not_before,
            sample: None,
            record: None,
        }
    }
}

/// Whether a row can have this time at present.
#[inline]
pub(super) fn can_have(config: &TableConfig, ts: Timestamp, now: Timestamp) -> bool {
    ts >= Timestamp::EPOCH && ts >= Timestamp::from_utc(config.valid_from) && ts.before(FUTURE_ALLOWED) <= now
}

/// The refusal of a line that no configuration can make a row: it has no header, or that of another table.
pub(super) fn unreadable(reason: String) -> LineRefusal {
    LineRefusal { reason, header: None, inputs: 0, not_before: None, sample: None, record: None }
}
