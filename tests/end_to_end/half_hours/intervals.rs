//! Half hours of rows that do not divide them, of rows that came in another order, and of the first rows of a station.

use super::*;
use crate::support::dice::Dice;

/// Rows of these minutes of 1 June, with one column.
fn rows(minutes: impl Iterator<Item = i64>, value: impl Fn(i64) -> String) -> BTreeMap<NaiveDateTime, Vec<String>> {
    minutes.map(|minute| (day(1) + TimeDelta::minutes(minute), vec![value(minute)])).collect()
}

fn findings(station: &Station) -> Vec<String> {
    let status = station.run_json(&["status"]).json();
    let kind = |finding: &Value| finding["kind"].as_str().unwrap().to_owned();
    status["findings"].as_array().unwrap().iter().map(kind).collect()
}

/// Value and flag of a column of each half hour.
fn column(station: &Station, name: &str) -> Vec<(Value, char)> {
    rows_of(station, MADE).into_values().map(|mut cells| cells.remove(name).unwrap()).collect()
}

fn below(dice: &mut Dice, limit: usize) -> usize {
    usize::try_from(dice.below(limit as u64)).unwrap()
}

#[test]
fn rows_that_do_not_divide_a_half_hour_make_no_value_and_a_finding_says_so() {
    let rain = [["Rain_Tot", "mm", "Tot"]];
    for step in [20_i64, 60, 7, 45] {
        let station = station("");
        station.write("met.dat", file(&rain, &rows((1..=30).map(|row| row * step), |_| "2".to_owned())));
        station.run(&["ingest"]).works();
        let values = column(&station, "Rain_Tot");
        assert!(!values.is_empty() && values.iter().all(|(value, flag)| value.is_null() && *flag == '9'), "{values:?}");
        assert!(column(&station, "Rain_Tot_coverage").iter().all(|(share, _)| share.is_null()), "{step}");
        assert!(findings(&station).contains(&"windows_unfit".to_owned()), "{step}");
    }
    for step in [1_i64, 2, 5, 6, 10, 15, 30] {
        let station = station("");
        station.write("met.dat", file(&rain, &rows((1..=300 / step).map(|row| row * step), |_| "2".to_owned())));
        station.run(&["ingest"]).works();
        let values = column(&station, "Rain_Tot");
        let expected = 60.0 / step as f64;
        assert!(
            values.iter().all(|(value, flag)| value.as_f64() == Some(expected) && *flag == '2'),
            "{step}: {values:?}"
        );
        assert!(!findings(&station).contains(&"windows_unfit".to_owned()), "{step}");
    }
}

#[test]
fn the_first_half_hours_of_a_station_are_not_suspect_when_their_rows_are_all_there() {
    let temperature = [["T", "Deg C", "Avg"]];
    for step in [10_i64, 15] {
        let station = station("[table.columns.T]\nfail = [-40, 50]");
        // Collected every half hour, from the first one on.
        for half_hours in 1..=4 {
            let all = rows((1..=half_hours * 30 / step).map(|row| row * step), |minute| format!("{}", minute % 7));
            station.write("met.dat", file(&temperature, &all));
            station.run(&["ingest"]).works();
        }
        let flags: String = column(&station, "T").into_iter().map(|(_, flag)| flag).collect();
        assert_eq!(flags, "1111", "{step}");
        is_as_if_made_anew(&station);
    }
}

#[test]
fn i11_half_hours_are_the_same_in_whatever_order_their_rows_came() {
    let temperature = [["T", "Deg C", "Avg"]];
    let keys = "[table.columns.T]\nfail = [-40, 50]";
    for seed in 0..24 {
        let mut dice = Dice(seed * 7 + 1);
        let minutes: Vec<i64> = (1..=60).map(|row| row * 10).filter(|_| dice.below(5) > 0).collect();
        let all = rows(minutes.iter().copied(), |minute| format!("{}", minute % 23));
        let together = station(keys);
        together.write("met.dat", file(&temperature, &all));
        together.run(&["ingest"]).works();
        let apart = station(keys);
        let mut pieces: Vec<&[i64]> = minutes.chunks(1 + below(&mut dice, 9)).collect();
        while !pieces.is_empty() {
            let piece = pieces.swap_remove(below(&mut dice, pieces.len()));
            let piece = rows(piece.iter().copied(), |minute| format!("{}", minute % 23));
            apart.write("met.dat", file(&temperature, &piece));
            apart.run(&["ingest"]).works();
        }
        is_as_if_made_anew(&apart);
        let differ = differences(&apart.rows(MADE), &together.rows(MADE));
        assert!(differ.is_empty(), "{seed}: {differ:?}");
    }
}

#[test]
fn a_counter_counts_from_the_reading_at_the_beginning_of_a_half_hour_although_the_rows_behind_it_are_missing() {
    let bucket = [["Rain", "mm", "Smp"]];
    let station = station("[table.columns.Rain]\nkind = \"counter\"");
    let minutes = (1..=60).map(|row| row * 2).filter(|minute| !matches!(minute, 32 | 34));
    station.write("met.dat", file(&bucket, &rows(minutes, |minute| format!("{:.1}", minute as f64 / 10.0))));
    station.run(&["ingest"]).works();
    let sums: Vec<Option<f64>> = column(&station, "Rain").into_iter().map(|(value, _)| value.as_f64()).collect();
    assert_eq!(sums[1..], [Some(3.0), Some(3.0), Some(3.0)]);
}

#[test]
fn a_column_of_texts_is_the_newest_text_of_a_half_hour_with_the_number_of_its_rows() {
    let columns = [["T", "Deg C", "Avg"], ["Mode", "", "Smp"]];
    let station = station("");
    let row = |minute: i64| {
        let mode = if minute < 50 { "\"auto\"" } else { "\"manual\"" };
        (day(1) + TimeDelta::minutes(minute), vec!["20".to_owned(), mode.to_owned()])
    };
    station.write("met.dat", file(&columns, &(1..=60).map(row).collect()));
    let _ = station.run(&["run"]);
    let texts: Vec<(Value, char)> = column(&station, "Mode");
    assert_eq!(texts, [(Value::from("auto"), '2'), (Value::from("manual"), '2')]);
    assert!(column(&station, "Mode_samples").iter().all(|(count, _)| *count == 30));
    let line = std::fs::read_dir(station.path("outbox"))
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let lines: String = line.collect();
    assert!(lines.contains("T=20") && !lines.contains("Mode_qc"), "{lines}");
}

/// The minutes of rows of a minute for two hours, and of rows of `step` minutes from then on.
fn with_another_interval(step: i64) -> Vec<i64> {
    (1..=120).chain((1..=480 / step).map(|row| 120 + row * step)).collect()
}

#[test]
fn i11_no_half_hour_behind_a_change_of_the_loggers_interval_lacks_its_value_however_its_rows_came() {
    let rain = [["Rain_Tot", "mm", "Tot"]];
    for step in [5_i64, 10, 15] {
        let minutes = with_another_interval(step);
        let value = |minute: i64| if minute <= 120 { "0.1".to_owned() } else { format!("{:.1}", step as f64 / 10.0) };
        let together = station("");
        together.write("met.dat", file(&rain, &rows(minutes.iter().copied(), value)));
        together.run(&["ingest"]).works();
        let sums: Vec<(Option<f64>, char)> =
            column(&together, "Rain_Tot").into_iter().map(|(value, flag)| (value.as_f64(), flag)).collect();
        assert_eq!(sums, [(Some(3.0), '2'); 20], "{step}");
        assert!(column(&together, "Rain_Tot_coverage").iter().all(|(share, _)| share.as_f64() == Some(100.0)));
        is_as_if_made_anew(&together);
        // As a logger writes them, half hour by half hour, and in any order.
        let mut dice = Dice(step.unsigned_abs());
        for is_in_order in [true, false] {
            let apart = station("");
            let mut pieces: Vec<&[i64]> = minutes.chunk_by(|one, next| (one - 1) / 30 == (next - 1) / 30).collect();
            pieces.reverse();
            while !pieces.is_empty() {
                let piece = if is_in_order { pieces.len() - 1 } else { below(&mut dice, pieces.len()) };
                let piece = pieces.remove(piece);
                apart.write("met.dat", file(&rain, &rows(piece.iter().copied(), value)));
                apart.run(&["ingest"]).works();
            }
            let differ = differences(&apart.rows(MADE), &together.rows(MADE));
            assert!(differ.is_empty(), "{step} {is_in_order}: {differ:?}");
            is_as_if_made_anew(&apart);
        }
    }
}

#[test]
fn i11_rows_that_come_in_step_behind_rows_at_no_interval_take_no_value_from_earlier_half_hours() {
    let mut dice = Dice(11);
    let mut minute = 0;
    let minutes = std::iter::from_fn(|| {
        minute += 3 + below(&mut dice, 9) as i64;
        Some(minute)
    });
    let mut minutes: Vec<i64> = minutes.take_while(|minute| *minute < 1_440).collect();
    let station = station("");
    let temperature = [["T", "Deg C", "Avg"]];
    let write = |minutes: &[i64]| {
        station.write("met.dat", file(&temperature, &rows(minutes.iter().copied(), |_| "20".to_owned())));
        station.run(&["ingest"]).works();
        column(&station, "T")
    };
    let before = write(&minutes);
    assert!(before.iter().all(|(value, _)| *value == 20), "{before:?}");
    minutes.extend(1_441..1_450);
    assert_eq!(write(&minutes)[..before.len() - 1], before[..before.len() - 1]);
    is_as_if_made_anew(&station);
}

#[test]
fn rows_of_a_half_hour_that_are_a_quarter_of_an_hour_apart_are_of_a_new_interval_only_if_the_next_ones_are_too() {
    let temperature = [["T", "Deg C", "Avg"]];
    let keys = "[table.columns.T]\nfail = [-40, 50]";
    let of = |minutes: &[i64]| {
        let station = station(keys);
        station.write("met.dat", file(&temperature, &rows(minutes.iter().copied(), |_| "20".to_owned())));
        station.run(&["ingest"]).works();
        column(&station, "T")[4].clone()
    };
    // Nothing came behind them: which interval it is is not known.
    let few: Vec<i64> = (1..=120).chain([135, 150]).collect();
    assert_eq!(of(&few), (Value::from(20), '3'));
    let new = with_another_interval(15);
    assert_eq!(of(&new), (Value::from(20), '1'));
    // The others of that half hour are missing.
    let lost: Vec<i64> = (1..=120).chain([135, 150]).chain(151..=200).collect();
    assert_eq!(of(&lost), (Value::Null, '9'));
}

#[test]
fn a_counters_half_hour_that_begins_behind_a_gap_lacks_what_was_counted_there_and_says_so() {
    let bucket = [["Rain", "mm", "Smp"]];
    let station = station("[table.columns.Rain]\nkind = \"counter\"\nvariable = \"P\"");
    let reading = |minute: i64| match minute {
        60 => "\"NAN\"".to_owned(),
        minute if minute < 60 => format!("{:.3}", 7.9 + minute as f64 / 1000.0),
        minute => format!("{:.3}", 9.9 + minute as f64 / 1000.0),
    };
    station.write("met.dat", file(&bucket, &rows((1..=24).map(|row| row * 5), reading)));
    station.run(&["ingest"]).works();
    let texts: Vec<String> = station.rows(MADE).into_iter().map(|row| row.vals).collect();
    // Without the reading before the first row, and before that behind the missing one, an increment of the six is not known. The
    // numbers are those that the decimals of the readings give.
    let expected = ["[0.025,5,83.33]", "[0.025,5,83.33]", "[0.025,5,83.33]", "[0.03,6,100]"];
    assert_eq!(texts, expected);
    let flags: String = column(&station, "Rain").into_iter().map(|(_, flag)| flag).collect();
    assert_eq!(flags, "3331");
}
