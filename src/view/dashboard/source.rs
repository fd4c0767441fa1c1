//! The position of a series in the bucket, for queries.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
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

/// What is sent of each series, made once for all of its columns: a dashboard asks for every column, several times.
#[derive(Debug, Default)]
pub struct Shapes(RefCell<HashMap<Key, Rc<Sent>>>);

/// Table, values of its tag columns, and the column where no other is known of the table.
type Key = (String, Vec<(String, String)>, Option<String>);

/// What is sent of a series.
#[derive(Debug, Default)]
struct Sent {
    tags: Vec<(String, String)>,
    /// The first, where there are several.
    measurement: String,
    /// Where a product limits the columns of a measurement, a table uses several.
    measurements: HashMap<String, String>,
    /// By column.
    flagged: HashMap<String, Flagged>,
}

impl Shapes {
    fn of(&self, site: &Site<'_>, table: &TableConfig, series: &PanelSeries) -> Rc<Sent> {
        let known = site.facts.get(&series.table.0).map(|known| known.columns.as_slice()).filter(|all| !all.is_empty());
        let alone = known.is_none().then(|| series.column.clone());
        let key = (series.table.0.clone(), series.tags.clone(), alone);
        if let Some(sent) = self.0.borrow().get(&key) {
            return Rc::clone(sent);
        }
        let alone = [series.column.clone()];
        let sent = Rc::new(Sent::new(site, table, known.unwrap_or(&alone), &series.tags));
        self.0.borrow_mut().insert(key, Rc::clone(&sent));
        sent
    }
}

impl Sent {
    fn new(site: &Site<'_>, table: &TableConfig, columns: &[String], tags: &[(String, String)]) -> Sent {
        let spec = site.config.spec(table);
        let by_hand = site.facts.get(&table.name.0).map_or(&[][..], |known| &known.flagged_by_hand);
        let flag_of = |column: &str| {
            if spec.is_tested(column) {
                Flagged::Always
            } else if by_hand.iter().any(|flagged| flagged == column) {
                Flagged::ByHand
            } else {
                Flagged::Never
            }
        };
        // Columns beside those that are stored: derived ones that will be.
        let all = columns.iter().chain(table.columns.keys());
        let flagged: HashMap<String, Flagged> = all.map(|column| (column.clone(), flag_of(column))).collect();
        let columns_of = |name: &str| {
            Ok::<_, std::convert::Infallible>(site.facts.get(name).map_or_else(Vec::new, |known| known.columns.clone()))
        };
        let Ok(most) = crate::sync::most_columns(site.config, table, columns_of);
        let is_flagged = |column: &str| flagged.get(column).is_some_and(|flagged| *flagged != Flagged::Never);
        let Ok(shape) = LineShape::within(most, table, columns, tags, &is_flagged) else {
            return Sent { measurement: table.measurement.clone(), flagged, ..Sent::default() };
        };
        let measurements = shape.measurements().flat_map(|(name, fields)| std::iter::repeat_n(name.to_owned(), fields));
        Sent {
            tags: shape.tags().to_vec(),
            measurement: shape.measurement().to_owned(),
            measurements: shape.field_names().map(str::to_owned).zip(measurements).collect(),
            flagged,
        }
    }
}

impl Source {
    const RECENT: Duration = Duration::from_secs(3_600);

    /// The source of a panel's series; none if its table is not in the configuration.
    pub(super) fn of(site: &Site<'_>, series: &PanelSeries) -> Option<Source> {
        let table = site.config.table(&series.table.0)?;
        let sent = site.shapes.of(site, table, series);
        Some(Source {
            bucket: bucket(site.config, Some(table)),
            measurement: sent.measurements.get(&series.field).unwrap_or(&sent.measurement).clone(),
            tags: sent.tags.iter().map(|(key, value)| (key.clone(), tag(site.config, key, value))).collect(),
            field: series.field.clone(),
            flagged: sent.flagged.get(&series.column).copied().unwrap_or(Flagged::Never),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::store::{KnownColumn, KnownTable};
    use crate::view::dashboard::{Language, TableFacts, station};
    use crate::view::panel;

    #[test]
    fn a_dashboard_of_a_table_with_many_columns_makes_the_shape_of_its_lines_once() {
        let text = "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n[destination]\nkind = \"files\"\n\
                    [[table]]\nname = \"m\"\nfiles = [\"m.dat\"]\n[table.columns.\"hist(7)\"]\nsuspect = [0, 9]\n";
        let config = Config::parse(text, Path::new("config.toml")).unwrap();
        let columns: Vec<String> = (1..=40).map(|place| format!("hist({place})")).collect();
        let known = |name: &String| KnownColumn {
            name: name.clone(),
            unit: String::new(),
            process: "Tot".to_owned(),
            is_text: false,
        };
        let table = KnownTable {
            name: config.tables[0].name.clone(),
            columns: columns.iter().map(known).collect(),
            series: vec![Vec::new()],
            interval: None,
        };
        let facts = TableFacts { columns, flagged_by_hand: vec!["hist(3)".to_owned()], interval: None };
        let (facts, shapes) = (BTreeMap::from([("m".to_owned(), facts)]), Shapes::default());
        let site = Site {
            config: &config,
            board: &panel::plan(&config, &[table]),
            facts: &facts,
            language: Language::Flux,
            rhythm: None,
            retentions: &[],
            datasource: None,
            shapes: &shapes,
        };
        let dashboard = station(&site).to_string();
        assert!(dashboard.contains("hist(40)"));
        let sent: Vec<Rc<Sent>> = shapes.0.into_inner().into_values().collect();
        let [sent] = sent.as_slice() else { panic!("{} shapes", sent.len()) };
        let flagged = [3, 7, 8].map(|place| sent.flagged[&format!("hist({place})")]);
        assert_eq!(flagged, [Flagged::ByHand, Flagged::Always, Flagged::Never]);
        assert_eq!((sent.measurements.len(), sent.measurement.as_str()), (40, "m"));
    }
}
