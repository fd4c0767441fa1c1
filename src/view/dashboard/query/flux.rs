//! Flux: InfluxDB 2 and Cloud.
//!
//! Storage aggregates windows itself if an `aggregateWindow` follows directly. That is 30 to 100 times as fast as
//! passing rows on (7 days of 1 Hz: 0.03 s), so conditions are written as filters that storage supports. A value and
//! its flag are two series, and `pivot` and `join` combine them at 15 µs per row. Three methods are faster:
//! `experimental.join` if one side is short; a sorted union in which marks around each failed value are extended by
//! `fill`; arithmetic in `map` without a function call, which is computed for whole columns. Of the functions over
//! windows of rows, `mean`, `sum` and `count` are ten times as fast as others.
//!
//! A Flux string can write a letter as its code, so no name can be mistaken for one of Grafana's variables, or for an
//! expression inside the string.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Named, QueryLanguage, Step, duration, function, has_band};
use crate::config::is_id as is_bucket_id;
use crate::quantity::Aggregate;
use crate::view::dashboard::source::{Flagged, Source, Tag};

pub(super) struct Flux;

/// The names that Grafana replaces in the whole text of a Flux query, also in strings: `v.` and one of these.
const OPTIONS: [&str; 6] =
    [".timeRangeStart", ".timeRangeStop", ".windowPeriod", ".bucket", ".defaultBucket", ".organization"];

/// A string literal.
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

/// The access to a column of a row.
fn column(name: &str) -> String {
    format!("r[{}]", string(name))
}

const SHOWN: &str = "start: v.timeRangeStart, stop: v.timeRangeStop";
/// The range from the beginning of the first window on ([`head`]), so that this window is complete.
const WHOLE_WINDOWS: &str = "start: start, stop: v.timeRangeStop";

/// Grafana refuses an answer with more than ten values per pixel. So windows that the user chooses or that are fixed
/// are at least this part of Grafana's own window; there are at most twice as many of those as pixels.
const NARROWEST: u8 = 4;
/// The numbers of parts of a window for [`Kept::clean_parts`]: the largest number is used that divides the window into
/// parts not narrower than the table's interval.
const PARTS: [u8; 11] = [30, 20, 15, 12, 10, 6, 5, 4, 3, 2, 1];
/// Up to this number of rows, they are examined one by one.
const MANY_ROWS: u32 = 200_000;
/// Up to this number of failed values, they are examined one by one; a week of a dead sensor has more.
const MANY_FAILED: u32 = 100_000;

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

/// The flags with this digit; storage filters them itself.
fn flags(source: &Source, range: &str, digit: u8) -> String {
    format!("{}  |> filter(fn: (r) => r._value == {digit}.0)\n", rows(source, range, &[&source.flag_field()]))
}

const TIME_AND_VALUE: &str = "  |> keep(columns: [\"_time\", \"_value\"])\n";

/// The values except those at the times of failed ones. These are recognised by a mark before and a mark after each of
/// them.
fn unmarked(values: &str, failed: &str) -> String {
    let mark = |shift: &str, digit: u8| {
        format!(
            "{failed}{TIME_AND_VALUE}  |> timeShift(duration: {shift})\n  |> map(fn: (r) => ({{_time: r._time, failed: {digit}}}))\n"
        )
    };
    // A column that does not exist has no value.
    format!(
        "union(tables: [{values}{TIME_AND_VALUE}, {}, {}])\n  |> sort(columns: [\"_time\"])\n  \
         |> fill(column: \"failed\", usePrevious: true)\n  \
         |> map(fn: (r) => ({{_time: r._time, _value: if r.failed == 1 then r.none else r._value}}))\n",
        mark("-1ns", 1),
        mark("1ns", 0)
    )
}

/// The values that did not fail. A value without a flag was not tested.
///
/// Examining rows is slow, and mostly no value failed. So it is done only if the time range has a flag of a failed
/// value, and never if failed values are not sent.
struct Kept<'a> {
    source: &'a Source,
    range: &'a str,
    /// The number that distinguishes the sources of one query.
    place: usize,
    /// Whether there are no failed values.
    is_clean: bool,
}

impl<'a> Kept<'a> {
    fn of(source: &'a Source, range: &'a str, place: usize) -> Kept<'a> {
        let is_clean = source.flagged == Flagged::Never || source.is_withheld;
        Kept { source, range, place, is_clean }
    }

    /// The text that must precede the query once: the number of failed values.
    fn before(&self) -> String {
        if self.is_clean {
            return String::new();
        }
        format!(
            "failed{} = ({}  |> group()\n  |> count())\n  |> findColumn(fn: (key) => true, column: \"_value\")\n",
            self.place,
            flags(self.source, self.range, 4)
        )
    }

    fn plain(&self) -> String {
        rows(self.source, self.range, &[&self.source.field])
    }

    /// The values one by one, for functions that are fast over rows. `then` is appended to each of several pipelines,
    /// because storage aggregates only what follows directly, and each pipeline must have the same columns.
    fn rows(&self, then: &str) -> String {
        let part = if self.source.aggregate == Aggregate::RootMeanSquare { "last" } else { function(self.source) };
        self.chains(part, &format!("not many or failed{}[0] <= {MANY_FAILED}", self.place), then)
    }

    /// The values from which a function (`min`, `max`, `last`) computes the result of a window, passed to `then`: all
    /// values, or, if there are many, those of its clean parts.
    fn selected(&self, function: &str, then: &str) -> String {
        self.chains(function, "not many", then)
    }

    /// All values if none failed; otherwise the rows that are not marked if this condition holds, or else the clean
    /// parts by this function.
    fn chains(&self, part: &str, takes_rows: &str, then: &str) -> String {
        if self.is_clean {
            return self.plain() + then;
        }
        format!(
            "(if length(arr: failed{}) == 0 then {}{then} else if {takes_rows} then {}{then} else {}{then})\n",
            self.place,
            self.plain(),
            self.unmarked_rows(),
            self.clean_parts(part)
        )
    }

    fn unmarked_rows(&self) -> String {
        unmarked(&self.plain(), &flags(self.source, self.range, 4))
    }

    /// One value for each part of a window in which no value failed.
    fn clean_parts(&self, function: &str) -> String {
        let parts = |function: &str| {
            format!("  |> aggregateWindow(every: part, fn: {function}, createEmpty: false, timeSrc: \"_start\")\n")
        };
        unmarked(&(self.plain() + &parts(function)), &(flags(self.source, self.range, 4) + &parts("count")))
    }
}

/// Whether the time range has many rows of the source, and the width of the parts of a window in that case.
fn parts(source: &Source) -> String {
    let interval = source.interval.map_or(1, |interval| interval.as_nanos().max(1));
    let is_many = match source.interval {
        Some(_) => format!(
            "int(v: v.timeRangeStop) - int(v: v.timeRangeStart) > {}",
            interval.saturating_mul(u128::from(MANY_ROWS)).min(u128::from(i64::MAX.unsigned_abs()))
        ),
        None => "false".to_owned(),
    };
    let count: String = PARTS
        .iter()
        .map(|count| match count {
            1 => "1".to_owned(),
            _ => format!(
                "if int(v: every) % {count} == 0 and int(v: every) >= {} then {count} else ",
                interval * u128::from(*count)
            ),
        })
        .collect();
    format!("many = {is_many}\npart = duration(v: int(v: every) / ({count}))\n")
}

/// The imports, the width of the windows and the beginning of the first. No window is narrower than `least`.
fn head(step: Step, least: Option<Duration>, packages: &[&str]) -> String {
    let mut packages: Vec<&str> = packages.iter().copied().chain(["date"]).collect();
    packages.sort_unstable();
    packages.dedup();
    let mut text: String = packages.iter().map(|package| format!("import \"{package}\"\n")).collect();
    let wanted = match step {
        Step::Chosen => "${step}".to_owned(),
        Step::Fixed(width) => duration(width),
    };
    let wanted = match least {
        Some(least) => format!("if int(v: {wanted}) < {} then {} else {wanted}", least.as_nanos(), duration(least)),
        None => wanted,
    };
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "wanted = {wanted}\nevery = if int(v: wanted) * {NARROWEST} < int(v: v.windowPeriod) then v.windowPeriod else wanted\n\
         start = date.truncate(t: v.timeRangeStart, unit: every)\n"
    );
    text
}

fn window(aggregate: &str, is_empty_shown: bool) -> String {
    format!("  |> aggregateWindow(every: every, fn: {aggregate}, createEmpty: {is_empty_shown}, timeSrc: \"_start\")\n")
}

/// The package that is needed to aggregate the values of these sources.
fn packages(sources: &[&Source]) -> &'static [&'static str] {
    let needs_math = |source: &&Source| matches!(source.aggregate, Aggregate::VectorMean | Aggregate::RootMeanSquare);
    if sources.iter().any(needs_math) { &["math"] } else { &[] }
}

/// The sine and cosine of a direction of `r._value` degrees, turned by half a circle: `east` is an eighth of its sine,
/// `north` an eighth of one minus its cosine. A function of the package `math` is called row by row, 30 µs each;
/// arithmetic is computed for whole columns, 0.03 µs per operation, so as few operations as possible are used:
/// Lambert's fraction for the tangent of a quarter of the angle, from which half the sine of twice that quarter
/// (`half`) and then the whole follow. The error for a direction from 0 to 360 is less than 1e-8 degrees.
const EAST_AND_NORTH: [&str; 6] = [
    "_value: (r._value - 180.0) * 0.00436332312998582394230922692",
    "_value: r._value, square: r._value * r._value",
    "tangent: r._value * (10395.0 + r.square * (r.square * 21.0 - 1260.0)) / \
     (10395.0 + r.square * (r.square * (210.0 - r.square) - 4725.0))",
    "tangent: r.tangent, square: r.tangent * r.tangent",
    "tangent: r.tangent, half: r.tangent / (1.0 + r.square)",
    "east: r.half * (0.5 - r.tangent * r.half), north: r.half * r.half",
];

/// The aggregated values of each window, without failed ones. The result is an expression; text that must precede it is
/// added to `before`.
fn together(kept: &Kept<'_>, before: &mut String, is_empty_shown: bool) -> String {
    let source = kept.source;
    match source.aggregate {
        Aggregate::RootMeanSquare => kept.rows(&format!(
            "{TIME_AND_VALUE}  |> map(fn: (r) => ({{_time: r._time, _value: r._value * r._value}}))\n{}  \
             |> map(fn: (r) => ({{_time: r._time, _value: if exists r._value then math.sqrt(x: r._value) else r._value}}))\n",
            window("mean", is_empty_shown)
        )),
        Aggregate::VectorMean => {
            let name = format!("turned{}", kept.place);
            let maps = EAST_AND_NORTH.map(|columns| format!("  |> map(fn: (r) => ({{_time: r._time, {columns}}}))\n"));
            let turned = kept.rows(&format!("{TIME_AND_VALUE}{}", maps.concat()));
            let _ = write!(before, "{name} = {turned}");
            let part = |part: &str| {
                format!(
                    "{name}  |> keep(columns: [\"_time\", \"{part}\"])\n  |> rename(columns: {{{part}: \"_value\"}})\n{}\
                     {TIME_AND_VALUE}  |> set(key: \"part\", value: \"{part}\")\n",
                    window("mean", is_empty_shown)
                )
            };
            // Turned back by half a circle.
            format!(
                "union(tables: [{},{}])\n  |> group()\n  |> pivot(rowKey: [\"_time\"], columnKey: [\"part\"], valueColumn: \"_value\")\n  \
                 |> sort(columns: [\"_time\"])\n  \
                 |> map(fn: (r) => ({{_time: r._time, _value: if exists r.east and exists r.north then \
                 math.mod(x: math.atan2(y: -8.0 * r.east, x: 8.0 * r.north - 1.0) * 180.0 / math.pi + 360.0, y: 360.0) else r.east}}))\n",
                part("east"),
                part("north")
            )
        }
        // A reading of less than half of the previous one is a reset.
        Aggregate::Increments => kept.rows(&format!(
            "{TIME_AND_VALUE}  |> duplicate(column: \"_value\", as: \"step\")\n  |> difference(columns: [\"step\"])\n  \
             |> map(fn: (r) => ({{_time: r._time, _value: if r._value >= 0.0 and r._value + r.step < 0.0 then r._value else r.step}}))\n{}",
            window("sum", is_empty_shown)
        )),
        Aggregate::Mean | Aggregate::Sum => {
            kept.rows(&(window(function(source), is_empty_shown) + TIME_AND_VALUE))
        }
        Aggregate::Maximum | Aggregate::Minimum | Aggregate::Last => {
            kept.selected(function(source), &(window(function(source), is_empty_shown) + TIME_AND_VALUE))
        }
    }
}

/// Only time and value, with this name for the value.
fn named(name: &str) -> String {
    format!("  |> keep(columns: [\"_time\", \"_value\"])\n  |> rename(columns: {{_value: {}}})\n", string(name))
}

/// The newest row of all series together.
const NEWEST: &str = "  |> group()\n  |> sort(columns: [\"_time\"])\n  |> last()\n";
/// Seconds since a row's time.
const SINCE: &str = "float(v: int(v: now()) - int(v: r._time)) / 1000000000.0";

/// Grafana puts the value between quotes unchanged; `${` would begin an expression there.
const ESCAPED: &str =
    "  |> map(fn: (r) => ({r with _value: strings.replaceAll(v: r._value, t: \"\\x24{\", u: \"\\\\x24{\")}))\n";

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
        let kept = Kept::of(source, WHOLE_WINDOWS, 0);
        let mut text = head(step, None, &[]) + &parts(source) + &kept.before();
        for (aggregate, name) in ["mean", "min", "max"].into_iter().zip(names) {
            let then = window(aggregate, true) + &named(name);
            let made = if aggregate == "mean" { kept.rows(&then) } else { kept.selected(aggregate, &then) };
            // A parenthesis at the beginning of a line would be a function call.
            text += &format!("made_{aggregate} = {made}made_{aggregate}  |> yield(name: \"{aggregate}\")\n");
        }
        text
    }

    fn mean(&self, source: &Source, step: Step, name: &str) -> String {
        let kept = Kept::of(source, WHOLE_WINDOWS, 0);
        let mut text = head(step, None, packages(&[source])) + &parts(source) + &kept.before();
        let made = together(&kept, &mut text, true);
        format!("{text}made = {made}{}made\n", named(name))
    }

    fn with_flag(&self, source: &Source, digit: u8, name: &str) -> String {
        let found = flags(source, WHOLE_WINDOWS, digit);
        if source.is_withheld && digit == 4 {
            // There is no value to draw.
            return head(Step::Chosen, None, &[]) + &found + &window("max", false) + &named(name);
        }
        // Only the time of these flags is read.
        let at = |which: &str| {
            format!("({found}  |> group()\n  |> {which}())\n  |> findColumn(fn: (key) => true, column: \"_time\")\n")
        };
        let between = "start: begins[0], stop: date.add(d: 1ns, to: ends[0])";
        format!(
            "{}begins = {}ends = {}found = if length(arr: begins) == 0 then {found}{TIME_AND_VALUE}  else experimental.join(\n  \
             left: {found}  |> window(every: every)\n  |> first()\n  |> group()\n{TIME_AND_VALUE},\n  \
             right: {}{TIME_AND_VALUE},\n  fn: (left, right) => ({{_time: left._time, _value: right._value}}))\nfound\n{}",
            head(Step::Chosen, None, &["experimental"]),
            at("first"),
            at("last"),
            rows(source, between, &[&source.field]),
            named(name)
        )
    }

    fn worst_flag(&self, source: &Source, name: &str) -> String {
        let flags = rows(source, WHOLE_WINDOWS, &[&source.flag_field()]);
        let worst = window("max", false);
        format!(
            "{}union(tables: [\n  {flags}  |> filter(fn: (r) => r._value != 9.0)\n{worst},\n  {flags}  \
             |> filter(fn: (r) => r._value == 9.0)\n{worst}  |> map(fn: (r) => ({{r with _value: 2.5}}))\n])\n  |> group()\n{}{}",
            head(Step::Chosen, source.interval, &[]),
            window("max", true),
            named(name)
        )
    }

    fn newest(&self, source: &Source, name: &str) -> String {
        head(Step::Chosen, None, &[])
            + &rows(source, WHOLE_WINDOWS, &[&source.field])
            + &window("last", false)
            + &named(name)
    }

    fn at_height(&self, source: &Source, metres: f64) -> Vec<String> {
        let kept = Kept::of(source, SHOWN, 0);
        let recent =
            format!("start: date.sub(d: {}, from: v.timeRangeStop), stop: v.timeRangeStop", duration(source.recent()));
        let kept_recent = Kept::of(source, &recent, 1);
        let one = |kept: &Kept<'_>, function: &str, kind: &str| {
            kept.rows(&format!(
                "  |> {function}()\n  |> map(fn: (r) => ({{height: {metres:?}, kind: \"{kind}\", _value: r._value}}))\n"
            ))
        };
        vec![format!(
            "import \"date\"\nevery = v.windowPeriod\n{}{}{}union(tables: [{}, {}])\n  |> group()\n  \
             |> pivot(rowKey: [\"height\"], columnKey: [\"kind\"], valueColumn: \"_value\")\n",
            parts(source),
            kept.before(),
            kept_recent.before(),
            one(&kept_recent, "last", "newest"),
            one(&kept, function(source), "mean"),
        )]
    }

    fn side_by_side(&self, first: Named<'_>, second: Named<'_>, step: Step) -> Vec<String> {
        let mut text = head(step, None, packages(&[first.0, second.0]));
        // The windows of the slower table are used for both.
        let slower = if first.0.interval >= second.0.interval { first.0 } else { second.0 };
        text += &parts(slower);
        let mut parts = Vec::new();
        for (place, (source, name)) in [first, second].into_iter().enumerate() {
            let kept = Kept::of(source, WHOLE_WINDOWS, place);
            text += &kept.before();
            let made = together(&kept, &mut text, false);
            parts.push(format!("{made}{TIME_AND_VALUE}  |> set(key: \"_field\", value: {})\n", string(name)));
        }
        let _ = write!(
            text,
            "union(tables: [{}])\n  |> group()\n  |> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")\n  \
             |> filter(fn: (r) => exists {} and exists {})\n",
            parts.join(","),
            column(first.1),
            column(second.1),
        );
        vec![text]
    }

    fn good_share(&self, columns: &[Named<'_>]) -> String {
        let Some((source, _)) = columns.first() else { return String::new() };
        let fields: Vec<String> = columns.iter().map(|(source, _)| source.flag_field()).collect();
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let all = rows(source, "start: -24h", &fields);
        // The list determines the order, and keeps a column without a flag.
        let list: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(place, (source, name))| {
                format!(
                    "{{flag: {}, place: {place}, column: {}, good: 0, all: 0}}",
                    string(&source.flag_field()),
                    string(name)
                )
            })
            .collect();
        let counted = |rows: &str, good: &str, all: &str| {
            format!(
                "{rows}  |> count()\n  |> group()\n  \
                 |> map(fn: (r) => ({{flag: r._field, place: 0, column: \"\", good: {good}, all: {all}}}))\n"
            )
        };
        format!(
            "import \"array\"\nimport \"math\"\nunion(tables: [\n  array.from(rows: [{}]),\n  {},\n  {}])\n  |> group(columns: [\"flag\"])\n  \
             |> reduce(identity: {{place: 0, column: \"\", good: 0, all: 0}}, fn: (r, accumulator) => ({{place: accumulator.place + r.place, \
             column: accumulator.column + r.column, good: accumulator.good + r.good, all: accumulator.all + r.all}}))\n  |> group()\n  \
             |> sort(columns: [\"place\"])\n  \
             |> map(fn: (r) => ({{column: r.column, share: math.floor(x: 100.0 * float(v: r.good) / float(v: r.all))}}))\n",
            list.join(", "),
            counted(&format!("{all}  |> filter(fn: (r) => r._value == 1.0)\n"), "r._value", "0"),
            counted(&all, "0", "r._value"),
        )
    }

    fn record_age(&self, source: &Source, name: &str) -> String {
        // A table that never had a row has a tile too, without a number.
        format!(
            "import \"array\"\nunion(tables: [\n  array.from(rows: [{{_time: 1970-01-01T00:00:00Z, _value: float(v: \"NaN\")}}]),\n  \
             {}  |> last()\n  |> keep(columns: [\"_time\", \"_value\"])])\n{NEWEST}  \
             |> map(fn: (r) => ({{_time: r._time, _value: r._value + {SINCE}}}))\n{}",
            rows(source, "start: -30d", &[&source.field]),
            named(name)
        )
    }

    fn agent_newest(&self, source: &Source, name: &str) -> String {
        Flux::agent(source, "start: -1h") + &named(name)
    }

    fn agent_trend(&self, source: &Source, name: &str) -> String {
        head(Step::Chosen, None, &[])
            + &rows(source, WHOLE_WINDOWS, &[&source.field])
            + &window("max", true)
            + &named(name)
    }

    fn agent_heard(&self, source: &Source, name: &str) -> String {
        let age = format!("  |> map(fn: (r) => ({{_time: r._time, _value: {SINCE}}}))\n");
        Flux::agent(source, "start: -30d") + &age + &named(name)
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
                "import \"strings\"\nfrom({})\n  |> range(start: -30d)\n  |> filter(fn: (r) => {} == {})\n  |> keep(columns: [\"station\"])\n  \
                 |> group()\n  |> distinct(column: \"station\")\n{ESCAPED}",
                bucket(source),
                column("_measurement"),
                string(&source.measurement)
            );
        }
        let bucket = bucket(source);
        format!(
            "import \"influxdata/influxdb/schema\"\nimport \"strings\"\nschema.tagValues({bucket}, tag: \"station\", \
             predicate: (r) => {} == {}, start: -30d)\n{ESCAPED}",
            column("_measurement"),
            string(&source.measurement)
        )
    }

    fn steps(&self) -> [(&'static str, &'static str); 5] {
        [("auto", "v.windowPeriod"), ("1m", "1m"), ("10m", "10m"), ("30m", "30m"), ("1h", "1h")]
    }

    fn station_in_variable(&self, station: &str) -> String {
        station.replace("${", "\\x24{")
    }

    fn least_usable_share(&self, columns: &[&Source]) -> Option<String> {
        let fields: Vec<String> = columns.iter().map(|source| source.flag_field()).collect();
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let all = rows(columns.first()?, SHOWN, &fields);
        let counted = |rows: &str, usable: &str, all: &str| {
            format!(
                "{rows}  |> count()\n  |> group()\n  |> map(fn: (r) => ({{flag: r._field, usable: {usable}, all: {all}}}))\n"
            )
        };
        Some(format!(
            "union(tables: [\n  {},\n  {}])\n  |> group(columns: [\"flag\"])\n  \
             |> reduce(identity: {{usable: 0, all: 0}}, fn: (r, accumulator) => ({{usable: accumulator.usable + r.usable, \
             all: accumulator.all + r.all}}))\n  |> group()\n  \
             |> map(fn: (r) => ({{_time: v.timeRangeStop, _value: 100.0 * float(v: r.usable) / float(v: r.all)}}))\n  |> min()\n{}",
            counted(&format!("{all}  |> filter(fn: (r) => r._value != 4.0 and r._value != 9.0)\n"), "r._value", "0"),
            counted(&all, "0", "r._value"),
            named("value"),
        ))
    }

    fn for_alert(&self, source: &Source) -> String {
        Flux::agent(source, SHOWN) + &named("value")
    }
}
