//! Texts about missing records, in one place for `gaps`, `status`, the page and the report.
//!
//! If RECORD counts, a missing record is known by its number. If not, the text says that RECORD shows nothing, for
//! which column and why, and missing time steps are searched by the table's usual interval instead.

use std::time::Duration;

use crate::config::{Config, FileFormat};
use crate::store::{ClockLine, Regularity, Uncounted, WhyUncounted};
use crate::text::{count, span};
use crate::time::Timestamp;

/// Of each table without a RECORD that counts, `status` looks at so many of its newest rows.
pub(super) const ROWS_LOOKED_AT: usize = 50_000;

/// The time on the table's clock.
pub fn station_time(config: &Config, table: &str, instant: Timestamp) -> String {
    config.table(table).map_or(config.station.clock, |table| table.clock).local(instant).to_string()
}

/// The export from the logger that brings the rows between two times; none is the beginning of the table.
pub fn export_of(config: &Config, table: &str, from: Option<Timestamp>, to: Timestamp) -> String {
    // Where the clock stepped back between the two rows, the later stamp is the one before.
    let (from, to) = (from.map(|from| from.min(to)), from.map_or(to, |from| from.max(to)));
    let since = from.map_or_else(|| "its beginning".to_owned(), |from| station_time(config, table, from));
    format!("export table {table} from {since} to {} (station time) as TOA5", station_time(config, table, to))
}

/// The command that reads an export.
pub fn ingest_of(table: &str) -> String {
    format!("fluxtower ingest --table \"{table}\" FILE")
}

/// What a reset, a jump or a step was. The rows around a reset say whether time steps are missing there; the others leave none out.
pub fn event(config: &Config, line: &ClockLine, uncounted: &[Uncounted]) -> String {
    let is_reset = line.kind == "reset";
    let what = match line.kind.as_str() {
        "reset" => "RECORD started again",
        "jump" => "RECORD jumped",
        _ => "the clock stepped back",
    };
    let local = |at| station_time(config, &line.table, at);
    let (before, after) = (line.before, line.after);
    if line.kind == "back" {
        return format!("{what}: a row at {}, then one at {}", local(before.1), local(after.1));
    }
    let around = uncounted
        .iter()
        .find(|around| is_around_a_place(around.why) && around.table == line.table && around.to == after.1);
    let missing = match around {
        None if is_reset => String::new(),
        None => " (nothing is missing by this)".to_owned(),
        Some(around) => match (around.steps.first(), around.regularity) {
            (Some(step), _) if step.missing == 1 => " (1 time step is missing between them)".to_owned(),
            (Some(step), _) => format!(" ({} are missing between them)", count(step.missing, "time step")),
            (None, Regularity::Regular(_)) => " (no time step is missing between them)".to_owned(),
            (None, Regularity::Irregular | Regularity::TooFewRows(_)) => String::new(),
        },
    };
    format!(
        "{what}: record {} at {}, then record {} at {}{missing}",
        before.0,
        local(before.1),
        after.0,
        local(after.1)
    )
}

/// Whether RECORD counts, so that only the pause between two rows is unknown.
pub fn is_around_a_place(why: WhyUncounted) -> bool {
    matches!(why, WhyUncounted::Restarted | WhyUncounted::Jumped)
}

/// `30 min`, `0.1 s`.
pub fn interval(interval: Duration) -> String {
    if interval.subsec_nanos() > 0 && interval.as_secs() < 120 {
        return format!("{} s", interval.as_secs_f64());
    }
    span(i64::try_from(interval.as_secs()).unwrap_or(i64::MAX))
}

/// The name of a reason in JSON.
pub fn why_name(why: WhyUncounted) -> &'static str {
    match why {
        WhyUncounted::NoRecord => "no_record",
        WhyUncounted::Tags => "tags",
        WhyUncounted::StandsStill(_) => "stands_still",
        WhyUncounted::StartsAgain => "starts_again",
        WhyUncounted::TwoLoggers => "two_loggers",
        WhyUncounted::Restarted => "restarted",
        WhyUncounted::Jumped => "jumped",
    }
}

/// The table with the values of its tag columns: `plots (6a)`.
pub fn series_name(line: &Uncounted) -> String {
    if line.tags.is_empty() { line.table.clone() } else { format!("{} ({})", line.table, line.tags.join(", ")) }
}

/// The column of record numbers; none where the table has no such column.
pub fn record_column<'c>(config: &'c Config, line: &Uncounted) -> Option<&'c str> {
    if line.why == WhyUncounted::NoRecord {
        return None;
    }
    match config.table(&line.table).map(|table| &table.format) {
        Some(FileFormat::Csv(csv)) => csv.record_column.as_deref(),
        _ => Some("RECORD"),
    }
}

/// Why it cannot be known from RECORD whether records are missing.
pub fn why(config: &Config, line: &Uncounted) -> String {
    let column = record_column(config, line).unwrap_or("RECORD");
    match line.why {
        WhyUncounted::NoRecord => "its rows have no record number".to_owned(),
        WhyUncounted::Tags => format!("its rows differ in tag columns, so that {column} is not compared"),
        WhyUncounted::StandsStill(number) => format!(
            "{column} does not count: it is {number} in each row from {} to {}",
            station_time(config, &line.table, line.from),
            station_time(config, &line.table, line.to)
        ),
        WhyUncounted::StartsAgain => format!("{column} does not count: it starts again every few rows"),
        WhyUncounted::TwoLoggers => format!("{column} has the numbers of two loggers, whose rows one file joins"),
        WhyUncounted::Restarted => format!("{column} started again at {}", station_time(config, &line.table, line.to)),
        WhyUncounted::Jumped => format!("{column} jumped at {}", station_time(config, &line.table, line.to)),
    }
}

/// Whether records are missing is unknown, why, and what is looked at instead.
pub fn unknown(config: &Config, line: &Uncounted) -> String {
    let instead = match line.regularity {
        Regularity::Regular(usual) => {
            format!("looked for missing time steps instead, by the usual interval of {}", interval(usual))
        }
        Regularity::Irregular => {
            "rows come at no usual interval, so that missing time steps are unknown too".to_owned()
        }
        Regularity::TooFewRows(_) => {
            "too few rows for a usual interval, so that missing time steps are unknown too".to_owned()
        }
    };
    format!("whether records are missing is unknown: {}; {instead}", why(config, line))
}
