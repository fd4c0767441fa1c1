//! What may stand in the TOML file, and nothing else.
//!
//! Every key is optional here and keeps its place, so that [`super::load`] can say what is missing or wrong in words of
//! its own. This module only refuses what is not TOML, keys that nobody knows, and values of the wrong kind.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::place::Source;
use super::quality_file::{
    AttenuatedSection, ClimatologySection, FlatLineSection, PairSection, QcSection, RateSection, SpikeSection,
    TimesSection,
};
use super::spelling::{any_of, look_alikes};

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
    pub allow_http: Option<bool>,
    pub retention: Text,
    pub timeout: Text,
    /// Never taken: only known so that the refusal can say where a secret belongs. Its content is not kept.
    pub token: Option<Spanned<IgnoredAny>>,
    /// As `token`.
    pub password: Option<Spanned<IgnoredAny>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct SyncSection {
    pub batch_rows: Option<Spanned<i64>>,
    pub batch_bytes: Option<Spanned<i64>>,
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
    pub time_gap: Option<Spanned<TimesSection>>,
    pub withhold: Option<bool>,
    #[serde(default)]
    pub columns: BTreeMap<String, Spanned<ColumnSection>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnSection {
    #[serde(rename = "use")]
    pub column_use: Text,
    pub field: Text,
    pub variable: Text,
    pub suspect: Numbers,
    pub fail: Numbers,
    pub missing: Numbers,
    pub unit: Text,
    pub formula: Text,
    pub withhold: Option<bool>,
    pub spike: Option<Spanned<SpikeSection>>,
    pub rate_of_change: Option<Spanned<RateSection>>,
    pub flat_line: Option<Spanned<FlatLineSection>>,
    pub attenuated_signal: Option<Spanned<AttenuatedSection>>,
    pub climatology: Option<Spanned<ClimatologySection>>,
    pub diagnostic: Text,
    pub governs: Texts,
}

/// How a key is written, for values of the wrong kind.
const EXAMPLES: &[(&str, &str)] = &[
    ("qc", "[qc]"),
    ("pair", "[[pair]], with two brackets"),
    ("withhold", "withhold = true"),
    ("spike", "spike = { suspect = 2, fail = 5 }"),
    ("rate_of_change", "rate_of_change = { suspect = 1, fail = 3, per = \"1m\" }"),
    ("flat_line", "flat_line = { suspect = \"2h\", fail = \"6h\", tolerance = 0.01 }"),
    ("attenuated_signal", "attenuated_signal = { suspect = 0.1, window = \"3h\" }"),
    ("climatology", "climatology = { file = \"bands.csv\", variable = \"TA\", suspect = [\"p2_5\", \"p97_5\"] }"),
    ("time_gap", "time_gap = { suspect = \"10m\" }"),
    ("governs", "governs = [\"Ux\", \"Uy\", \"Uz\"]"),
    ("difference", "difference = { suspect = 2, fail = 5 }"),
    ("ratio", "ratio = { suspect = [1.8, 2.3] }"),
    ("when", "when = { column = \"SW_IN\", above = 20 }"),
    ("tolerance", "tolerance = 0.01"),
    ("margin", "margin = 2"),
    ("least", "least = 10"),
    ("above", "above = 20"),
    ("below", "below = 5"),
    ("except", "except = [99, 100]"),
    ("bands", "bands = [{ months = [6, 8], suspect = [5, 30] }]"),
    ("months", "months = [6, 8]"),
    ("days", "days = [1, 90]"),
    ("hours", "hours = [0, 5]"),
    ("dates", "dates = [\"2026-06-01\", \"2026-08-31 23:59:59\"]"),
    ("station", "[station]"),
    ("store", "[store]"),
    ("destination", "[destination]"),
    ("sync", "[sync]"),
    ("log", "[log]"),
    ("table", "[[table]], with two brackets"),
    ("columns", "[table.columns.NAME]"),
    ("allow_http", "allow_http = true"),
    ("health", "health = true"),
    ("batch_rows", "batch_rows = 5000"),
    ("batch_bytes", "batch_bytes = 1_000_000"),
    ("budget_bytes", "budget_bytes = 4_000_000"),
    ("max_bytes", "max_bytes = 5_000_000"),
    ("keep", "keep = 5"),
    ("store.keep", "keep = \"400d\""),
    ("utc_offset", "utc_offset = \"-05:00\""),
    ("files", "files = ['C:\\Campbellsci\\LoggerNet\\*.dat']"),
    ("names", "names = [\"Time\", \"Temp\"]"),
    ("tags", "tags = { height = \"46m\" }"),
    ("valid_from", "valid_from = \"2000-01-01\""),
    ("missing", "missing = [-9999, 7999]"),
    ("suspect", "suspect = [-40, 45]"),
    ("fail", "fail = [-50, 50]"),
    ("retention", "retention = \"30d\""),
    ("timeout", "timeout = \"60s\""),
    ("deadline", "deadline = \"4m\""),
    ("last_line_after", "last_line_after = \"10m\""),
    ("stale_after", "stale_after = \"1h\""),
];

/// Tests whose limits are no pair of bounds, or bounds of their own.
const TESTS: &[&str] =
    &["spike", "rate_of_change", "flat_line", "attenuated_signal", "climatology", "time_gap", "difference", "ratio"];

/// Keys that are known only to be refused.
const NEVER: &[&str] = &["token", "password"];

impl File {
    /// Reads the text.
    pub(super) fn parse(source: &Source<'_>) -> Result<File, ConfigError> {
        let tree = DeTable::parse(source.text).map_err(|error| syntax(source, &error))?;
        toml::from_str(source.text).map_err(|error| wrong_shape(source, &tree, &error))
    }
}

fn syntax(source: &Source<'_>, error: &toml::de::Error) -> ConfigError {
    let line = error.span().map(|span| source.line(span.start));
    let text = line.and_then(|line| source.text.lines().nth(line - 1)).unwrap_or_default();
    let mend = if error.message().contains("duplicate") {
        "; a key or section stands once, so remove one of them or put # before it"
    } else if text.trim_start().starts_with("[table.columns.") {
        "; put a column name with brackets or blanks in quotes: [table.columns.\"TS(1)\"]"
    } else if text.contains('\\') && text.contains('"') {
        "; put Windows paths in single quotes: 'C:\\Campbellsci\\LoggerNet\\*.dat'"
    } else {
        "; text stands in quotes, and one key = value on a line"
    };
    let message = format!("not valid TOML: {}{mend}", error.message());
    ConfigError::Syntax { file: source.path.to_owned(), line, message }
}

/// The message of serde is used for the names it holds only: it may quote a value.
fn wrong_shape(source: &Source<'_>, tree: &Spanned<DeTable<'_>>, error: &toml::de::Error) -> ConfigError {
    let file = source.path.to_owned();
    let Some(span) = error.span() else {
        return ConfigError::Syntax { file, line: None, message: "not a configuration of fluxtower".to_owned() };
    };
    let line = Some(source.line(span.start));
    let found = find(tree.get_ref(), &span, Found::default());
    let section = found.section();
    if error.message().starts_with("unknown field") {
        let names: Vec<&str> = error.message().split('`').skip(1).step_by(2).collect();
        let (key, known) = names.split_first().map_or(("", &names[..]), |(key, known)| (*key, known));
        let known: Vec<&str> = known.iter().copied().filter(|name| !NEVER.contains(name)).collect();
        let alike = look_alikes(key, known.iter().copied());
        let mend = if alike.is_empty() {
            format!("known here: {}", known.join(", "))
        } else {
            format!("did you mean {}?", any_of(&alike))
        };
        let message = format!("{section}{key} is not known; {mend}");
        return ConfigError::UnknownKey { file, line, message };
    }
    let key = found.keys.last().cloned().unwrap_or_default();
    // The limits of a test are written as that test writes them; two sections may have a key of one name.
    let around = found.keys.len().checked_sub(2).map_or("", |at| found.keys[at].as_str());
    let is_limit = matches!(key.as_str(), "suspect" | "fail") && TESTS.contains(&around);
    let wanted = if is_limit { around } else { key.as_str() };
    let whole = found.keys.join(".");
    let example = EXAMPLES.iter().find(|(name, _)| *name == whole);
    let mend = match example.or_else(|| EXAMPLES.iter().find(|(name, _)| *name == wanted)) {
        Some((_, example)) => (*example).to_owned(),
        None => format!("{key} = \"...\""),
    };
    let message = format!("{section}{key} cannot be {}; write {mend}", found.kind());
    ConfigError::Invalid { file, line, message }
}

/// The way from the top of the file to the value at fault.
#[derive(Default)]
struct Found {
    /// Names of sections and keys.
    keys: Vec<String>,
    /// The name of the `[[table]]` on the way.
    table: Option<String>,
    /// What kind of value was found.
    kind: Option<&'static str>,
}

impl Found {
    /// `[sync] ` for `sync.batch_rows`; empty at the top of the file.
    fn section(&self) -> String {
        match (self.keys.split_last(), &self.table) {
            (None | Some((_, [])), _) => String::new(),
            (Some((_, [table])), Some(name)) if table == "table" => format!("[[table]] \"{name}\" "),
            (Some((_, path)), _) => format!("[{}] ", path.join(".")),
        }
    }

    fn kind(&self) -> &'static str {
        match self.kind {
            Some("string") => "a text in quotes",
            Some("integer") => "a whole number",
            Some("float") => "a number",
            Some("boolean") => "true or false",
            Some("datetime") => "a date without quotes",
            Some("array") => "a list, or a section in two brackets",
            Some("table") => "a section in one bracket, or a list in { }",
            _ => "what stands here",
        }
    }
}

/// Follows the keys whose value or name holds `span`.
fn find(table: &DeTable<'_>, span: &Range<usize>, mut found: Found) -> Found {
    for (key, value) in table {
        let named = contains(&key.span(), span);
        if !named && !holds(value, span) {
            continue;
        }
        found.keys.push(key.get_ref().to_string());
        found.kind = Some(value.get_ref().type_str());
        if named {
            return found;
        }
        return match value.get_ref() {
            DeValue::Table(inner) => find(inner, span, found),
            DeValue::Array(items) => match items.iter().find(|item| holds(item, span)) {
                Some(item) => match item.get_ref() {
                    DeValue::Table(inner) => {
                        found.table = inner.get("name").and_then(|name| name.get_ref().as_str()).map(str::to_owned);
                        find(inner, span, found)
                    }
                    _ => found,
                },
                None => found,
            },
            _ => found,
        };
    }
    found
}

/// A section's own span is its head line only, so its keys are asked too.
fn holds(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
    contains(&value.span(), span)
        || match value.get_ref() {
            DeValue::Table(inner) => inner.iter().any(|(key, value)| contains(&key.span(), span) || holds(value, span)),
            DeValue::Array(items) => items.iter().any(|item| holds(item, span)),
            _ => false,
        }
}

fn contains(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end && !outer.is_empty()
}
