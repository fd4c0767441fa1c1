//! `fluxtower export`: rows as CSV.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use super::output::{count, grouped};
use super::whole_file::WholeFile;
use super::{CliError, Context, Exit};
use crate::config::TableConfig;
use crate::export::{Ameriflux, FlagStyle, Plain, TimeScale, Window, Written};
use crate::store::Store;
use crate::text::Visible;

/// Write a table's rows as CSV, or in AmeriFlux's half-hourly shape
///
/// Reads the database only. Without --output the rows go to stdout. With it the file is there whole or not at all; an
/// older one of that name is replaced. Numbers are spelled as the logger spelled them.
///
/// `--format ameriflux` takes a table that the logger averages over 30 minutes or one hour: the columns that have a
/// `variable`, under its name, TIMESTAMP_START and TIMESTAMP_END in local standard time, -9999 for missing and failed
/// values and for times without a row. Where --output is a folder, the file is named as AmeriFlux wants it. Send it as
/// it is; AmeriFlux takes no flags.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower export --table soil_30min --since 2025-06-20 --output soil.csv\n  fluxtower export --table 46m_par --columns PPFD,calPPFD --flags mask --time utc\n  fluxtower export --table soil_30min --format ameriflux --output upload/"
)]
pub(super) struct Args {
    /// The table
    #[arg(long, value_name = "NAME")]
    table: String,
    /// From this time on; with ameriflux, intervals that begin then or later
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Up to and with this time; with ameriflux, intervals that begin before
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only these columns, by the logger's names, with commas between
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    columns: Option<Vec<String>>,
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

#[derive(Serialize)]
struct Exported {
    table: String,
    file: String,
    rows: u64,
    filled: u64,
    rounded: u64,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let table = context.configured_table(&args.table)?;
    if args.format == Format::Ameriflux && (args.flags.is_some() || args.time.is_some() || args.spreadsheet) {
        return Err(CliError::AmerifluxHasNone);
    }
    if args.format == Format::Csv && args.round.is_some() {
        return Err(CliError::RoundsAmeriflux);
    }
    if args.output.is_none() && context.output.is_json() {
        return Err(CliError::JsonNeedsOutput);
    }
    let store = Store::open_reader(&context.config.store_path)?;
    let shape = shape(args, table, &store)?;
    let Some(output) = &args.output else {
        let stdout = io::stdout();
        // On a terminal, controls in texts are shown; a pipe or a file gets each byte.
        if stdout.is_terminal() {
            let buffered = BufWriter::with_capacity(1 << 16, stdout.lock());
            shape.write(&store, table, &mut Visible::new(buffered, None))?;
        } else {
            shape.write(&store, table, &mut BufWriter::with_capacity(1 << 16, stdout.lock()))?;
        }
        return Ok(Exit::Well);
    };
    let is_folder = output.is_dir() || output.to_string_lossy().ends_with(['/', '\\']);
    let path = if is_folder {
        let made = std::fs::create_dir_all(output);
        made.map_err(|source| CliError::File { path: output.clone(), source })?;
        output.join(shape.file_name(context, table))
    } else {
        output.clone()
    };
    context.refuse_own_file(&path)?;
    let whole = WholeFile::beside(&path)?;
    let mut file = BufWriter::with_capacity(1 << 16, whole.create()?);
    let written = shape.write(&store, table, &mut file).map_err(|error| match error {
        CliError::Export(crate::export::ExportError::Output(source)) => whole.failed(source),
        other => other,
    })?;
    file.flush().map_err(|source| whole.failed(source))?;
    drop(file);
    whole.keep(true)?;
    let exported = Exported {
        table: table.name.0.clone(),
        file: path.display().to_string(),
        rows: written.rows,
        filled: written.filled,
        rounded: shape.rounded(),
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
        writeln!(out, "wrote {}{rounded}{filled} to {}", count(exported.rows, "row"), exported.file)
    })?;
    Ok(Exit::Well)
}

enum Shape<'a> {
    Plain(Plain<'a>),
    Ameriflux(Ameriflux<'a>),
}

fn shape<'a>(args: &'a Args, table: &'a TableConfig, store: &'a Store) -> Result<Shape<'a>, CliError> {
    let instant = |option, text: &Option<String>| {
        let read = |text: &String| {
            crate::time::parse_instant(text, &table.clock)
                .ok_or_else(|| CliError::Instant { option, text: text.clone() })
        };
        text.as_ref().map(read).transpose()
    };
    let (since, until) = (instant("--since", &args.since)?, instant("--until", &args.until)?);
    let columns = args.columns.as_deref();
    Ok(match args.format {
        Format::Ameriflux => {
            let unread = unread_variables(table, &store.column_names(&table.name.0)?);
            if !unread.is_empty() && columns.is_none() {
                tracing::warn!("no file of table \"{}\" had the columns {}", table.name, unread.join(", "));
            }
            let round = args.round.unwrap_or_default();
            let plan = Ameriflux::plan(store, table, Window { since, until, columns, round })?;
            for text in plan.left_out() {
                tracing::warn!("table \"{}\", {text}", table.name);
            }
            Shape::Ameriflux(plan)
        }
        Format::Csv => {
            let flags = match args.flags.unwrap_or(Flags::None) {
                Flags::None => FlagStyle::None,
                Flags::Beside => FlagStyle::Beside,
                Flags::Mask => FlagStyle::Mask,
            };
            let time = match args.time.unwrap_or(Time::Station) {
                Time::Station => TimeScale::Station,
                Time::Utc => TimeScale::Utc,
            };
            Shape::Plain(Plain { since, until, columns, flags, time, is_for_spreadsheet: args.spreadsheet })
        }
    })
}

fn unread_variables(table: &TableConfig, known: &[String]) -> Vec<String> {
    let with_variable = table.columns.iter().filter(|(_, column)| column.variable.is_some());
    with_variable.map(|(name, _)| name.clone()).filter(|name| !known.contains(name)).collect()
}

impl Shape<'_> {
    fn file_name(&self, context: &Context, table: &TableConfig) -> String {
        match self {
            Shape::Plain(_) => format!("{}.csv", table.name),
            Shape::Ameriflux(plan) => plan.file_name(&context.config.station.name),
        }
    }

    fn rounded(&self) -> u64 {
        match self {
            Shape::Plain(_) => 0,
            Shape::Ameriflux(plan) => plan.rounded(),
        }
    }

    fn write(&self, store: &Store, table: &TableConfig, out: &mut dyn Write) -> Result<Written, CliError> {
        Ok(match self {
            Shape::Plain(choice) => crate::export::plain(store, table, choice, out)?,
            Shape::Ameriflux(plan) => plan.write(out)?,
        })
    }
}
