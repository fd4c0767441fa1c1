//! InfluxQL: InfluxDB 1.x, and 2 through a mapping.
//!
//! It has no `CASE` and no `IS NULL`. A value is therefore left out by its flag only where every value has one, and a
//! flag becomes a rank by arithmetic: `9 % 6.5` is 2.5, which puts "missing" between 2 and 3 and does not change 1 to
//! 4.

use std::fmt::Write as _;

use super::{Named, QueryLanguage, Step, duration, function, guarded, has_band};
use crate::quantity::Aggregate;
use crate::view::dashboard::source::{Flagged, Source, Tag};

pub(super) struct InfluxQl;

/// A name between double quotes.
fn identifier(name: &str) -> String {
    guarded(&format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")))
}

/// A text between single quotes.
fn string(text: &str) -> String {
    guarded(&format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n")))
}

/// The measurement with its database, so that one data source serves every bucket; `db/rp` includes a retention policy.
fn from(source: &Source) -> String {
    let measurement = identifier(&source.measurement);
    match source.bucket.as_deref() {
        None => measurement,
        Some(bucket) => match bucket.split_once('/') {
            Some((database, policy)) => format!("{}.{}.{measurement}", identifier(database), identifier(policy)),
            None => format!("{}..{measurement}", identifier(bucket)),
        },
    }
}

/// The conditions: time, tags, and more.
fn filter(source: &Source, time: &str, more: &str) -> String {
    let mut text = time.to_owned();
    for (key, tag) in &source.tags {
        let value = match tag {
            // Grafana escapes it by the rules of InfluxQL.
            Tag::Station => "${station:singlequote}".to_owned(),
            Tag::Fixed(value) => string(value),
            Tag::Absent => "''".to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = write!(text, " AND {} = {value}", identifier(key));
    }
    text + more
}

fn not_failed(source: &Source) -> String {
    if source.is_withheld {
        return String::new();
    }
    match source.flagged {
        Flagged::Always => format!(" AND {} != 4", identifier(&source.flag_field())),
        // A comparison with an absent flag is false, and would hide the value.
        Flagged::ByHand | Flagged::Never => String::new(),
    }
}

fn width(step: Step) -> String {
    match step {
        Step::Chosen => "$step".to_owned(),
        Step::Fixed(width) => duration(width),
    }
}

/// The values, aggregated by one function.
fn together(source: &Source) -> String {
    format!("{}({})", function(source), identifier(&source.field))
}

const TIME: &str = "$timeFilter";
const LAST_HOUR: &str = "time > now() - 1h";
/// The reports of a month, until the end of the time shown.
const REPORTED: &str = "time > ${__to}ms - 30d AND time <= ${__to}ms";
/// The seconds from the agent's last report to the end of the time range; InfluxQL cannot calculate with `now()`.
const SINCE: &str = "${__to} / 1000 - last(\"reported_s\")";

/// The time range, extended by one window at the beginning, so that the first window that is drawn is complete. The
/// part before the range is outside the drawing.
fn whole_windows(step: Step) -> String {
    format!("time >= ${{__from}}ms - {} AND time <= ${{__to}}ms", width(step))
}

/// A polynomial that is 1 for the digits 1, 2 and 3 of a flag, and 0 for 4 and 9.
fn usable(flag: &str) -> String {
    format!("({flag} - 4) * ({flag} - 9) * (11 * {flag} * {flag} - 23 * {flag} + 26) / 336")
}

impl InfluxQl {
    /// One number per window.
    fn windows(source: &Source, picks: &str, step: Step, more: &str, fill: &str) -> String {
        let (from, filter) = (from(source), filter(source, &whole_windows(step), more));
        format!("SELECT {picks} FROM {from} WHERE {filter} GROUP BY time({}) fill({fill})", width(step))
    }

    /// The aggregated values of each window, without failed ones.
    fn together(source: &Source, name: &str, step: Step, fill: &str) -> String {
        let name = identifier(name);
        let needs_rows = [Aggregate::VectorMean, Aggregate::RootMeanSquare, Aggregate::Increments];
        if !needs_rows.contains(&source.aggregate) {
            let picks = format!("{} AS {name}", together(source));
            return InfluxQl::windows(source, &picks, step, &not_failed(source), fill);
        }
        // A function of a function requires a subquery.
        let shown = whole_windows(step);
        let (field, from, filter) =
            (identifier(&source.field), from(source), filter(source, &shown, &not_failed(source)));
        if source.aggregate == Aggregate::Increments {
            return format!(
                "SELECT sum(\"step\") AS {name} FROM (SELECT non_negative_difference({field}) AS \"step\" FROM {from} \
                 WHERE {filter}) WHERE {shown} GROUP BY time({}) fill({fill})",
                width(step)
            );
        }
        if source.aggregate == Aggregate::RootMeanSquare {
            return format!(
                "SELECT sqrt(mean(\"square\")) AS {name} FROM (SELECT {field} * {field} AS \"square\" FROM {from} \
                 WHERE {filter}) WHERE {shown} GROUP BY time({}) fill({fill})",
                width(step)
            );
        }
        format!(
            "SELECT (atan2(mean(\"east\"), mean(\"north\")) * 57.29577951308232 + 360) % 360 AS {name} FROM (SELECT \
             sin({field} * 0.017453292519943295) AS \"east\", cos({field} * 0.017453292519943295) AS \"north\" FROM {from} \
             WHERE {filter}) WHERE {shown} GROUP BY time({}) fill({fill})",
            width(step)
        )
    }

    fn last(source: &Source, name: &str, time: &str) -> String {
        let (field, name) = (identifier(&source.field), identifier(name));
        format!("SELECT last({field}) AS {name} FROM {} WHERE {}", from(source), filter(source, time, ""))
    }
}

impl QueryLanguage for InfluxQl {
    fn envelope(&self, source: &Source, step: Step, names: &[String; 3]) -> String {
        if !has_band(source) {
            return InfluxQl::together(source, &names[0], step, "null");
        }
        let field = identifier(&source.field);
        let [mean, low, high] = names.each_ref().map(|name| identifier(name));
        let picks = format!("mean({field}) AS {mean}, min({field}) AS {low}, max({field}) AS {high}");
        InfluxQl::windows(source, &picks, step, &not_failed(source), "null")
    }

    fn mean(&self, source: &Source, step: Step, name: &str) -> String {
        InfluxQl::together(source, name, step, "null")
    }

    fn with_flag(&self, source: &Source, digit: u8, name: &str) -> String {
        let picks = format!("first({}) AS {}", identifier(&source.field), identifier(name));
        let more = format!(" AND {} = {digit}", identifier(&source.flag_field()));
        InfluxQl::windows(source, &picks, Step::Chosen, &more, "none")
    }

    fn worst_flag(&self, source: &Source, name: &str) -> String {
        let (flag, name) = (identifier(&source.flag_field()), identifier(name));
        let shown = whole_windows(Step::Chosen);
        let (from, filter) = (from(source), filter(source, &shown, ""));
        format!(
            "SELECT max(\"rank\") AS {name} FROM (SELECT {flag} % 6.5 AS \"rank\" FROM {from} WHERE {filter}) \
             WHERE {shown} GROUP BY time($step) fill(null)"
        )
    }

    fn newest(&self, source: &Source, name: &str) -> String {
        let picks = format!("last({}) AS {}", identifier(&source.field), identifier(name));
        InfluxQl::windows(source, &picks, Step::Chosen, "", "none")
    }

    fn at_height(&self, source: &Source, metres: f64) -> Vec<String> {
        let (field, mean, more) = (identifier(&source.field), together(source), not_failed(source));
        let recent = format!("time >= ${{__to}}ms - {} AND time <= ${{__to}}ms", duration(source.recent()));
        let one = |pick: &str, name: &str, time: &str| {
            format!(
                "SELECT {pick} AS \"{name}\", {pick} * 0 + {metres} AS \"height\" FROM {} WHERE {}",
                from(source),
                filter(source, time, &more)
            )
        };
        // A statement has only one time range.
        vec![one(&format!("last({field})"), "newest", &recent), one(&mean, "mean", TIME)]
    }

    fn side_by_side(&self, first: Named<'_>, second: Named<'_>, step: Step) -> Vec<String> {
        let one = |(source, name): Named<'_>| InfluxQl::together(source, name, step, "none");
        vec![one(first), one(second)]
    }

    fn good_share(&self, columns: &[Named<'_>]) -> String {
        let Some((source, name)) = columns.first() else { return String::new() };
        let flag = identifier(&source.flag_field());
        // A polynomial that is 100 for the digit 1 and 0 for 2, 3, 4 and 9. One statement for several columns would
        // calculate it for each of them repeatedly: 60 s, while this takes 0.2 s per column.
        format!(
            "SELECT floor(mean(\"good\")) AS {} FROM (SELECT ({flag} - 2) * ({flag} - 3) * ({flag} - 4) * ({flag} - 9) / 48 * 100 \
             AS \"good\" FROM {} WHERE {})",
            identifier(name),
            from(source),
            filter(source, "time > now() - 24h", "")
        )
    }

    fn record_age(&self, source: &Source, name: &str) -> String {
        // A table that never had a row has a report without an age, so its tile has no number.
        format!(
            "SELECT {SINCE} + last({}) AS {} FROM {} WHERE {}",
            identifier(&source.field),
            identifier(name),
            from(source),
            filter(source, REPORTED, "")
        )
    }

    fn agent_newest(&self, source: &Source, name: &str) -> String {
        InfluxQl::last(source, name, LAST_HOUR)
    }

    fn agent_trend(&self, source: &Source, name: &str) -> String {
        let picks = format!("max({}) AS {}", identifier(&source.field), identifier(name));
        InfluxQl::windows(source, &picks, Step::Chosen, "", "null")
    }

    fn agent_heard(&self, source: &Source, name: &str) -> String {
        format!("SELECT {SINCE} AS {} FROM {} WHERE {}", identifier(name), from(source), filter(source, REPORTED, ""))
    }

    fn ages_as_of(&self) -> &'static str {
        "the end of the time shown"
    }

    fn network(&self, age: &Source, pending: &Source) -> Vec<String> {
        vec![format!(
            "SELECT last(\"reported_s\") * 1000 AS \"last sync\", {SINCE} + last({}) AS \"age of newest record\", last({}) AS \
             \"pending rows\" FROM {} WHERE {TIME} AND \"logger_table\" != '' GROUP BY \"station\", \"logger_table\"",
            identifier(&age.field),
            identifier(&pending.field),
            from(age)
        )]
    }

    fn stations(&self, source: &Source) -> String {
        let database = source.bucket.as_deref().map(|bucket| bucket.split_once('/').map_or(bucket, |(name, _)| name));
        let on = database.map_or_else(String::new, |database| format!(" ON {}", identifier(database)));
        format!("SHOW TAG VALUES{on} FROM {} WITH KEY = \"station\"", identifier(&source.measurement))
    }

    fn steps(&self) -> [(&'static str, &'static str); 5] {
        [("auto", "$__interval"), ("1m", "1m"), ("10m", "10m"), ("30m", "30m"), ("1h", "1h")]
    }

    fn for_alert(&self, source: &Source) -> String {
        InfluxQl::last(source, "value", TIME)
    }

    fn least_usable_share(&self, columns: &[&Source]) -> Option<String> {
        let share = |source: &&Source| {
            let flag = identifier(&source.flag_field());
            format!(
                "(SELECT 100 * mean(\"usable\") AS \"share\" FROM (SELECT {} AS \"usable\" FROM {} WHERE {}))",
                usable(&flag),
                from(source),
                filter(source, TIME, "")
            )
        };
        let shares: Vec<String> = columns.iter().map(share).collect();
        (!shares.is_empty()).then(|| format!("SELECT min(\"share\") AS \"value\" FROM {}", shares.join(", ")))
    }
}
