//! Flux: InfluxDB 2 and Cloud.
//!
//! A value and its flag are two series, which `pivot` joins. A field without flags needs no `pivot`, and the server then
//! aggregates without passing rows on. A Flux string can spell a letter by its number, so that no name can be mistaken for one
//! of Grafana's variables, nor for an expression inside the string.

use std::fmt::Write as _;

use super::{Named, QueryLanguage, Step, duration, function, has_band};
use crate::config::is_id as is_bucket_id;
use crate::quantity::Aggregate;
use crate::view::dashboard::source::{Flagged, Source, Tag};

pub(super) struct Flux;

/// The names that Grafana replaces in the whole text of a Flux query, also in strings: `v.` and one of these.
const OPTIONS: [&str; 6] =
    [".timeRangeStart", ".timeRangeStop", ".windowPeriod", ".bucket", ".defaultBucket", ".organization"];

/// A string.
fn string(text: &str) -> String {
    let mut escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('$', "\\x24")
        .replace("[[", "\\x5b\\x5b")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t");
    for option in OPTIONS {
        escaped = escaped.replace(option, &option.replacen('.', "\\x2e", 1));
    }
    format!("\"{escaped}\"")
}

/// A column of a row.
fn column(name: &str) -> String {
    format!("r[{}]", string(name))
}

const SHOWN: &str = "start: v.timeRangeStart, stop: v.timeRangeStop";

/// The bucket as an argument of `from`: an id has its own parameter.
fn bucket(source: &Source) -> String {
    match source.bucket.as_deref() {
        None => "bucket: ${bucket:doublequote}".to_owned(),
        Some(id) if is_bucket_id(id) => format!("bucketID: {}", string(id)),
        Some(name) => format!("bucket: {}", string(name)),
    }
}

/// Rows of the measurement with these tags, over this time.
fn rows(source: &Source, range: &str, fields: &[&str]) -> String {
    let mut text = format!(
        "from({})\n  |> range({range})\n  |> filter(fn: (r) => {} == {}",
        bucket(source),
        column("_measurement"),
        string(&source.measurement)
    );
    for (key, tag) in &source.tags {
        let key = column(key);
        // Writing to a String cannot fail.
        let _ = match tag {
            Tag::Station => write!(text, " and {key} == ${{station:doublequote}}"),
            Tag::Fixed(value) => write!(text, " and {key} == {}", string(value)),
            Tag::Absent => write!(text, " and not exists {key}"),
        };
    }
    let fields: Vec<_> = fields.iter().map(|field| format!("{} == {}", column("_field"), string(field))).collect();
    let _ = writeln!(text, " and ({}))", fields.join(" or "));
    text
}

/// Rows as `_value`, filtered by a condition on their flag.
fn values(source: &Source, range: &str, condition: impl Fn(&str) -> String) -> String {
    if source.flagged == Flagged::Never {
        return rows(source, range, &[&source.field]);
    }
    let flag = source.flag_field();
    let value = column(&source.field);
    format!(
        "{}  |> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")\n  \
         |> filter(fn: (r) => exists {value} and ({}))\n  \
         |> map(fn: (r) => ({{_start: r._start, _stop: r._stop, _time: r._time, _value: {value}}}))\n",
        rows(source, range, &[&source.field, &flag]),
        condition(&column(&flag)),
    )
}

/// Values that did not fail. A value without a flag was not tested.
fn kept(source: &Source, range: &str) -> String {
    values(source, range, |flag| format!("not exists {flag} or {flag} != 4.0"))
}

fn width(step: Step) -> String {
    match step {
        Step::Chosen => "${step}".to_owned(),
        Step::Fixed(width) => duration(width),
    }
}

fn window(step: Step, aggregate: &str, is_empty_shown: bool) -> String {
    format!(
        "  |> aggregateWindow(every: {}, fn: {aggregate}, createEmpty: {is_empty_shown}, timeSrc: \"_start\")\n",
        width(step)
    )
}

/// What must stand at the beginning of a query of these sources.
fn imports(sources: &[&Source]) -> &'static str {
    let needs_math = |source: &&Source| matches!(source.aggregate, Aggregate::VectorMean | Aggregate::RootMeanSquare);
    if sources.iter().any(needs_math) { "import \"math\"\n" } else { "" }
}

/// The values of each window put together, without failed ones.
fn together(source: &Source, step: Step, is_empty_shown: bool) -> String {
    let rows = kept(source, SHOWN);
    if source.aggregate == Aggregate::RootMeanSquare {
        return format!(
            "{rows}  |> map(fn: (r) => ({{r with _value: r._value * r._value}}))\n{}  \
             |> map(fn: (r) => ({{r with _value: if exists r._value then math.sqrt(x: r._value) else r._value}}))\n",
            window(step, "mean", is_empty_shown)
        );
    }
    if source.aggregate != Aggregate::VectorMean {
        return rows + &window(step, function(source), is_empty_shown);
    }
    let part = |function: &str, name: &str| {
        format!(
            "{rows}  |> map(fn: (r) => ({{r with _value: math.{function}(x: r._value * math.pi / 180.0)}}))\n{}  \
             |> keep(columns: [\"_time\", \"_value\"])\n  |> set(key: \"part\", value: \"{name}\")\n",
            window(step, "mean", is_empty_shown)
        )
    };
    format!(
        "union(tables: [{},{}])\n  |> group()\n  |> pivot(rowKey: [\"_time\"], columnKey: [\"part\"], valueColumn: \"_value\")\n  \
         |> sort(columns: [\"_time\"])\n  \
         |> map(fn: (r) => ({{_time: r._time, _value: if exists r.east and exists r.north then \
         math.mod(x: math.atan2(y: r.east, x: r.north) * 180.0 / math.pi + 360.0, y: 360.0) else r.east}}))\n",
        part("sin", "east"),
        part("cos", "north")
    )
}

/// Only time and value, the value under this name.
fn named(name: &str) -> String {
    format!("  |> keep(columns: [\"_time\", \"_value\"])\n  |> rename(columns: {{_value: {}}})\n", string(name))
}

/// The newest row of all series together.
const NEWEST: &str = "  |> group()\n  |> sort(columns: [\"_time\"])\n  |> last()\n";
/// Seconds since a row's time.
const SINCE: &str = "float(v: int(v: now()) - int(v: r._time)) / 1000000000.0";

impl Flux {
    fn agent(source: &Source, range: &str) -> String {
        rows(source, range, &[&source.field]) + NEWEST
    }
}

impl QueryLanguage for Flux {
    fn envelope(&self, source: &Source, step: Step, names: &[String; 3]) -> String {
        if !has_band(source) {
            return self.mean(source, step, &names[0]);
        }
        let mut text = format!("data = {}", kept(source, SHOWN));
        for (aggregate, name) in ["mean", "min", "max"].into_iter().zip(names) {
            text +=
                &format!("data\n{}{}  |> yield(name: \"{aggregate}\")\n", window(step, aggregate, true), named(name));
        }
        text
    }

    fn mean(&self, source: &Source, step: Step, name: &str) -> String {
        imports(&[source]).to_owned() + &together(source, step, true) + &named(name)
    }

    fn with_flag(&self, source: &Source, digit: u8, name: &str) -> String {
        let rows = values(source, SHOWN, |flag| format!("exists {flag} and {flag} == {digit}.0"));
        rows + &window(Step::Chosen, "max", false) + &named(name)
    }

    fn worst_flag(&self, source: &Source, name: &str) -> String {
        let rank = "  |> map(fn: (r) => ({r with _value: if r._value == 9.0 then 2.5 else r._value}))\n";
        rows(source, SHOWN, &[&source.flag_field()]) + rank + &window(Step::Chosen, "max", true) + &named(name)
    }

    fn newest(&self, source: &Source, name: &str) -> String {
        rows(source, SHOWN, &[&source.field]) + &window(Step::Chosen, "last", false) + &named(name)
    }

    fn at_height(&self, source: &Source, metres: f64) -> String {
        let rows = kept(source, SHOWN);
        format!(
            "data = {rows}\
             newest = data |> last() |> map(fn: (r) => ({{height: {metres:?}, kind: \"newest\", _value: r._value}}))\n\
             average = data |> {}() |> map(fn: (r) => ({{height: {metres:?}, kind: \"mean\", _value: r._value}}))\n\
             union(tables: [newest, average])\n  |> group()\n  \
             |> pivot(rowKey: [\"height\"], columnKey: [\"kind\"], valueColumn: \"_value\")\n",
            function(source)
        )
    }

    fn side_by_side(&self, first: Named<'_>, second: Named<'_>, step: Step) -> Vec<String> {
        let one = |(source, name): Named<'_>| {
            let rows = together(source, step, false);
            format!(
                "{rows}  |> keep(columns: [\"_time\", \"_value\"])\n  |> set(key: \"_field\", value: {})\n",
                string(name)
            )
        };
        vec![format!(
            "{}first = {}second = {}union(tables: [first, second])\n  |> group()\n  \
             |> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")\n  \
             |> filter(fn: (r) => exists {} and exists {})\n",
            imports(&[first.0, second.0]),
            one(first),
            one(second),
            column(first.1),
            column(second.1),
        )]
    }

    fn good_share(&self, columns: &[Named<'_>]) -> String {
        let one = |(source, name): &Named<'_>| {
            format!(
                "{}  |> map(fn: (r) => ({{r with _value: if r._value == 1.0 then 100.0 else 0.0}}))\n  |> mean()\n  \
                 |> group()\n  |> keep(columns: [\"_value\"])\n  |> rename(columns: {{_value: {}}})\n",
                rows(source, "start: -24h", &[&source.flag_field()]),
                string(name)
            )
        };
        let parts = columns.iter().enumerate();
        parts.map(|(place, column)| format!("{}  |> yield(name: \"{place}\")\n", one(column))).collect()
    }

    fn record_age(&self, source: &Source, name: &str) -> String {
        let age = format!("  |> map(fn: (r) => ({{_time: r._time, _value: r._value + {SINCE}}}))\n");
        Flux::agent(source, "start: -30d") + &age + &named(name)
    }

    fn agent_newest(&self, source: &Source, name: &str) -> String {
        Flux::agent(source, "start: -1h") + &named(name)
    }

    fn agent_trend(&self, source: &Source, name: &str) -> String {
        rows(source, SHOWN, &[&source.field]) + &window(Step::Chosen, "max", false) + &named(name)
    }

    fn agent_heard(&self, source: &Source, name: &str) -> String {
        let age = format!("  |> map(fn: (r) => ({{_time: r._time, _value: {SINCE}}}))\n");
        Flux::agent(source, "start: -30d") + &age + &named(name)
    }

    fn returns_seconds(&self) -> bool {
        true
    }

    fn network(&self, age: &Source, pending: &Source) -> Vec<String> {
        vec![format!(
            "{}  |> filter(fn: (r) => exists r[\"logger_table\"])\n  \
             |> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")\n  \
             |> group(columns: [\"station\", \"logger_table\"])\n  |> sort(columns: [\"_time\"])\n  |> last(column: \"newest_age_s\")\n  \
             |> group()\n  |> map(fn: (r) => ({{station: r[\"station\"], logger_table: r[\"logger_table\"], \"last sync\": r._time, \
             \"age of newest record\": r[\"newest_age_s\"] + {SINCE}, \"pending rows\": r[\"pending\"]}}))\n",
            rows(age, SHOWN, &[&age.field, &pending.field])
        )]
    }

    fn stations(&self, source: &Source) -> String {
        if source.bucket.as_deref().is_some_and(is_bucket_id) {
            // `schema.tagValues` accepts names only.
            return format!(
                "from({})\n  |> range(start: -30d)\n  |> filter(fn: (r) => {} == {})\n  |> keep(columns: [\"station\"])\n  \
                 |> group()\n  |> distinct(column: \"station\")\n",
                bucket(source),
                column("_measurement"),
                string(&source.measurement)
            );
        }
        let bucket = bucket(source);
        format!(
            "import \"influxdata/influxdb/schema\"\nschema.tagValues({bucket}, tag: \"station\", \
             predicate: (r) => {} == {}, start: -30d)\n",
            column("_measurement"),
            string(&source.measurement)
        )
    }

    fn steps(&self) -> [(&'static str, &'static str); 5] {
        [("auto", "v.windowPeriod"), ("1m", "1m"), ("10m", "10m"), ("30m", "30m"), ("1h", "1h")]
    }

    fn for_alert(&self, source: &Source) -> String {
        Flux::agent(source, SHOWN) + &named("value")
    }
}
