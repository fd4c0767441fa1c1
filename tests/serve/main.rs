//! `serve` and `report`, driven through the binary: what they answer, whom they refuse, and what they leave alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../server/mod.rs"]
mod server;
#[path = "../support/mod.rs"]
mod support;

mod answers;
mod beside;
mod client;
mod flood;
mod hostile;
mod life;
mod report;
mod station;
