//! The invariants of the program, each held against a model or against many random lives of a station.
//!
//! A test's name bears the number of what it holds: i1 every line is accounted for, i2 a torn line is never a row, ...
//! tests/README.md lists them, with those that stand in other test programs.

#![allow(clippy::float_cmp, reason = "values must come back bit by bit")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]
#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "stations here are small")]

#[allow(dead_code, unused_imports, reason = "the end-to-end tests use the rest")]
#[path = "../support/mod.rs"]
mod support;

mod budget_after_an_outage;
mod crash;
mod deletion;
mod model;
mod outage;
mod overwrite;
mod samples;
mod torn;
