//! The delivery side through the program itself, against a stand-in for InfluxDB that misbehaves in every way known.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_possible_truncation, clippy::float_cmp)]

#[path = "../support/dice.rs"]
mod dice;
#[path = "../server/mod.rs"]
mod server;

mod acknowledged;
mod broken_links;
mod conflicts;
mod expected;
mod in_flight;
mod limits;
mod poison;
mod replay;
mod secrecy;
mod side_by_side;
mod stale;
mod there;
mod types;
mod waiting;
