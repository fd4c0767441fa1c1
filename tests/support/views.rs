//! Views of a station's data, held against its rows one by one.

use std::collections::BTreeMap;

use fluxtower::store::Store;
use fluxtower::time::Timestamp;
use fluxtower::view::summary::{RibbonRequest, Summaries, TraceRequest};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Station;

/// A row as the store has it: milliseconds, and a number and a digit for each place of the column list.
struct Row {
    ms: i64,
    ts: Timestamp,
    cells: Vec<(Option<f64>, char)>,
}

/// Stops the test unless what is said of a series, over a stretch and with so many points, is what its rows say.
pub fn assert_true_to_rows(
    tower: &Station,
    summaries: &Summaries,
    table: &str,
    tags: &[(String, String)],
    (from, to): (Timestamp, Timestamp),
    points: usize,
) {
    let reader = Store::open_reader(&tower.store_path()).unwrap();
    let names = reader.column_names(table).unwrap();
    let values: Vec<&str> = tags.iter().map(|(_, value)| value.as_str()).collect();
    let rows = rows(tower, table, &serde_json::to_string(&values).unwrap(), names.len());
    // Backwards, as a page may ask for them.
    let columns: Vec<String> = names.iter().rev().cloned().collect();
    let request = TraceRequest { table: table.to_owned(), columns, from, to, points, tags: tags.to_vec() };
    let trace = serde_json::to_value(summaries.trace(&reader, &request).unwrap()).unwrap();
    match trace["bin_s"].as_f64() {
        None => {
            let inside: Vec<Vec<&Row>> =
                rows.iter().filter(|row| (from..=to).contains(&row.ts)).map(|row| vec![row]).collect();
            let times: Vec<f64> =
                inside.iter().map(|row| row[0].ms as f64 + (row[0].ts.nanos() % 1_000_000) as f64 / 1e6).collect();
            assert_eq!(
                numbers(&trace["times"]),
                times.into_iter().map(Some).collect::<Vec<_>>(),
                "{table} {from} {to}"
            );
            assert_columns(&trace, &names, &inside, true);
        }
        Some(seconds) => {
            let bins = binned(&rows, (seconds * 1e3) as i64, (from, to));
            let times: Vec<Option<f64>> = bins.keys().map(|ms| Some(*ms as f64)).collect();
            assert_eq!(numbers(&trace["times"]), times, "{table} {from} {to} by {seconds} s");
            let counts: Vec<Option<f64>> = bins.values().map(|rows| Some(rows.len() as f64)).collect();
            assert_eq!(numbers(&trace["rows"]), counts, "{table} {from} {to} by {seconds} s");
            assert_columns(&trace, &names, &bins.into_values().collect::<Vec<_>>(), false);
        }
    }
    assert_ribbon(
        summaries,
        &reader,
        &names,
        &rows,
        &RibbonRequest { table: table.to_owned(), from, to, bins: points, tags: tags.to_vec() },
    );
}

fn rows(tower: &Station, table: &str, tags: &str, width: usize) -> Vec<Row> {
    let conn = tower.database();
    let mut statement = conn
        .prepare(
            "SELECT (r.id & 4503599627370495) * 1000 + r.nanos, r.vals, r.flags FROM reading r JOIN series s ON s.id = (r.id >> 52) & 4095
             JOIN logger_table t ON t.id = s.logger_table WHERE t.name = ?1 AND s.tags = ?2 ORDER BY 1",
        )
        .unwrap();
    let rows = statement.query_map([table, tags], |row| {
        let (ts, values, flags): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let values: Vec<Box<RawValue>> = serde_json::from_str(&values).unwrap();
        let cell = |place: usize| {
            let number = values.get(place).and_then(|value| value.get().parse::<f64>().ok());
            (number, flags.chars().nth(place).unwrap_or(' '))
        };
        Ok(Row { ms: ts.div_euclid(1_000_000), ts: Timestamp::from_nanos(ts), cells: (0..width).map(cell).collect() })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Every row of every bin that the stretch touches.
fn binned(rows: &[Row], width: i64, (from, to): (Timestamp, Timestamp)) -> BTreeMap<i64, Vec<&Row>> {
    let bin = |ms: i64| ms.div_euclid(width) * width;
    let (first, last) = (bin(from.millis()), bin(to.millis()));
    let mut bins: BTreeMap<i64, Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| (first..=last).contains(&bin(row.ms))) {
        bins.entry(bin(row.ms)).or_default().push(row);
    }
    bins
}

fn numbers(list: &Value) -> Vec<Option<f64>> {
    list.as_array().unwrap().iter().map(Value::as_f64).collect()
}

fn seven(value: f64) -> Option<f64> {
    value.is_finite().then(|| format!("{value:.6e}").parse().unwrap())
}

fn assert_columns(trace: &Value, names: &[String], groups: &[Vec<&Row>], is_raw: bool) {
    for column in trace["columns"].as_array().unwrap() {
        let name = column["name"].as_str().unwrap();
        let place = names.iter().position(|known| known == name).unwrap();
        let (mut value, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new());
        let (mut suspect, mut fail, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        let mut flags = String::new();
        for (at, group) in groups.iter().enumerate() {
            let of = |digits: &str| -> Vec<f64> {
                let cells = group.iter().map(|row| row.cells[place]);
                cells.filter(|cell| digits.contains(cell.1)).filter_map(|cell| cell.0).collect()
            };
            let count = |digit: char| group.iter().filter(|row| row.cells[place].1 == digit).count();
            let good = of("123");
            value.push((put_together(column, &good), good.iter().copied().map(f64::abs).fold(0.0, f64::max)));
            let least = |list: &[f64]| seven(list.iter().copied().fold(f64::INFINITY, f64::min));
            let greatest = |list: &[f64]| seven(list.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            low.push(least(&good));
            high.push(greatest(&good));
            flags.push("43921".chars().find(|digit| count(*digit) > 0).unwrap_or(' '));
            for (digit, list) in [('3', &mut suspect), ('4', &mut fail)] {
                if count(digit) > 0 {
                    let values = of(&digit.to_string());
                    list.push(serde_json::json!([at, least(&values), greatest(&values), count(digit)]));
                }
            }
            if count('9') > 0 {
                missing.push(serde_json::json!([at, count('9')]));
            }
        }
        assert_eq!(column["flags"], flags, "{name}: {trace}");
        // Increments depend on rows outside of the bin: `summary::kinds` counts them.
        if column["together"] == "increment" {
            continue;
        }
        for (said, (wanted, largest)) in numbers(&column["value"]).iter().zip(&value) {
            let is_near = match (said, wanted) {
                (Some(said), Some(wanted)) if is_raw => Some(*said) == seven(*wanted),
                // Sums of another order differ in the last places of the largest.
                (Some(said), Some(wanted)) if column["together"] == "vector mean" => {
                    ((said - wanted + 180.0).rem_euclid(360.0) - 180.0).abs() < 1e-4 && *said < 360.0
                }
                (Some(said), Some(wanted)) => {
                    (said - wanted).abs() <= 1e-6 * said.abs().max(wanted.abs()) + 1e-12 * largest
                }
                (said, wanted) => said.is_none() && wanted.is_none(),
            };
            assert!(is_near, "{name}: {said:?} for {wanted:?}");
        }
        assert_eq!(column["value"].as_array().unwrap().len(), groups.len());
        if is_raw || column["has_band"] == false {
            assert!(column["low"].is_null() && column["high"].is_null());
        } else {
            assert_eq!(list(&column["low"]), low, "least of {name}");
            assert_eq!(list(&column["high"]), high, "greatest of {name}");
        }
        for (key, wanted) in [("suspect", suspect), ("fail", fail), ("missing", missing)] {
            let floats = |list: &[Value]| -> Vec<Vec<Option<f64>>> { list.iter().map(numbers).collect() };
            assert_eq!(floats(column[key].as_array().unwrap()), floats(&wanted), "{key} of {name}");
        }
    }
}

/// The value of these values by what the answer says of its column.
fn put_together(column: &Value, values: &[f64]) -> Option<f64> {
    let count = values.len() as f64;
    let newest = *values.last()?;
    let mean = |of: fn(f64) -> f64| values.iter().copied().map(of).sum::<f64>() / count;
    Some(match column["together"].as_str().unwrap() {
        "mean" => mean(|value| value),
        "sum" => values.iter().sum(),
        "maximum" => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "minimum" => values.iter().copied().fold(f64::INFINITY, f64::min),
        "root mean square" => mean(|value| value * value).sqrt(),
        "newest value" | "increment" => newest,
        "vector mean" => {
            let (east, north) = (mean(|value| value.to_radians().sin()), mean(|value| value.to_radians().cos()));
            if values.len() == 1 { newest } else { east.atan2(north).to_degrees().rem_euclid(360.0) }
        }
        other => panic!("{other}"),
    })
}

fn list(value: &Value) -> Vec<Option<f64>> {
    numbers(value)
}

fn assert_ribbon(summaries: &Summaries, reader: &Store, names: &[String], rows: &[Row], request: &RibbonRequest) {
    let ribbon = serde_json::to_value(summaries.ribbon(reader, request).unwrap()).unwrap();
    let width = (ribbon["bin_s"].as_f64().unwrap() * 1e3) as i64;
    let bins = binned(rows, width, (request.from, request.to));
    let times: Vec<i64> = numbers(&ribbon["times"]).into_iter().map(|ms| ms.unwrap() as i64).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == width) && times.iter().all(|ms| ms % width == 0));
    let none = Vec::new();
    let groups: Vec<&Vec<&Row>> = times.iter().map(|ms| bins.get(ms).unwrap_or(&none)).collect();
    assert_eq!(groups.iter().map(|group| group.len()).sum::<usize>(), bins.values().map(Vec::len).sum::<usize>());
    for (place, name) in names.iter().enumerate() {
        let column = &ribbon["columns"][place];
        assert_eq!(column["name"], *name);
        for (key, digit) in [("good", '1'), ("not_evaluated", '2'), ("suspect", '3'), ("fail", '4'), ("missing", '9')] {
            let count = groups.iter().flat_map(|group| group.iter()).filter(|row| row.cells[place].1 == digit).count();
            assert_eq!(column[key].as_u64(), Some(count as u64), "{key} of {name}");
        }
        let worst = |group: &&Vec<&Row>| {
            "43921".chars().find(|digit| group.iter().any(|row| row.cells[place].1 == *digit)).unwrap_or(' ')
        };
        assert_eq!(column["flags"].as_str().unwrap(), groups.iter().map(worst).collect::<String>(), "{name}");
    }
}
