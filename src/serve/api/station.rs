//! What the station is: its tables, their columns, and which are looked at together.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Millis, seconds, usual_distance};
use crate::config::{
    Api, ColumnConfig, ColumnQuality, ColumnUse, Config, DestinationConfig, TableConfig,
};
use crate::serve::error::ApiError;
use crate::store::{SeriesLine, Store};
use crate::time::{StationClock, Timestamp};

/// Rows whose distances are looked at.
const SAMPLE: usize = 100;

/// The station.
#[derive(Debug, Serialize)]
pub struct Station {
    station: String,
    version: &'static str,
    now: Millis,
    clock: ClockFace,
    destination: Place,
    tables: Vec<Table>,
}

#[derive(Debug, Serialize)]
struct ClockFace {
    label: String,
    offset_s: i32,
    zone: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Place {
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
    suspect: Option<[Option<f64>; 2]>,
    fail: Option<[Option<f64>; 2]>,
    tests: Vec<&'static str>,
    sent: bool,
    diagnostic: bool,
    has_band: bool,
}

/// Describes the station, from the configuration and, where there is one, from the store.
pub fn answer(config: &Config, store: Option<&Store>, now: Timestamp) -> Result<Station, ApiError> {
    let mut tables = Vec::new();
    for table in &config.tables {
        tables.push(describe(config, table, store)?);
    }
    Ok(Station {
        station: config.station.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        now: Millis(now),
        clock: clock(&config.station.clock, now),
        destination: destination(&config.destination),
        tables,
    })
}

fn clock(clock: &StationClock, now: Timestamp) -> ClockFace {
    let offset = clock.standard_offset(now);
    let zone = match clock {
        StationClock::Fixed(_) => None,
        StationClock::Zone(zone) => Some(zone.name()),
    };
    ClockFace { label: zone.map_or_else(|| format!("UTC{offset}"), str::to_owned), offset_s: offset.local_minus_utc(), zone }
}

fn destination(destination: &DestinationConfig) -> Place {
    match destination {
        DestinationConfig::Files { path } => Place { kind: "files", at: path.display().to_string() },
        DestinationConfig::Influx(influx) => {
            let kind = match influx.api {
                Api::V1 => "influxdb v1",
                Api::V2 => "influxdb v2",
                Api::V3 => "influxdb v3",
            };
            // A part of the address and not the address, which may hold a name and a password.
            let host = influx.url.host_str().unwrap_or_default();
            let at = influx.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
            Place { kind, at }
        }
    }
}

fn describe(config: &Config, table: &TableConfig, store: Option<&Store>) -> Result<Table, ApiError> {
    let name = &table.name.0;
    let (known, series) = match store {
        Some(store) => (store.columns_of(name)?, store.series(name)?),
        None => Default::default(),
    };
    let use_of = |column: &str| table.columns.get(column).map(|column| column.column_use).unwrap_or_default();
    let tag_names: Vec<&str> =
        known.iter().map(|column| column.name.as_str()).filter(|column| use_of(column) == ColumnUse::Tag).collect();
    let mut columns: Vec<(String, String)> =
        known.iter().map(|column| (column.name.clone(), column.units.clone())).collect();
    if columns.is_empty() {
        columns = table.columns.keys().map(|name| (name.clone(), String::new())).collect();
    }
    columns.retain(|(column, _)| use_of(column) != ColumnUse::Tag);
    let mut oldest = None;
    let mut interval = None;
    if let Some(store) = store {
        for series in &series {
            oldest = [oldest, store.first_row(series.id, Timestamp(0))?].into_iter().flatten().min();
        }
        interval = usual_interval(store, &series)?;
    }
    Ok(Table {
        name: name.clone(),
        measurement: table.measurement.clone(),
        bucket: table.bucket.clone(),
        interval_s: interval.map(seconds),
        stale_after_s: table.stale_after.map(|limit| limit.as_secs()),
        oldest: oldest.map(Millis),
        newest: series.iter().filter_map(|series| series.newest).max().map(Millis),
        series: sorted_series(&tag_names, &series),
        columns: columns.into_iter().map(|(name, unit)| column(config, table, name, unit)).collect(),
    })
}

/// In nanoseconds, of the series that had a row last.
pub(super) fn usual_interval(store: &Store, series: &[SeriesLine]) -> Result<Option<i64>, ApiError> {
    let Some((id, newest)) = series.iter().filter_map(|series| Some((series.id, series.newest?))).max_by_key(|(_, newest)| *newest)
    else {
        return Ok(None);
    };
    Ok(usual_distance(&store.newest_times(id, newest, SAMPLE)?))
}

fn sorted_series(tag_names: &[&str], series: &[SeriesLine]) -> Vec<Series> {
    let named = |series: &SeriesLine| Series {
        tags: tag_names.iter().map(|name| (*name).to_owned()).zip(series.tags.iter().cloned()).collect(),
    };
    if series.is_empty() { vec![Series { tags: BTreeMap::new() }] } else { series.iter().map(named).collect() }
}

fn column(config: &Config, table: &TableConfig, name: String, unit: String) -> Column {
    let plain = ColumnConfig::default();
    let own = table.columns.get(&name).unwrap_or(&plain);
    let bounds = |(low, high): (f64, f64)| {
        let bound = |bound: f64| bound.is_finite().then_some(bound);
        (low.is_finite() || high.is_finite()).then(|| [bound(low), bound(high)])
    };
    Column {
        field: own.field.clone().unwrap_or_else(|| name.clone()),
        unit: if unit.is_empty() { own.unit.clone().unwrap_or_default() } else { unit },
        variable: own.variable.clone(),
        suspect: own.range.and_then(|range| bounds(range.suspect)),
        fail: own.range.and_then(|range| bounds(range.fail)),
        tests: tests(config, table, &name, own),
        sent: own.column_use == ColumnUse::Field,
        diagnostic: own.quality.diagnostic.is_some(),
        has_band: own.quality.climatology.is_some(),
        name,
    }
}

/// The names that findings use.
fn tests(config: &Config, table: &TableConfig, name: &str, own: &ColumnConfig) -> Vec<&'static str> {
    let ColumnQuality { spike, rate_of_change, flat_line, attenuated_signal, climatology, .. } = &own.quality;
    let is_paired = config.pairs.iter().any(|pair| {
        [&pair.first, &pair.second].into_iter().any(|side| side.table == table.name && side.column == *name)
    });
    let is_governed = table.columns.values().filter_map(|column| column.quality.diagnostic.as_ref());
    let is_governed = is_governed.flat_map(|word| &word.governs).any(|governed| governed == name);
    let tests = [
        ("gross_range", own.range.is_some()),
        ("climatology", climatology.is_some()),
        ("spike", spike.is_some()),
        ("rate_of_change", rate_of_change.is_some()),
        ("flat_line", flat_line.is_some()),
        ("attenuated_signal", attenuated_signal.is_some()),
        ("time_gap", table.time_gap.is_some()),
        ("pair", is_paired),
        ("diagnostic", is_governed),
        ("input", own.formula.is_some()),
    ];
    tests.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect()
}
