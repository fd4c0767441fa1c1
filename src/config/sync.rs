//! How rows go, how changes of files are noticed, and what is logged.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

/// How rows go.
#[derive(Debug, Clone)]
pub struct SyncConfig {
    /// Most lines in one request.
    pub batch_rows: usize,
    /// Most bytes of line protocol in one request, before compression.
    pub batch_bytes: usize,
    /// Most requests in flight at once.
    pub requests: usize,
    /// Most bytes of line protocol in one window of five minutes; none means no limit.
    pub budget_bytes: Option<u64>,
    /// `sync` stops starting requests after this long.
    pub deadline: Duration,
    /// Whether the configuration says so: if not, a schedule may shorten it ([`SyncConfig::deadline_by`]).
    pub deadline_is_set: bool,
    /// Whether the agent sends its own health with each sync (measurement `fluxtower_agent`).
    pub health: bool,
    /// Called with GET after a sync that left nothing due.
    pub heartbeat_url: Option<Url>,
}

impl SyncConfig {
    /// Without a schedule and without `[sync] deadline`: fits runs that are five minutes apart.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(240);

    /// What leaves room for reading, and for the answer of the last request, before the next of two starts so far apart.
    pub fn deadline_for(every: Duration) -> Duration {
        Self::DEFAULT_DEADLINE.min(every / 5 * 4)
    }

    /// The configured deadline, or the default of a run that is started each time `scheduled` has passed.
    pub fn deadline_by(&self, scheduled: Option<Duration>) -> Duration {
        match scheduled {
            Some(every) if !self.deadline_is_set => Self::deadline_for(every),
            _ => self.deadline,
        }
    }
}

/// How an agent that stays up notices that a file has changed.
#[derive(Debug, Clone, Copy)]
pub struct WatchConfig {
    /// By the system's file events, and by looks that are far apart.
    pub file_events: bool,
}

/// The log file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// None means stderr only.
    pub file: Option<PathBuf>,
    /// A full file is set aside as `NAME.1`, `NAME.2`, ….
    pub max_bytes: u64,
    /// How many files set aside are kept.
    pub keep: usize,
    /// How each message is written.
    pub format: LogFormat,
}

/// How a message is written to the log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// One JSON object on a line, for programs that collect logs.
    Json,
}
