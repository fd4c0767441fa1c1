//! `fluxtower run`: ingest, then sync. What Task Scheduler calls.

use serde::Serialize;

use super::{CliError, Context, Exit, ingest, keep, sync};
use crate::ingest::{IngestReport, Selection};
use crate::sync::SyncReport;

/// Ingest, then sync: what a scheduler calls every few minutes
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  fluxtower run\n  fluxtower run --quiet --config C:\\fluxtower\\config.toml")]
pub(super) struct Args {}

#[derive(Serialize)]
struct Both {
    ingest: Option<IngestReport>,
    sync: Option<SyncReport>,
}

pub(super) fn run(context: &Context, _args: &Args) -> Result<Exit, CliError> {
    let ingested = ingest::ingest(context, &Selection::default())?;
    if ingested.is_none() {
        tracing::warn!("another ingest is running; this run leaves the files to it");
    }
    let synced = sync::sync(context)?;
    if synced.is_none() {
        tracing::warn!("another sync is running; this run leaves the sending to it");
    }
    keep::when_due(context)?;
    let exit =
        ingested.as_ref().map_or(Exit::Well, |both| both.1).max(synced.as_ref().map_or(Exit::Well, |both| both.1));
    let both = Both { ingest: ingested.map(|both| both.0), sync: synced.map(|both| both.0) };
    context.output.result(&both, |out| {
        if let Some(report) = &both.ingest {
            ingest::write(out, report)?;
        }
        match &both.sync {
            Some(report) => sync::write(out, report),
            None => Ok(()),
        }
    })?;
    Ok(exit)
}
