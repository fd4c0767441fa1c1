//! The position of a series in the bucket, for queries.

use std::time::Duration;

use super::Site;
use super::query::clean;
use crate::config::{Config, DestinationConfig, TableConfig};
use crate::line::LineShape;
use crate::quantity::Aggregate;
use crate::view::panel::PanelSeries;

/// The measurement of the agent's own health, which `sync` writes.
pub(super) const AGENT: &str = "fluxtower_agent";

/// The tag of both measurements that names the table. Not `table`, which is a column of every Flux result.
pub(super) const LOGGER_TABLE: &str = "logger_table";

/// The measurement of the climatologies' expected ranges, which `sync` writes.
const EXPECTED: &str = "fluxtower_expected";
/// The interval of its points.
pub(super) const EXPECTED_STEP: Duration = Duration::from_secs(1_800);

/// A tag in the filter of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tag {
    /// The value of the dashboard's variable `station`.
    Station,
    /// This value.
    Fixed(String),
    /// No value: the tag must be absent.
    Absent,
}

/// Which flags of a field the bucket has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flagged {
    /// No flag is ever sent.
    Never,
    /// Flags since the first flag by hand.
    ByHand,
    /// A flag for every value.
    Always,
}

/// One field of one series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// None if the configuration has no bucket: the folder of `.lp` files.
    pub(super) bucket: Option<String>,
    pub(super) measurement: String,
    pub(super) tags: Vec<(String, Tag)>,
    pub(super) field: String,
    pub(super) flagged: Flagged,
    /// How the values of a window become one.
    pub(super) aggregate: Aggregate,
    /// Whether failed values are not sent.
    pub(super) is_withheld: bool,
    /// The time between two values, if known.
    pub(super) interval: Option<Duration>,
}

impl Source {
    const RECENT: Duration = Duration::from_secs(3_600);

    /// The source of a panel's series; none if its table is not in the configuration.
    pub(super) fn of(site: &Site<'_>, series: &PanelSeries) -> Option<Source> {
        let table = site.config.table(&series.table.0)?;
        let known = site.facts.get(&series.table.0);
        let by_hand =
            |column: &str| known.is_some_and(|known| known.flagged_by_hand.iter().any(|flagged| flagged == column));
        let columns = known.map_or_else(Vec::new, |known| known.columns.clone());
        let columns = if columns.is_empty() { vec![series.column.clone()] } else { columns };
        let spec = site.config.spec(table);
        let is_flagged = |column: &str| spec.is_tested(column) || by_hand(column);
        let columns_of = |name: &str| {
            Ok::<_, std::convert::Infallible>(site.facts.get(name).map_or_else(Vec::new, |known| known.columns.clone()))
        };
        let Ok(most) = crate::sync::most_columns(site.config, table, columns_of);
        let shape = LineShape::within(most, table, &columns, &series.tags, &is_flagged);
        let shape = shape.ok();
        let flagged = if spec.is_tested(&series.column) {
            Flagged::Always
        } else if by_hand(&series.column) {
            Flagged::ByHand
        } else {
            Flagged::Never
        };
        let tags = shape.as_ref().map_or(&[][..], LineShape::tags);
        Some(Source {
            bucket: bucket(site.config, Some(table)),
            measurement: measurement(shape.as_ref(), table, &series.field),
            tags: tags.iter().map(|(key, value)| (key.clone(), tag(site.config, key, value))).collect(),
            field: series.field.clone(),
            flagged,
            aggregate: series.values.aggregate(),
            is_withheld: table.columns.get(&series.column).is_some_and(|column| column.withhold),
            interval: site.interval(&series.table.0),
        })
    }

    /// Whether both are fields of the same points.
    pub(super) fn is_of_series(&self, other: &Source) -> bool {
        (&self.bucket, &self.measurement, &self.tags) == (&other.bucket, &other.measurement, &other.tags)
    }

    /// A field of the agent's health: of one table, or of the agent as a whole.
    pub(super) fn agent(config: &Config, table: Option<&str>, field: &str) -> Source {
        let table = table.map_or(Tag::Absent, |name| Tag::Fixed(clean(name).trim().to_owned()));
        Source {
            bucket: bucket(config, None),
            measurement: AGENT.to_owned(),
            tags: vec![("station".to_owned(), Tag::Station), (LOGGER_TABLE.to_owned(), table)],
            field: field.to_owned(),
            flagged: Flagged::Never,
            aggregate: Aggregate::Mean,
            is_withheld: false,
            interval: None,
        }
    }

    /// A bound of the expected range of the series' climatology; None if it has no climatology, or if the agent sends
    /// no health.
    pub(super) fn expected(site: &Site<'_>, series: &PanelSeries, edge: &str) -> Option<Source> {
        let table = site.config.table(&series.table.0)?;
        table.columns.get(&series.column)?.quality.climatology.as_ref()?;
        site.config.sync.health.then(|| Source {
            bucket: bucket(site.config, Some(table)),
            measurement: EXPECTED.to_owned(),
            tags: vec![
                ("station".to_owned(), Tag::Station),
                (LOGGER_TABLE.to_owned(), Tag::Fixed(clean(&table.name.0).trim().to_owned())),
            ],
            field: format!("{}_{edge}", series.field),
            flagged: Flagged::Never,
            aggregate: Aggregate::Mean,
            is_withheld: false,
            interval: None,
        })
    }

    /// The largest age of a value that counts as the newest: an hour, or longer if two missing values in a row lead to
    /// more.
    pub(super) fn recent(&self) -> Duration {
        self.interval.map_or(Self::RECENT, |interval| Self::RECENT.max(interval * 3))
    }

    /// The name of the field of its flags.
    pub(super) fn flag_field(&self) -> String {
        format!("{}_qc", self.field)
    }

    /// The same source without the variable, for queries outside a dashboard.
    pub(super) fn of_this_station(mut self, config: &Config) -> Source {
        for (_, tag) in &mut self.tags {
            if *tag == Tag::Station {
                *tag = Tag::Fixed(station_value(config));
            }
        }
        self
    }
}

/// The measurement of this field: where a product limits the columns of a measurement, a table uses several.
fn measurement(shape: Option<&LineShape>, table: &TableConfig, field: &str) -> String {
    let Some(shape) = shape else { return table.measurement.clone() };
    let place = shape.field_names().position(|name| name == field).unwrap_or(0);
    let mut end = 0;
    for (measurement, fields) in shape.measurements() {
        end += fields;
        if place < end {
            return measurement.to_owned();
        }
    }
    shape.measurement().to_owned()
}

fn tag(config: &Config, key: &str, value: &str) -> Tag {
    if key == "station" && value == station_value(config) { Tag::Station } else { Tag::Fixed(value.to_owned()) }
}

/// The station's name in the form that is sent.
pub(super) fn station_value(config: &Config) -> String {
    clean(&config.station.name).trim().to_owned()
}

/// The table's bucket, or the destination's.
pub(super) fn bucket(config: &Config, table: Option<&TableConfig>) -> Option<String> {
    let own = table.and_then(|table| table.bucket.clone());
    own.or_else(|| match &config.destination {
        DestinationConfig::Influx(influx) => Some(influx.bucket.clone()),
        DestinationConfig::Files { .. } => None,
    })
}

/// Every bucket to which the station writes, the destination's default first.
pub(super) fn buckets(config: &Config) -> Vec<Option<String>> {
    let mut all = vec![bucket(config, None)];
    for table in &config.tables {
        let bucket = bucket(config, Some(table));
        if !all.contains(&bucket) {
            all.push(bucket);
        }
    }
    all
}
