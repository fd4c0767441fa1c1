//! The page of `serve` in a real browser: Chromium without a window, driven over WebDriver as a person would.
//!
//! Each test makes a station of its own, serves it, opens it in a browser of its own, and at its end looks at what the
//! browser complained about and what it asked for. Pictures go to `target/page-screenshots`, or where
//! `FLUXTOWER_SCREENSHOTS` says, for people to look at. Run:
//!
//! ```text
//! FLUXTOWER_CHROMEDRIVER=$(command -v chromedriver) FLUXTOWER_CHROMIUM=$(command -v chromium) \
//!     FLUXTOWER_AXE=$(tests/page/axe/fetch /tmp/axe) \
//!     cargo test --test page -- --ignored
//! ```
//!
//! `FLUXTOWER` may name another build of the program, such as the released one, whose speed is the one that counts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::float_cmp, clippy::print_stdout)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "stations here are small"
)]

#[allow(dead_code, unused_imports, reason = "the end-to-end tests use the rest")]
#[path = "../support/mod.rs"]
mod support;

mod accessibility;
mod browser;
mod coverage;
mod first_screen;
mod kinds;
mod live;
mod names_as_markup;
mod network;
mod now_tiles;
mod numbers;
mod page;
mod panels;
mod patterns;
mod phone_and_dark;
mod pictures;
mod report;
mod station;
mod ten_broken;
mod ten_million_values;
mod time;
mod turbulence;
mod values;
mod weight;
