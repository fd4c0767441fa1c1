//! The values, held against a calculation that reads the lines of the file and nothing of the program.

use super::*;
use crate::support::dice::Dice;

const COLUMNS: [[&str; 3]; 13] = [
    ["AirTC_Avg", "Deg C", "Avg"],
    ["AirTC_Std", "Deg C", "Std"],
    ["AirTC_Max", "Deg C", "Max"],
    ["AirTC_TMx", "", "TMx"],
    ["RH_Min", "%", "Min"],
    ["Rain_mm_Tot", "mm", "Tot"],
    ["WS_S_WVT", "m/s", "WVc"],
    ["WS_D1_WVT", "Deg", "WVc"],
    ["Uz_Avg", "m/s", "Avg"],
    ["cov_Uz_AirTC", "", "Cov"],
    ["Acc", "mm", "Smp"],
    ["diag", "", "Smp"],
    ["Note", "", "Smp"],
];
const KEYS: &str = "missing = [7999]\n[table.columns.AirTC_Avg]\nvariable = \"TA\"\n[table.columns.Rain_mm_Tot]\nvariable = \"P\"\n\
    fail = [0, 3]\n[table.columns.Acc]\nkind = \"counter\"\n[table.columns.diag]\nkind = \"code\"";

/// Thirty days of one-minute rows with gaps, missing values and values that fail.
fn minutes() -> BTreeMap<NaiveDateTime, Vec<String>> {
    let mut dice = Dice(31);
    let mut rows = BTreeMap::new();
    let (mut off, mut total) = (0, 0.0);
    for minute in 1..=30 * 1440 {
        let at = day(1) + TimeDelta::minutes(minute);
        let mut part = |range: f64| dice.below(1_000_000) as f64 / 1e6 * range;
        let phase = minute as f64 / 220.0;
        let rain = if part(1.0) < 0.05 { part(2.0) } else { 0.0 };
        total += rain;
        if part(1.0) < 0.00005 {
            total = 0.0;
        }
        let temperature = 15.0 + 8.0 * phase.sin() + part(1.0);
        let mut values = vec![
            format!("{temperature:.4}"),
            format!("{:.5}", 0.1 + part(0.5)),
            format!("{:.3}", temperature + part(2.0)),
            format!("\"{}\"", (at - TimeDelta::seconds(part(60.0) as i64)).format("%Y-%m-%d %H:%M:%S")),
            format!("{:.2}", 60.0 + part(30.0)),
            format!("{rain:.3}"),
            format!("{:.3}", part(9.0)),
            format!("{:.2}", (355.0 + 20.0 * phase.cos() + part(30.0)).rem_euclid(360.0)),
            format!("{:.6}", part(0.4) - 0.2),
            format!("{:.7}", part(0.2) - 0.1),
            format!("{total:.3}"),
            format!("{}", 1_u64 << dice.below(6)),
            format!("\"note {}\"", dice.below(9)),
        ];
        if off == 0 && dice.below(300) == 0 {
            let longest = if dice.below(10) == 0 { 400 } else { 25 };
            off = 1 + dice.below(longest);
        }
        let bad = if at.hour().is_multiple_of(5) { 4 } else { 60 };
        for value in &mut values[..11] {
            match dice.below(bad * 4) {
                0 => "\"NAN\"".clone_into(value),
                1 => "7999".clone_into(value),
                _ => {}
            }
        }
        if dice.below(bad) == 0 {
            "99.9".clone_into(&mut values[0]);
        }
        if off > 0 {
            off -= 1;
            continue;
        }
        rows.insert(at, values);
    }
    rows
}

/// A sample that counts: None where it is missing or fails.
fn counted(values: &[String], place: usize) -> Option<f64> {
    let value: f64 = values[place].parse().ok()?;
    let fails = match place {
        0 => !(-60.0..=60.0).contains(&value),
        5 => !(0.0..=3.0).contains(&value),
        _ => false,
    };
    (value != 7999.0 && !fails).then_some(value)
}

/// What a column of a half hour is, in two passes over its samples, and of how many samples.
fn expected(
    place: usize,
    samples: &[(NaiveDateTime, &Vec<String>)],
    before: Option<&Vec<String>>,
) -> (Option<f64>, usize) {
    let own: Vec<f64> = samples.iter().filter_map(|(_, values)| counted(values, place)).collect();
    let mean = |list: &[f64]| list.iter().sum::<f64>() / list.len() as f64;
    let with = |others: &[usize]| -> Vec<Vec<f64>> {
        let all = |values: &Vec<String>| {
            std::iter::once(place)
                .chain(others.iter().copied())
                .map(|at| counted(values, at))
                .collect::<Option<Vec<f64>>>()
        };
        samples.iter().filter_map(|(_, values)| all(values)).collect()
    };
    if own.is_empty() {
        return (None, 0);
    }
    match place {
        0 | 6 | 8 => (Some(mean(&own)), own.len()),
        2 => (own.iter().copied().reduce(f64::max), own.len()),
        4 => (own.iter().copied().reduce(f64::min), own.len()),
        5 => (Some(own.iter().sum()), own.len()),
        1 => {
            let pairs = with(&[0]);
            let middle = mean(&pairs.iter().map(|pair| pair[1]).collect::<Vec<_>>());
            let squares: Vec<f64> = pairs.iter().map(|pair| pair[0].powi(2) + (pair[1] - middle).powi(2)).collect();
            ((!pairs.is_empty()).then(|| mean(&squares).sqrt()), pairs.len())
        }
        7 => {
            let pairs = with(&[6]);
            let sum = |of: fn(f64) -> f64| pairs.iter().map(|pair| pair[1] * of(pair[0].to_radians())).sum::<f64>();
            let (east, north) = (sum(f64::sin), sum(f64::cos));
            ((!pairs.is_empty()).then(|| east.atan2(north).to_degrees().rem_euclid(360.0)), pairs.len())
        }
        9 => {
            let triples = with(&[8, 0]);
            let column = |at: usize| mean(&triples.iter().map(|triple| triple[at]).collect::<Vec<_>>());
            let (one, other) = (column(1), column(2));
            let parts: Vec<f64> =
                triples.iter().map(|triple| triple[0] + (triple[1] - one) * (triple[2] - other)).collect();
            ((!triples.is_empty()).then(|| mean(&parts)), triples.len())
        }
        10 => {
            let readings: Vec<f64> = before.and_then(|values| counted(values, 10)).into_iter().chain(own).collect();
            let steps =
                readings.windows(2).map(|pair| if pair[1] < pair[0] / 2.0 { pair[1] } else { pair[1] - pair[0] });
            // A reading behind a gap counts nothing: what was counted in the gap is not known.
            ((readings.len() > 1).then(|| steps.sum()), readings.len() - 1)
        }
        11 => (Some(own.iter().fold(0_u64, |bits, value| bits | *value as u64) as f64), own.len()),
        _ => unreachable!(),
    }
}

#[test]
fn half_hours_of_thirty_days_of_minutes_are_those_of_an_independent_calculation() {
    let station = station(KEYS);
    let rows = minutes();
    station.write("met.dat", file(&COLUMNS, &rows));
    let report = station.run_json(&["ingest"]).json();
    let found = rows_of(&station, MADE);
    let mut half_hours: BTreeMap<NaiveDateTime, Vec<(NaiveDateTime, &Vec<String>)>> = BTreeMap::new();
    for (at, values) in &rows {
        half_hours.entry(end_of(*at)).or_default().push((*at, values));
    }
    assert_eq!(report["tables"][1]["made"], found.len(), "{report}");
    assert_eq!(found.keys().collect::<Vec<_>>(), half_hours.keys().collect::<Vec<_>>());
    let (mut compared, mut widest, mut flags) = (0_u64, 0.0_f64, BTreeMap::<char, u64>::new());
    for (end, samples) in &half_hours {
        let made = &found[end];
        for place in [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11] {
            let name = COLUMNS[place][0];
            // The row before the half hour counts where no row is missing behind it, or where it stands at its very begin.
            let (begin, directly) = (*end - TimeDelta::minutes(30), samples[0].0 - TimeDelta::minutes(1));
            let before = rows.get(if directly <= begin { &directly } else { &begin });
            let (value, count) = expected(place, samples, before);
            assert_eq!(made[&format!("{name}_samples")].0, count, "{end} {name}");
            let share = count as f64 / 30.0 * 100.0;
            let coverage = made[&format!("{name}_coverage")].0.as_f64().unwrap();
            assert!(coverage <= share + 1e-9 && share - coverage < 0.01, "{end} {name}: {coverage} for {share}");
            let (cell, flag) = &made[name];
            *flags.entry(*flag).or_default() += 1;
            let Some(value) = value.filter(|_| count >= 15) else {
                assert_eq!((cell, *flag), (&Value::Null, '9'), "{end} {name} of {count}");
                continue;
            };
            let least = if place == 5 || place == 10 { 30 } else { 27 };
            let has_range = matches!(place, 0 | 5);
            let wanted = if count < least {
                '3'
            } else if has_range {
                '1'
            } else {
                '2'
            };
            assert_eq!(*flag, wanted, "{end} {name} of {count}");
            let cell = cell.as_f64().unwrap();
            let apart = if place == 7 { (cell - value + 180.0).rem_euclid(360.0) - 180.0 } else { cell - value };
            let relative = apart.abs() / value.abs().max(1e-9);
            widest = widest.max(relative);
            assert!(relative <= 1e-9, "{end} {name}: {cell} for {value}");
            compared += 1;
        }
        let largest = samples.iter().filter_map(|(_, values)| counted(values, 2).map(|value| (value, &values[3])));
        let largest = largest.fold(None, |best: Option<(f64, &String)>, one| match best {
            Some(best) if best.0 >= one.0 => Some(best),
            _ => Some(one),
        });
        let at = largest
            .filter(|(_, at)| at.starts_with("\"2026"))
            .map_or(Value::Null, |(_, at)| at.trim_matches('"').into());
        if made["AirTC_Max"].1 != '9' {
            assert_eq!(made["AirTC_TMx"].0, at, "{end}");
        }
    }
    println!("{compared} values compared, at most {widest:e} apart; flags {flags:?}");
    assert!(compared > 10_000 && ['1', '2', '3', '9'].iter().all(|flag| flags[flag] > 20), "{flags:?}");
    is_as_if_made_anew(&station);
}
