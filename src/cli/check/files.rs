//! One line for each file pattern: the files that it finds, and whether the newest of them can be read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::super::Context;
use super::super::output::{count, span};
use super::Report;
use crate::config::{Config, FileFormat, TableConfig};
use crate::format::{self, Fields, Layout, ParsedRow, detect, strip_noise};
use crate::ingest;
use crate::source::{QuietFile, SourceError};
use crate::time::{CLOCKS_DRIFT, Candidates, LocalTime, NEAR_ITS_FILE, Timestamp};

/// Enough bytes for the last row of the widest table.
const TAIL: u64 = 256 * 1024;
/// Enough bytes for the lines of a header.
const HEAD: usize = 256 * 1024;
/// Enough bytes to recognise a file by its first line.
const FIRST_LINE: usize = 64 * 1024;

/// The newest record of the files of a pattern.
struct Newest {
    /// The text of the line about it.
    text: String,
    /// The seconds since the record; negative in the future.
    age: i64,
}

/// Adds the lines. Returns whether each of them says that its newest record is older than `stale_after`: then no
/// further message about the age of the table's rows is needed.
pub(super) fn lines(context: &Context, table: &TableConfig, report: &mut Report) -> bool {
    let what = format!("table {}", table.name);
    let is_old =
        |age: i64| table.stale_after.is_some_and(|limit| u64::try_from(age).is_ok_and(|age| age > limit.as_secs()));
    let mut old = 0;
    for pattern in &table.files {
        let one = TableConfig { files: vec![pattern.clone()], ..table.clone() };
        match newest_of(context, &one, pattern) {
            Ok(Newest { text, age }) if is_old(age) => {
                old += 1;
                let text = format!("{text}, which is longer than stale_after; look at LoggerNet's collection");
                report.say(&what, "look", text);
            }
            Ok(Newest { text, .. }) => report.say(&what, "ok", text),
            Err((verdict, text)) => report.say(&what, verdict, text),
        }
    }
    old > 0 && old == table.files.len()
}

/// Reports files that two tables read, once for each pair of tables. Lines of array-based files name the table to which
/// they belong.
pub(super) fn shared(config: &Config, report: &mut Report) {
    let array = |table: &TableConfig| match &table.format {
        FileFormat::Csv(csv) => csv.array(),
        FileFormat::Logger(_) => None,
    };
    // An invalid pattern has its own line.
    let owners = ingest::owners(config).unwrap_or_default();
    let mut shared: BTreeMap<(&str, &str), BTreeSet<&Path>> = BTreeMap::new();
    for (path, tables) in &owners {
        for (at, table) in tables.iter().enumerate() {
            for other in &tables[..at] {
                let are_apart = array(other).is_some_and(|one| array(table).is_some_and(|other| one != other));
                if !are_apart {
                    shared.entry((&other.name.0, &table.name.0)).or_default().insert(path);
                }
            }
        }
    }
    for ((one, other), paths) in shared {
        let Some(path) = paths.first() else { continue };
        let more = match paths.len() {
            1 => String::new(),
            all => format!(" and {} more", count(all as u64 - 1, "file")),
        };
        let text = format!(
            "{}{more} is a file of table {one} too: a row that both take is stored and sent under both names; if that is not wanted, \
             take the pattern out of one of the two tables",
            path.display()
        );
        report.say(&format!("table {other}"), "note", text);
    }
}

/// The newest record; otherwise a verdict and the reason why there is no reliable one.
fn newest_of(context: &Context, table: &TableConfig, pattern: &Path) -> Result<Newest, (&'static str, String)> {
    let found = crate::source::find(table).map_err(|error| ("bad", error.to_string()))?;
    let Some(newest) = newest(&found) else {
        let listed = crate::source::listed(&[pattern.to_owned()]);
        let text = format!("no file matches {listed}; correct `files`, or wait for the first collection");
        return Err(("look", text));
    };
    let name = newest.file_name().unwrap_or(newest.as_os_str()).to_string_lossy();
    let head = match found.len() {
        1 => name.into_owned(),
        more => format!("{}, newest {name}", count(more as u64, "file")),
    };
    let first = first_line(newest).map_err(|error| {
        ("bad", format!("{head}: cannot be read ({error}); check who may read it, and that no program locks it"))
    })?;
    let format = match &table.format {
        FileFormat::Csv(_) => "CSV",
        FileFormat::Logger(_) => {
            let known = detect(&first);
            if let Some(refusal) = known.refusal() {
                return Err(match first.is_empty() {
                    true => ("look", format!("{head}: is empty; wait for the next collection")),
                    false => ("bad", format!("{head} {refusal}")),
                });
            }
            known.name()
        }
    };
    if let Ok(Err(error)) = QuietFile::open(newest).and_then(|mut file| format::begin(&mut file, &table.format)) {
        return Err(("bad", format!("{head} {error}")));
    }
    let tail = last_lines(newest, &table.format).ok();
    let record = tail.as_ref().and_then(|(head, text)| newest_record(text, table, (head, written(newest))));
    let Some(local) = record else {
        if tail.as_ref().is_some_and(|(head, text)| is_header_alone(&table.format, head, text)) {
            return Err(("look", format!("{head}: {format}, a header and no row yet; wait for the next collection")));
        }
        return Err((
            "look",
            format!("{head}: {format}, no row at its end that can be read; see `fluxtower rejected` after an ingest"),
        ));
    };
    let (Candidates::One(instant) | Candidates::Two(instant, _) | Candidates::Missing(instant)) =
        table.stamps.candidates(local, None);
    let age = context.now().seconds_since(instant);
    if let Some(ahead) = ahead(newest, instant) {
        let text = format!(
            "{head}: {format}, newest record {local}; it is {} ahead of the time at which this computer says that the file was written: check both clocks, and utc_offset (for rows that are there, `fluxtower rekey`)",
            span(ahead)
        );
        return Err(("look", text));
    }
    let text = match age {
        0.. => format!("{head}: {format}, newest record {local}, {} ago", span(age)),
        ahead => format!("{head}: {format}, newest record {local}, {} ahead of this computer's clock", span(-ahead)),
    };
    Ok(Newest { text, age })
}

/// The seconds by which the logger's newest record is later than its file was modified, if this cannot happen with
/// correct clocks.
fn ahead(file: &Path, record: Timestamp) -> Option<i64> {
    let ahead = record.seconds_since(written(file)?);
    (ahead > CLOCKS_DRIFT.num_seconds()).then_some(ahead)
}

fn written(file: &Path) -> Option<Timestamp> {
    Some(Timestamp::from_utc(file.metadata().and_then(|known| known.modified()).ok()?.into()))
}

fn newest(found: &[PathBuf]) -> Option<&PathBuf> {
    found.iter().max_by_key(|path| path.metadata().and_then(|known| known.modified()).ok())
}

fn first_line(path: &Path) -> Result<Vec<u8>, SourceError> {
    Ok(format::first_line(&QuietFile::open(path)?.head(FIRST_LINE)?))
}

/// The first bytes of the file, and its last lines; for a file whose records are not lines, the lines into which its
/// last records are translated.
fn last_lines(path: &Path, format: &FileFormat) -> Result<(Vec<u8>, Vec<u8>), SourceError> {
    let mut quiet = QuietFile::open(path)?;
    // A problem with the header is reported by the code that reads the header.
    let _ = format::begin(&mut quiet, format)?;
    if quiet.start_near_end(TAIL) {
        let (mut text, mut head) = (Vec::new(), Vec::new());
        while let Some(chunk) = quiet.next_chunk()? {
            // A card's file ends with frames that are not written yet.
            if !chunk.is_tail && chunk.bytes.iter().any(|byte| *byte != b'\n') {
                text.clear();
                text.extend_from_slice(chunk.bytes);
            }
        }
        quiet.start_at(0);
        while head.is_empty()
            && let Some(chunk) = quiet.next_chunk()?
        {
            head.extend_from_slice(chunk.bytes);
        }
        return Ok((head, text));
    }
    Ok((quiet.head(HEAD)?, quiet.tail(TAIL)?))
}

/// Whether `text`, which ends the file that begins with `head`, is its header and nothing else.
fn is_header_alone(format: &FileFormat, head: &[u8], text: &[u8]) -> bool {
    let lines = || text.split(|byte| *byte == b'\n').filter(|line| !strip_noise(line).trim_ascii().is_empty());
    let of = match format {
        FileFormat::Csv(csv) => Some(csv.head_lines()).filter(|lines| *lines > 0),
        FileFormat::Logger(_) => lines().next().and_then(|line| format::header_lines(&strip_noise(line))),
    };
    head.starts_with(text) && of.is_some_and(|of| lines().count() <= of)
}

/// The time of the last line that has one, of a file that begins with `head` and was written at this time.
fn newest_record(text: &[u8], table: &TableConfig, (head, written): (&[u8], Option<Timestamp>)) -> Option<LocalTime> {
    let lines = || text.rsplit(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let FileFormat::Csv(csv) = &table.format else {
        return lines().find_map(|line| {
            let mut fields = Fields::new(line);
            let time = LocalTime::parse_logger(fields.next()?.text)?;
            // A stamp alone was cut.
            fields.next().map(|_| time)
        });
    };
    let (_, mut layout) = csv.open(&table.name.0, head).ok()?;
    let mut row = ParsedRow::default();
    let mut newest = |layout: &Layout| {
        lines().find_map(|line| {
            row.read(line, layout).ok()?;
            row.stamp.map(|stamp| table.stamps.stamp_of(stamp))
        })
    };
    let configured = newest(&layout);
    if csv.dialect.as_ref().is_none_or(|dialect| dialect.year.is_none()) {
        return configured;
    }
    // A stamp without a year is of that in which the file was written, where it is near then.
    let written = table.clock.local(written?);
    let year = u16::try_from(written.calendar().year).ok()?;
    let near = [year, year.saturating_sub(1), year.saturating_add(1)].into_iter().find_map(|year| {
        layout.set_year(year);
        newest(&layout).filter(|newest| written.nanos_since(*newest).abs() <= NEAR_ITS_FILE)
    });
    near.or(configured)
}
