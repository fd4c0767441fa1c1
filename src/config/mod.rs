//! What a site tells fluxtower, checked once, ready to run on.
//!
//! The file a user writes and the value the program runs on are two types: [`file`] says what may stand in the TOML,
//! this module what it means. Everything that can be wrong is found here, with file, line, key and the mend, so that no
//! later module has to doubt its configuration. Secrets are named, never held: [`Secret`] reads them when they are
//! used.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use url::Url;

use crate::ameriflux::Range;
use crate::qc::{ColumnSettings, Diagnostic, Pair, TableSettings};
use crate::text::{any_of, look_alikes};
use crate::time::StationClock;

mod column;
mod destination_load;
mod error;
mod file;
mod formula;
mod influx;
mod level;
mod load;
mod pair;
mod panel;
mod place;
mod quality;
mod quality_file;
mod quality_load;
mod secret;
mod shape;
mod table;
mod value;
mod variables;

pub use error::ConfigError;
pub use formula::Formula;
pub(crate) use influx::is_id;
pub use influx::{BucketConfig, Header, Tls};
pub use level::Level;
pub use panel::{PanelConfig, PanelKind};
pub use secret::{Secret, SecretError};
pub(crate) use value::{bucket_name, duration};

pub use crate::qc::{ColumnAt, TableName};

/// A validated configuration. Relative paths are already joined to the folder of the config file.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from.
    pub path: PathBuf,
    /// The station that every table belongs to.
    pub station: Station,
    /// Path of the SQLite database.
    pub store_path: PathBuf,
    /// `run` deletes rows that were sent when they are older than this; none keeps them for ever.
    pub store_keep: Option<Duration>,
    /// Where rows go.
    pub destination: DestinationConfig,
    /// How they go.
    pub sync: SyncConfig,
    /// What is written to the log file.
    pub log: LogConfig,
    /// In the order of the file; names are unique.
    pub tables: Vec<TableConfig>,
    /// Columns that should agree; names are unique.
    pub pairs: Vec<Pair>,
    /// What the site says about panels, in the order of the file; titles are unique.
    pub panels: Vec<PanelConfig>,
    /// How long a row waits for the rows that its tests look at, before it is sent without them.
    pub wait: Duration,
}

/// The station that this agent runs on.
#[derive(Debug, Clone)]
pub struct Station {
    /// For example `US-UMB`; sent as the tag `station` unless a table's tags say otherwise.
    pub name: String,
    /// How its loggers' clocks relate to UTC.
    pub clock: StationClock,
}

/// Where rows go.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a process holds one, and a box would only make it harder to match")]
pub enum DestinationConfig {
    /// A folder of line-protocol files, ready for `influx write`.
    Files {
        /// The folder; made when it is first needed.
        path: PathBuf,
    },
    /// A server that speaks one of InfluxDB's write APIs.
    Influx(InfluxConfig),
}

/// Which write API a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// `/write` of InfluxDB 1.x.
    V1,
    /// `/api/v2/write` of Cloud 2.0 and OSS 2.x.
    V2,
    /// `/api/v3/write_lp` of InfluxDB 3.
    V3,
}

/// An InfluxDB, or a server that speaks its write API.
#[derive(Debug, Clone)]
pub struct InfluxConfig {
    /// Scheme, host and port; the path is empty.
    pub url: Url,
    /// Which write API it speaks.
    pub api: Api,
    /// Organisation (v2); empty for the others.
    pub org: String,
    /// Bucket (v2), `db` or `db/rp` (v1), database (v3). A table may name its own.
    pub bucket: String,
    /// The token of v2 and v3, the password of v1.
    pub secret: Option<Secret>,
    /// The user of v1.
    pub user: Option<String>,
    /// How long the bucket keeps rows, when the server cannot be asked.
    pub retention: Option<Duration>,
    /// Total time allowed for one request.
    pub timeout: Duration,
    /// Which certificates count, and which is ours.
    pub tls: Tls,
    /// Sent with each request, beside fluxtower's own.
    pub headers: Vec<Header>,
    /// What is special about single buckets; names are unique.
    pub buckets: Vec<BucketConfig>,
}

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

/// The log file.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// None means stderr only.
    pub file: Option<PathBuf>,
    /// A full file is set aside as `NAME.1`, `NAME.2`, ….
    pub max_bytes: u64,
    /// How many files set aside are kept.
    pub keep: usize,
}

/// One logger table: its files, its shape and where its rows go.
#[derive(Debug, Clone)]
pub struct TableConfig {
    /// Unique in the file.
    pub name: TableName,
    /// Glob patterns, joined to the folder of the config file.
    pub files: Vec<PathBuf>,
    /// What stands in them.
    pub format: FileFormat,
    /// The table name that line 1 must carry; none means that the first file read decides.
    pub logger_table: Option<String>,
    /// The measurement its rows are written to.
    pub measurement: String,
    /// Constant tags, `station` among them.
    pub tags: BTreeMap<String, String>,
    /// Overrides the destination's bucket.
    pub bucket: Option<String>,
    /// The station's clock, or the table's own.
    pub clock: StationClock,
    /// What to do when the same key comes again with other content.
    pub on_conflict: OnConflict,
    /// A last line without a line end is taken once the file has been still for this long.
    pub last_line_after: Duration,
    /// Rows before this instant come from a dead clock and are rejected.
    pub valid_from: DateTime<Utc>,
    /// Values that mean "missing" in every column that does not say otherwise.
    pub sentinels: Vec<f64>,
    /// `status` calls the table stale when its newest row is older than this.
    pub stale_after: Option<Duration>,
    /// The tests of its rows.
    pub quality: TableSettings,
    /// Where the sensors are whose columns do not say it themselves: the table's `height` or `depth`, else its tag.
    pub level: Option<Level>,
    /// What measures the columns that do not say it themselves.
    pub sensor: Option<String>,
    /// By the column's name in the file. Columns not named here are fields under their own name.
    pub columns: BTreeMap<String, ColumnConfig>,
}

/// What stands in a table's files.
#[derive(Debug, Clone)]
pub enum FileFormat {
    /// LoggerNet's TOA5, four header lines.
    Toa5,
    /// Rows without a header.
    Csv(CsvFormat),
}

/// Rows without a header: the names come from the configuration.
#[derive(Debug, Clone)]
pub struct CsvFormat {
    /// A name per column, in the order of the file.
    pub columns: Vec<String>,
    /// Which of them is the time.
    pub time_column: String,
    /// In chrono's strftime letters; none means `YYYY-MM-DD hh:mm:ss[.f]`.
    pub time_format: Option<String>,
    /// Which of them is the record number, if one is.
    pub record_column: Option<String>,
}

/// What to do when the same key comes again with other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// The first stays; the other is kept beside.
    Keep,
    /// The newer becomes the row and is sent again; the older is kept beside.
    Replace,
}

/// The type that a column's values are sent as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ValueType {
    /// A number.
    #[default]
    Float,
    /// A whole number. Values that are none are left out.
    Integer,
    /// A string.
    Text,
    /// True or false: 1 or -1 and 0, or the words.
    Boolean,
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColumnUse {
    /// A float field.
    #[default]
    Field,
    /// Part of the row's identity, sent as a tag.
    Tag,
    /// Stored, never sent.
    Ignore,
}

/// One column of a table.
#[derive(Debug, Clone, Default)]
pub struct ColumnConfig {
    /// What it is for.
    pub column_use: ColumnUse,
    /// The name it is sent under; none means its own.
    pub field: Option<String>,
    /// AmeriFlux base name, with or without position qualifiers.
    pub variable: Option<String>,
    /// The range test, if one is configured (directly or through `variable`).
    pub range: Option<Range>,
    /// Values that mean "missing" here; none means the table's.
    pub sentinels: Option<Vec<f64>>,
    /// The unit of a derived column.
    pub unit: Option<String>,
    /// A derived column is not in the file: this gives its value.
    pub formula: Option<Formula>,
    /// Whether values that fail are held back from the bucket; their flags go out.
    pub withhold: bool,
    /// The tests beside the range.
    pub quality: ColumnSettings,
    /// Whether it is an instrument's diagnostic word, and whose.
    pub diagnostic: Option<Diagnostic>,
    /// What is measured, in words: columns of one quantity are looked at together. None means that `variable` says it.
    pub quantity: Option<String>,
    /// Where the sensor is; the table's, unless the column says it.
    pub level: Option<Level>,
    /// What measures it: `CNR1`; the table's, unless the column says it.
    pub sensor: Option<String>,
    /// The type that its values are sent as.
    pub value_type: ValueType,
}

impl DestinationConfig {
    /// The most columns (time, tags and fields) that a measurement may have there. InfluxDB 3 Core allows 500; the others
    /// set no limit that a logger's table reaches (docs/influx-answers.md#limits).
    pub fn most_columns(&self) -> Option<usize> {
        match self {
            DestinationConfig::Influx(influx) if influx.api == Api::V3 => Some(500),
            _ => None,
        }
    }
}

impl Config {
    /// The pairs that compare a column of this table with one of another.
    pub fn pairs_across(&self, table: &TableName) -> impl Iterator<Item = &Pair> {
        let touches = move |pair: &&Pair| pair.first.table == *table || pair.second.table == *table;
        self.pairs.iter().filter(touches).filter(|pair| pair.first.table != pair.second.table)
    }

    /// The table of that name.
    pub fn table(&self, name: &str) -> Option<&TableConfig> {
        self.tables.iter().find(|table| table.name.0 == name)
    }

    /// What to say to a name that no table has: those that it was likely meant for, else all.
    pub fn tables_like(&self, name: &str) -> String {
        let names: Vec<&str> = self.tables.iter().map(|table| table.name.0.as_str()).collect();
        match look_alikes(name, names.iter().copied()).as_slice() {
            [] => format!("the configuration has: {}", names.join(", ")),
            alike => format!("did you mean {}?", any_of(alike)),
        }
    }
}
