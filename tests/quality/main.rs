//! QC as its users meet it: through files, the store and the program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod by_hand;
mod cuts;
mod derived;
mod rows;
mod sending;
mod station;
mod week;
