//! `fluxtower bucket`: what the server keeps, and for how long.

use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;

use super::output::count;
use super::{CliError, Context, Exit};
use crate::config::DestinationConfig;
use crate::destination::{Influx, QueryError, Retention};
use crate::store::Store;

/// List buckets, make one, or go on with one that changed
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower bucket list\n  fluxtower bucket create ameriflux_soil --retention 365\n  fluxtower bucket confirm"
)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the buckets that the token may see, with their retention
    #[command(after_help = "Example:\n  fluxtower bucket list --json")]
    List,
    /// Make a bucket
    #[command(after_help = "Example:\n  fluxtower bucket create ameriflux_soil --retention 365")]
    Create {
        /// Its name; v1: DATABASE or DATABASE/POLICY
        name: String,
        /// How many days it keeps rows; without it, for ever
        #[arg(long, value_name = "DAYS")]
        retention: Option<u64>,
    },
    /// Go on with a bucket whose id or retention changed
    #[command(after_help = "Example:\n  fluxtower bucket confirm")]
    Confirm,
}

#[derive(Serialize)]
struct Item {
    name: String,
    id: Option<String>,
    /// None where the server does not say; 0 for ever.
    retention_days: Option<f64>,
}

#[derive(Serialize)]
struct List {
    buckets: Vec<Item>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    match &args.action {
        Action::Confirm => {
            let forgotten = context.store()?.forget(Store::PIN)? as u64;
            context.output.result(&serde_json::json!({ "confirmed": forgotten }), |out| {
                writeln!(out, "{} confirmed; the next sync goes on with what it finds", count(forgotten, "bucket"))
            })?;
            Ok(Exit::Well)
        }
        Action::List => list(context),
        Action::Create { name, retention } => create(context, name, *retention),
    }
}

fn influx(context: &Context) -> Result<Influx, CliError> {
    match &context.config.destination {
        DestinationConfig::Influx(config) => Ok(Influx::open(config).map_err(crate::sync::SyncError::from)?),
        DestinationConfig::Files { .. } => Err(CliError::NoBuckets),
    }
}

fn list(context: &Context) -> Result<Exit, CliError> {
    let buckets = match influx(context)?.list() {
        Ok(buckets) => buckets,
        Err(error) => return refused(error),
    };
    #[allow(clippy::cast_precision_loss)]
    let days = |retention: &Retention| match retention {
        Retention::Forever => Some(0.0),
        Retention::For(span) => Some(span.as_secs() as f64 / 86_400.0),
        Retention::Unknown(_) => None,
    };
    let list = List {
        buckets: buckets
            .into_iter()
            .map(|bucket| Item { retention_days: days(&bucket.retention), name: bucket.name, id: bucket.id })
            .collect(),
    };
    context.output.result(&list, |out| {
        for bucket in &list.buckets {
            let kept = match bucket.retention_days {
                None => "retention unknown".to_owned(),
                Some(0.0) => "kept for ever".to_owned(),
                Some(days) => format!("kept for {days} days"),
            };
            writeln!(out, "{}  {kept}  {}", bucket.name, bucket.id.as_deref().unwrap_or_default())?;
        }
        Ok(())
    })?;
    Ok(Exit::Well)
}

fn create(context: &Context, name: &str, days: Option<u64>) -> Result<Exit, CliError> {
    let retention = days.map(|days| Duration::from_secs(days.saturating_mul(86_400)));
    match influx(context)?.create(name, retention) {
        Ok(()) => {
            context
                .output
                .result(&serde_json::json!({ "created": name }), |out| writeln!(out, "made bucket {name}"))?;
            Ok(Exit::Well)
        }
        Err(error) => refused(error),
    }
}

fn refused(error: QueryError) -> Result<Exit, CliError> {
    Err(CliError::Query(error))
}
