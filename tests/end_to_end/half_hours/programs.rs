//! The logger's program changes what a column is: each half hour is made as the header of its rows states it.

use super::*;

/// Rows each ten minutes of 1 June, with 1, 2 and 3 in turn.
fn rows(numbers: std::ops::Range<i64>) -> BTreeMap<NaiveDateTime, Vec<String>> {
    let row = |number: i64| (day(1) + TimeDelta::minutes(10 * number), vec![((number - 1) % 3 + 1).to_string()]);
    numbers.map(row).collect()
}

fn part(unit: &str, process: &str, numbers: std::ops::Range<i64>) -> String {
    file(&[["R", unit, process]], &rows(numbers))
}

/// The value of each half hour, and its number of rows. What has no value is missing.
fn made(station: &Station) -> Vec<(Option<f64>, u64)> {
    let row = |row: BTreeMap<String, (Value, char)>| {
        let (value, flag) = &row["R"];
        assert_eq!(value.is_null(), *flag == '9', "{row:?}");
        (value.as_f64(), row["R_samples"].0.as_u64().unwrap())
    };
    rows_of(station, MADE).into_values().map(row).collect()
}

/// Both parts in one file, and the second in a file of its own that overwrites the first.
fn read(keys: &str, first: &str, second: &str) -> Vec<(Option<f64>, u64)> {
    let together = station(keys);
    together.write("met.dat", format!("{first}{second}"));
    together.run(&["ingest"]).works();
    let apart = station(keys);
    for content in [first, second] {
        apart.write("met.dat", content);
        apart.run(&["ingest"]).works();
    }
    assert_eq!(made(&apart), made(&together), "read in two collections");
    is_as_if_made_anew(&apart);
    made(&together)
}

#[test]
fn a_half_hour_goes_by_the_process_that_the_header_of_its_rows_states() {
    let (mean, sum) = ((Some(2.0), 3), (Some(6.0), 3));
    assert_eq!(read("", &part("mm", "Avg", 1..10), &part("mm", "Tot", 10..19)), [mean, mean, mean, sum, sum, sum]);
    assert_eq!(read("", &part("mm", "Tot", 1..10), &part("mm", "Avg", 10..19)), [sum, sum, sum, mean, mean, mean]);
    let kind = "[table.columns.R]\nkind = \"total\"";
    assert_eq!(read(kind, &part("mm", "Avg", 1..4), &part("mm", "Tot", 4..7)), [sum, sum], "the configuration's kind");
}

#[test]
fn a_half_hour_with_rows_of_two_kinds_is_missing() {
    let made = read("", &part("mm", "Avg", 1..9), &part("mm", "Tot", 9..19));
    let (mean, sum) = ((Some(2.0), 3), (Some(6.0), 3));
    assert_eq!(made, [mean, mean, (None, 1), sum, sum, sum]);
}

#[test]
fn a_half_hour_with_rows_of_two_units_is_in_the_unit_of_the_last_row_and_missing_where_none_is_converted() {
    let celsius = |text: &str| (day(1) + TimeDelta::minutes(10), vec![text.to_owned()]);
    let of = |minute: i64, text: &str| (day(1) + TimeDelta::minutes(minute), vec![text.to_owned()]);
    let first = file(&[["R", "Deg C", "Avg"]], &[celsius("20"), of(20, "22")].into());
    let second = file(&[["R", "Deg F", "Avg"]], &[of(30, "69.8"), of(40, "68"), of(50, "68"), of(60, "68")].into());
    let made = read("[table.columns.R]\nvariable = \"TA\"", &first, &second);
    // 20, 22 and 21 degrees Celsius.
    assert!((made[0].0.unwrap() - 69.8).abs() < 1e-9 && made[0].1 == 3, "{made:?}");
    assert_eq!(made[1], (Some(68.0), 3));
    let made = read("", &part("mV", "Avg", 1..3), &part("kPa", "Avg", 3..7));
    assert_eq!(made, [(None, 1), (Some(2.0), 3)]);
    // The spread of temperatures has no zero of its own.
    let made = read("", &part("Deg C", "Std", 1..3), &part("Deg F", "Std", 3..4));
    let wanted = ((1.8_f64.powi(2) + 3.6_f64.powi(2) + 9.0) / 3.0).sqrt();
    assert!((made[0].0.unwrap() - wanted).abs() < 1e-9, "{made:?}");
}

#[test]
fn a_counter_whose_unit_changes_goes_on() {
    let row = |number: i64, reading: f64| (day(1) + TimeDelta::minutes(10 * number), vec![format!("{reading:.2}")]);
    let first = file(&[["R", "mm", "Smp"]], &(1..=9).map(|number| row(number, 254.0 + 2.54 * number as f64)).collect());
    let second =
        file(&[["R", "inches", "Smp"]], &(10..=18).map(|number| row(number, 10.0 + 0.1 * number as f64)).collect());
    let made = read("[table.columns.R]\nkind = \"counter\"", &first, &second);
    // 254 and 22.86 mm are 10.9 inches.
    assert!((made[3].0.unwrap() - 0.3).abs() < 1e-9 && made[3].1 == 3, "{made:?}");
}

#[test]
fn the_dashboard_draws_a_column_as_its_newest_rows_state_it() {
    let station = station("");
    station.write("met.dat", part("mm", "Avg", 1..10) + &part("mm", "Tot", 10..19));
    station.run(&["ingest"]).works();
    let text = station.run(&["dashboard", "--grafana", "--language", "influxql"]).works().stdout;
    assert!(text.contains(r#"sum(\"R\")"#) && !text.contains(r#"mean(\"R\")"#), "{text}");
}
