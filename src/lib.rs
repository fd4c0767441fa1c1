//! fluxtower carries a field station's data from Campbell LoggerNet's overwritten `.DAT` files to InfluxDB.
//!
//! ```text
//! .DAT file ──► source ──► format ──► qc ──► store (SQLite) ──► line ──► destination
//!  overwritten  a stable   header     flags  the truth:         line     InfluxDB v2 · v1 · v3,
//!  or appended  copy       + rows            rows, state,       protocol or a folder of .lp files
//!                                            gaps, receipts
//! ```
//!
//! Data flows one way: a module uses only modules to its left, and [`time`], [`text`], [`mod@sun`], [`ameriflux`],
//! [`qc`] and [`config`]. [`qc`] lists the tests with the keys of their settings, by which [`config`] reads them; it
//! uses neither [`config`] nor [`mod@format`]. Two modules join the halves: [`ingest`] runs everything up to the store,
//! [`sync`] everything after it. The following modules read the store: [`verify`]; [`export`]; [`status`], which
//! decides whether a user must act; and [`view`] with summaries, panels, the Grafana dashboard, the page and the
//! report. [`notify`] notifies users of findings. [`agent`] runs the passes under their locks, the loop of an agent
//! that runs continuously, and retention. [`draft`] writes a first configuration from existing files, with the parsers of the
//! left half and without a store. [`cli`] uses all of them: arguments, one call, printing. `tests/end_to_end/layers.rs`
//! lists every permitted dependency between two modules.
//!
//! # Invariants
//! The name of a test holds the number of the invariant that it tests.
//!
//! - **I1 accounted.** Every physical line of a file is one of: header, staged, duplicate, conflict, rejected, held,
//!   deferred, blank. The counts add up to the lines read. Rejected, held and conflicting lines keep their raw text.
//! - **I2 whole.** A staged value was on a complete line of a file that did not change while it was read.
//! - **I3 once.** One staged row per (table, timestamp), or per (table, timestamp, tag columns) where a table declares
//!   tag columns. Reading the same bytes again changes nothing. The same key with other content is a conflict: kept
//!   beside, counted, shown.
//! - **I4 durable.** When `ingest` returns, its rows survive a power cut: rows and the file's resume point in one
//!   transaction, WAL, `synchronous = FULL`.
//! - **I5 acknowledged.** A row is `sent` only if it was in a request that the configured endpoint answered with
//!   exactly 204, or, for the folder of `.lp` files, after the file was synced to disk.
//! - **I6 still here.** A row leaves `pending` only as sent, as rejected (refused alone, twice, with a known-good line
//!   accepted between), or as expired (older than the bucket's retention). `replay` puts every one of these back.
//! - **I7 same bytes.** Sending a row again sends the same line protocol. A row can be sent when its flags are final. A
//!   row whose flags change later, by a late neighbour, a flag by hand or a new limit, is pending again.
//! - **I8 raw stays raw.** QC never changes a stored value; only derived columns, which no file has, are computed again.
//!   Missing is null, never 0. Numbers are always sent as floats.
//! - **I9 apart.** Ingest never waits for the network; a long sync never delays ingest.
//! - **I10 quiet.** The token is never printed, logged, stored in the database or put in a URL. Plain http only to
//!   loopback, unless `allow_http = true`.

pub mod agent;
pub mod ameriflux;
pub mod cli;
pub mod config;
pub mod destination;
pub mod draft;
pub mod export;
pub mod format;
pub mod ingest;
pub mod line;
pub mod notify;
pub mod qc;
pub mod quantity;
pub mod source;
pub mod status;
pub mod store;
pub mod sun;
pub mod sync;
pub mod text;
pub mod time;
pub mod verify;
pub mod view;
