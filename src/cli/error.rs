//! The errors of commands, and their exit codes.

use std::path::PathBuf;

use thiserror::Error;

use super::{Exit, log, schedule};
use crate::agent::AgentError;
use crate::config::ConfigError;
use crate::destination::QueryError;
use crate::draft::DraftError;
use crate::export::ExportError;
use crate::status::StatusError;
use crate::store::StoreError;
use crate::sync::SyncError;
use crate::verify::VerifyError;
use crate::view::report::ReportError;
use crate::view::serve::ServeError;

/// The error of a command.
#[derive(Debug, Error)]
pub(super) enum CliError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No configuration could be written.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// Logging cannot be set up.
    #[error(transparent)]
    Log(#[from] log::LogError),
    /// A pass stopped.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// An instant cannot be read.
    #[error(
        "{option} \"{text}\" is no time; write 2026-06-01, \"2026-06-01 12:00\" (station time) or 2026-06-01T17:00:00Z"
    )]
    Instant {
        /// The option.
        option: &'static str,
        /// The text as typed.
        text: String,
    },
    /// `--table` names no table.
    #[error("no table is named \"{name}\"; {fix}")]
    UnknownTable {
        /// The name as typed.
        name: String,
        /// Similar names, or all names.
        fix: String,
    },
    /// `--column` names no column.
    #[error("no column is named \"{name}\"; there are: {known}")]
    UnknownColumn {
        /// The name as typed.
        name: String,
        /// All names.
        known: String,
    },
    /// `--test` names no test.
    #[error("no test is named \"{name}\"; there are: {known}")]
    UnknownTest {
        /// The name as typed.
        name: String,
        /// All names.
        known: String,
    },
    /// `reflag --despike` was called without a column that is despiked.
    #[error(
        "no column of these tables is despiked; write despike = {{}} in [table.columns.NAME], and latitude and longitude in \
         [station]"
    )]
    NothingToDespike,
    /// An interval ends before it begins.
    #[error("{end} \"{to}\" lies before {begin} \"{from}\"; swap them")]
    UpsideDown {
        /// The option of its beginning.
        begin: &'static str,
        /// The option of its end.
        end: &'static str,
        /// The beginning as typed.
        from: String,
        /// The end as typed.
        to: String,
    },
    /// A flag has no reason.
    #[error("--reason is empty; say why, whoever reads the data will ask")]
    NoReason,
    /// No active flag has this id.
    #[error("no flag {id} is in force; see `fluxtower flag --list`")]
    NoSuchFlag {
        /// The id as typed.
        id: i64,
    },
    /// No decision in effect has this number.
    #[error("no decision {id} holds; see `fluxtower decisions`")]
    NoSuchDecision {
        /// The number as typed.
        id: i64,
    },
    /// The decision cannot be reversed, because its lines are rows by the present configuration.
    #[error(
        "decision {id} (`{command}`) judged lines by the present configuration, which makes rows of them; change the \
         configuration instead"
    )]
    CannotBeReversed {
        /// Its number.
        id: i64,
        /// Its command.
        command: String,
    },
    /// The ingest lock was not released in time.
    #[error("an ingest is at work and did not end within a minute; try again")]
    IngestIsBusy,
    /// An export stopped.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Options of the plain format were given for AmeriFlux's format.
    #[error(
        "AmeriFlux's shape has no flags, no text and one clock; leave out --flags, --time and --spreadsheet, or write --format csv"
    )]
    AmerifluxHasNone,
    /// An option of AmeriFlux's format was given for the plain format.
    #[error("the plain shape keeps each row's own time; leave out --round, or write --format ameriflux")]
    RoundsAmeriflux,
    /// Options of AmeriFlux's format were given for the plain format.
    #[error(
        "--suspects, --resolution and --force are of AmeriFlux's file; leave them out, or write --format ameriflux"
    )]
    OfAmeriflux,
    /// The plain format has the columns of a single table.
    #[error("--format csv exports one table; write --table NAME once")]
    OneTable,
    /// Column names belong to a single table.
    #[error("--columns names columns of one table; write --table NAME once with it")]
    ColumnsOfOneTable,
    /// Stdout cannot take both the rows and a JSON object.
    #[error("--json prints one object, and the rows go to stdout; write --output FILE with it")]
    JsonNeedsOutput,
    /// Stdout cannot take both the lines and a JSON object.
    #[error("--json prints one object, and --print prints line protocol; leave one of them out")]
    PrintsLines,
    /// The bucket exists with another retention than the requested one.
    #[error(
        "bucket {name} is there already and {kept}, where {asked} was asked for; `bucket create` changes no retention: \
         change it with the server's own tools, or leave --retention as it is there"
    )]
    BucketDiffers {
        /// Its name.
        name: String,
        /// The existing retention.
        kept: String,
        /// The requested retention.
        asked: String,
    },
    /// Stdout cannot take both the dashboard and the messages about it.
    #[error("--json prints one object about the file, and the dashboard goes to stdout; write --output FILE with it")]
    DashboardNeedsOutput,
    /// A file cannot be written.
    #[error("cannot write {path}: {source}; check that its folder exists, may be written to and has room")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's message.
        source: std::io::Error,
    },
    /// Another upload exists under the name of the file to write.
    #[error("{path} is there already with other content and was not touched; --force replaces it")]
    OtherExport {
        /// The file.
        path: PathBuf,
    },
    /// A file to be checked cannot be read.
    #[error("cannot read {path}: {source}; check its name")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The file to write exists.
    #[error("{path} is there already and was not touched; give another name (`backup` takes --force)")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The output would overwrite the database or the configuration.
    #[error("{path} is the database itself, or its configuration; give another name")]
    OntoItself {
        /// The file.
        path: PathBuf,
    },
    /// `--config` was given several times to a command for one station.
    #[error("--config is given more than once, and only `serve` shows several stations; give one")]
    OneConfiguration,
    /// `serve` was given a folder without a configuration.
    #[error("{folder} holds no configuration: neither NAME.toml nor NAME/config.toml")]
    NoConfiguration {
        /// The path as typed.
        folder: PathBuf,
    },
    /// The path does not end in a file name.
    #[error("{path} names no file; write one, such as backup.db")]
    NoFileName {
        /// The path as typed.
        path: PathBuf,
    },
    /// There is no database.
    #[error("there is no database {path}; `fluxtower ingest` makes one")]
    NoDatabase {
        /// The path where it should be.
        path: PathBuf,
    },
    /// The database is in use.
    #[error("an ingest or a sync is at work on the database; stop the scheduled runs, then try again")]
    AtWork,
    /// `replay` without any selection would send everything again.
    #[error("say what to send again: --since TIME, --rejected or --expired")]
    ReplayWhat,
    /// The server cannot be queried.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A folder has no buckets.
    #[error("the destination is a folder of files, which has no buckets; set [destination] kind = \"influxdb\"")]
    NoBuckets,
    /// A folder cannot be verified.
    #[error(
        "the destination is a folder of files, which cannot be asked what arrived; set [destination] kind = \"influxdb\""
    )]
    NothingToAsk,
    /// The schedule cannot be made or set up.
    #[error(transparent)]
    Schedule(#[from] schedule::ScheduleError),
    /// No report was written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The page cannot be shown.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The handler for a request to end (a signal) could not be installed.
    #[error("cannot listen for Ctrl-C and SIGTERM: {0}")]
    Signals(std::io::Error),
    /// Stdout is closed.
    #[error("cannot write to stdout: {0}")]
    Output(#[from] std::io::Error),
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> CliError {
        CliError::Agent(error.into())
    }
}

impl From<SyncError> for CliError {
    fn from(error: SyncError) -> CliError {
        CliError::Agent(error.into())
    }
}

impl From<VerifyError> for CliError {
    fn from(error: VerifyError) -> CliError {
        CliError::Agent(error.into())
    }
}

impl From<StatusError> for CliError {
    fn from(error: StatusError) -> CliError {
        match error {
            StatusError::Store(error) => error.into(),
            StatusError::Sync(error) => error.into(),
        }
    }
}

impl CliError {
    /// The exit code for this error.
    pub(super) fn exit(&self) -> Exit {
        match self {
            CliError::Config(_)
            | CliError::Instant { .. }
            | CliError::ReplayWhat
            | CliError::UnknownTable { .. }
            | CliError::UnknownColumn { .. }
            | CliError::UnknownTest { .. }
            | CliError::UpsideDown { .. }
            | CliError::NoReason
            | CliError::NothingToDespike
            | CliError::NoSuchDecision { .. }
            | CliError::CannotBeReversed { .. }
            | CliError::NoSuchFlag { .. } => Exit::Usage,
            CliError::Draft(DraftError::List { .. } | DraftError::Write { .. } | DraftError::Changed { .. }) => {
                Exit::Failed
            }
            CliError::Draft(_) => Exit::Usage,
            CliError::Agent(error) => error.exit(),
            CliError::Export(ExportError::Store(StoreError::ClockChanged { .. })) => Exit::Usage,
            CliError::Export(error) if error.is_usage() => Exit::Usage,
            CliError::Export(ExportError::Output(source)) if source.kind() == std::io::ErrorKind::BrokenPipe => {
                Exit::Well
            }
            CliError::AmerifluxHasNone
            | CliError::RoundsAmeriflux
            | CliError::OfAmeriflux
            | CliError::OneTable
            | CliError::ColumnsOfOneTable
            | CliError::OtherExport { .. }
            | CliError::JsonNeedsOutput
            | CliError::DashboardNeedsOutput
            | CliError::PrintsLines
            | CliError::BucketDiffers { .. }
            | CliError::Exists { .. }
            | CliError::OntoItself { .. }
            | CliError::OneConfiguration
            | CliError::NoConfiguration { .. }
            | CliError::NoFileName { .. } => Exit::Usage,
            CliError::NoBuckets | CliError::NothingToAsk => Exit::Usage,
            CliError::Schedule(error) => error.exit(),
            CliError::Query(QueryError::Refused { .. }) => Exit::Refused,
            CliError::Output(source) if source.kind() == std::io::ErrorKind::BrokenPipe => Exit::Well,
            CliError::Log(_)
            | CliError::IngestIsBusy
            | CliError::Export(_)
            | CliError::File { .. }
            | CliError::Unreadable { .. }
            | CliError::NoDatabase { .. }
            | CliError::AtWork
            | CliError::Query(QueryError::Unreachable(_) | QueryError::Unknown(_))
            | CliError::Report(_)
            | CliError::Serve(_)
            | CliError::Signals(_)
            | CliError::Output(_) => Exit::Failed,
        }
    }
}
