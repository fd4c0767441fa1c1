//! Finds out how many rows share a stamp, where the configuration does not say it: the rows themselves may show it
//! ([`Samples::shown_by`]).
//!
//! The number is then kept with the table. Rows that were staged before that are kept as conflicts beside the first row of
//! their stamp; they become rows then. Where rows share stamps in a way that no number describes, a message names the key that does.

use super::Resolver;
use crate::config::{SharedStamps, TableConfig};
use crate::format::{Apart, strip_noise};
use crate::ingest::glued::first_line;
use crate::ingest::lines::LineTaker;
use crate::store::{Result, Staging, Store, Table};
use crate::text::{count, span, to_add};
use crate::time::{Candidates, LocalTime, NANOS_PER_SECOND, Samples, Timestamp, nanos};

/// The most rows that are examined to see how many share a stamp.
const LOOKED_AT: usize = 4_096;
/// If none of this many rows shares its stamp with the next one, rows of the table do not share stamps.
const LEAST_LOOKED_AT: usize = 16;
/// From this number on, rows with the time of the previous row are reported; a single one may be a clock step.
const LEAST_REPORTED: u64 = 2;
/// The length of the time in a line that is compared with that of the next line.
const STAMP: usize = 20;

impl LineTaker<'_> {
    /// Finds out whether rows share a stamp, before the first of them is taken, if the configuration does not say so.
    /// `ahead` begins with the next physical line.
    #[cold]
    pub(in crate::ingest) fn look_ahead(
        &mut self,
        staging: &mut Staging<'_>,
        table: &mut Table,
        ahead: &[u8],
    ) -> Result<()> {
        if let Some(column) = self.column_apart(table, ahead) {
            self.placing.is_apart = true;
            let path = self.path;
            self.placing.note.get_or_insert(format!(
                "{path}: rows of one time differ in column \"{column}\"; write [table.columns.\"{column}\"] with use = \"tag\" in \
                 [[table]] \"{table}\", so that each has a series of its own: the rows beside others become rows then",
                table = self.config.name
            ));
            return Ok(());
        }
        let Some(samples) = self.shown(ahead) else { return Ok(()) };
        self.begin_samples(staging, table, samples)
    }

    fn begin_samples(&mut self, staging: &mut Staging<'_>, table: &mut Table, samples: Samples) -> Result<()> {
        let path = self.path;
        let note = format!(
            "{path}: {rows} rows share each second, so they are spread over it by RECORD; samples_per_stamp = {rows} \
             in the [[table]] says so for good, samples_per_stamp = 1 denies it",
            rows = samples.per_stamp()
        );
        self.placing.note.get_or_insert(note);
        let mut settler =
            Resolver { store: self.store, staging, table, config: self.config, now: self.now, in_pieces: true };
        self.placing.taken_up += settler.begin(samples)?;
        Ok(())
    }

    /// Notes a row with the time of the previous row, which was kept beside it as a conflict.
    #[cold]
    pub(in crate::ingest) fn note_conflict(&mut self, before: Option<(Timestamp, i64)>) {
        let this = self.previous.zip(self.row.record);
        // The previous row may be in the last collection.
        let goes_on = before.is_none_or(|before| {
            this.is_some_and(|this| before.0 == this.0 && before.1.checked_add(1) == Some(this.1))
        });
        self.placing.shared += u64::from(goes_on && self.row.record.is_some());
    }

    /// Finds out whether the newest rows share a stamp, if this read added too few rows to show it.
    pub(in crate::ingest) fn look_back(&mut self, staging: &mut Staging<'_>, table: &mut Table) -> Result<()> {
        let shared = std::mem::take(&mut self.placing.shared);
        if shared == 0
            || self.placing.is_apart
            || table.samples.is_some()
            || self.config.samples != SharedStamps::AsShown
        {
            return Ok(());
        }
        let series = staging.series_of(table, if self.tags.is_empty() { "[]" } else { &self.tags })?;
        let rows = self.store.newest_records(series, LOOKED_AT)?;
        let Some(samples) = Samples::shown_by(rows.iter().copied()) else {
            if shared >= LEAST_REPORTED {
                let path = self.path;
                self.placing.note.get_or_insert_with(|| {
                    let have = if shared == 1 { "has" } else { "have" };
                    format!(
                        "{path}: {} {have} the time of the row before, and RECORD counts on: {}",
                        count(shared, "row"),
                        what_to_write(Samples::seen_in(&rows))
                    )
                });
            }
            return Ok(());
        };
        self.begin_samples(staging, table, samples)
    }

    /// The column, which is no tag, whose texts tell the rows of one stamp apart.
    fn column_apart(&mut self, table: &Table, ahead: &[u8]) -> Option<String> {
        let mut apart = Apart::default();
        let whole = memchr::memrchr(b'\n', ahead).and_then(|end| ahead.get(..end))?;
        let mut last = None;
        let mut shares = false;
        for (place, line) in whole.split(|byte| *byte == b'\n').take(Apart::LOOKED_AT).enumerate() {
            let Some(local) = self.stamp_of(&strip_noise(line)) else { break };
            shares |= last.replace(local) == Some(local);
            // Most tables end here: their stamps have fractions.
            if !self.row.tags.is_empty() || (place > LEAST_LOOKED_AT && !shares) {
                return None;
            }
            apart.see(local.nanos_since(LocalTime::from_nanos(0)), self.row.values_json());
        }
        table.column_names().into_iter().nth(apart.column()?)
    }

    fn shown(&mut self, ahead: &[u8]) -> Option<Samples> {
        let mut rows = Vec::new();
        let mut tags: Option<Vec<String>> = None;
        let mut shares = false;
        let whole = memchr::memrchr(b'\n', ahead).and_then(|end| ahead.get(..end))?;
        for line in whole.split(|byte| *byte == b'\n').take(LOOKED_AT) {
            let line = strip_noise(line);
            let Some((local, record)) = self.time_and_record(&line) else { break };
            // In the hour that a zone repeats, rows that follow each other are of one pass until their stamps go back.
            let (Candidates::One(ts) | Candidates::Two(ts, _)) = self.config.clock.candidates(local) else { break };
            if rows.last().is_some_and(|&(before, _): &(Timestamp, i64)| ts < before) {
                break;
            }
            if *tags.get_or_insert_with(|| self.row.tags.clone()) == self.row.tags {
                shares |= rows.last().is_some_and(|&(before, last): &(Timestamp, i64)| {
                    before == ts && last.checked_add(1) == Some(record)
                });
                rows.push((ts, record));
            }
            // The rows belong to several series of one time, or were written twice.
            if rows.len() > LEAST_LOOKED_AT && !shares {
                return None;
            }
        }
        Samples::shown_by(rows)
    }
}

/// Whether two physical lines begin with the same time in whole seconds.
#[inline]
pub(in crate::ingest) fn share_stamp(line: &[u8], rest: &[u8]) -> bool {
    line.get(..STAMP).is_some_and(|stamp| rest.starts_with(stamp)) && first_line(rest).len() > STAMP
}

/// What to write where the rows contradict the interval between stamps that is only assumed.
pub(super) fn shows_other_stamps(store: &Store, table: &Table, config: &TableConfig) -> Result<Option<String>> {
    let SharedStamps::OfSeconds(samples) = config.samples else { return Ok(None) };
    for series in table.series_ids() {
        let seen = Samples::seen_in(&store.newest_records(series, LOOKED_AT)?);
        if let Some((_, between)) = seen.filter(|seen| seen.1 != nanos(samples.interval())) {
            let between = span(between / NANOS_PER_SECOND);
            return Ok(Some(format!("the stamps are {between} apart; {}", what_to_write(seen))));
        }
    }
    Ok(None)
}

/// The keys for rows that share stamps: so many a stamp, so many nanoseconds between stamps, where that is even.
pub(super) fn what_to_write(seen: Option<(u64, i64)>) -> String {
    let events = "events = true if the logger writes them on events, such as tips";
    match seen {
        Some((rows, nanos)) if nanos % NANOS_PER_SECOND == 0 && (60 * NANOS_PER_SECOND) % nanos == 0 => format!(
            "write samples_per_stamp = {rows} and stamp_interval = \"{}\" in the [[table]] if the rows of a stamp are spread \
             evenly over the time to the next one, or {events}",
            to_add(nanos / NANOS_PER_SECOND)
        ),
        _ => format!("write {events}, or samples_per_stamp if they come at a fixed rate, in the [[table]]"),
    }
}
