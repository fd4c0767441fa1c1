//! `fluxtower init`: writes a configuration from existing files.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{Datelike, FixedOffset, Local, NaiveDate, Offset, TimeZone, Utc};
use serde::Serialize;

use super::output::{Output, count};
use super::{CliError, Exit};
use crate::config::Config;
use crate::draft::{self, Draft, DraftError, LeftOut, Request, StationSaid, TableSummary};
use crate::sun::Position;

/// Write a configuration from the headers of LoggerNet's files
///
/// Looks at each FILE, and at every .dat and .csv below a folder: a table for each logger table, with a comment for each
/// column. Runs as it stands; read the comments and correct what is marked CHECK. A configuration that is there is never
/// overwritten.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower init C:\\Campbellsci\\LoggerNet --utc-offset -05:00\n  fluxtower init --add new_table.dat\n  fluxtower init C:\\Campbellsci\\LoggerNet --from-archive D:\\archive\\2026 --latitude 45.56 --longitude -84.71"
)]
pub(super) struct Args {
    /// Files that LoggerNet writes, or folders that hold them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Add tables for files that no table reads yet; the rest of the configuration is unchanged
    #[arg(long)]
    add: bool,
    /// The configuration to write; without it, that of --config, else config.toml here
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The station's name, such as US-UMB; without it, as line 1 of the files has it
    #[arg(long, value_name = "NAME", conflicts_with = "add")]
    station: Option<String>,
    /// The loggers' distance from UTC, such as -05:00; without it, this computer's standard time
    #[arg(long, value_name = "OFFSET", allow_hyphen_values = true, conflicts_with = "add")]
    utc_offset: Option<String>,
    /// A folder with months of files of the same logger tables, to draw the limits of tests from; no table reads them
    #[arg(long, value_name = "FOLDER")]
    from_archive: Option<PathBuf>,
    /// Degrees north of the equator, for the test of radiometers against the sun
    #[arg(long, value_name = "DEGREES", allow_hyphen_values = true, requires = "longitude", conflicts_with = "add", value_parser = latitude)]
    latitude: Option<f64>,
    /// Degrees east of Greenwich, west negative
    #[arg(long, value_name = "DEGREES", allow_hyphen_values = true, requires = "latitude", conflicts_with = "add", value_parser = longitude)]
    longitude: Option<f64>,
}

fn latitude(text: &str) -> Result<f64, String> {
    degrees(text, 90.0)
}

fn longitude(text: &str) -> Result<f64, String> {
    degrees(text, 180.0)
}

fn degrees(text: &str, most: f64) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok();
    number.filter(|number| number.abs() <= most).ok_or_else(|| format!("write degrees from -{most} to {most}"))
}

#[derive(Serialize)]
struct Report<'a> {
    config: String,
    tables: &'a [TableSummary],
    left_out: &'a [LeftOut],
}

/// `config` is the path of `--config`, if it was given; `usual` is the configuration that other commands would use.
pub(super) fn run(args: &Args, config: Option<PathBuf>, usual: PathBuf, output: Output) -> Result<Exit, CliError> {
    let here = || if args.add { usual } else { PathBuf::from("config.toml") };
    let path = args.output.clone().or(config).unwrap_or_else(here);
    let request = Request { paths: &args.files, config: &path, archive: args.from_archive.as_deref() };
    let draft = if args.add { add(&request)? } else { write_new(&request, args)? };
    let report = Report { config: path.display().to_string(), tables: &draft.tables, left_out: &draft.left_out };
    output.result(&report, |out| tell(out, &path, args, &draft))?;
    let missed = draft.left_out.iter().any(|file| file.named);
    Ok(if missed { Exit::Look } else { Exit::Well })
}

fn write_new(request: &Request<'_>, args: &Args) -> Result<Draft, DraftError> {
    if request.config.exists() {
        return Err(DraftError::Exists { path: request.config.to_owned() });
    }
    let station = StationSaid {
        name: args.station.clone(),
        utc_offset: args.utc_offset.clone().unwrap_or_else(|| standard_time().to_string()),
        offset_is_given: args.utc_offset.is_some(),
        position: args.latitude.zip(args.longitude).map(|(latitude, longitude)| Position { latitude, longitude }),
    };
    let draft = draft::new_config(request, &station)?;
    draft::create(request.config, &draft.text)?;
    Ok(draft)
}

fn add(request: &Request<'_>) -> Result<Draft, DraftError> {
    let existing = Config::read(request.config)?;
    let draft = draft::addition(request, &existing)?;
    if !draft.tables.is_empty() {
        draft::replace(request.config, &existing, &draft.text)?;
    }
    Ok(draft)
}

/// This computer's standard offset: loggers keep standard time, so the smaller one of the offsets in winter and summer
/// is used.
fn standard_time() -> FixedOffset {
    let year = Utc::now().year();
    let offset = |month| {
        let day = NaiveDate::from_ymd_opt(year, month, 1).unwrap_or_default();
        Local.offset_from_utc_datetime(&day.and_time(chrono::NaiveTime::MIN)).fix()
    };
    let (january, july) = (offset(1), offset(7));
    let least = if january.local_minus_utc() <= july.local_minus_utc() { january } else { july };
    // Whole minutes, because the configuration has no seconds.
    FixedOffset::east_opt(least.local_minus_utc() / 60 * 60).unwrap_or(least)
}

fn tell(out: &mut dyn Write, path: &Path, args: &Args, draft: &Draft) -> io::Result<()> {
    let shown = path.display();
    let tables = count(draft.tables.len() as u64, "table");
    match (args.add, draft.tables.is_empty()) {
        (true, true) => writeln!(out, "{shown} is unchanged: no file was found that needs a new table")?,
        (true, false) => writeln!(out, "added {tables} at the end of {shown}")?,
        (false, _) => {
            writeln!(out, "wrote {shown}: station {}, {tables}", draft.station)?;
            if args.utc_offset.is_none() {
                writeln!(
                    out,
                    "utc_offset = \"{}\" is this computer's standard time: check it before the first run",
                    standard_time()
                )?;
            }
        }
    }
    let width = draft.tables.iter().map(|table| table.table.chars().count()).max().unwrap_or(0);
    for table in &draft.tables {
        let active = table.variables.iter().filter(|variable| variable.active).count();
        writeln!(
            out,
            "{:width$}  {}, {}; AmeriFlux variables: {active} written, {} as comments",
            table.table,
            table.files.join(", "),
            count(table.columns as u64, "column"),
            table.variables.len() - active
        )?;
        if let Some(rows) = table.samples_per_stamp {
            writeln!(
                out,
                "{:width$}  {rows} rows share each time stamp: samples_per_stamp = {rows} is written, and they are spread over \
                 the second by RECORD",
                ""
            )?;
        }
    }
    for table in draft.tables.iter().filter(|table| !table.first_rows.is_empty()) {
        writeln!(out, "{}: the first rows, as they are read:", table.table)?;
        for row in &table.first_rows {
            writeln!(out, "  {}", row)?;
        }
    }
    for left in &draft.left_out {
        writeln!(out, "left out: {} {}", left.file, left.reason)?;
    }
    if !draft.tables.is_empty() {
        let option = if shown.to_string() == "config.toml" { String::new() } else { format!(" --config {shown}") };
        writeln!(out, "read through {shown}, then:\n  fluxtower{option} check\n  fluxtower{option} run")?;
    }
    Ok(())
}
