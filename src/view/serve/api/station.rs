//! The station: its tables, their columns, and the panels.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Millis;
use super::board::{Place, Row, rows};
use crate::config::{Api, ColumnConfig, Config, DestinationConfig, TableConfig, TurbulenceConfig};
use crate::qc::{TableSpec, Test};
use crate::quantity::Quick;
use crate::time::{StationClock, Timestamp};
use crate::view::panel::{self, PanelColumn, PanelTable};
use crate::view::serve::error::ApiError;
use crate::view::serve::readers::Database;

/// The station.
#[derive(Debug, Serialize)]
pub struct Station {
    station: String,
    version: &'static str,
    now: Millis,
    clock: ClockFace,
    destination: Destination,
    tables: Vec<Table>,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct ClockFace {
    label: String,
    offset_s: i32,
    zone: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Destination {
    kind: &'static str,
    #[serde(rename = "where")]
    at: String,
}

#[derive(Debug, Serialize)]
struct Table {
    name: String,
    measurement: String,
    bucket: Option<String>,
    interval_s: Option<f64>,
    stale_after_s: Option<u64>,
    oldest: Option<Millis>,
    newest: Option<Millis>,
    /// The table from whose rows it is made.
    made_of: Option<String>,
    /// The columns of its turbulence quick look, in the order in which they are drawn.
    turbulence: Option<Vec<String>>,
    series: Vec<Series>,
    columns: Vec<Column>,
}

#[derive(Debug, Serialize)]
struct Series {
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
struct Column {
    name: String,
    field: String,
    unit: String,
    variable: Option<String>,
    quantity: Option<String>,
    kind: &'static str,
    bounds: Option<(f64, f64)>,
    level: Option<Place>,
    sensor: Option<String>,
    suspect: Option<[Option<f64>; 2]>,
    fail: Option<[Option<f64>; 2]>,
    tests: Vec<&'static str>,
    sent: bool,
    diagnostic: bool,
    has_band: bool,
}

/// The station according to the configuration and, if there is one, the database.
pub(super) fn answer(config: &Config, database: Option<&Database>, now: Timestamp) -> Result<Station, ApiError> {
    let known = match database {
        Some(database) => database.store.known_tables(config)?,
        None => Vec::new(),
    };
    let mut tables = Vec::new();
    for (table, drawn) in config.tables.iter().zip(panel::tables(config, &known)) {
        tables.push(describe(config, table, drawn, database)?);
    }
    Ok(Station {
        station: config.station.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        now: Millis(now),
        clock: clock(&config.station.clock, now),
        destination: destination(&config.destination),
        tables,
        rows: rows(panel::plan(config, &known)),
    })
}

fn clock(clock: &StationClock, now: Timestamp) -> ClockFace {
    let offset = clock.standard_offset(now);
    let zone = match clock {
        StationClock::Fixed(_) => None,
        StationClock::Zone(zone) => Some(zone.name()),
    };
    ClockFace {
        label: zone.map_or_else(|| format!("UTC{offset}"), str::to_owned),
        offset_s: offset.local_minus_utc(),
        zone,
    }
}

fn destination(destination: &DestinationConfig) -> Destination {
    match destination {
        DestinationConfig::Files { path } => Destination { kind: "files", at: path.display().to_string() },
        DestinationConfig::Influx(influx) => {
            let kind = match influx.api {
                Api::V1 => "influxdb v1",
                Api::V2 => "influxdb v2",
                Api::V3 => "influxdb v3",
            };
            // Only the host, because the whole address may hold a user name and a password.
            let host = influx.url.host_str().unwrap_or_default();
            let at = influx.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
            Destination { kind, at }
        }
    }
}

fn describe(
    config: &Config,
    table: &TableConfig,
    drawn: PanelTable,
    database: Option<&Database>,
) -> Result<Table, ApiError> {
    let name = &table.name.0;
    let spec = config.spec(table);
    let (mut oldest, mut newest, mut interval_s) = (None, None, None);
    if let Some(Database { store, summaries, .. }) = database {
        for series in store.series(name)? {
            oldest = [oldest, store.first_row(series.id, Timestamp::EPOCH)?].into_iter().flatten().min();
            newest = newest.max(series.newest);
        }
        interval_s = summaries.interval(store, name)?;
    }
    Ok(Table {
        name: name.clone(),
        measurement: table.measurement.clone(),
        bucket: table.bucket.clone(),
        interval_s,
        stale_after_s: table.stale_after.map(|limit| limit.as_secs()),
        oldest: oldest.map(Millis),
        newest: newest.map(Millis),
        made_of: table.made_of.as_ref().map(|of| of.table.0.clone()),
        turbulence: table.made_of.as_ref().and_then(|of| of.turbulence.as_ref()).map(drawn_of),
        series: drawn.series.into_iter().map(|tags| Series { tags: tags.into_iter().collect() }).collect(),
        columns: drawn.columns.into_iter().map(|drawn| column(&spec, table, drawn)).collect(),
    })
}

/// The columns of a quick look that are drawn; the others are of little use without it.
fn drawn_of(turbulence: &TurbulenceConfig) -> Vec<String> {
    let wanted = [Quick::FrictionVelocity, Quick::VerticalSpread, Quick::Heat, Quick::Momentum];
    let values = turbulence.values();
    let named = |quick: &Quick| values.iter().find(|(_, value)| value == quick).map(|(name, _)| name.clone());
    wanted.iter().filter_map(named).collect()
}

fn column(spec: &TableSpec<'_>, table: &TableConfig, drawn: PanelColumn) -> Column {
    let plain = ColumnConfig::default();
    let own = table.columns.get(&drawn.name).unwrap_or(&plain);
    let bounds = |(low, high): (f64, f64)| {
        let bound = |bound: f64| bound.is_finite().then_some(bound);
        (low.is_finite() || high.is_finite()).then(|| [bound(low), bound(high)])
    };
    Column {
        tests: spec.tests_of(&drawn.name).into_iter().map(Test::name).collect(),
        name: drawn.name,
        field: drawn.field,
        unit: drawn.unit,
        variable: drawn.variable,
        quantity: drawn.quantity,
        kind: drawn.values.name(),
        bounds: drawn.values.bounds(),
        level: Place::of(drawn.level),
        sensor: drawn.sensor,
        suspect: drawn.range.and_then(|range| bounds(range.suspect)),
        fail: drawn.range.and_then(|range| bounds(range.fail)),
        sent: drawn.is_sent,
        diagnostic: drawn.is_diagnostic,
        has_band: own.quality.climatology.is_some(),
    }
}
