//! What a run does: read the files, send the rows, delete what `[store] keep` no longer keeps.
//!
//! - A pass runs under its lock ([`ingest`], [`sync`]): a second run beside it leaves the work to the first. The store keeps
//!   how each pass ended, and a pass that fails leaves its error there.
//! - [`once`] is a single run, [`watch`] one that stays up. Both read while they send: reading never waits for the network
//!   (I9).
//! - Users are notified of findings after a pass ([`tell`]), which changes nothing of it.
//! - [`retention`] is the only place that deletes rows.
//! - [`schedule`] knows how often something starts the program.
//!
//! Nothing here prints. What the user sees goes through [`Events`], which the command line implements.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::ingest::{self as reader, IngestReport};
use crate::store::{Store, StoreError};
use crate::sync::{self as sender, SyncReport};
use crate::time::{Clock, SystemClock, Timestamp};

mod error;
mod news;
mod once;
mod pass;
mod reading;
mod renewal;
pub mod retention;
pub mod schedule;
mod sending;
mod telling;
mod watch;

pub use error::AgentError;
pub use once::{Call, Run, RunReport, once};
pub use pass::{Ended, Pass, ingest, sync};
pub use reading::Rhythm;
pub use telling::{tell, tell_after};
pub use watch::watch;

/// While files are watched, everything is read at least so often: a change that neither size nor time of a file shows, and
/// last lines that are now old enough, are read then.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// What a user sees of the work.
pub trait Events: Send + Sync {
    /// Takes the progress of one pass of reading.
    fn of_reading(&self) -> Box<dyn reader::Progress>;
    /// Takes the progress of one pass of sending.
    fn of_sending(&self) -> Box<dyn sender::Progress>;
    /// An agent that stays up has read something new.
    fn ingested(&self, report: IngestReport);
    /// An agent that stays up has sent rows, or something else keeps them from being sent.
    fn synced(&self, report: SyncReport);
    /// The reading half of an agent that stays up goes on: it looks at the files, or has read a piece of one. Called often.
    fn is_alive(&self);
    /// A pass of an agent that stays up failed, with another message than the pass before.
    fn failed(&self, error: &AgentError);
}

/// What every pass works with.
#[derive(Clone)]
pub struct Agent {
    /// The configuration. An agent that stays up begins its workers anew when it changes.
    pub config: Config,
    /// The computer's clock.
    pub clock: SystemClock,
    /// Who shows what happens.
    pub events: Arc<dyn Events>,
    /// Whether passes show their progress. Two at a time would overwrite each other's bar.
    pub shows_progress: bool,
}

impl Agent {
    fn now(&self) -> Timestamp {
        Timestamp::from_utc(self.clock.now())
    }

    fn store(&self) -> Result<Store, StoreError> {
        Store::open(&self.config.store_path)
    }

    fn without_progress(&self) -> Agent {
        Agent { shows_progress: false, ..self.clone() }
    }
}
