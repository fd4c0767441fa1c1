//! SQL: InfluxDB 3.
//!
//! A query for a column that was never written fails. So a flag is named only if it is sent, and no query asks for more
//! columns than it needs, so that an error of one query does not affect the others. Every query has both ends of its
//! time range, because a query over a long time is refused. `date_bin_gapfill` makes the windows, including empty ones;
//! it needs both ends of the time range in the `WHERE`.

use std::fmt::Write as _;

use super::{Named, QueryLanguage, Step, guarded, has_band};
use crate::quantity::Aggregate;
use crate::view::dashboard::source::{Flagged, Source, Tag};

pub(super) struct Sql;

/// A name between double quotes.
fn identifier(name: &str) -> String {
    guarded(&format!("\"{}\"", name.replace('"', "\"\"")))
}

/// A text between single quotes.
fn string(text: &str) -> String {
    guarded(&format!("'{}'", text.replace('\'', "''")))
}

/// InfluxDB 3 Core refuses a query over more than 432 files, of which it writes six an hour: 72 hours
/// (docs/influx-answers.md#queries). A query without its own time therefore looks back less far.
const LOOK_BACK: &str = "70 hours";

const SHOWN: &str = "time >= $__timeFrom AND time <= $__timeTo";

fn tags(source: &Source) -> String {
    let mut text = String::new();
    for (key, tag) in &source.tags {
        let key = identifier(key);
        // Writing to a String cannot fail.
        let _ = match tag {
            Tag::Station => write!(text, " AND {key} = ${{station:sqlstring}}"),
            Tag::Fixed(value) => write!(text, " AND {key} = {}", string(value)),
            Tag::Absent => write!(text, " AND {key} IS NULL"),
        };
    }
    text
}

fn not_failed(source: &Source) -> String {
    match source.flagged {
        Flagged::Never => String::new(),
        Flagged::ByHand | Flagged::Always => {
            let flag = identifier(&source.flag_field());
            format!(" AND ({flag} IS NULL OR {flag} <> 4)")
        }
    }
}

/// The values, aggregated according to the kind of quantity.
fn together(source: &Source) -> String {
    let field = identifier(&source.field);
    match source.aggregate {
        Aggregate::Mean => format!("avg({field})"),
        Aggregate::VectorMean => {
            format!("(degrees(atan2(avg(sin(radians({field}))), avg(cos(radians({field}))))) + 360.0) % 360.0")
        }
        Aggregate::Sum => format!("sum({field})"),
        Aggregate::Maximum => format!("max({field})"),
        Aggregate::Minimum => format!("min({field})"),
        Aggregate::RootMeanSquare => format!("sqrt(avg({field} * {field}))"),
        Aggregate::Increments | Aggregate::Last => format!("last_value({field} ORDER BY time)"),
    }
}

fn width(step: Step) -> String {
    match step {
        Step::Chosen => "${step}".to_owned(),
        Step::Fixed(width) => format!("interval '{} milliseconds'", width.as_millis().max(1)),
    }
}

/// One row per window; with `is_filled`, also for empty windows.
fn windows(source: &Source, picks: &str, step: Step, more: &str, is_filled: bool) -> String {
    let bin = if is_filled { "date_bin_gapfill" } else { "date_bin" };
    format!(
        "SELECT {bin}({}, time) AS time, {picks} FROM {} WHERE {SHOWN}{}{more} GROUP BY 1 ORDER BY 1",
        width(step),
        identifier(&source.measurement),
        tags(source)
    )
}

const SINCE: &str = "(date_part('epoch', now()) - date_part('epoch', time))";

fn back(span: &str) -> String {
    format!("time > now() - interval '{span}'")
}

fn newest(source: &Source, pick: &str, name: &str, time: &str) -> String {
    format!(
        "SELECT time, {pick} AS {} FROM {} WHERE {time}{} AND {} IS NOT NULL ORDER BY time DESC LIMIT 1",
        identifier(name),
        identifier(&source.measurement),
        tags(source),
        identifier(&source.field)
    )
}

impl QueryLanguage for Sql {
    fn envelope(&self, source: &Source, step: Step, names: &[String; 3]) -> String {
        if !has_band(source) {
            return self.mean(source, step, &names[0]);
        }
        let field = identifier(&source.field);
        let [mean, low, high] = names.each_ref().map(|name| identifier(name));
        let picks = format!("avg({field}) AS {mean}, min({field}) AS {low}, max({field}) AS {high}");
        windows(source, &picks, step, &not_failed(source), true)
    }

    fn mean(&self, source: &Source, step: Step, name: &str) -> String {
        let picks = format!("{} AS {}", together(source), identifier(name));
        windows(source, &picks, step, &not_failed(source), true)
    }

    fn with_flag(&self, source: &Source, digit: u8, name: &str) -> String {
        let picks = format!("first_value({} ORDER BY time) AS {}", identifier(&source.field), identifier(name));
        let more = format!(" AND {} = {digit}", identifier(&source.flag_field()));
        windows(source, &picks, Step::Chosen, &more, false)
    }

    fn worst_flag(&self, source: &Source, name: &str) -> String {
        let flag = identifier(&source.flag_field());
        let picks = format!("max(CASE WHEN {flag} = 9 THEN 2.5 ELSE {flag} END) AS {}", identifier(name));
        windows(source, &picks, Step::Chosen, "", true)
    }

    fn newest(&self, source: &Source, name: &str) -> String {
        let field = identifier(&source.field);
        let picks = format!("last_value({field} ORDER BY time) AS {}", identifier(name));
        windows(source, &picks, Step::Chosen, &format!(" AND {field} IS NOT NULL"), false)
    }

    fn at_height(&self, source: &Source, metres: f64) -> Vec<String> {
        let field = identifier(&source.field);
        vec![format!(
            "SELECT last_value(CASE WHEN time >= $__timeTo - interval '{} seconds' THEN {field} END ORDER BY time) AS \"newest\", \
             {} AS \"mean\", {metres:?} AS \"height\" FROM {} WHERE {SHOWN}{}{} AND {field} IS NOT NULL",
            source.recent().as_secs(),
            together(source),
            identifier(&source.measurement),
            tags(source),
            not_failed(source)
        )]
    }

    fn side_by_side(&self, first: Named<'_>, second: Named<'_>, step: Step) -> Vec<String> {
        let one = |(source, _): Named<'_>| {
            let picks = format!("{} AS value", together(source));
            windows(source, &picks, step, &not_failed(source), false)
        };
        vec![format!(
            "SELECT a.time AS time, a.value AS {}, b.value AS {} FROM ({}) AS a JOIN ({}) AS b ON a.time = b.time ORDER BY 1",
            identifier(first.1),
            identifier(second.1),
            one(first),
            one(second)
        )]
    }

    fn good_share(&self, columns: &[Named<'_>]) -> String {
        let Some((source, _)) = columns.first() else { return String::new() };
        let share = |(source, name): &Named<'_>| {
            let flag = identifier(&source.flag_field());
            format!(
                "floor(avg(CASE WHEN {flag} = 1 THEN 100.0 WHEN {flag} IS NOT NULL THEN 0.0 END)) AS {}",
                identifier(name)
            )
        };
        let shares: Vec<String> = columns.iter().map(share).collect();
        format!(
            "SELECT {} FROM {} WHERE time > now() - interval '24 hours'{}",
            shares.join(", "),
            identifier(&source.measurement),
            tags(source)
        )
    }

    fn record_age(&self, source: &Source, name: &str) -> String {
        let pick = format!("{} + {SINCE}", identifier(&source.field));
        newest(source, &pick, name, &back(LOOK_BACK))
    }

    fn agent_newest(&self, source: &Source, name: &str) -> String {
        newest(source, &identifier(&source.field), name, &back("1 hour"))
    }

    fn agent_trend(&self, source: &Source, name: &str) -> String {
        let picks = format!("max({}) AS {}", identifier(&source.field), identifier(name));
        windows(source, &picks, Step::Chosen, "", true)
    }

    fn agent_heard(&self, source: &Source, name: &str) -> String {
        newest(source, SINCE, name, &back(LOOK_BACK))
    }

    fn network(&self, age: &Source, pending: &Source) -> Vec<String> {
        let (age_field, pending) = (identifier(&age.field), identifier(&pending.field));
        vec![format!(
            "SELECT \"station\", \"logger_table\", time AS \"last sync\", {age_field} + {SINCE} AS \"age of newest record\", \
             {pending} AS \"pending rows\" FROM (SELECT \"station\", \"logger_table\", time, {age_field}, {pending}, \
             row_number() OVER (PARTITION BY \"station\", \"logger_table\" ORDER BY time DESC) AS place FROM {} \
             WHERE {SHOWN} AND \"logger_table\" IS NOT NULL) AS report WHERE place = 1 ORDER BY 1, 2",
            identifier(&age.measurement)
        )]
    }

    fn stations(&self, source: &Source) -> String {
        format!(
            "SELECT DISTINCT \"station\" FROM {} WHERE {} ORDER BY 1",
            identifier(&source.measurement),
            back(LOOK_BACK)
        )
    }

    /// `auto` is the macro, because Grafana writes `$__interval` as an SQL interval.
    fn steps(&self) -> [(&'static str, &'static str); 5] {
        [
            ("auto", "$__interval"),
            ("1m", "interval '1 minute'"),
            ("10m", "interval '10 minutes'"),
            ("30m", "interval '30 minutes'"),
            ("1h", "interval '1 hour'"),
        ]
    }

    fn for_alert(&self, source: &Source) -> String {
        newest(source, &identifier(&source.field), "value", SHOWN)
    }
}
