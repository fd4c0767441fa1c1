//! Writes the TOML text, with comments for the user who corrects it.

use std::fmt::Write as _;
use std::path::Path;

use super::StationSaid;
use super::column::{Column, Role};
use super::csv::{StatedOffset, Trust};
use super::pairs::Pair;
use super::quality::Line;
use super::sample::{Interval, Sample};
use super::table::{SCANS, Table};
use crate::config::{CsvDialect, CsvFormat, Separator};
use crate::sun::Position;
use crate::time::{MIDNIGHT_ENDS_THE_DAY, NANOS_PER_MILLI, NANOS_PER_SECOND};

/// A table is stale when its newest row is late by this many intervals; LoggerNet's schedule delays rows further.
const LATE_INTERVALS: i64 = 3;
/// The shortest `stale_after` in seconds, because collections may be minutes apart.
const LEAST_STALE_S: i64 = 1_800;
/// From this number on, similar elements of an array are described in one line.
const LONG_ARRAY: usize = 4;

/// The station's name, and the other station names in the files.
pub(super) fn station_name(given: Option<&str>, samples: &[Sample]) -> (String, Vec<String>) {
    let mut names: Vec<(String, usize)> = Vec::new();
    for sample in samples {
        let name = comment(sample.station()).replace('\\', "_").trim().to_owned();
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None if !name.is_empty() => names.push((name, 1)),
            None => {}
        }
    }
    let mut most = 0;
    let mut commonest = None;
    for (name, count) in &names {
        if *count > most {
            (most, commonest) = (*count, Some(name.clone()));
        }
    }
    let name = given.map(str::to_owned).or(commonest).unwrap_or_else(|| "station".to_owned());
    let others = names.into_iter().map(|(name, _)| name).filter(|other| *other != name).collect();
    (name, others)
}

/// The part before the first table.
pub(super) fn head(config: &Path, station: &str, others: &[String], said: &StationSaid) -> String {
    let stem = config.file_stem().map_or_else(|| "config".to_owned(), |stem| stem.to_string_lossy().into_owned());
    // Two configurations in one folder must not share a database.
    let (store, outbox, log) = if stem == "config" {
        ("fluxtower.db".to_owned(), "outbox".to_owned(), "fluxtower.log".to_owned())
    } else {
        (format!("{stem}.db"), format!("{stem}_outbox"), format!("{stem}.log"))
    };
    let elsewhere = if others.is_empty() {
        String::new()
    } else {
        let names: Vec<String> = others.iter().map(|name| quoted(name)).collect();
        format!(
            "# CHECK: some files name another in line 1: {}.\n# Every row is sent with the name below; a table can have its own: tags = {{ station = \"...\" }}\n",
            names.join(", ")
        )
    };
    let clock = if said.offset_is_given {
        "# The loggers' offset from UTC. It cannot be changed for a table once rows are in the database."
    } else {
        "# CHECK: this is the standard time of the computer that wrote this file; the loggers' time is not known. It cannot be\n\
 # changed for a table once rows are in the database."
    };
    format!(
        r#"# fluxtower: the files of one station, and the destination of their rows. Written from the headers of the files.
#
# It runs without a change: every column is sent under its own name. Suggestions that the header leaves open are comments with
# their reason; remove the # to use one (before a column's key, also before the [table.columns.…] above it).
# Relative paths start at the folder of this file. Windows paths go in single quotes.

[station]
{elsewhere}name = {name}
{clock}
# AmeriFlux loggers stay on standard time all year; Eastern Standard Time is -05:00. Only if your loggers change to
# summer time, write instead: timezone = "America/Detroit"
utc_offset = {offset}
{position}
# Every row that was ever read is kept in this database, whatever happens to the link or the server.
[store]
path = {store}

[destination]
kind = "files"
path = {outbox}

# To send to InfluxDB Cloud 2.0 or your own InfluxDB 2.x, put # before the three lines above and remove the # here.
# The token is in the environment variable that token_env names (or: token_file = 'C:\fluxtower\token.txt').
# For InfluxDB 1.x write api = "v1" and user, password_env; for InfluxDB 3 api = "v3".
#[destination]
#kind = "influxdb"
#url = "https://us-east-1-1.aws.cloud2.influxdata.com"
#org = "..."
#bucket = "..."
#token_env = "INFLUX_TOKEN"
#retention = "30d"

[sync]
batch_rows = 5000
# Bytes of line protocol in five minutes. The free plan of InfluxDB Cloud takes 5 MB.
budget_bytes = 4_000_000
# No new request after this. Without the key a run of `fluxtower schedule` ends before the next one starts.
#deadline = "4m"

[log]
file = {log}

# One [[table]] for each table that a logger writes. An AmeriFlux variable brings its physical range: a value outside it
# is flagged, never changed. Add the position if you know it, as in TA_1_2_1 (horizontal, vertical from the top,
# replicate). Tables may share a measurement, such as "fastdata", where their tags distinguish them.
"#,
        name = quoted(station),
        offset = quoted(&said.utc_offset),
        position = position(said.position),
        store = literal(&store),
        outbox = literal(&outbox),
        log = literal(&log),
    )
}

/// The station's position. Without it the keys are comments with an example.
fn position(position: Option<Position>) -> String {
    let (off, Position { latitude, longitude }) = match position {
        Some(position) => ("", position),
        None => ("#", Position { latitude: 45.5598, longitude: -84.7138 }),
    };
    format!(
        "# Where the station is, in degrees (WGS84), south and west negative: with it, radiometers are held against the sun, and a\n\
         # clock that is an hour off is found.{}\n{off}latitude = {latitude}\n{off}longitude = {longitude}\n",
        if off.is_empty() { "" } else { " Write your own numbers." }
    )
}

/// The pairs of columns that are compared; they follow after the tables.
pub(super) fn pairs(pairs: &[Pair]) -> String {
    let mut out = String::new();
    for pair in pairs {
        let off = if pair.active { "" } else { "#" };
        let _ = writeln!(out, "\n# {}", comment(&pair.reason));
        let _ = writeln!(out, "{off}[[pair]]\n{off}name = {}", quoted(&pair.name));
        let _ = writeln!(out, "{off}table = {}\n{off}column = {}", quoted(&pair.table), quoted(&pair.column));
        if pair.against_table != pair.table {
            let _ = writeln!(out, "{off}against_table = {}", quoted(&pair.against_table));
        }
        let _ = writeln!(out, "{off}against = {}\n{off}{}", quoted(&pair.against), pair.measure);
        if let Some(above) = pair.when_above {
            let _ = writeln!(out, "{off}when = {{ column = {}, above = {above} }}", quoted(&pair.against));
        }
    }
    out
}

/// One table with its columns.
pub(super) fn table(table: &Table) -> String {
    let mut out = String::new();
    let [station, model, program] = &table.source;
    let rows = table.interval.map_or(String::new(), |interval| format!(", {}", every(interval)));
    let _ = if table.csv.is_some() {
        writeln!(out, "\n# ---- A text table{rows}")
    } else {
        writeln!(
            out,
            "\n# ---- Station {}, logger table {}: {} with {}{rows}",
            quoted(station),
            quoted(&table.logger_table),
            or_unknown(model, "a logger"),
            or_unknown(program, "an unknown program"),
        )
    };
    for note in &table.notes {
        let _ = writeln!(out, "# {}", comment(note));
    }
    let _ = writeln!(out, "[[table]]\nname = {}", quoted(&table.name));
    if let [file] = table.files.as_slice() {
        let _ = writeln!(out, "files = [{}]", literal(file));
    } else {
        let files: String = table.files.iter().map(|file| format!("    {},\n", literal(file))).collect();
        let _ = writeln!(out, "files = [\n{files}]");
    }
    if !table.logger_table.trim().is_empty() && is_sound(&table.logger_table) {
        if table.has_pattern {
            let _ = writeln!(out, "# The pattern may match files of other tables later: those are rejected.");
            let _ = writeln!(out, "logger_table = {}", quoted(&table.logger_table));
        } else {
            let _ = writeln!(
                out,
                "#logger_table = {}     # rejects files whose line 1 names another table",
                quoted(&table.logger_table)
            );
        }
    }
    let _ = writeln!(out, "measurement = {}", quoted(&table.name));
    if let Some((csv, _)) = &table.csv {
        csv_keys(&mut out, csv);
    }
    if let Some(StatedOffset { offset, trust, .. }) = &table.utc_offset {
        let off = if matches!(trust, Trust::Sure | Trust::Seconds) { "" } else { "#" };
        let _ = writeln!(out, "{off}utc_offset = {}", quoted(offset));
    }
    if let Some(early) = &table.early {
        let _ = writeln!(out, "{}valid_from = {}", if early.is_sure { "" } else { "#" }, quoted(&early.from));
    }
    if let Some(missing) = table.missing {
        let _ = writeln!(out, "missing = [{missing}]");
    }
    if !table.tags.is_empty() {
        let tags: Vec<String> = table.tags.iter().map(|(key, value)| format!("{key} = {}", quoted(value))).collect();
        let _ = writeln!(out, "tags = {{ {} }}", tags.join(", "));
    }
    if let Some((sensor, whose)) = table.sensor {
        let _ = writeln!(out, "sensor = {}     # the {whose} name says so", quoted(sensor));
    }
    if let Some(samples) = table.samples {
        let _ = writeln!(
            out,
            "# So many rows share each time stamp. RECORD tells them apart, and they are spread over the second.\n\
             samples_per_stamp = {}",
            samples.per_stamp()
        );
    }
    if table.is_of_sonic_scans() {
        let columns: Vec<String> = SCANS.iter().map(|name| quoted(name)).collect();
        let _ = writeln!(
            out,
            "# Scans of a sonic anemometer: half hours of them, with u*, H from the sonic temperature and others for a quick look\n\
             # (docs/half-hours.md). Densities of gases may stand behind Ts.\n\
             #turbulence = [{}]\n#turbulence_pressure = 98.0     # the usual air pressure in kPa",
            columns.join(", ")
        );
    }
    match table.interval.filter(|interval| interval.regular) {
        Some(interval) => {
            let _ = writeln!(out, "stale_after = {}", quoted(&stale_after(interval.nanos)));
        }
        None => out.push_str("#stale_after = \"1h\"     # rows come at no fixed interval\n"),
    }
    if let Some((csv, rows)) = &table.csv {
        dialect(&mut out, csv, rows);
    }
    // The sensors of a table with one value per line become known when they are read.
    if table.csv.as_ref().is_none_or(|(csv, _)| csv.long.is_none()) {
        columns(&mut out, &table.columns);
    }
    out
}

/// The keys of a text table in `[[table]]` itself.
fn csv_keys(out: &mut String, csv: &CsvFormat) {
    out.push_str("format = \"csv\"\n");
    if let Some(names) = &csv.names {
        let _ = writeln!(out, "names = {}", list(names));
    }
    if let [column] = csv.time_columns.as_slice() {
        let _ = writeln!(out, "time_column = {}", quoted(column));
    }
    if let Some(Some(format)) = csv.time_formats.first() {
        let _ = writeln!(out, "time_format = {}", quoted(written(csv, format)));
    }
    if let Some(record) = &csv.record_column {
        let _ = writeln!(out, "record_column = {}", quoted(record));
    }
}

/// A time format as the configuration has it: midnight and year have keys of their own.
fn written<'f>(csv: &CsvFormat, format: &'f str) -> &'f str {
    let format = format.trim_end_matches(MIDNIGHT_ENDS_THE_DAY);
    let has_year = csv.dialect.as_ref().is_some_and(|dialect| dialect.year.is_some());
    if has_year { format.trim_start_matches("%Y ") } else { format }
}

/// The section `[table.csv]`, with the first rows as it parses them.
fn dialect(out: &mut String, csv: &CsvFormat, rows: &[String]) {
    let Some(dialect) = &csv.dialect else { return };
    out.push_str("# The first rows, as they are read:\n");
    for row in rows {
        let _ = writeln!(out, "#   {}", comment(row));
    }
    let sign = |sign: u8| quoted(char::from(sign).encode_utf8(&mut [0; 4]));
    out.push_str("[table.csv]\n");
    let separator = match dialect.separator {
        Separator::Sign(b'\t') => quoted("tab"),
        Separator::Sign(separator) => sign(separator),
        Separator::Blanks => quoted("blanks"),
    };
    let _ = writeln!(out, "separator = {separator}");
    let usual = CsvDialect::default();
    if dialect.decimal != usual.decimal {
        let _ = writeln!(out, "decimal = {}", sign(dialect.decimal));
    }
    if let Some(thousands) = dialect.thousands {
        let _ = writeln!(out, "thousands = {}", sign(thousands));
    }
    if dialect.quote != usual.quote {
        let _ = writeln!(out, "quote = {}", dialect.quote.map_or_else(|| quoted("none"), sign));
    }
    for (key, line) in [("names_line", dialect.names_line), ("units_line", dialect.units_line)] {
        if let Some(line) = line {
            let _ = writeln!(out, "{key} = {line}");
        }
    }
    if dialect.head_lines > dialect.names_line.max(dialect.units_line).unwrap_or(0) {
        let _ = writeln!(out, "skip_lines = {}", dialect.head_lines);
    }
    if !dialect.comments.is_empty() {
        let _ = writeln!(out, "comment = {}", list(&dialect.comments));
    }
    if let Some(long) = &csv.long {
        let _ = writeln!(out, "sensor_column = {}\nvalue_column = {}", quoted(&long.sensor), quoted(&long.value));
    }
    if let Some(array) = dialect.array {
        let _ = writeln!(out, "array = {array}");
    }
    if let Some(year) = dialect.year {
        let _ = writeln!(
            out,
            "# CHECK: the year of the file's first row, by the time of its last change; its stamps have none.\nyear = {year}"
        );
    }
    if csv.time_columns.len() > 1 {
        let _ = writeln!(out, "time_columns = {}", list(&csv.time_columns));
    }
    let more = csv.time_formats.iter().skip(1);
    // None is the loggers' own format.
    let more: Vec<String> =
        more.map(|format| written(csv, format.as_deref().unwrap_or("%Y-%m-%d %H:%M:%S%.f")).to_owned()).collect();
    if !more.is_empty() {
        let _ = writeln!(out, "time_formats = {}", list(&more));
    }
    if csv.time_formats.iter().flatten().any(|format| format.ends_with(MIDNIGHT_ENDS_THE_DAY)) {
        out.push_str("midnight = \"end\"\n");
    }
}

fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

fn columns(out: &mut String, columns: &[Column]) {
    let mut rest = columns;
    // Columns with suggestions are surrounded by blank lines.
    let mut apart = true;
    while let Some(column) = rest.first() {
        let alike = rest.iter().take_while(|other| is_same_array(column, other)).count();
        if alike >= LONG_ARRAY
            && let Some(last) = rest.get(alike - 1)
        {
            let gap = if std::mem::take(&mut apart) { "\n" } else { "" };
            let _ = writeln!(
                out,
                "{gap}# {} to {}, {alike} columns: {}",
                comment(&column.name),
                comment(&last.name),
                header(column)
            );
            rest = rest.get(alike..).unwrap_or_default();
            continue;
        }
        if apart || !column.is_plain() {
            out.push('\n');
        }
        apart = !column.is_plain();
        self::column(out, column);
        rest = rest.get(1..).unwrap_or_default();
    }
}

fn column(out: &mut String, column: &Column) {
    let _ = writeln!(out, "# {}: {}", comment(&column.name), header(column));
    if let Some(role) = column.role {
        let line = match role {
            Role::Tag => "use = \"tag\"     # tells the rows of one time apart",
            Role::Start => "use = \"ignore\"     # the start of the interval of which the time is the end",
        };
        let _ = writeln!(out, "[table.columns.{}]\n{line}", key(&column.name));
        if let Some(field) = column.field.as_ref().filter(|_| role == Role::Tag) {
            let _ = writeln!(out, "field = {}     # its own name cannot be used", quoted(field));
        }
        return;
    }
    if column.is_plain() {
        return;
    }
    let active = column.field.is_some()
        || column.variable.as_ref().is_some_and(|suggestion| suggestion.active)
        || column.place.as_ref().is_some_and(|place| place.active)
        || column.sensor.is_some()
        || column.tests.iter().chain(&column.missing).any(|line| line.active);
    let _ = writeln!(out, "{}[table.columns.{}]", if active { "" } else { "#" }, key(&column.name));
    if let Some(field) = &column.field {
        let _ = writeln!(out, "field = {}     # its own name cannot be used", quoted(field));
    }
    if let Some(suggestion) = &column.variable {
        let off = if suggestion.active { "" } else { "#" };
        let _ = writeln!(out, "{off}variable = {}     # {}", quoted(&suggestion.name), comment(&suggestion.reason));
    }
    if let Some(place) = &column.place {
        let off = if place.active { "" } else { "#" };
        let _ = writeln!(out, "{off}{} = {}     # {}", place.key, quoted(&place.value), comment(&place.reason));
    }
    if let Some(sensor) = column.sensor {
        let _ = writeln!(out, "sensor = {}     # the name says so", quoted(sensor));
    }
    for Line { text, active, reason } in column.missing.iter().chain(&column.tests) {
        let _ = writeln!(out, "{}{text}     # {}", if *active { "" } else { "#" }, comment(reason));
    }
    if let Some(why) = &column.ignore {
        let _ = writeln!(out, "#use = \"ignore\"     # {why}");
    }
}

/// Unit and process of the header, and the facts about the values.
fn header(column: &Column) -> String {
    let mut parts = vec![or_unknown(&column.unit, "no unit")];
    if !column.process.is_empty() {
        parts.push(comment(&column.process));
    }
    let header = parts.join(", ");
    if column.facts.is_empty() { header } else { format!("{header}; {}", comment(&column.facts.join("; "))) }
}

/// Whether only the index differs and there are no suggestions.
fn is_same_array(one: &Column, other: &Column) -> bool {
    let base = |column: &Column| column.name.split_once('(').map(|(base, _)| base.to_owned());
    let is_plain = |column: &Column| {
        let is_tested = !column.tests.is_empty() || column.missing.as_ref().is_some_and(|line| line.active);
        let is_named = column.variable.is_some() || column.field.is_some() || column.place.is_some();
        !is_tested && !is_named && column.sensor.is_none()
    };
    base(one).is_some()
        && base(one) == base(other)
        && (&one.unit, &one.process, &one.facts) == (&other.unit, &other.process, &other.facts)
        && is_plain(one)
        && is_plain(other)
}

fn every(interval: Interval) -> String {
    let seconds = interval.nanos / NANOS_PER_SECOND;
    let span = match seconds {
        0 => format!("{} ms", interval.nanos / NANOS_PER_MILLI),
        1..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    };
    if interval.regular {
        format!("a row every {span}")
    } else {
        format!("rows at irregular times, often {span} apart")
    }
}

fn stale_after(nanos: i64) -> String {
    let seconds = (nanos.saturating_mul(LATE_INTERVALS) / NANOS_PER_SECOND).max(LEAST_STALE_S);
    match seconds {
        days if days % 86_400 == 0 => format!("{}d", days / 86_400),
        hours if hours % 3_600 == 0 => format!("{}h", hours / 3_600),
        minutes => format!("{}m", (minutes + 59) / 60),
    }
}

fn or_unknown(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { comment(text) }
}

/// Whether the configuration accepts the text as the name of a logger table.
fn is_sound(text: &str) -> bool {
    text.trim() == text && !text.contains(|c: char| c.is_control() || matches!(c, '\\' | '\u{feff}'))
}

/// The text in a form for a comment: a comment ends with its line, and TOML does not allow control characters in it.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '\u{feff}' { ' ' } else { c }).collect()
}

fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if bare { name.to_owned() } else { quoted(name) }
}

/// A path in single quotes, which keep backslashes.
fn literal(path: &str) -> String {
    let plain = !path.contains(|c: char| c == '\'' || c.is_control());
    if plain { format!("'{path}'") } else { quoted(path) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_stale_after_three_rows_and_not_before_half_an_hour() {
        for (seconds, text) in [(5, "30m"), (900, "45m"), (1_800, "90m"), (3_600, "3h"), (86_400, "3d")] {
            assert_eq!(stale_after(seconds * NANOS_PER_SECOND), text, "{seconds}");
        }
        assert_eq!(stale_after(50_000_000), "30m");
    }

    #[test]
    fn text_is_quoted_so_that_toml_reads_it_back() {
        for text in ["TS(1)", "a\"b", "C:\\x", "line\nend", "°C", "\u{7f}"] {
            let read: toml::Table = toml::from_str(&format!("{} = {}", key(text), quoted(text))).unwrap();
            assert_eq!(read.get(text).and_then(|value| value.as_str()), Some(text));
        }
        assert_eq!(literal("C:\\data\\x.dat"), "'C:\\data\\x.dat'");
        assert_eq!(literal("it's.dat"), "\"it's.dat\"");
    }
}
