//! Values and flags over a stretch of time.

use crate::config::Config;
use crate::serve::error::ApiError;
use crate::serve::readers::{Database, Readers};
use crate::summary::{Ribbon, RibbonRequest, Trace, TraceRequest};

/// Values of some columns.
pub(in crate::serve) fn trace(config: &Config, readers: &Readers, request: &TraceRequest) -> Result<Trace, ApiError> {
    readers.with(|database| {
        let Database { store, summaries, .. } = there(config, database, &request.table)?;
        Ok(summaries.trace(store, request)?)
    })
}

/// Flags of all columns.
pub(in crate::serve) fn ribbon(config: &Config, readers: &Readers, request: &RibbonRequest) -> Result<Ribbon, ApiError> {
    readers.with(|database| {
        let Database { store, summaries, .. } = there(config, database, &request.table)?;
        Ok(summaries.ribbon(store, request)?)
    })
}

fn there<'d>(config: &Config, database: Option<&'d Database>, table: &str) -> Result<&'d Database, ApiError> {
    database.ok_or_else(|| {
        ApiError::Unknown(match config.table(table) {
            Some(_) => format!("nothing was read yet of table \"{table}\"; `fluxtower run` reads its files"),
            None => format!("there is no table \"{table}\"; {}", config.tables_like(table)),
        })
    })
}
