//! The configuration, checked once and ready for use.
//!
//! The file that a user writes and the value that the program runs on are two types: the rows of [`keys`] say what the
//! TOML may contain, this module what it means. Every mistake is found here, with file, line, key and what to write, so
//! that no later module has to check its configuration. Secrets are named, never held: [`Secret`] reads them at each
//! use.

use std::path::PathBuf;
use std::time::Duration;

use crate::qc::Pair;
use crate::sun::Position;
use crate::text::{any_of, look_alikes};
use crate::time::{LoggerClock, StationClock};

mod bucket_load;
mod clock_load;
mod column;
mod csv_load;
mod destination;
mod destination_load;
mod error;
mod file;
mod formula;
pub mod keys;
mod level;
mod load;
mod made;
mod misfit;
mod notify;
mod notify_load;
mod pair;
mod panel;
mod place;
mod quality;
mod quality_file;
mod quality_load;
mod secret;
mod shape;
mod sync;
mod table;
mod table_load;
mod value;
mod variables;
mod watched;

pub use column::Limits;
pub(crate) use destination::is_id;
pub use destination::{Api, BucketConfig, DestinationConfig, Header, InfluxConfig, Tls};
pub use error::ConfigError;
pub use formula::{Formula, Sky};
pub use level::Level;
pub use misfit::{Misfit, MisfitOf};
pub use notify::{BodyFormat, MailConfig, MailSecurity, NotifyConfig, NotifyFrom, WebhookAddress, WebhookConfig};
pub use panel::{PanelConfig, PanelKind};
pub use secret::{Secret, SecretError};
pub use sync::{LogConfig, LogFormat, SyncConfig, WatchConfig};
pub use table::{
    After, ColumnConfig, ColumnUse, CsvDialect, CsvFormat, FileFormat, LoggerFormat, LongForm, MadeOf, OnConflict,
    Separator, SharedStamps, TableConfig, TurbulenceConfig, ValueType,
};
pub(crate) use value::{bucket_name, duration, is_loopback, web_url};
pub use watched::ConfigFile;

pub use crate::qc::{ColumnAt, TableName};

/// A validated configuration. Relative paths are joined to the folder of the configuration file.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from.
    pub path: PathBuf,
    /// The fingerprint of the text of that file.
    pub fingerprint: u64,
    /// The station that every table belongs to.
    pub station: Station,
    /// Path of the SQLite database.
    pub store_path: PathBuf,
    /// `run` deletes sent rows that are older than this; None keeps them for ever.
    pub store_keep: Option<Duration>,
    /// Where rows are sent.
    pub destination: DestinationConfig,
    /// How rows are sent.
    pub sync: SyncConfig,
    /// Who is notified of findings; None notifies no user.
    pub notify: Option<NotifyConfig>,
    /// How changes of files are detected.
    pub watch: WatchConfig,
    /// What is written to the log file.
    pub log: LogConfig,
    /// The tables in the order of the file; names are unique.
    pub tables: Vec<TableConfig>,
    /// Pairs of columns that should agree; names are unique.
    pub pairs: Vec<Pair>,
    /// The configured panels, in the order of the file; titles are unique.
    pub panels: Vec<PanelConfig>,
    /// How long a row is delayed for the rows that its tests need, before it is sent without them.
    pub wait: Duration,
}

/// The station that this agent runs on.
#[derive(Debug, Clone)]
pub struct Station {
    /// The name, for example `US-UMB`; it is the tag `station` unless a table's tags give another value.
    pub name: String,
    /// The present offset of its loggers' clocks from UTC: station time, in which times are shown.
    pub clock: StationClock,
    /// What the stamps of its loggers mean, unless a table gives its own rule.
    pub stamps: LoggerClock,
    /// The position, if the configuration gives it.
    pub position: Option<Position>,
}

impl Config {
    /// The pairs that compare a column of this table with one of another table.
    pub fn pairs_across(&self, table: &TableName) -> impl Iterator<Item = &Pair> {
        let touches = move |pair: &&Pair| pair.first.table == *table || pair.second.table == *table;
        self.pairs.iter().filter(touches).filter(|pair| pair.first.table != pair.second.table)
    }

    /// The table with this name.
    pub fn table(&self, name: &str) -> Option<&TableConfig> {
        self.tables.iter().find(|table| table.name.0 == name)
    }

    /// Whether a table's configuration decides its conflicts: the newer content replaces the older one.
    pub fn decides_conflicts(&self, table: &str) -> bool {
        self.table(table).is_some_and(|table| table.on_conflict == OnConflict::Replace)
    }

    /// The tables that are read from files, in the order of the file.
    pub fn logger_tables(&self) -> impl Iterator<Item = &TableConfig> {
        self.tables.iter().filter(|table| table.made_of.is_none())
    }

    /// The tables that are made of others, in the order of the file.
    pub fn made_tables(&self) -> impl Iterator<Item = (&TableConfig, &MadeOf)> {
        self.tables.iter().filter_map(|table| Some((table, table.made_of.as_ref()?)))
    }

    /// The suggestion for a name that no table has: similar names, otherwise all names.
    pub fn tables_like(&self, name: &str) -> String {
        let names: Vec<&str> = self.tables.iter().map(|table| table.name.0.as_str()).collect();
        match look_alikes(name, names.iter().copied()).as_slice() {
            [] => format!("the configuration has: {}", names.join(", ")),
            alike => format!("did you mean {}?", any_of(alike)),
        }
    }
}
