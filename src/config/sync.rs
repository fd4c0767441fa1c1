//! How rows are sent, how changes of files are detected, and what is logged.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

/// How rows are sent.
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
    /// `sync` begins no further request after this time.
    pub deadline: Duration,
    /// Whether the configuration gives the deadline: if not, a schedule may shorten it ([`SyncConfig::deadline_by`]).
    pub deadline_is_set: bool,
    /// Whether the agent sends its own health with each sync (measurement `fluxtower_agent`).
    pub health: bool,
    /// A URL that is called with GET after a sync that left nothing due.
    pub heartbeat_url: Option<Url>,
}

impl SyncConfig {
    /// The deadline without a schedule and without `[sync] deadline`: it fits runs that are five minutes apart.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(240);

    /// The deadline for starts that are `every` apart: it leaves room for reading, and for the answer to the last
    /// request, before the next start.
    pub fn deadline_for(every: Duration) -> Duration {
        Self::DEFAULT_DEADLINE.min(every / 5 * 4)
    }

    /// The configured deadline, or the default for a run that is started at intervals of `scheduled`.
    pub fn deadline_by(&self, scheduled: Option<Duration>) -> Duration {
        match scheduled {
            Some(every) if !self.deadline_is_set => Self::deadline_for(every),
            _ => self.deadline,
        }
    }
}

/// How a continuous agent detects that a file has changed.
#[derive(Debug, Clone, Copy)]
pub struct WatchConfig {
    /// Whether the system's file events are used; files are then looked at at long intervals only.
    pub file_events: bool,
}

/// The log file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// The path of the log file; None logs to stderr only.
    pub file: Option<PathBuf>,
    /// The size at which a file is renamed to `NAME.1`, `NAME.2`, ….
    pub max_bytes: u64,
    /// The number of renamed files that are kept.
    pub keep: usize,
    /// The format of a message.
    pub format: LogFormat,
}

/// The format of a message in the log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line of text for users.
    Text,
    /// One JSON object on a line, for programs that collect logs.
    Json,
}
