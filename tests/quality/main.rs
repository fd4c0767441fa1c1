//! QC as its users meet it: through files, the store and the program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a station here has a few hundred rows")]

#[path = "../support/mod.rs"]
mod support;

mod by_hand;
mod cuts;
mod derived;
mod docs;
mod older;
mod rows;
mod sending;
mod station;
mod week;
