//! Recognises a table with one value per line: time, sensor, value.

use std::collections::{HashMap, HashSet};

use super::{Line, numbers, time};

/// A column with more different texts is more likely one of remarks.
const MOST_SENSORS: usize = 200;
/// Usual names of the column with the sensor.
const SENSORS: [&str; 15] = [
    "sensor",
    "parameter",
    "variable",
    "name",
    "channel",
    "signal",
    "tag",
    "measurement",
    "measurand",
    "metric",
    "key",
    "series",
    "item",
    "parametername",
    "field",
];
const VALUES: [&str; 6] = ["value", "val", "wert", "reading", "valeur", "valor"];
/// This number of different texts means sensors, whatever the columns are named.
const MANY: usize = 8;
/// The least number of rows that is required for a decision.
const LEAST_ROWS: usize = 6;

/// The positions of the sensor and of the value, if each row is one value: stamps repeat; one column has a few
/// different texts, which together with the stamp are different in each row; and exactly one column has numbers.
pub(super) fn find(
    rows: &[(&Line<'_>, Vec<String>)],
    (time, clocks): (&time::Found, &[usize]),
    names: &[String],
) -> Option<(usize, usize)> {
    let rows: Vec<(i64, &Vec<String>)> =
        rows.get(time.first..)?.iter().filter_map(|(_, fields)| Some((time.nanos(fields)?, fields))).collect();
    let stamps: HashSet<i64> = rows.iter().map(|(nanos, _)| *nanos).collect();
    if rows.len() < LEAST_ROWS || stamps.len() * 2 > rows.len() {
        return None;
    }
    let width = rows.first()?.1.len();
    let own: Vec<usize> = (0..width).filter(|place| !time.columns.contains(place) && !clocks.contains(place)).collect();
    let is_number = |place: &usize| rows.iter().all(|(_, fields)| is_value(&fields[*place]));
    let (values, texts): (Vec<usize>, Vec<usize>) = own.into_iter().partition(is_number);
    let [value] = values.as_slice() else { return None };
    let sensor = texts.into_iter().find(|place| {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for (_, fields) in &rows {
            *counts.entry(fields[*place].as_str()).or_default() += 1;
        }
        let keys: HashSet<(i64, &str)> = rows.iter().map(|(nanos, fields)| (*nanos, fields[*place].as_str())).collect();
        let repeats = counts.values().filter(|count| **count > 1).count();
        // A reading may have been written twice.
        let is_key = keys.len() * 20 >= rows.len() * 19;
        is_key && counts.len() > 1 && counts.len() <= MOST_SENSORS && repeats * 2 > counts.len()
    })?;
    // Rows for a few plots are complete rows with a tag, unless the column names suggest sensors.
    let kinds: HashSet<&str> = rows.iter().map(|(_, fields)| fields[sensor].as_str()).collect();
    let is_called = |place: usize, known: &[&str]| {
        // InfluxDB's own names begin with an underscore.
        names.get(place).is_some_and(|name| known.contains(&name.to_lowercase().trim_start_matches('_')))
    };
    let is_long = is_called(sensor, &SENSORS) || is_called(*value, &VALUES) || kinds.len() >= MANY;
    is_long.then_some((sensor, *value))
}

fn is_value(text: &str) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case("nan") || text.eq_ignore_ascii_case("na") || numbers::is_decimal(text)
}
