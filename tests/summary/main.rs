//! Views of the data: whatever was kept of it before, they say what the rows say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a station here has a few days of rows"
)]

#[path = "../support/mod.rs"]
mod support;

mod file;
mod lives;
mod station;
mod zoom;
