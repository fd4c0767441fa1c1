//! What ingest writes: tables and their columns, rows, record runs, file states, rejected and held lines.
//!
//! Every line that ingest reads is counted here (I1), and a row is staged once (I3).

pub(super) mod changed;
pub(super) mod clock;
pub(super) mod decisions;
pub(super) mod deferred;
pub(super) mod double_hour;
pub(super) mod files;
pub(super) mod headers;
pub(super) mod known;
pub(super) mod logger_names;
pub(super) mod lost;
mod parts;
pub(super) mod provisional;
pub(super) mod record_gaps;
pub(super) mod record_runs;
pub(super) mod records;
pub(super) mod rejected;
pub(super) mod retag;
pub(super) mod rows;
pub(super) mod samples;
pub(super) mod series;
pub(super) mod staging;
pub(super) mod tables;
mod taken_key;
pub(super) mod union;
pub(super) mod windows;
