//! The program against servers that other people wrote: InfluxDB 1.6 and VictoriaMetrics, as Debian packages them,
//! InfluxDB 2.7, as `tests/influxd2/build` makes it, and the mail server aiosmtpd.
//!
//! Each test starts a server of its own on a loopback port, with its data in a folder that goes away, and ends it. What
//! should be in the server is read from the .DAT file by this test's own few lines, not by fluxtower's parser. Run:
//!
//! ```text
//! FLUXTOWER_INFLUXD2=$(tests/influxd2/build) FLUXTOWER_INFLUXD=$(command -v influxd) FLUXTOWER_VICTORIA=$(command -v victoria-metrics) \
//!     FLUXTOWER_AIOSMTPD=/usr/bin/python3 cargo test --test real_servers -- --ignored
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::float_cmp)]
#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "stations here are small")]

mod alerts;
mod buckets;
mod counting;
mod dashboard;
mod dashboard_flux;
mod dashboard_speed;
mod each;
mod first_contact;
mod flags;
mod influxd2;
mod influxd2_itself;
mod mail;
mod permissions;
mod proof;
mod readings;
#[path = "../support/real.rs"]
mod real;
mod real_files;
mod refusals;
mod restart;
mod room;
mod round_trip;
mod server;
mod stale;
mod station;
#[allow(dead_code, unused_imports, reason = "the end-to-end tests use the rest")]
#[path = "../support/mod.rs"]
mod support;
