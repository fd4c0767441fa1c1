//! `fluxtower export`: writes rows as CSV.

mod coverage;
mod upload;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use super::output::{count, grouped};
use super::whole_file::{WholeFile, has_same_content};
use super::{CliError, Context, Exit, in_order};
use crate::config::TableConfig;
use crate::export::{Ameriflux, FlagStyle, Plain, Resolution, Suspects, Tables, TimeScale, Window, Written};
use crate::store::Store;
use crate::text::Visible;
use crate::time::Timestamp;

/// Write a table's rows as CSV, or the station's file for AmeriFlux
///
/// Reads the database only. Without --output the rows go to stdout. With it the file is there whole or not at all; an
/// older one of that name is replaced. Numbers are spelled as the logger spelled them.
///
/// `--format ameriflux` joins all tables that the loggers average over 30 minutes, or those of one hour, on their time:
/// the columns that have a `variable`, under its name and in AmeriFlux's unit, TIMESTAMP_START and TIMESTAMP_END in local
/// standard time, -9999 for missing and failed values and for times without a row. Where --output is a folder, the file
/// is named as AmeriFlux wants it; another file of that name is replaced only with --force. Send it as it is; AmeriFlux
/// takes no flags.
///
/// `--check FILE` makes the format checks that AmeriFlux makes of an upload, of any such file; so does each export to a
/// file. Exit code 1: AmeriFlux would reject it.
///
/// `--coverage` says of each column that is sent which share of the half hours of each month and year is present, and which
/// is good. With --output it is a CSV file.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower export --table soil_30min --since 2025-06-20 --output soil.csv\n  fluxtower export --table 46m_par --columns PPFD,calPPFD --flags mask --time utc\n  fluxtower export --format ameriflux --since 2025-01-01 --until 2026-01-01 --output upload/\n  fluxtower export --check upload/US-UMB_HH_202501010000_202601010000.csv\n  fluxtower export --coverage --since 2025-01-01 --until 2026-01-01"
)]
pub(super) struct Args {
    /// The table; with ameriflux and --coverage, several may be named, and none means all
    #[arg(long, value_name = "NAME", required_unless_present_any = ["format", "check", "coverage"])]
    table: Vec<String>,
    /// From this time on; with ameriflux, intervals that begin then or later
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Up to and with this time; with ameriflux, intervals that begin before
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only these columns of the table, by the logger's names, with commas between
    #[arg(long, value_name = "A,B", value_parser = column_names)]
    columns: Option<ColumnNames>,
    /// What becomes of flags; csv only, where nothing is said: none
    #[arg(long, value_enum)]
    flags: Option<Flags>,
    /// Which clock times are written by; csv only, where nothing is said: station
    #[arg(long, value_enum)]
    time: Option<Time>,
    /// The shape of the file
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Safe to open in a spreadsheet: a text that would run as a formula (it begins with = + - @) gets a ' before it; csv only
    #[arg(long)]
    spreadsheet: bool,
    /// Write rows that are off by up to this under the full half hour or hour; ameriflux only
    #[arg(long, value_name = "DURATION", value_parser = crate::config::duration)]
    round: Option<Duration>,
    /// What becomes of suspect values, flag 3; ameriflux only, where nothing is said: keep
    #[arg(long, value_enum)]
    suspects: Option<SuspectValues>,
    /// Which tables are joined, where some are half-hourly and some hourly; ameriflux only, where nothing is said: HH
    #[arg(long, value_enum)]
    resolution: Option<Interval>,
    /// Replace a file of that name; ameriflux only (csv always does)
    #[arg(long)]
    force: bool,
    /// Check this file as AmeriFlux would, and export nothing
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "table", "since", "until", "columns", "flags", "time", "format", "spreadsheet", "round", "suspects", "resolution",
            "force", "output", "coverage"
        ]
    )]
    check: Option<PathBuf>,
    /// Report the share of half hours that are present and good, by column, month and year, instead of rows
    #[arg(
        long,
        conflicts_with_all = ["columns", "flags", "time", "format", "spreadsheet", "round", "suspects", "resolution", "force"]
    )]
    coverage: bool,
    /// The file, or a folder for it
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Flags {
    /// No flags, every value as the logger wrote it
    None,
    /// A column of flags behind each column: TA,TA_qc
    Beside,
    /// No flags; failed and missing values are empty
    Mask,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Time {
    /// The station's
    Station,
    /// UTC
    Utc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A header line and the columns under the logger's names
    Csv,
    /// AmeriFlux's half-hourly or hourly upload
    Ameriflux,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SuspectValues {
    /// They are written
    Keep,
    /// They are missing: -9999
    LeaveOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Interval {
    /// Half hours
    #[value(name = "HH", alias = "hh")]
    HalfHourly,
    /// Hours
    #[value(name = "HR", alias = "hr")]
    Hourly,
}

#[derive(Serialize)]
struct Exported {
    /// None if the file has several tables.
    table: Option<String>,
    tables: Vec<String>,
    file: String,
    rows: u64,
    filled: u64,
    rounded: u64,
    /// The findings of AmeriFlux's checks of the file.
    checks: Vec<upload::Found>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    if let Some(path) = &args.check {
        return upload::run(context, path);
    }
    let tables: Vec<&TableConfig> =
        args.table.iter().map(|name| context.configured_table(name)).collect::<Result<_, _>>()?;
    if args.coverage {
        return coverage::run(context, args, &tables);
    }
    refuse_misplaced(args)?;
    if args.output.is_none() && context.output.is_json() {
        return Err(CliError::JsonNeedsOutput);
    }
    let store = Store::open_reader(&context.config.store_path)?;
    let shape = shape(context, args, tables, &store)?;
    let Some(output) = &args.output else {
        let stdout = io::stdout();
        // On a terminal, control characters in texts are made visible; a pipe or a file gets the bytes unchanged.
        if stdout.is_terminal() {
            let buffered = BufWriter::with_capacity(1 << 16, stdout.lock());
            shape.write(&store, &mut Visible::new(buffered, None))?;
        } else {
            shape.write(&store, &mut BufWriter::with_capacity(1 << 16, stdout.lock()))?;
        }
        return Ok(Exit::Well);
    };
    let path = target(context, output, || shape.file_name(context))?;
    let whole = WholeFile::beside(&path)?;
    let mut file = BufWriter::with_capacity(1 << 16, whole.create()?);
    let written = shape.write(&store, &mut file).map_err(|error| match error {
        CliError::Export(crate::export::ExportError::Output(source)) => whole.failed(source),
        other => other,
    })?;
    file.flush().map_err(|source| whole.failed(source))?;
    drop(file);
    // An existing upload may be the only copy of what was sent to AmeriFlux, so only one with equal content may be
    // overwritten.
    let replaces = args.format == Format::Csv || args.force;
    let is_there = !replaces && has_same_content(whole.part(), &path).map_err(|source| whole.failed(source))?;
    if !is_there {
        whole.keep(replaces).map_err(|error| match error {
            CliError::Exists { path } => CliError::OtherExport { path },
            other => other,
        })?;
    }
    let checked = match &shape {
        Shape::Plain(..) => None,
        Shape::Ameriflux(_) => {
            let name = shape.file_name(context);
            if path.file_name().is_some_and(|own| own.to_string_lossy() != name.as_str()) {
                tracing::warn!("AmeriFlux takes {} under the name {name} only", path.display());
            }
            Some(upload::check(context, &path, &name)?)
        }
    };
    let tables = shape.tables();
    let exported = Exported {
        table: match tables.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        },
        tables,
        file: path.display().to_string(),
        rows: written.rows,
        filled: written.filled,
        rounded: shape.rounded(),
        checks: checked.as_ref().map(upload::found).unwrap_or_default(),
    };
    context.output.result(&exported, |out| {
        let filled = match exported.filled {
            0 => String::new(),
            filled => format!(", and {} for times without a row", grouped(filled)),
        };
        let rounded = match exported.rounded {
            0 => String::new(),
            rounded => format!(" ({} rounded to the full interval)", grouped(rounded)),
        };
        let of_tables = match exported.tables.as_slice() {
            [_] => String::new(),
            tables => format!(" of tables {}", tables.join(", ")),
        };
        writeln!(out, "wrote {}{of_tables}{rounded}{filled} to {}", count(exported.rows, "row"), exported.file)
    })?;
    let Some(checked) = checked else { return Ok(Exit::Well) };
    upload::say(&checked);
    Ok(upload::exit(&checked))
}

/// The file to write: `output`, or a file in that folder.
fn target(context: &Context, output: &Path, name: impl Fn() -> String) -> Result<PathBuf, CliError> {
    let is_folder = output.is_dir() || output.to_string_lossy().ends_with(['/', '\\']);
    let path = if is_folder {
        let made = std::fs::create_dir_all(output);
        made.map_err(|source| CliError::File { path: output.to_owned(), source })?;
        output.join(name())
    } else {
        output.to_owned()
    };
    context.refuse_own_file(&path)?;
    Ok(path)
}

/// The column names of `--columns`.
#[derive(Debug, Clone)]
struct ColumnNames(Vec<String>);

/// Splits names at commas; a comma in parentheses belongs to the name, as in an array: `TS(1,2)`.
fn column_names(text: &str) -> Result<ColumnNames, std::convert::Infallible> {
    let mut names = vec![String::new()];
    let mut depth = 0_u32;
    for letter in text.chars() {
        match letter {
            ',' if depth == 0 => {
                names.push(String::new());
                continue;
            }
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if let Some(name) = names.last_mut() {
            name.push(letter);
        }
    }
    Ok(ColumnNames(names))
}

/// Refuses options of the other format, and tables and columns that do not go together.
fn refuse_misplaced(args: &Args) -> Result<(), CliError> {
    if args.format == Format::Ameriflux {
        if args.flags.is_some() || args.time.is_some() || args.spreadsheet {
            return Err(CliError::AmerifluxHasNone);
        }
        if args.columns.is_some() && args.table.len() != 1 {
            return Err(CliError::ColumnsOfOneTable);
        }
        return Ok(());
    }
    if args.round.is_some() {
        return Err(CliError::RoundsAmeriflux);
    }
    if args.suspects.is_some() || args.resolution.is_some() || args.force {
        return Err(CliError::OfAmeriflux);
    }
    if args.table.len() != 1 {
        return Err(CliError::OneTable);
    }
    Ok(())
}

/// The window of `--since` and `--until`.
fn window(context: &Context, args: &Args) -> Result<(Option<Timestamp>, Option<Timestamp>), CliError> {
    let instant = |option, text: &Option<String>| text.as_ref().map(|text| context.instant(option, text)).transpose();
    let window = (instant("--since", &args.since)?, instant("--until", &args.until)?);
    in_order(window, (&args.since, &args.until))?;
    Ok(window)
}

enum Shape<'a> {
    Plain(&'a TableConfig, Plain<'a>),
    Ameriflux(Ameriflux<'a>),
}

fn shape<'a>(
    context: &'a Context,
    args: &'a Args,
    tables: Vec<&'a TableConfig>,
    store: &'a Store,
) -> Result<Shape<'a>, CliError> {
    let (since, until) = window(context, args)?;
    let columns = args.columns.as_ref().map(|names| names.0.as_slice());
    if let (Format::Csv, [table]) = (args.format, tables.as_slice()) {
        let flags = match args.flags.unwrap_or(Flags::None) {
            Flags::None => FlagStyle::None,
            Flags::Beside => FlagStyle::Beside,
            Flags::Mask => FlagStyle::Mask,
        };
        let time = match args.time.unwrap_or(Time::Station) {
            Time::Station => TimeScale::Station,
            Time::Utc => TimeScale::Utc,
        };
        let plain = Plain { since, until, columns, flags, time, is_for_spreadsheet: args.spreadsheet };
        return Ok(Shape::Plain(table, plain));
    }
    let window = Window {
        since,
        until,
        columns,
        round: args.round.unwrap_or_default(),
        resolution: args.resolution.map(|resolution| match resolution {
            Interval::HalfHourly => Resolution::HalfHourly,
            Interval::Hourly => Resolution::Hourly,
        }),
        suspects: match args.suspects {
            None | Some(SuspectValues::Keep) => Suspects::Keep,
            Some(SuspectValues::LeaveOut) => Suspects::LeaveOut,
        },
    };
    let tables = if tables.is_empty() { Tables::OfSite(&context.config.tables) } else { Tables::Named(tables) };
    let plan = Ameriflux::plan(store, &tables, window)?;
    for table in plan.tables() {
        let unread = unread_variables(table, &store.column_names(&table.name.0)?);
        if !unread.is_empty() && columns.is_none() {
            tracing::warn!("no file of table \"{}\" had the columns {}", table.name, unread.join(", "));
        }
    }
    for text in plan.notes() {
        tracing::warn!("{text}");
    }
    Ok(Shape::Ameriflux(plan))
}

fn unread_variables(table: &TableConfig, known: &[String]) -> Vec<String> {
    let with_variable = table.columns.iter().filter(|(_, column)| column.variable.is_some());
    with_variable.map(|(name, _)| name.clone()).filter(|name| !known.contains(name)).collect()
}

impl Shape<'_> {
    fn file_name(&self, context: &Context) -> String {
        match self {
            Shape::Plain(table, _) => format!("{}.csv", table.name),
            Shape::Ameriflux(plan) => plan.file_name(&context.config.station.name),
        }
    }

    fn tables(&self) -> Vec<String> {
        match self {
            Shape::Plain(table, _) => vec![table.name.0.clone()],
            Shape::Ameriflux(plan) => plan.tables().map(|table| table.name.0.clone()).collect(),
        }
    }

    fn rounded(&self) -> u64 {
        match self {
            Shape::Plain(..) => 0,
            Shape::Ameriflux(plan) => plan.rounded(),
        }
    }

    fn write(&self, store: &Store, out: &mut dyn Write) -> Result<Written, CliError> {
        Ok(match self {
            Shape::Plain(table, choice) => crate::export::plain(store, table, choice, out)?,
            Shape::Ameriflux(plan) => plan.write(out)?,
        })
    }
}
