//! Why a schedule cannot be made or installed, and what to do then.

use std::path::PathBuf;

use thiserror::Error;

use super::super::Exit;

/// An error of `schedule`.
#[derive(Debug, Error)]
pub(in crate::cli) enum ScheduleError {
    /// Not every scheduler supports this interval.
    #[error(
        "--every {minutes}m cannot be scheduled evenly; write a number of minutes that divides an hour (1m, 2m, 5m, 10m, 15m, 30m) or of hours that divides a day (1h, 2h, 6h, 24h)"
    )]
    Every {
        /// The requested interval in minutes, with a fraction.
        minutes: f64,
    },
    /// The name is not valid for a task and a file.
    #[error("--name \"{name}\" cannot be used; write letters, digits, - and _ only")]
    Name {
        /// The name as typed.
        name: String,
    },
    /// A path that cannot be written in a scheduler's file.
    #[error("{path} cannot be written into a schedule; move it to a path of plain text")]
    Path {
        /// The path.
        path: PathBuf,
    },
    /// The account that should run the task is unknown.
    #[error("say who is to run the task: --account DOMAIN\\NAME, or --account SYSTEM")]
    Account,
    /// The program cannot determine its own path.
    #[error("cannot tell where this program is: {0}")]
    Program(std::io::Error),
    /// The user has no folder for units.
    #[error("cannot tell where your systemd units are; set HOME, or run it as root")]
    NoHome,
    /// A file cannot be written or removed.
    #[error("cannot write {path}: {source}; {by_hand}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's message.
        source: std::io::Error,
        /// What to do instead.
        by_hand: String,
    },
    /// One of the system's tools refused or does not exist.
    #[error("{tool} failed: {message}; {by_hand}")]
    Tool {
        /// Its name.
        tool: String,
        /// The tool's message.
        message: String,
        /// What to do instead.
        by_hand: String,
    },
}

impl ScheduleError {
    /// The exit code for this error.
    pub(in crate::cli) fn exit(&self) -> Exit {
        match self {
            ScheduleError::Every { .. }
            | ScheduleError::Name { .. }
            | ScheduleError::Path { .. }
            | ScheduleError::Account => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}
