//! Decides to which pass of the repeated hour (in autumn, when clocks are set back) a line belongs.
//!
//! A stamp in that hour means one of two instants. The record number or the previous row in the same file decides. The
//! first row of a file has neither if the table has no record numbers, and its content may equal that of the row in the
//! other pass (a rain gauge writes 0). Then the rows after it in the file decide: their stamps go back within the hour,
//! so the first row belongs to the first pass; or they leave the hour without going back; or the store has other
//! contents for one of the passes. A wrong choice would mistake a row of the second pass for a known one, and lose it
//! (I3).

use std::collections::BTreeSet;

use super::lines::LineTaker;
use crate::format;
use crate::store::{Result, Staging, Table};
use crate::time::{Candidates, LocalTime, Timestamp, nanos};

/// The rows after the first row of a file, as far as they are in the repeated hour.
#[derive(Debug)]
pub(super) enum RowsAhead {
    /// No row was seen yet.
    Unseen,
    /// They are not needed: the first row is not in that hour, or has a record number.
    NotNeeded,
    Run(Run),
}

/// The rows from the first one to the end of the hour, or until their stamps go back.
#[derive(Debug)]
pub(super) struct Run {
    rows: Vec<RowAhead>,
    ending: Ending,
}

#[derive(Debug)]
struct RowAhead {
    tags: String,
    /// The row's instants in the first and in the second pass.
    instants: [Timestamp; 2],
    /// The values as a JSON array.
    values: String,
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    /// The stamps go back, or a stamp is repeated.
    GoesBack,
    /// The next row has this time, after the hour.
    Leaves(Timestamp),
    /// The file ends within the hour.
    Open,
}

/// What the store has of the rows of a run, if they belong to one pass.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// The store has a row with other content.
    differs: bool,
    /// The store has a row with the same content.
    is_there: bool,
}

impl LineTaker<'_> {
    /// Whether [`LineTaker::look_ahead_for_pass`] must be called before the next line is taken.
    #[inline]
    pub(super) fn asks_for_pass(&self) -> bool {
        matches!(self.rows_ahead, RowsAhead::Unseen) && self.reads_rows()
    }

    /// Reads the rows that begin with the first line of `rest`, if it is a row in the repeated hour.
    #[cold]
    pub(super) fn look_ahead_for_pass(&mut self, table: &Table, rest: &[u8]) {
        if self.stamps().is_plain() || table.samples.is_some() || self.long().is_some() {
            self.rows_ahead = RowsAhead::NotNeeded;
            return;
        }
        let whole = memchr::memrchr(b'\n', rest).map_or(rest, |end| &rest[..end]);
        let mut run = Run { rows: Vec::new(), ending: Ending::Open };
        let mut last: Option<LocalTime> = None;
        let mut of_stamp = BTreeSet::new();
        for line in whole.split(|byte| *byte == b'\n') {
            let Some((local, tags)) = self.stamp_and_tags(line) else {
                // Nothing is known before the first row.
                if last.is_none() { return } else { continue }
            };
            match self.stamps().candidates(local, None) {
                Candidates::Two(first, second) if self.row.record.is_none() => {
                    if last != Some(local) {
                        of_stamp.clear();
                    }
                    if last.is_some_and(|last| local < last) || !of_stamp.insert(tags.clone()) {
                        run.ending = Ending::GoesBack;
                        break;
                    }
                    let values = self.row.values_json().to_owned();
                    run.rows.push(RowAhead { tags, instants: [first, second], values });
                    last = Some(local);
                }
                Candidates::One(ts) if last.is_some_and(|last| last < local) => {
                    run.ending = Ending::Leaves(ts);
                    break;
                }
                _ => break,
            }
        }
        self.rows_ahead = if run.rows.is_empty() { RowsAhead::NotNeeded } else { RowsAhead::Run(run) };
    }

    fn stamp_and_tags(&mut self, line: &[u8]) -> Option<(LocalTime, String)> {
        let tags = self.tags_of(&format::strip_noise(line))?;
        Some((self.local()?, tags))
    }

    /// Chooses between the two instants of a stamp: the one whose staged row has this record number; otherwise the one
    /// that follows the previous row.
    pub(super) fn settle_double_hour(
        &mut self,
        staging: &Staging<'_>,
        table: &mut Table,
        (earlier, later): (Timestamp, Timestamp),
        has_tags: bool,
    ) -> Result<Timestamp> {
        // A row that shares its stamp with the previous row.
        if let Some(samples) = table.samples {
            let tags = if has_tags { self.tags.as_str() } else { "[]" };
            let before = match self.previous {
                Some(previous) => [Some(previous), None],
                None => {
                    let before = self.row.record.and_then(|record| table.runs.time_before(record));
                    [before, staging.newest_of(table, tags)]
                }
            };
            let mut stamps = before.into_iter().flatten().map(|before| samples.stamp_of(before));
            if let Some(stamp) = stamps.find(|stamp| *stamp == earlier || *stamp == later) {
                return Ok(stamp);
            }
        }
        let same_pass = match self.key_in_its_stamp(has_tags) {
            Some(key) => self.pass_of_its_stamp(key, earlier, later),
            None => None,
        };
        if let Some(record) = self.row.record {
            for candidate in [earlier, later] {
                if staging.has_record_at(table, candidate, record)? {
                    return Ok(candidate);
                }
            }
        }
        if let Some(same_pass) = same_pass {
            return Ok(same_pass);
        }
        if !has_tags
            && table.samples.is_none()
            && let Some(record) = self.row.record
            && let Some(counted) = self.counted_pass(staging, table, record, (earlier, later))?
        {
            return Ok(counted);
        }
        if let Some(previous) = self.previous {
            return Ok(if previous >= earlier { later } else { earlier });
        }
        // The previous row was in an earlier collection.
        let tags = if has_tags { self.tags.as_str() } else { "[]" };
        let newest = staging.newest_of(table, tags);
        let in_second_hour = match (self.row.record, newest) {
            // Within the repeated hour the newest row is better evidence than the record number, which may have been
            // reset.
            (Some(_), Some(newest)) if newest >= earlier && newest < later => true,
            (Some(record), _) => table.runs.time_before(record).is_some_and(|before| before >= earlier),
            (None, newest) => match &self.rows_ahead {
                RowsAhead::Run(run) => self.is_second_pass(staging, table, (run, newest))?,
                RowsAhead::Unseen | RowsAhead::NotNeeded => {
                    self.is_appended_in(newest, [earlier, later])
                        || staging.says_same(table, tags, earlier, self.row.values_json(), self.header)? == Some(false)
                }
            },
        };
        Ok(if in_second_hour { later } else { earlier })
    }

    /// The instant that is nearer to the one counted from the row before, by the usual interval, where records are missing between
    /// them: a collection was missed. None where the two say nothing.
    #[cold]
    fn counted_pass(
        &self,
        staging: &Staging<'_>,
        table: &mut Table,
        record: i64,
        (earlier, later): (Timestamp, Timestamp),
    ) -> Result<Option<Timestamp>> {
        let in_file = self.previous_record.zip(self.previous).filter(|(before, _)| *before < record);
        let Some((before, at)) = in_file.or_else(|| table.runs.last_below(record)) else { return Ok(None) };
        let records = record - before;
        // The next record goes on with the row before it.
        if records < 2 || at > later {
            return Ok(None);
        }
        let Some(interval) = staging.interval_up_to(table, at)? else { return Ok(None) };
        let counted = at.plus(nanos(interval).saturating_mul(records));
        let away = |instant: Timestamp| instant.nanos_since(counted).abs();
        let nearer = if away(later) < away(earlier) { later } else { earlier };
        // Farther away the logger was off, or RECORD does not count rows.
        Ok((away(nearer) <= later.nanos_since(earlier) / 2).then_some(nearer))
    }

    /// Whether a row was appended after rows of the first pass that are at least as late in the hour.
    fn is_appended_in(&self, newest: Option<Timestamp>, [earlier, later]: [Timestamp; 2]) -> bool {
        self.is_append && newest.is_some_and(|newest| newest >= earlier && newest < later)
    }

    /// Whether the rows at the beginning of a file, or of the appended part, belong to the second pass.
    fn is_second_pass(
        &self,
        staging: &Staging<'_>,
        table: &mut Table,
        (run, newest): (&Run, Option<Timestamp>),
    ) -> Result<bool> {
        let (Some(first), Some(last)) = (run.rows.first(), run.rows.last()) else { return Ok(false) };
        if matches!(run.ending, Ending::GoesBack) {
            return Ok(false);
        }
        if self.is_appended_in(newest, first.instants) {
            return Ok(true);
        }
        let mut known = [Known::default(); 2];
        for row in &run.rows {
            for (known, ts) in known.iter_mut().zip(row.instants) {
                let same = staging.says_same(table, &row.tags, ts, &row.values, self.header)?;
                known.differs |= same == Some(false);
                known.is_there |= same == Some(true);
            }
        }
        let [in_first, in_second] = known;
        if in_first.differs || in_second.differs {
            return Ok(in_first.differs);
        }
        Ok(match (run.ending, newest) {
            // The rows are read again.
            (Ending::Leaves(next), Some(newest)) if newest >= next => in_second.is_there,
            (Ending::Leaves(_), Some(newest)) if newest >= first.instants[0] => true,
            // The hour without rows is where the rows leave the longer gap.
            (Ending::Leaves(next), newest) => {
                let before = newest.map_or(i64::MAX, |newest| first.instants[0].nanos_since(newest));
                next.nanos_since(last.instants[1]) < before
            }
            // A file that LoggerNet overwrote ends with new rows. A file that is read by hand may be a copy of an old
            // one.
            (_, Some(newest)) => {
                !self.is_by_hand
                    && newest >= last.instants[0]
                    && newest < last.instants[1]
                    && last.instants[1] <= self.now
            }
            (_, None) => false,
        })
    }

    /// The key that distinguishes the line from others of its time: its tags, and the sensor in it. None if there is
    /// one line per time.
    fn key_in_its_stamp(&self, has_tags: bool) -> Option<String> {
        let tags = if has_tags { self.tags.as_str() } else { "[]" };
        match self.long() {
            Some(long) => Some(format!("{tags} {}", long.sensor(self.row.values_json()).unwrap_or_default())),
            None => has_tags.then(|| tags.to_owned()),
        }
    }

    /// The instant of the previous row, if it has the same stamp and another key: both rows are of one pass of the
    /// repeated hour. The same key again begins the second pass.
    fn pass_of_its_stamp(&mut self, key: String, earlier: Timestamp, later: Timestamp) -> Option<Timestamp> {
        let previous = self.previous.filter(|previous| *previous == earlier || *previous == later);
        if previous.is_none() || self.of_stamp.0 != earlier {
            self.of_stamp = (earlier, BTreeSet::new());
        }
        if self.of_stamp.1.insert(key.clone()) {
            return previous;
        }
        self.of_stamp.1 = BTreeSet::from([key]);
        previous.map(|_| later)
    }
}
