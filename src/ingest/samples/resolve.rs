//! Judges again what is stored or held of stamps that rows share, when the configuration of shared stamps changed or when rows
//! that were read since tell the place of others (I11).

use std::collections::BTreeSet;

use super::shown::shows_other_stamps;
use super::{contradicts, decide};
use crate::config::{SharedStamps, TableConfig};
use crate::ingest::clock::read_stamp;
use crate::ingest::kept::KeptTaker;
use crate::ingest::rows::Taken;
use crate::store::{MovedRow, OldRow, Outcome, Records, Result, Spreading, Staging, Store, Table};
use crate::text::count;
use crate::time::{Clock, Place, Samples, Timestamp};

/// Applies the table's configuration of shared stamps to the stored rows. Returns a message if rows changed.
///
/// With millions of such rows this takes many transactions, and the store remembers the work that was begun.
pub(in crate::ingest) fn apply(
    store: &Store,
    staging: &mut Staging<'_>,
    table: &mut Table,
    config: &TableConfig,
    clock: &dyn Clock,
) -> Result<Option<String>> {
    let before = table.samples;
    let wanted = match config.samples {
        // Rows do not show that they are events.
        SharedStamps::AsShown => before.filter(|samples| !samples.are_events()),
        SharedStamps::Never => None,
        SharedStamps::Of(samples) | SharedStamps::OfSeconds(samples) => Some(samples),
    };
    let has_other_stamps = |samples: Samples| wanted.is_none_or(|wanted| wanted.interval() != samples.interval());
    let begun = store.spreading(table)?;
    if wanted == table.samples && begun.is_none() {
        return Ok(None);
    }
    staging.begin()?;
    staging.use_columns(table, config)?;
    let now = Timestamp::from_utc(clock.now());
    let mut resolver = Resolver { store, staging, table, config, now, in_pieces: true };
    let back = match resolver.table.samples {
        Some(samples) if begun == Some(Spreading::Back) || has_other_stamps(samples) => resolver.go_back(samples)?,
        _ => 0,
    };
    let apart = wanted.map_or(Ok(0), |samples| resolver.begin(samples))?;
    staging.flush(table)?;
    staging.commit()?;
    let key = match wanted.or(before) {
        Some(samples) if samples.are_events() => format!("events = {}", wanted.is_some()),
        _ => format!("samples_per_stamp = {}", wanted.map_or(1, Samples::per_stamp)),
    };
    let are = |rows: u64| if rows == 1 { "is" } else { "are" };
    Ok(match (apart, back) {
        (0, 0) => shows_other_stamps(store, table, config)?.map(|fix| format!("{key}: no row is spread: {fix}")),
        (0, back) => Some(format!(
            "{key}: {} that stood behind the time of {} stamp {} under that time again; of those \
             that share it, one is the row and the others are kept beside it, see `fluxtower conflicts`",
            count(back, "row"),
            if back == 1 { "its" } else { "their" },
            are(back)
        )),
        (rows, _) => Some(format!(
            "{key}: {} that shared a stamp with another {} staged under a time of {} own",
            count(rows, "row"),
            are(rows),
            if rows == 1 { "its" } else { "their" }
        )),
    })
}

/// Judges held lines and kept contents of the stamps of one table.
pub(in crate::ingest) struct Resolver<'a, 's> {
    pub(in crate::ingest) store: &'a Store,
    pub(in crate::ingest) staging: &'a mut Staging<'s>,
    pub(in crate::ingest) table: &'a mut Table,
    pub(in crate::ingest) config: &'a TableConfig,
    pub(in crate::ingest) now: Timestamp,
    /// Whether the work done so far may be committed: the store remembers that more is to be done.
    pub(in crate::ingest) in_pieces: bool,
}

/// The lines and contents that became rows.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Resolved {
    /// For each line its hash and result.
    pub(in crate::ingest) lines: Vec<(i64, Outcome)>,
    /// The number of contents that were kept beside the row of their stamp.
    pub(in crate::ingest) contents: u64,
}

impl Resolver<'_, '_> {
    /// From now on, rows of the table share stamps as `samples` says. Returns the number of conflicts that became rows.
    pub(super) fn begin(&mut self, samples: Samples) -> Result<u64> {
        self.staging.use_samples(self.table, Some(samples))?;
        self.staging.note_spreading(self.table, Some(Spreading::Apart))?;
        let mut rows = 0;
        for series in self.table.series_ids() {
            let mut after = Timestamp::MIN;
            loop {
                let times = self.store.times_in_conflict(series, after)?;
                let Some(last) = times.last() else { break };
                after = *last;
                let stamps = times.into_iter().filter(|ts| samples.is_stamp(*ts));
                let resolved = self.resolve_waiting(stamps.map(|stamp| (series, stamp)).collect())?;
                rows += resolved.contents + resolved.lines.len() as u64;
            }
        }
        self.staging.note_spreading(self.table, None)?;
        Ok(rows)
    }

    /// Gives rows that were spread the time of their stamp again, as if no stamp was ever shared. Returns their number.
    fn go_back(&mut self, samples: Samples) -> Result<u64> {
        self.staging.note_spreading(self.table, Some(Spreading::Back))?;
        let version = self.staging.version_of_move()?;
        self.table.samples = None;
        let mut rows = 0;
        for series in self.table.series_ids() {
            let Some(tags) = self.table.tags_of(series).map(str::to_owned) else { continue };
            let mut after = None;
            loop {
                let stored = self.store.old_rows(series, after)?;
                let Some(last) = stored.last() else { break };
                after = Some(last.id());
                let moved: Vec<MovedRow> =
                    stored.into_iter().filter_map(|row| moved_back(self.config, self.table, samples, row)).collect();
                rows += moved.len() as u64;
                self.staging.set_moving(Some(version));
                let done = self.staging.move_rows(self.table, &tags, &moved);
                self.staging.set_moving(None);
                done?;
                self.staging.end_move(series, &moved)?;
                self.commit_if_due()?;
            }
            self.contents_back(samples, series)?;
        }
        self.staging.flush(self.table)?;
        self.staging.find_newest(self.table)?;
        self.staging.use_samples(self.table, None)?;
        self.staging.note_spreading(self.table, None)?;
        Ok(rows)
    }

    /// Like [`Resolver::go_back`], for contents that are kept beside rows.
    fn contents_back(&mut self, samples: Samples, series: i64) -> Result<()> {
        let mut kept = KeptTaker::that_keeps(self.store, self.config, self.now);
        let mut after = Timestamp::MIN;
        loop {
            let times = self.store.times_in_conflict(series, after)?;
            let Some(last) = times.last() else { return Ok(()) };
            after = *last;
            for ts in times.into_iter().filter(|ts| !samples.is_stamp(*ts)) {
                for content in self.store.contents_at(series, ts)? {
                    let to = match content.header {
                        Some(header) => kept.time_of(self.staging, self.table, header, &content.raw, ts)?,
                        None => {
                            let text = content.ts_text.as_deref();
                            let local = text.and_then(|text| read_stamp(self.config, &self.table.time_formats, text));
                            local.map(|local| self.config.stamps.instant(local, content.record, Some(ts)))
                        }
                    };
                    if let Some(to) = to.filter(|to| *to == samples.stamp_of(ts)) {
                        self.staging.move_content(self.table, &content, to)?;
                    }
                }
                self.commit_if_due()?;
            }
        }
    }

    fn commit_if_due(&mut self) -> Result<()> {
        if self.in_pieces && self.staging.is_commit_due() {
            self.staging.flush(self.table)?;
            self.staging.commit()?;
        }
        Ok(())
    }

    /// Judges the held lines of these stamps (series and stamp) and next to them. As long as lines become rows, it
    /// continues with the stamps next to those.
    pub(in crate::ingest) fn resolve_waiting(&mut self, touched: BTreeSet<(i64, Timestamp)>) -> Result<Resolved> {
        let mut resolved = Resolved::default();
        let Some(samples) = self.table.samples else { return Ok(resolved) };
        let mut open = touched.clone();
        for (series, stamp) in touched {
            open.extend(self.next_to(samples, series, stamp)?);
        }
        while let Some((series, stamp)) = open.pop_first() {
            if self.stamp(samples, (series, stamp), &mut resolved)? {
                open.extend(self.next_to(samples, series, stamp)?);
            }
            self.commit_if_due()?;
        }
        Ok(resolved)
    }

    fn next_to(
        &self,
        samples: Samples,
        series: i64,
        stamp: Timestamp,
    ) -> Result<impl Iterator<Item = (i64, Timestamp)>> {
        let (before, after) = self.store.stamps_next_to(samples, series, stamp)?;
        Ok(before.into_iter().chain(after).map(move |stamp| (series, stamp)))
    }

    /// Stages the held lines of a stamp whose place is known. Returns whether there were any.
    fn stamp(&mut self, samples: Samples, at: (i64, Timestamp), resolved: &mut Resolved) -> Result<bool> {
        // The record numbers were noted when the lines were read, in the order of the logger.
        self.staging.set_records(Records::Known);
        let done = self.stage_stamp(samples, at, resolved);
        self.staging.set_records(Records::AsRead);
        done
    }

    fn stage_stamp(
        &mut self,
        samples: Samples,
        (series, stamp): (i64, Timestamp),
        resolved: &mut Resolved,
    ) -> Result<bool> {
        let waiting = self.store.waiting(self.table, samples, series, stamp)?;
        if waiting.is_empty() && waiting.rows.iter().all(|(_, row)| row.ts() != stamp) {
            return Ok(false);
        }
        let known = self.store.known_stamp(samples, series, stamp)?;
        let decide = |record: i64| decide(self.config, samples, stamp, &known.around, record);
        let time = |record: i64| match decide(record) {
            Place::At(place) => Some(samples.time(stamp, place)),
            Place::Unknown | Place::Taken | Place::TooMany(..) | Place::TooFew(..) | Place::Apart(..) => None,
        };
        let Some(tags) = self.table.tags_of(series).map(str::to_owned) else { return Ok(false) };
        // What the logger wrote, which a correction of its clock does not change.
        let written = |text: Option<&str>, ts: Timestamp| {
            text.map_or_else(|| self.config.stamps.usual_stamp(ts).to_string(), str::to_owned)
        };
        let moved: Vec<MovedRow> = waiting
            .rows
            .into_iter()
            .filter_map(|(record, row)| {
                let to = time(record).filter(|ts| *ts != row.ts())?;
                let text = Some(written(row.ts_text(), row.ts()));
                Some(MovedRow { row, to, text })
            })
            .collect();
        self.staging.move_rows(self.table, &tags, &moved)?;
        let mut kept = KeptTaker::that_keeps(self.store, self.config, self.now);
        // Only lines that are no longer held count, so that the loop ends.
        let mut any = false;
        for (record, content) in waiting.contents {
            let Some(ts) = time(record) else { continue };
            let own = content.ts_text.as_deref();
            let text = (own.is_some() || ts != stamp).then(|| written(own, content.ts));
            let placed = content.at(ts, text);
            if let Taken::Row(outcome) = kept.content(self.staging, self.table, &placed, &tags)? {
                if outcome != Outcome::Conflict || ts != stamp {
                    self.staging.drop_conflict(self.table, &content)?;
                    any = true;
                }
                if outcome == Outcome::Staged {
                    resolved.contents += 1;
                    self.staging.enter_records(self.table, &tags, &[(record, ts)])?;
                }
            }
        }
        for (record, line) in waiting.lines {
            let Some(ts) = time(record) else {
                if let Some(reason) = contradicts(samples, self.config.clock.local(stamp), decide(record)) {
                    self.staging.say_why(&line, &reason)?;
                }
                continue;
            };
            if let Taken::Row(outcome) = kept.line_at(self.staging, self.table, &line, ts)? {
                self.staging.resolve(self.table, &line)?;
                resolved.lines.push((line.hash(), outcome));
                any = true;
            }
        }
        self.staging.end_move(series, &moved)?;
        Ok(any)
    }
}

/// A row that was placed after its stamp, with the time of the stamp itself. None if it was not placed after the stamp.
fn moved_back(config: &TableConfig, table: &Table, samples: Samples, row: OldRow) -> Option<MovedRow> {
    let text = row.ts_text()?;
    let local = read_stamp(config, &table.time_formats, text)?;
    let to = config.stamps.instant(local, row.record(), Some(row.ts()));
    let is_plain = config.stamps.usual_stamp(to) == local && local.to_string() == text;
    let text = (!is_plain).then(|| text.to_owned());
    (to != row.ts() && to == samples.stamp_of(row.ts())).then_some(MovedRow { row, to, text })
}
