//! Every Flux query of the dashboard, as Grafana would send it, on InfluxDB 2.7: at one hour, two days, a week and where
//! nothing is. Its values are compared with the rows in the store, and it returns no more than Grafana takes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Utc;
use serde_json::Value;

use crate::dashboard::{Row, Tower, least_and_greatest, mean, seconds, values, windows};
use crate::influxd2::{Influxd2, nanoseconds, over};
use crate::support::grafana::panels;

const NANOS: i64 = 1_000_000_000;
/// A name that Flux would read as an expression, and Grafana as a variable.
const STATION: &str = "US-${x} $station";
/// A table with a quantity of each kind that is not averaged.
const KINDS: &str = "\n[[table]]\nname = \"kinds\"\nfiles = [\"kinds.dat\"]\nmeasurement = \"kinddata\"\n[table.columns.Dir]\n\
    kind = \"direction\"\n[table.columns.Rain]\nkind = \"total\"\n[table.columns.Count]\nkind = \"counter\"\n";

/// What Grafana fills in.
#[derive(Debug, Clone, Copy)]
struct View {
    /// Seconds since 1970.
    from: i64,
    to: i64,
    /// Seconds of a window by the panel's width.
    period: i64,
    /// The variable `step`: its text, and its length in seconds.
    step: (&'static str, i64),
}

impl View {
    fn sent(&self, text: &str, station: &str) -> String {
        over(text, self.from, self.to)
            .replace("${station:doublequote}", &format!("\"{}\"", station.replace('"', "\\\"")))
            .replace("${step}", self.step.0)
            .replace("v.windowPeriod", &format!("{}s", self.period))
    }

    /// The width of the windows of a query, whose text states what it wants.
    fn every(&self, text: &str, interval: i64) -> i64 {
        let (_, rest) = text.split_once("wanted = ").unwrap();
        let chosen = if self.step.1 == 0 { self.period } else { self.step.1 };
        let wanted = match rest.split('\n').next().unwrap() {
            "${step}" => chosen,
            fixed if fixed.starts_with("if ") => chosen.max(interval),
            fixed => fixed.strip_suffix('s').unwrap().parse().unwrap(),
        };
        if wanted * 4 < self.period { self.period } else { wanted }
    }
}

/// Values by column and time, without the empty ones.
type Found = BTreeMap<String, BTreeMap<i64, f64>>;

fn found(influxd: &Influxd2, text: &str, view: View) -> Found {
    let mut found = Found::new();
    let mut of_column: BTreeMap<String, usize> = BTreeMap::new();
    for row in influxd.flux(text) {
        let at = row.get("_time").map_or(0, |time| nanoseconds(time));
        for (column, value) in &row {
            if matches!(
                column.as_str(),
                "result" | "table" | "_time" | "height" | "column" | "station" | "logger_table" | "last sync"
            ) {
                continue;
            }
            *of_column.entry(column.clone()).or_default() += 1;
            if !value.is_empty() {
                let twice = found
                    .entry(column.clone())
                    .or_default()
                    .insert(at, value.parse().unwrap_or_else(|error| panic!("{error}: {column} is {value:?}: {text}")));
                assert!(twice.is_none() || at == 0, "{column} twice at {at}: {text}");
            }
        }
    }
    let most = usize::try_from((view.to - view.from) / view.period * 10).unwrap();
    for (column, rows) in of_column {
        assert!(rows <= most, "{column}: {rows} values, Grafana takes {most}: {text}");
    }
    found
}

fn fields(text: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for rest in text.split("r[\"_field\"] == \"").skip(1) {
        let field = rest.split('"').next().unwrap().trim_end_matches("_qc").to_owned();
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields
}

fn assert_alike(text: &str, found: Option<&BTreeMap<i64, f64>>, wanted: &BTreeMap<i64, f64>) {
    let none = BTreeMap::new();
    let found = found.unwrap_or(&none);
    assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "{text}");
    for (at, wanted) in wanted {
        let off = (found[at] - wanted).abs();
        assert!(off <= 1e-6 * wanted.abs().max(1.0), "{} instead of {wanted} at {at}: {text}", found[at]);
    }
}

struct Store {
    rows: BTreeMap<String, Vec<Row>>,
    intervals: BTreeMap<String, i64>,
}

impl Store {
    /// By window: one value.
    fn by_window(&self, field: &str, view: View, every: i64, of: impl Fn(&[Row]) -> Option<f64>) -> BTreeMap<i64, f64> {
        let start = view.from.div_euclid(every) * every * NANOS;
        let shown: Vec<Row> =
            self.rows[field].iter().filter(|row| row.0 >= start && row.0 < view.to * NANOS).copied().collect();
        windows(&shown, every * NANOS, |rows| Some(vec![of(rows)?])).into_iter().map(|(at, one)| (at, one[0])).collect()
    }
}

/// The direction of the mean of the unit vectors.
fn direction(values: &[f64]) -> f64 {
    let sum = |of: fn(f64) -> f64| values.iter().map(|value| of(value.to_radians())).sum::<f64>();
    sum(f64::sin).atan2(sum(f64::cos)).to_degrees().rem_euclid(360.0)
}

/// Checks one answer against the store and says of which kind it was.
fn check(influxd: &Influxd2, store: &Store, panel: &Value, text: &str, view: View, station: &str) -> &'static str {
    let sent = view.sent(text, station);
    let found = found(influxd, &sent, view);
    if text.contains("\"fluxtower_agent\"") {
        return "agent";
    }
    if text.contains("\"fluxtower_expected\"") {
        return "expected";
    }
    let fields = fields(text);
    let field = fields[0].as_str();
    let interval = store.intervals[field];
    let kept = |rows: &[Row]| {
        let kept = values(rows, |flag| flag != 4);
        (!kept.is_empty()).then_some(kept)
    };
    match panel["type"].as_str().unwrap() {
        "state-timeline" => {
            let rank = |flag: u8| if flag == 9 { 2.5 } else { f64::from(flag) };
            let worst = |rows: &[Row]| Some(rows.iter().map(|row| rank(row.2)).fold(0.0, f64::max));
            let wanted = store.by_window(field, view, view.every(text, interval), worst);
            assert_alike(&sent, found.values().next(), &wanted);
            "ribbon"
        }
        "stat" => {
            let newest = |rows: &[Row]| values(rows, |_| true).last().copied();
            assert_alike(
                &sent,
                found.values().next(),
                &store.by_window(field, view, view.every(text, interval), newest),
            );
            "newest"
        }
        "bargauge" => {
            let rows = influxd.flux(&sent);
            assert_eq!(rows.len(), fields.len(), "every tested column has its row, also without a value");
            for (row, field) in rows.iter().zip(&fields) {
                let since = (Utc::now().timestamp() - 86_400) * NANOS;
                let day: Vec<&Row> = store.rows[field].iter().filter(|row| row.0 > since).collect();
                let good = day.iter().filter(|row| row.2 == 1).count();
                let wanted = 100.0 * good as f64 / day.len() as f64;
                let share: f64 = row["share"].parse().unwrap();
                assert!((share - wanted).abs() < 2.5, "{field}: {share} {wanted}: {sent}");
            }
            "good share"
        }
        "xychart" if text.contains("height") => {
            let shown = |row: &&Row| row.0 >= view.from * NANOS && row.0 < view.to * NANOS;
            let rows: Vec<Row> = store.rows[field].iter().filter(shown).copied().collect();
            let recent = 3_600.max(interval * 3) * NANOS;
            let is_recent = |row: &&Row| row.0 >= view.to * NANOS - recent && row.0 < view.to * NANOS;
            let newest = kept(&store.rows[field].iter().filter(is_recent).copied().collect::<Vec<_>>());
            let one = |column: &str| found.get(column).map(|values| values[&0]);
            assert_eq!(one("newest"), newest.and_then(|values| values.last().copied()), "{sent}");
            match (one("mean"), kept(&rows)) {
                (None, None) => {}
                (Some(found), Some(values)) => assert!((found - mean(&values)).abs() < 1e-6, "{sent}"),
                other => panic!("{other:?}: {sent}"),
            }
            "profile"
        }
        "xychart" => {
            let every = view.every(text, interval);
            let means = |field: &str| store.by_window(field, view, every, |rows| Some(mean(&kept(rows)?)));
            let (first, second) = (means(field), means(&fields[1]));
            let both: BTreeSet<&i64> = first.keys().filter(|at| second.contains_key(at)).collect();
            let pairs: BTreeSet<&i64> =
                found.values().next().map_or_else(BTreeSet::new, |values| values.keys().collect());
            assert_eq!(pairs, both, "{sent}");
            "scatter"
        }
        "timeseries" => {
            let every = view.every(text, interval);
            let of = |of: &dyn Fn(&[f64]) -> f64| store.by_window(field, view, every, |rows| Some(of(&kept(rows)?)));
            if let Some((name, digit)) = found.keys().next().and_then(|name| {
                Some((
                    name,
                    if name.ends_with("suspect") {
                        3
                    } else if name.ends_with("fail") {
                        4
                    } else {
                        return None;
                    },
                ))
            }) {
                let start = view.from.div_euclid(every) * every * NANOS;
                let shown = store.rows[field].iter().filter(|row| row.0 >= start && row.0 < view.to * NANOS);
                let mut first: BTreeMap<i64, (i64, f64)> = BTreeMap::new();
                for (at, value, flag) in shown.copied() {
                    if let (Some(value), true) = (value, flag == digit) {
                        first.entry(at.div_euclid(every * NANOS)).or_insert((at, value));
                    }
                }
                assert_alike(&sent, found.get(name), &first.into_values().collect());
                return "flagged points";
            }
            match field {
                "Dir" => assert_alike(&sent, found.values().next(), &of(&direction)),
                "Rain" => assert_alike(&sent, found.values().next(), &of(&|values| values.iter().sum())),
                "Count" => {
                    // Every 57th reading or so is a reset; the increment is the reading then.
                    let all: f64 = found.values().flat_map(BTreeMap::values).sum();
                    let start = view.from.div_euclid(every) * every * NANOS;
                    let shown = store.rows["Count"].iter().filter(|row| row.0 >= start && row.0 < view.to * NANOS);
                    let shown: Vec<f64> = shown.filter_map(|row| row.1).collect();
                    let steps =
                        shown.windows(2).map(|pair| if pair[1] < pair[0] / 2.0 { pair[1] } else { pair[1] - pair[0] });
                    let wanted: f64 = steps.sum();
                    assert!((all - wanted).abs() < 1e-6, "{all} {wanted}: {sent}");
                }
                _ if text.contains("yield(name: \"min\")") => {
                    let names: Vec<&String> = found.keys().collect();
                    let by_end =
                        |end: &str| names.iter().find(|name| name.ends_with(end)).map(|name| &found[name.as_str()]);
                    assert_alike(&sent, by_end(" · least"), &of(&|values| least_and_greatest(values).0));
                    assert_alike(&sent, by_end(" · greatest"), &of(&|values| least_and_greatest(values).1));
                    let line = names.iter().find(|name| !name.ends_with(" · least") && !name.ends_with(" · greatest"));
                    assert_alike(&sent, line.map(|name| &found[name.as_str()]), &of(&mean));
                    return "line with band";
                }
                // No value in the time shown: nothing says which flag was asked for.
                _ if found.is_empty() && !text.contains("fn: mean") => return "nothing",
                _ => assert_alike(&sent, found.values().next(), &of(&mean)),
            }
            "means"
        }
        other => panic!("{other} is no panel with values"),
    }
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn every_flux_query_gives_what_the_store_holds_at_an_hour_two_days_a_week_and_where_nothing_is() {
    let influxd = Influxd2::start();
    influxd.make_bucket("ameriflux_atmospheric", None);
    influxd.make_bucket("ameriflux_soil", None);
    let destination = format!(
        "kind = \"influxdb\"\nurl = \"{}\"\norg = \"tower\"\nbucket = \"ameriflux_atmospheric\"\ntoken_env = \"FLUXTOWER_TEST_RIGHT\"",
        influxd.url()
    );
    let tower = Tower::filled(STATION, &destination, KINDS);
    let mut store = Store { rows: tower.stored(), intervals: BTreeMap::new() };
    for table in &tower.config.tables {
        for (name, column) in &table.columns {
            store.intervals.insert(column.field.clone().unwrap_or_else(|| name.clone()), seconds(table));
        }
    }
    let dashboard = tower.json(&["--quiet", "dashboard", "--grafana"]);
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let variable = variables.iter().find(|variable| variable["name"] == "station").unwrap();
    let station = variable["current"]["value"].as_str().unwrap();
    let stations = influxd.flux(variable["query"].as_str().unwrap());
    assert_eq!(stations.len(), 1);
    assert_eq!(stations[0]["_value"], station, "the value that is chosen is one of the list");

    let now = Utc::now().timestamp();
    let views = [
        View { from: now - 3_611, to: now, period: 5, step: ("5s", 5) },
        View { from: now - 2 * 86_400 - 7, to: now, period: 120, step: ("120s", 0) },
        View { from: now - 7 * 86_400 - 7, to: now, period: 900, step: ("1m", 60) },
        View { from: now - 400 * 86_400, to: now - 393 * 86_400, period: 600, step: ("600s", 0) },
    ];
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, view) in views.into_iter().enumerate() {
        for panel in panels(&dashboard) {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let text = target["query"].as_str().unwrap();
                // What looks at the last day needs one look.
                if text.contains("range(start: -") && place > 0 {
                    continue;
                }
                *kinds.entry(check(&influxd, &store, &panel, text, view, station)).or_default() += 1;
            }
        }
    }
    println!("by kind: {kinds:?}");
    for kind in [
        "agent",
        "expected",
        "flagged points",
        "good share",
        "line with band",
        "means",
        "newest",
        "profile",
        "ribbon",
        "scatter",
    ] {
        assert!(kinds.contains_key(kind), "no {kind}: {kinds:?}");
    }
}
