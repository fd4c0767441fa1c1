//! What a run does: read the files, send the rows, delete what `[store] keep` no longer keeps.
//!
//! - A pass runs under its lock ([`ingest`], [`sync`]): a second run beside it leaves the work to the first. The store
//!   keeps how each pass ended, and a pass that fails leaves its error there.
//! - [`once`] is a single run, [`watch`] a continuous run. Both read files while they send: reading never waits for
//!   the network (I9).
//! - After a pass, users are notified of findings ([`tell`]). This does not change the result of the pass.
//! - [`retention`] is the only place that deletes rows.
//! - [`schedule`] knows how often the program is started.
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

/// The longest time between two full passes while files are watched. A full pass also reads changes that neither the
/// size nor the time of a file shows, and last lines that are now old enough to be read.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// What the user sees of the work.
pub trait Events: Send + Sync {
    /// Returns the receiver of the progress of one pass of reading.
    fn of_reading(&self) -> Box<dyn reader::Progress>;
    /// Returns the receiver of the progress of one pass of sending.
    fn of_sending(&self) -> Box<dyn sender::Progress>;
    /// A continuous agent read new lines.
    fn ingested(&self, report: IngestReport);
    /// A continuous agent sent rows, or the reason that keeps rows from being sent changed.
    fn synced(&self, report: SyncReport);
    /// The reading half of a continuous agent is at work: it is looking at the files, or has read a piece of one.
    /// Called often.
    fn is_alive(&self);
    /// A pass of a continuous agent failed, and the message differs from that of the pass before.
    fn failed(&self, error: &AgentError);
}

/// What every pass needs: the configuration, the clock and the receiver of events.
#[derive(Clone)]
pub struct Agent {
    /// The configuration. When it changes, a continuous agent starts new workers.
    pub config: Config,
    /// The computer's clock.
    pub clock: SystemClock,
    /// Shows the events to the user.
    pub events: Arc<dyn Events>,
    /// Whether passes show their progress. Two progress bars at the same time would overwrite each other.
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
