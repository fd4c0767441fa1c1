//! `fluxtower dashboard`: makes a Grafana dashboard of the bucket from the configuration.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use super::output::count;
use super::whole_file::WholeFile;
use super::{CliError, Context, Exit};
use crate::store::Store;
use crate::view::dashboard::{self, Language, Shapes, Site};
use crate::view::panel;

/// Make a Grafana dashboard of the tables, ready to import
///
/// Panels follow from the columns' variable, quantity, height, depth and sensor, and from [[panel]]. Values are drawn with
/// their flags: failed values separately, gaps open. In Grafana choose Dashboards, New, Import, and the data source; a later
/// import replaces the dashboard. docs/dashboard.md describes every part.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower dashboard --output dashboard.json\n  fluxtower dashboard --language influxql > dashboard.json\n  fluxtower dashboard --network --output network.json\n  fluxtower dashboard --output dashboard.json --alerts alerts.json --datasource P951FEA4DE68E13C5"
)]
pub(super) struct Args {
    /// For Grafana, which is the default and the only choice
    #[arg(long)]
    grafana: bool,
    /// The data source's query language; without it, the language of the destination's api
    #[arg(long, value_enum)]
    language: Option<Choice>,
    /// All stations that send to the same bucket, instead of this one
    #[arg(long)]
    network: bool,
    /// The file; without it the dashboard goes to stdout
    #[arg(long, alias = "out", value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write alert rules too, for Grafana's folder provisioning/alerting
    #[arg(long, value_name = "FILE")]
    alerts: Option<PathBuf>,
    /// The data source's uid in Grafana; alert rules without it read FLUXTOWER_DATASOURCE
    #[arg(long, value_name = "UID")]
    datasource: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// InfluxDB 2 and Cloud
    Flux,
    /// InfluxDB 1.x
    Influxql,
    /// InfluxDB 3
    Sql,
}

#[derive(Serialize)]
struct Made {
    file: String,
    uid: String,
    language: &'static str,
    rows: usize,
    panels: usize,
    queries: usize,
    alerts: Option<String>,
    rules: usize,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    if args.output.is_none() && context.output.is_json() {
        return Err(CliError::DashboardNeedsOutput);
    }
    let config = &context.config;
    let (known, facts, retentions, rhythm) = if config.store_path.exists() {
        let store = Store::open_reader(&config.store_path)?;
        (
            store.known_tables(config)?,
            dashboard::facts(config, &store)?,
            crate::sync::retentions(&store)?,
            store.usual_time_between_reports()?,
        )
    } else {
        (Vec::new(), BTreeMap::new(), Vec::new(), None)
    };
    let unread = config.tables.iter().filter(|table| !facts.contains_key(&table.name.0));
    let unread: Vec<&str> = unread.map(|table| table.name.0.as_str()).collect();
    if !unread.is_empty() && !args.network {
        tracing::warn!(
            "never read: {}; of these only columns that the configuration names are shown, so run `fluxtower ingest` first",
            unread.join(", ")
        );
    }
    let board = panel::plan(config, &known);
    let language = args.language.map_or_else(|| Language::of(&config.destination), Choice::language);
    let datasource = args.datasource.as_deref();
    let (retentions, shapes) = (&retentions, &Shapes::default());
    let site = Site { config, board: &board, facts: &facts, language, rhythm, retentions, datasource, shapes };
    let dashboard = if args.network { dashboard::network(&site) } else { dashboard::station(&site) };
    let alerts = args.alerts.is_some().then(|| dashboard::alerts(&site));
    // Both files are rendered before the first is written.
    if let (Some(path), Some(alerts)) = (&args.alerts, &alerts) {
        write(context, path, alerts)?;
    }
    let Some(path) = &args.output else {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{}", pretty(&dashboard)?)?;
        stdout.flush()?;
        return Ok(Exit::Well);
    };
    write(context, path, &dashboard)?;
    let made = made(args, language, path, &dashboard, alerts.as_ref());
    context.output.result(&made, |out| {
        writeln!(
            out,
            "wrote {}: {} in {}",
            made.file,
            count(as_u64(made.panels), "panel"),
            count(as_u64(made.rows), "row")
        )?;
        match &made.alerts {
            Some(alerts) => writeln!(out, "wrote {alerts}: {}", count(as_u64(made.rules), "rule")),
            None => Ok(()),
        }
    })?;
    Ok(Exit::Well)
}

impl Choice {
    fn language(self) -> Language {
        match self {
            Choice::Flux => Language::Flux,
            Choice::Influxql => Language::InfluxQl,
            Choice::Sql => Language::Sql,
        }
    }
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn pretty(value: &Value) -> Result<String, CliError> {
    Ok(serde_json::to_string_pretty(value).map_err(io::Error::from)?)
}

fn write(context: &Context, path: &Path, value: &Value) -> Result<(), CliError> {
    context.refuse_own_file(path)?;
    let text = pretty(value)?;
    let whole = WholeFile::beside(path)?;
    let mut file = whole.create()?;
    writeln!(file, "{text}").map_err(|source| whole.failed(source))?;
    drop(file);
    whole.keep(true)
}

fn made(args: &Args, language: Language, path: &Path, dashboard: &Value, alerts: Option<&Value>) -> Made {
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let outer = list(dashboard, "panels");
    let is_row = |panel: &&Value| panel["type"] == "row";
    let rows = outer.iter().filter(is_row).count();
    let inner: Vec<Value> = outer.iter().filter(is_row).flat_map(|row| list(row, "panels")).collect();
    let panels = outer.iter().filter(|panel| !is_row(panel)).chain(&inner);
    let panels: Vec<&Value> = panels.collect();
    Made {
        file: path.display().to_string(),
        uid: dashboard["uid"].as_str().unwrap_or_default().to_owned(),
        language: match language {
            Language::Flux => "flux",
            Language::InfluxQl => "influxql",
            Language::Sql => "sql",
        },
        rows,
        panels: panels.len(),
        queries: panels.iter().map(|panel| list(panel, "targets").len()).sum(),
        alerts: args.alerts.as_ref().map(|path| path.display().to_string()),
        rules: alerts.map_or(0, |alerts| alerts["groups"][0]["rules"].as_array().map_or(0, Vec::len)),
    }
}
