//! The station's [`Board`] as a Grafana dashboard over InfluxDB: one JSON text, ready to import.
//!
//! The bucket holds values and, beside each tested one, its flag (`FIELD_qc`). Queries therefore use the flags in the
//! bucket: means, minima and maxima leave failed values out, flagged values are drawn separately, gaps stay open. The
//! server cuts every query into windows as wide as the panel can show, so that a view of a year is as fast as one of an
//! hour. What Grafana cannot do without writing to the bucket is left out; docs/dashboard.md lists it.
//!
//! The JSON follows the present importable schema: `tests/grafana/validate` checks it against the types that Grafana
//! publishes.

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
mod links;
mod network;
mod query;
mod ribbon;
mod scatter;
mod source;
mod station;
mod strip;
mod texts;
mod units;

pub use alerts::alerts;
pub use facts::{TableFacts, facts};
pub use frame::station_uid;
pub use network::network;
pub use source::Shapes;
pub use station::station;

/// The query language of the panels; the data source in Grafana must use the same.
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
    /// The best language of the configured server; Flux for a folder of files, which are made for `influx write`.
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

/// Everything that a dashboard is made from.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The panels of the station.
    pub board: &'a Board,
    /// The facts by the table's name; a table that was never read may be absent.
    pub facts: &'a BTreeMap<String, TableFacts>,
    /// The query language.
    pub language: Language,
    /// The usual time between two reports of the agent, if known.
    pub rhythm: Option<Duration>,
    /// The retention of the buckets, as the server reported it; None is the destination's default bucket.
    pub retentions: &'a [(Option<String>, Duration)],
    /// The `uid` of the data source in Grafana; if None, the user chooses it.
    pub datasource: Option<&'a str>,
    /// What is known of the lines of series already; none at first.
    pub shapes: &'a Shapes,
}

impl Site<'_> {
    fn interval(&self, table: &str) -> Option<Duration> {
        self.facts.get(table).and_then(|facts| facts.interval)
    }

    /// Whether the agent sends its own health, which the first row shows.
    fn has_health(&self) -> bool {
        self.config.sync.health
    }
}

/// A panel or row as JSON, without id and position.
type Object = serde_json::Map<String, Value>;

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}
