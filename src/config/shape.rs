//! What is not TOML, keys that nobody knows, and values of the wrong kind: from the parser's error to a sentence with
//! section, key and mend.
//!
//! The parser names a byte, not a section, and its words may quote a value that is a secret. So the way from the top of
//! the file to that byte is walked here, and of the parser's words only the names of keys are used.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::file::{
    BucketSection, ColumnSection, DestinationSection, LogSection, PanelSection, StationSection, StoreSection,
    SyncSection, TableSection,
};
use super::place::Source;
use super::quality_file::{PairSection, QcSection};
use crate::qc::{ColumnSettings, GroupKeys, Kind, TableSettings};
use crate::text::{any_of, look_alikes};

/// How a key is written, for values of the wrong kind. A key that means another thing in a group has the group before it.
/// The keys of the QC tests stand with the tests.
const EXAMPLES: &[(&str, &str)] = &[
    (".bucket", "[[bucket]], with two brackets, and its keys in the lines below"),
    ("above", "above = 20"),
    ("allow_http", "allow_http = true"),
    ("api", "api = \"v2\""),
    ("batch_bytes", "batch_bytes = 1_000_000"),
    ("batch_rows", "batch_rows = 5000"),
    ("below", "below = 5"),
    ("bounds", "bounds = [375, 425]"),
    ("budget_bytes", "budget_bytes = 4_000_000"),
    ("columns", "a section [table.columns.NAME] for each column"),
    ("deadline", "deadline = \"4m\""),
    ("depth", "depth = \"7.5cm\""),
    ("destination", "[destination], and its keys in the lines below"),
    ("diagnostic", "diagnostic = \"csat3\""),
    ("difference", "difference = { suspect = 2, fail = 5 }"),
    ("difference.fail", "fail = 5"),
    ("difference.suspect", "suspect = 2"),
    ("fail", "fail = [-50, 50]"),
    ("files", "files = ['C:\\Campbellsci\\LoggerNet\\*.dat']"),
    ("flags", "flags = \"column\""),
    ("format", "format = \"csv\""),
    ("formula", "formula = \"TA * 1.8 + 32\""),
    ("governs", "governs = [\"Ux\", \"Uy\", \"Uz\"]"),
    ("headers", "headers = { X-Site = \"umbs\" }"),
    ("health", "health = true"),
    ("heartbeat_url", "heartbeat_url = \"https://...\""),
    ("height", "height = \"46m\""),
    ("hide", "hide = true"),
    ("keep", "keep = 5"),
    ("kind", "kind = \"influxdb\""),
    ("labels", "labels = [\"46 m\", \"34 m\"]"),
    ("last_line_after", "last_line_after = \"10m\""),
    ("log", "[log], and its keys in the lines below"),
    ("log.file", "file = \"fluxtower.log\""),
    ("max_bytes", "max_bytes = 5_000_000"),
    ("mean", "mean = \"10m\""),
    ("missing", "missing = [-9999, 7999]"),
    ("names", "names = [\"Time\", \"Temp\"]"),
    ("on_conflict", "on_conflict = \"replace\""),
    ("pair", "[[pair]], with two brackets, and its keys in the lines below"),
    ("pair.table", "table = \"46m_par\", the name of a [[table]]"),
    ("panel", "[[panel]], with two brackets, and its keys in the lines below"),
    ("panel.columns", "columns = [\"46m_temprh/AirTemp_Avg\"]"),
    ("panel.kind", "kind = \"scatter\""),
    ("panel.unit", "unit = \"ppm\""),
    ("qc", "[qc], and its keys in the lines below"),
    ("quantity", "quantity = \"Air temperature\""),
    ("ratio", "ratio = { suspect = [1.8, 2.3] }"),
    ("ratio.fail", "fail = [1.2, 3]"),
    ("ratio.suspect", "suspect = [1.8, 2.3]"),
    ("requests", "requests = 4"),
    ("retention", "retention = \"30d\""),
    ("right", "right = [\"46m_wind/Uz\"]"),
    ("right_bounds", "right_bounds = [-2, 2]"),
    ("row", "row = \"Wind\""),
    ("sensor", "sensor = \"CNR1\""),
    ("stale_after", "stale_after = \"1h\""),
    ("station", "[station], and its keys in the lines below"),
    ("store", "[store], and its keys in the lines below"),
    ("store.keep", "keep = \"400d\""),
    ("suspect", "suspect = [-40, 45]"),
    ("sync", "[sync], and its keys in the lines below"),
    ("table", "[[table]], with two brackets, and its keys in the lines below"),
    ("tags", "tags = { height = \"46m\" }"),
    ("time_format", "time_format = \"%m/%d/%Y %H:%M\""),
    ("timeout", "timeout = \"60s\""),
    ("timezone", "timezone = \"America/Detroit\""),
    ("title", "title = \"CO2 and vertical wind\""),
    ("type", "type = \"integer\""),
    ("use", "use = \"tag\""),
    ("utc_offset", "utc_offset = \"-05:00\""),
    ("valid_from", "valid_from = \"2000-01-01\""),
    ("wait", "wait = \"11m\""),
    ("when", "when = { column = \"SW_IN\", above = 20 }"),
    ("withhold", "withhold = true"),
    ("within", "within = \"30s\""),
];

/// Keys that are known only to be refused.
const NEVER: &[&str] = &["token", "password"];

/// What breaks the rules of TOML.
pub(super) fn syntax(source: &Source<'_>, error: &toml::de::Error) -> ConfigError {
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

/// What is TOML, and is not what may stand there.
pub(super) fn wrong_shape(source: &Source<'_>, tree: &Spanned<DeTable<'_>>, error: &toml::de::Error) -> ConfigError {
    let file = source.path.to_owned();
    let Some(span) = error.span() else {
        return ConfigError::Syntax { file, line: None, message: "not a configuration of fluxtower".to_owned() };
    };
    match unknown_key(error) {
        Some((key, known)) => unknown(source, tree, &span, &key, known),
        None => wrong_kind(source, tree, &span),
    }
}

/// A key at `span` that its section does not know, and the keys that it knows.
pub(super) fn unknown(
    source: &Source<'_>,
    tree: &Spanned<DeTable<'_>>,
    span: &Range<usize>,
    key: &str,
    known: Vec<String>,
) -> ConfigError {
    let found = find(tree.get_ref(), span, Found::default());
    let message = format!("{}{key} is not known; {}", found.place(), advice_on_unknown(key, known, &found));
    ConfigError::UnknownKey { file: source.path.to_owned(), line: Some(source.line(span.start)), message }
}

/// A value at `span` that is of another kind than its key asks for.
pub(super) fn wrong_kind(source: &Source<'_>, tree: &Spanned<DeTable<'_>>, span: &Range<usize>) -> ConfigError {
    let file = source.path.to_owned();
    let line = Some(source.line(span.start));
    let found = find(tree.get_ref(), span, Found::default());
    let place = found.place();
    let key = found.keys.last().cloned().unwrap_or_default();
    let verb = if found.is_inside { "cannot hold" } else { "cannot be" };
    let message = format!("{place}{key} {verb} {}; write {}", found.kind(), found.example());
    ConfigError::Invalid { file, line, message }
}

/// The key that nobody knows and those that are known in its section.
fn unknown_key(error: &toml::de::Error) -> Option<(String, Vec<String>)> {
    if !error.message().starts_with("unknown field") {
        return None;
    }
    let mut names = error.message().split('`').skip(1).step_by(2).map(str::to_owned);
    let key = names.next()?;
    Some((key, names.filter(|name| !NEVER.contains(&name.as_str())).collect()))
}

fn advice_on_unknown(key: &str, mut known: Vec<String>, found: &Found) -> String {
    known.extend(found.tests().iter().map(|keys| keys.name.to_owned()));
    let alike = look_alikes(key, known.iter().map(String::as_str));
    if !alike.is_empty() {
        return format!("did you mean {}?", any_of(&alike));
    }
    let homes = homes(key);
    match homes.as_slice() {
        [] => format!("known here: {}", known.join(", ")),
        // In TOML everything below a section's head belongs to it, so a table's key ends up in its last column.
        ["[[table]]"] if found.is_in_column() => {
            "it is a key of [[table]]: write it above the first [table.columns.NAME] of its table".to_owned()
        }
        homes => format!("it is a key of {}: write it there", homes.join(" and ")),
    }
}

/// The sections that know the key.
fn homes(key: &str) -> Vec<&'static str> {
    let sections = [
        ("[station]", keys_of::<StationSection>()),
        ("[store]", keys_of::<StoreSection>()),
        ("[destination]", keys_of::<DestinationSection>()),
        ("[[bucket]]", keys_of::<BucketSection>()),
        ("[sync]", keys_of::<SyncSection>()),
        ("[log]", keys_of::<LogSection>()),
        ("[qc]", keys_of::<QcSection>()),
        ("[[table]]", with_tests(keys_of::<TableSection>(), TableSettings::KEYS)),
        ("[table.columns.NAME]", with_tests(keys_of::<ColumnSection>(), ColumnSettings::KEYS)),
        ("[[pair]]", keys_of::<PairSection>()),
        ("[[panel]]", keys_of::<PanelSection>()),
    ];
    sections.into_iter().filter(|(_, keys)| keys.iter().any(|known| known == key)).map(|(name, _)| name).collect()
}

/// The keys of a section, asked of its type: its refusal of a key that cannot be one lists them.
fn keys_of<T: DeserializeOwned>() -> Vec<String> {
    let refusal = toml::from_str::<T>("\"?\" = 0").err();
    refusal.as_ref().and_then(unknown_key).map(|(_, known)| known).unwrap_or_default()
}

fn with_tests(mut keys: Vec<String>, tests: &[&GroupKeys]) -> Vec<String> {
    keys.extend(tests.iter().map(|keys| keys.name.to_owned()));
    keys
}

/// How a test's group or a key in it is written, by the list of QC. `path` is the way to it from the section.
fn example_of_test(tests: &[&'static GroupKeys], path: &[String]) -> Option<&'static str> {
    let (name, rest) = path.split_first()?;
    let group = tests.iter().find(|group| group.name == name)?;
    let Some((key, rest)) = rest.split_first() else { return Some(group.example) };
    let key = group.keys.iter().find(|known| known.name == key)?;
    match (rest.first(), &key.kind) {
        (Some(inner), Kind::Groups(keys)) => keys.iter().find(|known| known.name == inner).map(|known| known.example),
        _ => Some(key.example),
    }
}

/// The way from the top of the file to the value at fault.
#[derive(Default)]
struct Found {
    /// Names of sections and keys.
    keys: Vec<String>,
    /// The name of the `[[table]]` or `[[pair]]`, or the title of the `[[panel]]` on the way.
    item: Option<String>,
    /// What kind of value was found.
    kind: Option<&'static str>,
    /// Whether it is an item of a list, the list being of the right kind.
    is_inside: bool,
}

impl Found {
    /// What stands before the key: `[sync] `, `[[table]] "par" tags: `, `[table.columns.A] spike: `; empty at the top of the
    /// file.
    fn place(&self) -> String {
        let path: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let Some((_, above)) = path.split_last() else { return String::new() };
        let (section, groups) = match above {
            [] => return String::new(),
            ["table", "columns", column, groups @ ..] => (format!("[table.columns.{}]", quoted(column)), groups),
            [list @ ("table" | "pair" | "panel" | "bucket"), groups @ ..] => match &self.item {
                Some(name) => (format!("[[{list}]] \"{name}\""), groups),
                None => (format!("[[{list}]]"), groups),
            },
            [section, groups @ ..] => (format!("[{section}]"), groups),
        };
        let groups: String = groups.iter().map(|group| format!(" {group}:")).collect();
        format!("{section}{groups} ")
    }

    fn is_in_column(&self) -> bool {
        matches!(self.keys.as_slice(), [table, columns, _, _] if table == "table" && columns == "columns")
    }

    /// The tests whose groups may stand in the section.
    fn tests(&self) -> &'static [&'static GroupKeys] {
        match self.keys.as_slice() {
            [table, _] if table == "table" => TableSettings::KEYS,
            _ if self.is_in_column() => ColumnSettings::KEYS,
            _ => &[],
        }
    }

    fn example(&self) -> String {
        let of_test = match self.keys.as_slice() {
            [table, columns, _, path @ ..] if table == "table" && columns == "columns" => {
                example_of_test(ColumnSettings::KEYS, path)
            }
            [table, path @ ..] if table == "table" => example_of_test(TableSettings::KEYS, path),
            _ => None,
        };
        if let Some(example) = of_test {
            return example.to_owned();
        }
        let (key, group) = match self.keys.as_slice() {
            [.., columns, column] if columns == "columns" => {
                return format!("a section [table.columns.{}]", quoted(column));
            }
            [.., headers, name] if headers == "headers" => {
                return format!("headers = {{ {} = \"...\" }}", quoted(name));
            }
            [.., tags, tag] if tags == "tags" => return format!("tags = {{ {} = \"...\" }}", quoted(tag)),
            [.., group, key] => (key.as_str(), group.as_str()),
            [key] => (key.as_str(), ""),
            [] => ("", ""),
        };
        let named = |wanted: &str| EXAMPLES.iter().find(|(name, _)| *name == wanted);
        match named(&format!("{group}.{key}")).or_else(|| named(key)) {
            Some((_, example)) => (*example).to_owned(),
            None => format!("it in quotes: {key} = \"...\""),
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
            Some("table") => "a section in one bracket, or a group in { }",
            _ => "what stands here",
        }
    }
}

/// As a name stands in a section's head: in quotes unless it is a plain word.
pub(super) fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(is_plain) { name.to_owned() } else { format!("\"{name}\"") }
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
                    DeValue::Table(inner) if item.span() != *span => {
                        let name =
                            inner.get("name").or_else(|| inner.get("title")).and_then(|name| name.get_ref().as_str());
                        found.item = name.map(str::to_owned).or(found.item);
                        find(inner, span, found)
                    }
                    other => {
                        found.kind = Some(other.type_str());
                        found.is_inside = true;
                        found
                    }
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
