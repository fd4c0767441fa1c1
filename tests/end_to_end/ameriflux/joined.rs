//! What becomes one file: tables of loggers with other clocks, columns and tables that were renamed, half hours with pauses.

use super::{AMERIFLUX, export, file};
use crate::support::Station;

/// A table, with a column of a variable.
fn section(name: &str, keys: &str, column: &str, variable: &str) -> String {
    format!("name = \"{name}\"\nfiles = [\"{name}*.dat\"]\n{keys}\n[table.columns.{column}]\nvariable = \"{variable}\"")
}

fn tenths(row: i64, _: usize) -> String {
    format!("1.{row:02}")
}

#[test]
fn the_file_is_in_the_stations_standard_time_whatever_clocks_its_loggers_have_and_in_whatever_order_they_stand() {
    let utc = section("flux", "utc_offset = \"+00:00\"", "T", "TA_1_1_1");
    let met = section("met", "", "T", "TA_1_2_1");
    let expected = |first: &str, second: &str| {
        format!(
            "TIMESTAMP_START,TIMESTAMP_END,{first},{second}\n202506010000,202506010030,1.00,1.00\n\
             202506010030,202506010100,1.01,1.01\n"
        )
    };
    for (one, other, names) in [(&utc, &met, ["TA_1_1_1", "TA_1_2_1"]), (&met, &utc, ["TA_1_2_1", "TA_1_1_1"])] {
        let tower = Station::new().table(one).more(&format!("[[table]]\n{other}"));
        tower.write("flux.dat", file(&[("T", "Deg C")], ("2025-06-01 05:30", "2025-06-01 06:00"), 30, tenths));
        tower.write("met.dat", file(&[("T", "Deg C")], ("2025-06-01 00:30", "2025-06-01 01:00"), 30, tenths));
        let _ = tower.run(&["ingest"]).works();
        assert_eq!(tower.run(&AMERIFLUX).expect(0).stdout, expected(names[0], names[1]));
        // The window and the stamps of a plain export are station time as well.
        let rows = tower.run(&["export", "--table", "flux", "--since", "2025-06-01 01:00"]).expect(0).stdout;
        assert_eq!(rows, "TIMESTAMP,RECORD,T\n2025-06-01 01:00:00,1,1.01\n");
    }
    let alone = Station::new().clock("timezone = \"America/Detroit\"").table(&utc);
    alone.write("flux.dat", file(&[("T", "Deg C")], ("2025-06-01 05:30", "2025-06-01 06:00"), 30, tenths));
    let _ = alone.run(&["ingest"]).works();
    let csv = alone.run(&AMERIFLUX).expect(0).stdout;
    assert!(csv.contains("\n202506010000,202506010030,1.00\n"), "standard time in summer: {csv}");
}

#[test]
fn coverage_counts_the_half_hours_of_a_month_in_the_stations_time_for_a_logger_in_utc() {
    let tower = Station::new().table(&section("flux", "utc_offset = \"+00:00\"", "T", "TA"));
    tower.write("flux.dat", file(&[("T", "Deg C")], ("2025-02-01 05:30", "2025-03-01 05:00"), 30, tenths));
    let _ = tower.run(&["ingest"]).works();
    let coverage = tower.run_json(&["export", "--coverage"]).expect(0).json();
    let february = coverage["variables"][0]["years"][0]["months"].as_array().unwrap();
    let february = february.iter().find(|month| month["month"] == 2).unwrap();
    assert_eq!((&february["half_hours"], &february["present"]), (&1_344.into(), &1_344.into()), "{coverage}");
}

#[test]
fn a_column_that_was_renamed_is_one_column_of_the_file_and_a_former_name_without_a_variable_is_named() {
    let tower = Station::new().table(&section("met", "", "Temp_C", "TA"));
    tower.write(
        "met_1.dat",
        file(&[("AirTC", "Deg C"), ("RH", "%")], ("2025-06-01 00:30", "2025-06-01 01:00"), 30, tenths),
    );
    tower.write(
        "met_2.dat",
        file(&[("Temp_C", "Deg C"), ("RH", "%")], ("2025-06-01 01:30", "2025-06-01 02:00"), 30, tenths),
    );
    let _ = tower.run(&["ingest"]);
    let half = tower.run(&AMERIFLUX).expect(0);
    assert!(half.stdout.contains("\n202506010000,202506010030,-9999\n"), "{}", half.stdout);
    let said = "column Temp_C has no values from 2025-06-01 00:30:00 to 2025-06-01 01:00:00, when the logger wrote AirTC in its place";
    assert!(half.stderr.contains(said), "{}", half.stderr);
    tower.add_to_config("[table.columns.AirTC]\nvariable = \"TA_1_1_1\"");
    let _ = tower.run(&["ingest"]);
    let whole = tower.run(&AMERIFLUX).expect(0);
    assert_eq!(
        whole.stdout,
        "TIMESTAMP_START,TIMESTAMP_END,TA_1_1_1\n202506010000,202506010030,1.00\n202506010030,202506010100,1.01\n\
         202506010100,202506010130,1.00\n202506010130,202506010200,1.01\n"
    );
    assert!(whole.stderr.contains("are one column of the file, TA_1_1_1") && !whole.stderr.contains("in its place"));
    let status = tower.run_json(&["status"]).json();
    let kinds: Vec<&str> =
        status["findings"].as_array().unwrap().iter().filter_map(|finding| finding["kind"].as_str()).collect();
    assert!(!kinds.contains(&"column_gone"), "its variable goes on: {status}");
}

#[test]
fn a_table_that_was_renamed_goes_on_in_its_columns_and_two_sensors_at_one_time_are_refused_with_that_time() {
    let columns = [("T", "Deg C")];
    let tower = Station::new()
        .table(&section("old", "", "T", "TA"))
        .more(&format!("[[table]]\n{}", section("new", "", "T", "TA")));
    tower.write("old.dat", file(&columns, ("2025-06-01 00:30", "2025-06-01 01:00"), 30, tenths));
    tower.write("new.dat", file(&columns, ("2025-06-01 01:30", "2025-06-01 02:00"), 30, tenths));
    let _ = tower.run(&["ingest"]).works();
    let csv = tower.run(&AMERIFLUX).expect(0).stdout;
    assert_eq!(csv.lines().next(), Some("TIMESTAMP_START,TIMESTAMP_END,TA"));
    assert!(!csv.contains("-9999"), "{csv}");
    tower.write("old.dat", file(&columns, ("2025-06-01 00:30", "2025-06-01 01:30"), 30, tenths));
    let _ = tower.run(&["ingest"]).works();
    let _ = tower.run(&AMERIFLUX).expect(2).says("with a value each at 2025-06-01 01:30:00");
}

#[test]
fn half_hours_that_are_made_are_half_hours_however_long_the_pauses_between_them_are() {
    let tower = Station::new().table(&section("met", "aggregate = \"30m\"", "T", "TA"));
    let mut text = String::new();
    for hour in ["00", "03", "06"] {
        let span = (format!("2025-06-01 {hour}:10"), format!("2025-06-01 {hour}:30"));
        let part = file(&[("T", "Deg C")], (&span.0, &span.1), 10, tenths);
        text += if text.is_empty() { &part } else { part.split_once("\"Avg\"\r\n").unwrap().1 };
    }
    tower.write("met.dat", text);
    let _ = tower.run(&["ingest"]);
    let csv = tower.run(&AMERIFLUX).expect(0).stdout;
    assert_eq!(csv.lines().count(), 14, "{csv}");
    assert!(csv.contains("\n202506010000,202506010030,1.01\n202506010030,202506010100,-9999\n"), "{csv}");
    assert!(csv.ends_with("\n202506010600,202506010630,1.01\n"), "{csv}");
    // Other windows are none of AmeriFlux's, and the advice names the table that the user can change.
    tower.replace_in_config("\"30m\"", "\"10m\"");
    let _ = tower.run(&["ingest"]);
    let refused = tower.run(&export(&["--table", "met_10m"])).expect(2);
    assert!(refused.stderr.contains("write aggregate = \"30m\" in table \"met\""), "{}", refused.stderr);
}

#[test]
fn a_column_in_a_unit_that_is_not_known_is_no_column_of_the_file() {
    let tower = Station::new()
        .table("name = \"met\"\nfiles = [\"met.dat\"]\n[table.columns.C]\nvariable = \"CO2\"\n[table.columns.T]\nvariable = \"TA\"");
    let span = ("2025-06-01 00:30", "2025-06-01 01:00");
    tower.write("met.dat", file(&[("C", "counts"), ("T", "Deg C")], span, 30, tenths));
    let _ = tower.run(&["ingest"]);
    let exported = tower.run(&AMERIFLUX).expect(0);
    assert!(exported.stdout.starts_with("TIMESTAMP_START,TIMESTAMP_END,TA\n"), "{}", exported.stdout);
    assert!(exported.stderr.contains("column C is left out: the header says \"counts\""), "{}", exported.stderr);
    // Where nothing else is there, there is no file.
    let _ = tower.run(&export(&["--table", "met", "--columns", "C"])).expect(2).says("column C is left out");
}

#[test]
fn hours_that_are_made_of_half_hours_take_no_half_hour_out_of_the_file() {
    for every in ["1h", "15m"] {
        let tower = Station::new()
            .table(&section("flux", "", "Fc", "FC"))
            .more(&format!("[[table]]\n{}", section("met", &format!("aggregate = \"{every}\""), "T", "TA")));
        let times = ("2025-06-01 00:30", "2025-06-01 02:00");
        tower.write("flux.dat", file(&[("Fc", "umol m-2 s-1")], times, 30, tenths));
        tower.write("met.dat", file(&[("T", "Deg C")], times, 30, tenths));
        let _ = tower.run(&["ingest"]);
        let ended = tower.run(&AMERIFLUX).expect(0);
        assert!(ended.stdout.starts_with("TIMESTAMP_START,TIMESTAMP_END,FC,TA\n202506010000,202506010030,1.00,1.00\n"));
        let is_named = ended.stderr.contains("met");
        assert_eq!(is_named, every == "15m", "rows of 15 minutes are none of AmeriFlux's: {}", ended.stderr);
        if every == "1h" {
            let hourly = tower.run(&[&AMERIFLUX[..], &["--resolution", "HR"]].concat());
            assert!(
                hourly.stdout.starts_with("TIMESTAMP_START,TIMESTAMP_END,TA\n"),
                "{}{}",
                hourly.stdout,
                hourly.stderr
            );
        }
    }
}
