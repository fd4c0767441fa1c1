//! What needs data from outside of the repository: files that loggers wrote, and the cases that `ioos_qc` was run on.
//!
//! Ignored unless asked for. `.ci/run` says where the data is looked for:
//!
//! ```text
//! FLUXTOWER_REAL_FILES=folder FLUXTOWER_TOB_FILES=folder FLUXTOWER_QC_VECTORS=qc_vectors.json FLUXTOWER_QC_RANDOM=series.json FLUXTOWER_HALF_HOURS=folder cargo test --test real_files -- --ignored --nocapture
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]
#![allow(clippy::print_stdout, reason = "a test says what it measured")]
#![allow(clippy::cast_possible_wrap, reason = "counts here are small")]

#[path = "../support/real.rs"]
mod real;

mod half_hours;
mod ingest;
mod init;
mod qc_random;
mod qc_vectors;
mod tob;
