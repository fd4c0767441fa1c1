//! The station's [`Board`] as a Grafana dashboard over InfluxDB: one JSON text, ready to import.
//!
//! The bucket holds values and, beside each tested one, its flag (`FIELD_qc`), so everything that a dashboard shows of
//! flags it asks the server for: means, least and greatest leave failed values out, flagged ones are drawn apart, gaps
//! stay open. Every query is cut into windows by the server, as wide as the panel can show, so a view of a year is as
//! fast as one of an hour. What Grafana cannot do without writing to the bucket is left out, and docs/dashboard.md says so.
//!
//! The JSON is today's importable schema: `tests/grafana/validate` checks it against the types that Grafana publishes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::config::{Api, Config, DestinationConfig};
use crate::view::panel::Board;

mod alerts;
mod facts;
mod frame;
mod latest;
mod layout;
mod lines;
mod network;
mod query;
mod ribbon;
mod scatter;
mod source;
mod station;
mod strip;
mod units;
mod ways;
mod words;

pub use alerts::alerts;
pub use facts::{TableFacts, facts};
pub use frame::station_uid;
pub use network::network;
pub use station::station;

/// Which query language the panels speak; the data source in Grafana is set to the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// InfluxDB 2 and Cloud.
    Flux,
    /// InfluxDB 1.x, and 2 through a mapping of databases to buckets.
    InfluxQl,
    /// InfluxDB 3.
    Sql,
}

impl Language {
    /// What the configured server speaks best; Flux for a folder of files, which are made for `influx write`.
    pub fn of(destination: &DestinationConfig) -> Language {
        match destination {
            DestinationConfig::Influx(influx) => match influx.api {
                Api::V1 => Language::InfluxQl,
                Api::V2 => Language::Flux,
                Api::V3 => Language::Sql,
            },
            DestinationConfig::Files { .. } => Language::Flux,
        }
    }
}

/// Everything that a dashboard is made of.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// What is shown.
    pub board: &'a Board,
    /// By the table's name; a table that was never read may be absent.
    pub facts: &'a BTreeMap<String, TableFacts>,
    /// What the queries are written in.
    pub language: Language,
    /// How long buckets keep rows, as the server said; none is the destination's own.
    pub retentions: &'a [(Option<String>, Duration)],
    /// The `uid` of the data source in Grafana; without one, a person chooses it.
    pub datasource: Option<&'a str>,
}

impl Site<'_> {
    fn interval(&self, table: &str) -> Option<Duration> {
        self.facts.get(table).and_then(|facts| facts.interval)
    }

    /// Whether the agent sends its own health, from which the first row is drawn.
    fn has_health(&self) -> bool {
        self.config.sync.health
    }
}

/// One panel or row as JSON, before it has an id and a place.
type Object = serde_json::Map<String, Value>;

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}
