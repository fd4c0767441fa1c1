//! The program and its library from outside: files in, database, server and page out.
//!
//! A module a subject; tests/README.md says which. Each test makes a station of its own, so they run side by side.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a test says what it measured")]
#![allow(clippy::float_cmp, reason = "values must come back bit by bit")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "stations here are small"
)]

#[allow(dead_code, reason = "the invariants use a few things alone")]
#[path = "../support/mod.rs"]
mod support;

mod ameriflux;
mod backup;
mod bucket;
mod clock_corrections;
mod clock_entries;
#[cfg(target_os = "linux")]
mod clocks;
mod closed_files;
mod config;
mod config_errors;
mod coverage;
mod dashboard;
mod delivery;
mod dialects;
mod docs;
mod export;
mod false_findings;
mod findings;
mod formats;
mod gaps;
mod half_hours;
mod ingest;
mod init;
mod init_clocks;
mod init_early_rows;
mod init_names_and_values;
mod init_programs;
mod init_stamps;
mod init_tests;
mod init_text_tables;
mod init_unread_rows;
mod init_zones;
mod layers;
mod long_tables;
mod mid_headers;
mod notify;
mod odd_text;
mod panels;
mod quality;
mod quiet_losses;
mod readme;
mod records;
mod salvage;
#[cfg(unix)]
mod schedule;
mod serve;
mod steps_and_counts;
mod store_life;
mod summary;
mod sun;
mod terminal;
mod tls;
mod torn_cards;
mod torn_records;
#[cfg(unix)]
mod upgrade;
mod verdicts;
mod vocabulary;
#[cfg(unix)]
mod watch;
#[cfg(target_os = "linux")]
mod whole_life;
mod windows;
mod xml_records;
mod years;
