//! What may stand in the TOML file, and nothing else.
//!
//! Every key is optional here and keeps its place, so that [`super::load`] can say what is missing or wrong. What is not
//! TOML, unknown keys, and values of the wrong kind are refused here; [`super::shape`] writes the message. The groups of
//! the QC tests are read by the keys that QC lists ([`super::quality_file`]).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::DeTable;

use super::place::Source;
use super::quality_file::{self, GroupSection, PairSection, QcSection, Tree};
use super::{ConfigError, shape};

/// A string that may be there, with its place.
pub(super) type Text = Option<Spanned<String>>;
/// A list of strings that may be there, each with its place.
pub(super) type Texts = Option<Spanned<Vec<Spanned<String>>>>;
/// A list of numbers that may be there.
pub(super) type Numbers = Option<Spanned<Vec<f64>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub station: Option<Spanned<StationSection>>,
    pub store: Option<Spanned<StoreSection>>,
    pub destination: Option<Spanned<DestinationSection>>,
    pub sync: Option<Spanned<SyncSection>>,
    pub log: Option<Spanned<LogSection>>,
    pub qc: Option<Spanned<QcSection>>,
    #[serde(default)]
    pub table: Vec<Spanned<TableSection>>,
    #[serde(default)]
    pub pair: Vec<Spanned<PairSection>>,
    #[serde(default)]
    pub panel: Vec<Spanned<PanelSection>>,
    #[serde(default)]
    pub bucket: Vec<Spanned<BucketSection>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct StationSection {
    pub name: Text,
    pub utc_offset: Text,
    pub timezone: Text,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct StoreSection {
    pub path: Text,
    pub keep: Text,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct DestinationSection {
    pub kind: Text,
    pub path: Text,
    pub url: Text,
    pub api: Text,
    pub org: Text,
    pub bucket: Text,
    pub token_env: Text,
    pub token_file: Text,
    pub user: Text,
    pub password_env: Text,
    pub password_file: Text,
    pub allow_http: Option<Spanned<bool>>,
    pub retention: Text,
    pub timeout: Text,
    pub ca_file: Text,
    pub client_cert_file: Text,
    pub client_key_file: Text,
    pub headers: Option<Spanned<BTreeMap<String, Spanned<String>>>>,
    /// Never taken: only known so that the refusal can say where a secret belongs. Its content is not kept.
    pub token: Option<Spanned<IgnoredAny>>,
    /// As `token`.
    pub password: Option<Spanned<IgnoredAny>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct BucketSection {
    pub name: Text,
    pub retention: Text,
    pub org: Text,
    pub token_env: Text,
    pub token_file: Text,
    /// As in `[destination]`: never taken.
    pub token: Option<Spanned<IgnoredAny>>,
    /// As `token`.
    pub password: Option<Spanned<IgnoredAny>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct SyncSection {
    pub batch_rows: Option<Spanned<i64>>,
    pub batch_bytes: Option<Spanned<i64>>,
    pub requests: Option<Spanned<i64>>,
    pub budget_bytes: Option<Spanned<i64>>,
    pub deadline: Text,
    pub health: Option<bool>,
    pub heartbeat_url: Text,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct LogSection {
    pub file: Text,
    pub max_bytes: Option<Spanned<i64>>,
    pub keep: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableSection {
    pub name: Text,
    pub files: Texts,
    pub format: Text,
    pub names: Texts,
    pub time_column: Text,
    pub time_format: Text,
    pub record_column: Text,
    pub logger_table: Text,
    pub measurement: Text,
    #[serde(default)]
    pub tags: BTreeMap<String, Spanned<String>>,
    pub bucket: Text,
    pub utc_offset: Text,
    pub timezone: Text,
    pub on_conflict: Text,
    pub last_line_after: Text,
    pub valid_from: Text,
    pub missing: Numbers,
    pub stale_after: Text,
    pub withhold: Option<bool>,
    pub height: Text,
    pub depth: Text,
    pub sensor: Text,
    #[serde(default)]
    pub columns: BTreeMap<String, Spanned<ColumnSection>>,
    /// The tests of its rows, by the keys that QC lists.
    #[serde(skip)]
    pub tests: Vec<GroupSection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnSection {
    #[serde(rename = "type")]
    pub value_type: Text,
    #[serde(rename = "use")]
    pub column_use: Text,
    pub field: Text,
    pub variable: Text,
    pub suspect: Numbers,
    pub fail: Numbers,
    pub missing: Numbers,
    pub unit: Text,
    pub formula: Text,
    pub withhold: Option<Spanned<bool>>,
    pub diagnostic: Text,
    pub governs: Texts,
    pub quantity: Text,
    pub height: Text,
    pub depth: Text,
    pub sensor: Text,
    /// Its tests, by the keys that QC lists.
    #[serde(skip)]
    pub tests: Vec<GroupSection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PanelSection {
    pub title: Text,
    pub row: Text,
    pub kind: Text,
    pub columns: Texts,
    pub right: Texts,
    pub labels: Texts,
    pub unit: Text,
    pub bounds: Numbers,
    pub right_bounds: Numbers,
    pub mean: Text,
    pub description: Text,
    pub hide: Option<Spanned<bool>>,
}

impl File {
    /// Reads the text.
    pub(super) fn parse(source: &Source<'_>) -> Result<File, ConfigError> {
        let whole = DeTable::parse(source.text).map_err(|error| shape::syntax(source, &error))?;
        let mut rest = whole.clone();
        let groups = quality_file::take(&Tree { source, whole: &whole }, &mut rest);
        let file = File::deserialize(toml::Deserializer::from(rest));
        let file = file.map_err(|error| shape::wrong_shape(source, &whole, &error));
        let (mut file, groups) = match (file, groups) {
            (Ok(file), Ok(groups)) => (file, groups),
            // Of two mistakes the first in the file is reported.
            (Err(one), Err(other)) if other.line() < one.line() => return Err(other),
            (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        for (table, groups) in file.table.iter_mut().map(Spanned::get_mut).zip(groups) {
            table.tests = groups.table;
            for (name, tests) in groups.columns {
                if let Some(column) = table.columns.get_mut(&name) {
                    column.get_mut().tests = tests;
                }
            }
        }
        Ok(file)
    }
}
