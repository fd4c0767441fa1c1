//! The clock by which new lines are staged while another offset from UTC in the configuration is not confirmed.
//!
//! Stored rows move to another offset only when the user asks for it ([`super::clock::Consent`]), and files are overwritten
//! meanwhile. So new lines of such a table are staged by the clock of the rows that are there: no line is lost, one clock
//! holds for the whole table, and `fluxtower rekey` moves all of its rows together.

use std::borrow::Cow;

use super::clock::moves_no_row;
use super::counts;
use crate::config::{Config, TableConfig};
use crate::store::{Result, Store};
use crate::time::LoggerClock;

/// A table whose rows were staged with other offsets than the configuration has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnconfirmedOffset {
    /// The table's name.
    pub table: String,
    /// The offsets of the stored rows, which are in force.
    pub staged: String,
    /// The offsets in the configuration.
    pub configured: String,
}

impl UnconfirmedOffset {
    fn new(table: &TableConfig, staged: &LoggerClock) -> UnconfirmedOffset {
        let (staged, configured) = (staged.offsets(), table.stamps.offsets());
        UnconfirmedOffset { table: table.name.0.clone(), staged, configured }
    }

    /// What is in force.
    pub fn message(&self) -> String {
        format!(
            "the offset from UTC in the configuration is {}, and the rows of table \"{}\" were staged with {}: new rows are staged with {2} too, until the rows are moved",
            self.configured, self.table, self.staged
        )
    }

    /// Whether the note of an ingest is such a message; `status` asks the store for it instead.
    pub fn is_in(note: &str) -> bool {
        note.contains(UnconfirmedOffset::fix())
    }

    /// The advice beside the message.
    pub fn fix() -> &'static str {
        "`fluxtower rekey --dry-run` says how many rows would move, `fluxtower rekey` moves them; or put the offset from before \
         back into the configuration"
    }
}

/// The tables whose stored rows would move by the offsets in the configuration.
///
/// # Errors
/// The store fails.
pub fn unconfirmed_offsets(config: &Config, store: &Store) -> Result<Vec<UnconfirmedOffset>> {
    Ok(InForce::new(config, store)?.unconfirmed)
}

/// The configuration by which lines are read: that of the file, except for the clocks of [`unconfirmed_offsets`] and the ends of
/// clock entries ([`super::counts`]).
pub(super) struct InForce<'c> {
    pub config: Cow<'c, Config>,
    pub unconfirmed: Vec<UnconfirmedOffset>,
}

impl<'c> InForce<'c> {
    pub fn new(config: &'c Config, store: &Store) -> Result<InForce<'c>> {
        let mut in_force = InForce { config: counts::in_their_counts(config, store)?, unconfirmed: Vec::new() };
        for (place, table) in config.tables.iter().enumerate().filter(|(_, table)| table.made_of.is_none()) {
            if let Some(staged) = clock_in_force(table, store)? {
                in_force.unconfirmed.push(UnconfirmedOffset::new(table, &staged));
                if let Some(table) = in_force.config.to_mut().tables.get_mut(place) {
                    table.stamps = staged;
                }
            }
        }
        Ok(in_force)
    }
}

/// None: the clock of the configuration is in force, or is taken up by the next ingest because no row moves.
fn clock_in_force(config: &TableConfig, store: &Store) -> Result<Option<LoggerClock>> {
    let Some(staged) = store.staged_clock(config)?.filter(|staged| staged.has_rows || staged.is_moving) else {
        return Ok(None);
    };
    let is_moving = staged.is_moving || staged.moving_to.is_some();
    // A clock that this program cannot read is refused with its table.
    let Some(clock) = staged.moving_to.or(staged.clock) else { return Ok(None) };
    let is_same = clock.offsets() == config.stamps.offsets();
    Ok((!is_same && (is_moving || !moves_no_row(store, config, &clock)?)).then_some(clock))
}
