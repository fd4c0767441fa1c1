//! Findings from the comparison with the sun: clocks that do not agree with it, and radiometers that give no light by
//! day, or light at night.

use super::{Finding, Kind};
use crate::config::Config;
use crate::status::{Facts, Sunlight};
use crate::sun::{Late, Since};
use crate::time::StationClock;

/// Minutes are given to the nearest multiple.
const ROUNDED: f64 = 5.0;
/// A wrong position looks like a wrong clock or sensor.
const POSITION: &str = "latitude and longitude (south and west are negative)";

pub(super) fn findings(config: &Config, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for table in &config.tables {
        let name = table.name.0.as_str();
        let of_table: Vec<&Sunlight> = facts.sunlight.iter().filter(|found| found.table == name).collect();
        found.extend(clock(name, &table.station_clock, &of_table));
        for Sunlight { column, said, .. } in of_table {
            if let Some(since) = said.dark {
                let message = format!(
                    "column {column} of table \"{name}\" gives no light by day {}: less than 1 % of what the sun could",
                    day(&table.station_clock, since)
                );
                found.push(
                    Finding::new(Kind::DarkByDay, message)
                        .of_table(name)
                        .about(column.as_str())
                        .since(Some(since.noon))
                        .fix(format!("check the sensor, its cable and its multiplier, and {POSITION}")),
                );
            }
            if let Some((watts, since)) = said.lit_nights {
                let message = format!(
                    "column {column} of table \"{name}\" gives light at night {}: {watts:.0} W m-2 in the last nights",
                    day(&table.station_clock, since)
                );
                found.push(
                    Finding::new(Kind::LightAtNight, message)
                        .of_table(name)
                        .about(column.as_str())
                        .since(Some(since.noon))
                        .fix(format!("check the sensor's offset, its cable and its multiplier, and {POSITION}")),
                );
            }
        }
    }
    found
}

/// One finding for the columns of a table: they have one clock.
fn clock(name: &str, clock: &StationClock, of_table: &[&Sunlight]) -> Option<Finding> {
    let late: Vec<(&str, Late)> =
        of_table.iter().filter_map(|found| Some((found.column.as_str(), found.said.late?))).collect();
    let (_, first) = late.first()?;
    let columns: Vec<&str> = late.iter().map(|(column, _)| *column).collect();
    let minutes = (first.minutes.abs() / ROUNDED).round() * ROUNDED;
    let message = format!(
        "light comes {minutes:.0} min {} in table \"{name}\" {}, by {}; AmeriFlux's alignment test: {:.0} min, r = {:.2}",
        if first.minutes > 0.0 { "late" } else { "early" },
        day(clock, first.since),
        columns.join(", "),
        first.alignment.minutes().abs(),
        first.alignment.correlation,
    );
    let finding = Finding::new(Kind::SunLate, message).of_table(name).since(Some(first.since.noon));
    Some(finding.fix(format!(
        "clock or utc_offset: compare the logger's clock with UTC; or the file's stamps name the beginning of the interval; or check \
         {POSITION}",
    )))
}

/// Since which day, on the station's clock.
fn day(clock: &StationClock, since: Since) -> String {
    let local = clock.local(since.noon).to_string();
    let date = local.split(' ').next().unwrap_or_default();
    let longer = if since.is_open { " or longer" } else { "" };
    format!("since {date}{longer}")
}
