//! Carries out the operator's decisions (I11): by hand, which of two contents is the row, and that rejected lines are
//! judged again; by the configuration, that the newer content is the row.

use super::clock::{Consent, Mover};
use super::in_force::InForce;
use super::kept::KeptTaker;
use super::{IngestError, Unseen, again};
use crate::config::{Config, OnConflict, TableConfig};
use crate::store::{ConflictChoice, Keep, Staging, Store};
use crate::time::{Clock, Timestamp};

/// The result of a decision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Decided {
    /// The decision's number; None if nothing changed.
    pub decision: Option<i64>,
    /// The number of rows or lines that changed.
    pub changed: u64,
    /// The number of contents that cannot be read with the present configuration, and did not change.
    pub unreadable: u64,
    /// Conflicts that are decided, too: their row was what is to be kept.
    pub confirmed: u64,
}

/// The context of a decision: who decides, in which store, and when.
pub struct Decider<'a> {
    /// The configuration with the tables.
    pub config: &'a Config,
    /// The caller holds the ingest lock.
    pub store: &'a Store,
    /// This computer's clock.
    pub clock: &'a dyn Clock,
    /// The command or the configuration key, as lists show it.
    pub command: &'a str,
    /// Whether a user gave the command. Otherwise the configuration decides.
    pub by_hand: bool,
}

impl Decider<'_> {
    /// Exchanges rows of the table, or of all tables, with the contents kept beside them.
    pub fn exchange(&self, table: Option<&str>, choice: ConflictChoice) -> std::result::Result<Decided, IngestError> {
        let now = self.now();
        let in_force = InForce::new(self.config, self.store)?.config;
        let mut staging = Staging::new(self.store, &in_force)?;
        let mut done = Decided::default();
        let reason = match choice {
            ConflictChoice::Within(..) if self.by_hand => format!("decided by hand: {}", self.command),
            ConflictChoice::Within(..) => format!("decided by the configuration: {}", self.command),
            ConflictChoice::Decided(reversed) => format!("decision {reversed} was reversed by hand"),
        };
        let decision = match choice {
            ConflictChoice::Within(..) => Some(staging.begin_decision(self.command, now)?),
            ConflictChoice::Decided(reversed) => {
                staging.note_reversed(reversed, now, &reason)?;
                None
            }
        };
        for config in tables_of(&in_force, table) {
            Mover::new(self.store, &mut staging, config, self.clock, &Unseen).apply(Consent::Corrections)?;
            let mut table = self.store.table(config)?;
            let contents = self.store.kept_contents(&table, choice)?;
            if let Some(decision) = decision {
                // Before the exchange, after which those that it decides look the same.
                done.confirmed += staging.confirm(&table, choice, decision, &reason)?;
            }
            if contents.is_empty() {
                continue;
            }
            staging.use_columns(&mut table, config)?;
            let mut kept = KeptTaker::new(self.store, config, Timestamp::from_utc(self.clock.now()));
            for content in &contents {
                staging.exchange_next(content, decision, &reason);
                // `end_exchange` returns the result.
                let _ = kept.content(&mut staging, &mut table, content, &content.tags)?;
                if staging.end_exchange(content, decision)? {
                    done.changed += 1;
                } else {
                    done.unreadable += 1;
                }
            }
            staging.flush(&mut table)?;
        }
        if let Some(decision) = decision {
            staging.end_decision(decision, done.changed)?;
            done.decision = (done.changed + done.confirmed > 0).then_some(decision);
        }
        staging.commit()?;
        Ok(done)
    }

    /// The result that [`Decider::exchange`] would have.
    pub fn would_exchange(
        &self,
        table: Option<&str>,
        choice: ConflictChoice,
    ) -> std::result::Result<Decided, IngestError> {
        let in_force = InForce::new(self.config, self.store)?.config;
        let mut would = Decided::default();
        for config in tables_of(&in_force, table) {
            let table = self.store.table(config)?;
            would.changed += self.store.kept_contents(&table, choice)?.len() as u64;
            would.confirmed += self.store.to_confirm(&table, choice)?;
        }
        Ok(would)
    }

    /// Judges the rejected lines of the table, or of all tables, again.
    pub fn judge_rejected(&self, table: Option<&str>) -> std::result::Result<Decided, IngestError> {
        let in_force = InForce::new(self.config, self.store)?.config;
        let mut staging = Staging::new(self.store, &in_force)?;
        let decision = staging.begin_decision(self.command, self.now())?;
        staging.commit()?;
        let mut done = Decided::default();
        for config in tables_of(&in_force, table) {
            Mover::new(self.store, &mut staging, config, self.clock, &Unseen).apply(Consent::Corrections)?;
            let mut table = self.store.table(config)?;
            let asked = self.store.judge_rejected_again(&table)? as u64;
            let rows = again::judge(self.store, &mut staging, &mut table, config, self.clock)?;
            staging.flush(&mut table)?;
            done.changed += rows;
            done.unreadable += asked.saturating_sub(rows);
        }
        staging.begin()?;
        staging.end_decision(decision, done.changed)?;
        staging.commit()?;
        done.decision = (done.changed > 0).then_some(decision);
        Ok(done)
    }

    /// The present time, to the second, as users read it.
    fn now(&self) -> Timestamp {
        Timestamp::from_utc(self.clock.now()).floor(std::time::Duration::from_secs(1))
    }
}

fn tables_of<'c>(config: &'c Config, only: Option<&'c str>) -> impl Iterator<Item = &'c TableConfig> {
    config.logger_tables().filter(move |table| only.is_none_or(|only| only == table.name.0))
}

/// The text under which the decision by `on_conflict` is listed.
const NEWER: &str = "on_conflict = \"replace\"";

/// Makes the newer content the row in tables whose `on_conflict` was changed to ask for it since the last ingest.
/// Returns the number of changed rows.
pub(super) fn follow_on_conflict(
    config: &Config,
    staging: &mut Staging<'_>,
    (store, clock): (&Store, &dyn Clock),
    table: &TableConfig,
) -> std::result::Result<u64, IngestError> {
    let wanted = match table.on_conflict {
        OnConflict::Keep => "keep",
        OnConflict::Replace => "replace",
    };
    let key = format!("on_conflict of {}", table.name);
    let known = store.recall(&key)?;
    if known.as_deref() == Some(wanted) {
        return Ok(0);
    }
    let mut changed = 0;
    if known.is_some() && table.on_conflict == OnConflict::Replace {
        // The exchange uses transactions of its own.
        staging.commit()?;
        let all = (Timestamp::MIN, Timestamp::MAX);
        let decider = Decider { config, store, clock, command: NEWER, by_hand: false };
        changed = decider.exchange(Some(&table.name.0), ConflictChoice::Within(Keep::Newer, all))?.changed;
    }
    // Saved directly after the decision. After a kill in between, the decision is repeated and skips what was exchanged
    // already.
    staging.begin()?;
    store.remember(&key, wanted)?;
    staging.commit()?;
    Ok(changed)
}
