//! Judges kept lines again when an input of their decision has changed (I11).
//!
//! Two inputs decide whether a line is a row: the header above it, and the table's reading configuration, whose
//! fingerprint is stored with the line. For a held line, this computer's clock is a third one. Each ingest looks for
//! lines with changed inputs before it reads a table's files. If nothing has changed, this costs three index look-ups.

use std::collections::BTreeSet;

use super::kept::KeptTaker;
use super::rows::Taken;
use super::samples::Resolver;
use crate::config::{SharedStamps, TableConfig};
use crate::store::{Records, Result, Staging, Store, Table};
use crate::time::{Clock, Timestamp};

/// Increased when the rules for reading a line change, so that lines rejected under earlier rules are judged again.
const RULES: u32 = 1;

/// A fingerprint of every part of the configuration that decides whether a line of the table is a row. It covers the
/// names of tag columns and the values that mean "missing", but nothing that only affects flags or sending.
pub(super) fn inputs(config: &TableConfig) -> i64 {
    let tags: Vec<_> = config.columns.iter().map(|(name, column)| (name, column.column_use)).collect();
    let mut decides = format!(
        "{RULES} {:?} {:?} {:?} {:?} {:?} {tags:?}",
        config.format, config.logger_table, config.clock, config.valid_from, config.sentinels
    );
    // The part is left out if there are no corrections, so that the fingerprint of earlier versions is kept and their
    // lines are not judged again without need.
    if config.stamps.offsets() != config.clock.to_string() {
        decides += &config.stamps.offsets();
    }
    decides += &config.stamps.corrections_text().unwrap_or_default();
    if !matches!(config.samples, SharedStamps::AsShown) {
        decides += &format!(" {:?}", config.samples);
    }
    xxhash_rust::xxh3::xxh3_64(decides.as_bytes()).cast_signed()
}

/// Judges the lines that are held for their time by the rows that were read behind them: where these disprove the time, it is not
/// promised any more that they are staged when it comes. Returns the number of lines that became rows.
pub(super) fn judge_held(
    store: &Store,
    staging: &mut Staging<'_>,
    table: &mut Table,
    config: &TableConfig,
    clock: &dyn Clock,
) -> Result<u64> {
    let (inputs, now) = (inputs(config), Timestamp::from_utc(clock.now()));
    let mut taken_up = 0;
    let mut kept = KeptTaker::new(store, config, now);
    for line in store.held_lines(table, now)? {
        staging.set_records(Records::Kept);
        let taken = kept.line(staging, table, &line);
        staging.set_records(Records::AsRead);
        match taken? {
            Taken::Refused(refusal) if refusal.not_before == Some(Timestamp::MAX) => {
                staging.keep_on(&line, &refusal.decided_by(inputs))?;
            }
            Taken::Refused(_) | Taken::Header => {}
            Taken::Row(_) => {
                staging.resolve(table, &line)?;
                taken_up += 1;
            }
        }
    }
    Ok(taken_up)
}

/// Stages each kept line that is now a row. Returns the number of staged lines.
pub(super) fn judge(
    store: &Store,
    staging: &mut Staging<'_>,
    table: &mut Table,
    config: &TableConfig,
    clock: &dyn Clock,
) -> Result<u64> {
    let (inputs, now) = (inputs(config), Timestamp::from_utc(clock.now()));
    let mut taken_up = 0;
    loop {
        let lines = store.lines_to_judge(table, inputs, now)?;
        if lines.is_empty() {
            return Ok(taken_up);
        }
        let mut kept = KeptTaker::new(store, config, now);
        let mut touched = BTreeSet::new();
        for line in &lines {
            staging.set_records(Records::Kept);
            let taken = kept.line(staging, table, line);
            staging.set_records(Records::AsRead);
            let taken = taken?;
            touched.append(&mut kept.take_touched());
            match taken {
                Taken::Row(_) => {
                    staging.resolve(table, line)?;
                    taken_up += 1;
                }
                Taken::Header => staging.resolve(table, line)?,
                Taken::Refused(refusal) => {
                    if let Some(sample) = &refusal.sample {
                        staging.see_waiting(table, sample)?;
                    }
                    staging.keep_on(line, &refusal.decided_by(inputs))?;
                }
            }
        }
        let resolved = Resolver { store, staging, table, config, now, in_pieces: false }.resolve_waiting(touched)?;
        taken_up += resolved.lines.len() as u64;
        staging.flush(table)?;
        staging.commit()?;
    }
}
