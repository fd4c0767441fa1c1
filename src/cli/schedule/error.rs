//! Why a schedule cannot be made or set up, and what to do then.

use std::path::PathBuf;

use thiserror::Error;

use super::super::Exit;

/// A failure of `schedule`.
#[derive(Debug, Error)]
pub(in crate::cli) enum ScheduleError {
    /// The time is none that every scheduler can keep.
    #[error(
        "--every {minutes}m cannot be scheduled evenly; write a number of minutes that divides an hour (1m, 2m, 5m, 10m, 15m, 30m) or of hours that divides a day (1h, 2h, 6h, 24h)"
    )]
    Every {
        /// As asked for, in minutes, with the part of one.
        minutes: f64,
    },
    /// The name cannot be that of a task and of a file.
    #[error("--name \"{name}\" cannot be used; write letters, digits, - and _ only")]
    Name {
        /// As typed.
        name: String,
    },
    /// A path that no scheduler's file can hold.
    #[error("{path} cannot be written into a schedule; move it to a path of plain text")]
    Path {
        /// The path.
        path: PathBuf,
    },
    /// It is unknown which account is to run the task.
    #[error("say who is to run the task: --account DOMAIN\\NAME, or --account SYSTEM")]
    Account,
    /// The program does not know where it is.
    #[error("cannot tell where this program is: {0}")]
    Program(std::io::Error),
    /// The user has no folder for units.
    #[error("cannot tell where your systemd units are; set HOME, or run it as root")]
    NoHome,
    /// A file cannot be written or taken away.
    #[error("cannot write {path}: {source}; {by_hand}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's message.
        source: std::io::Error,
        /// What to do instead.
        by_hand: String,
    },
    /// One of the system's tools refused or is not there.
    #[error("{tool} failed: {message}; {by_hand}")]
    Tool {
        /// Its name.
        tool: String,
        /// What it said.
        message: String,
        /// What to do instead.
        by_hand: String,
    },
}

impl ScheduleError {
    /// Its exit code.
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
