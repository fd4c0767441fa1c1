//! Judges again the lines that were kept but not staged, when what decided them has changed (I11).
//!
//! What decides whether a line is a row: the header it stood under, and the table's reading configuration, whose fingerprint
//! is kept with the line. A held line waits for this computer's clock as well. An ingest looks for such lines before it
//! reads a table's files; where nothing changed that costs three look-ups in an index.

use super::lines::{LineTaker, Taken};
use crate::config::TableConfig;
use crate::store::{LineAt, LineState, Result, Staging, Store, Table};
use crate::time::{Clock, Timestamp};

/// Raised when the rules by which a line is read change, so that lines refused by the earlier rules are judged again.
const RULES: u32 = 1;

/// A fingerprint of everything in the configuration that decides whether a line of the table is a row. Names of tag columns
/// and values that mean "missing" are among it; what only concerns flags or sending is not.
pub(super) fn inputs(config: &TableConfig) -> i64 {
    let tags: Vec<_> = config.columns.iter().map(|(name, column)| (name, column.column_use)).collect();
    let decides = format!(
        "{RULES} {:?} {:?} {:?} {:?} {:?} {tags:?}",
        config.format, config.logger_table, config.clock, config.valid_from, config.sentinels
    );
    xxhash_rust::xxh3::xxh3_64(decides.as_bytes()).cast_signed()
}

/// Stages what can be staged now, and gives the number of lines that left the kept ones.
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
        let mut under: Option<(i64, LineTaker<'_>)> = None;
        for line in &lines {
            if under.as_ref().is_none_or(|(header, _)| *header != line.header) {
                let mut taker = LineTaker::new(store, config, &line.path, now);
                taker.begin_under(staging, table, line.header)?;
                under = Some((line.header, taker));
            }
            let Some((_, taker)) = &mut under else { continue };
            let at =
                LineAt { path: &line.path, number: line.number, raw: line.raw.as_bytes(), state: LineState::Whole };
            match taker.stage_row(staging, table, at)? {
                Taken::Row(_) => {
                    staging.resolve(table, line)?;
                    taken_up += 1;
                }
                Taken::Refused(refusal) => staging.keep_on(line, &refusal.decided_by(inputs))?,
            }
        }
        staging.flush(table)?;
        staging.commit()?;
    }
}
