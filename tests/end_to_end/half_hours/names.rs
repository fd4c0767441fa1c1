//! Columns whose kind their name and unit say: directions under any name, and rain and extremes of files that state no
//! process.

use super::*;

/// What the first half hour of each column is.
fn first_half_hour(station: &Station) -> BTreeMap<String, Value> {
    station.run_json(&["ingest"]).works();
    let rows = rows_of(station, MADE);
    let (_, first) = rows.into_iter().next().unwrap();
    first.into_iter().map(|(name, (value, _))| (name, value)).collect()
}

/// Rows of ten minutes with these values.
fn text_table(names: &str, rows: &[&str]) -> String {
    let mut text = format!("time,{names}\n");
    for (row, values) in rows.iter().enumerate() {
        let at = day(1) + TimeDelta::minutes(10 * (row as i64 + 1));
        writeln!(text, "{},{values}", at.format("%Y-%m-%d %H:%M:%S")).unwrap();
    }
    text
}

fn station_of_text(keys: &str) -> Station {
    Station::new()
        .table("name = \"met\"\nfiles = [\"met.csv\"]\nformat = \"csv\"\ntime_column = \"time\"")
        .table_keys(&format!("aggregate = \"30m\"\n[table.csv]\nnames_line = 1\n{keys}"))
}

#[test]
fn wind_from_the_north_is_north_under_every_name_of_a_direction_in_degrees() {
    let names =
        ["MetSENS_WD", "Avg_WD", "R3_WD", "05103_WD", "DirAvg", "Dm", "Windrichtung", "wind_vane_Avg", "wnd_dir_2"];
    let columns: Vec<[&str; 3]> =
        names.iter().map(|name| [*name, "Deg", "Smp"]).chain([["Tilt_X", "Deg", "Smp"]]).collect();
    let rows = (1..=60).map(|minute: i64| {
        let value = if minute % 2 == 0 { "10" } else { "350" };
        (day(1) + TimeDelta::minutes(minute), vec![value.to_owned(); columns.len()])
    });
    let station = station("");
    station.write("met.dat", file(&columns, &rows.collect()));
    let made = first_half_hour(&station);
    for name in names {
        let value = made[name].as_f64().unwrap();
        assert!(((value + 180.0).rem_euclid(360.0) - 180.0).abs() < 1e-6, "{name}: {value}");
    }
    assert_eq!(made["Tilt_X"], 180.0);
}

#[test]
fn rain_and_extremes_of_a_file_without_processes_are_sums_and_extremes_and_kind_decides_otherwise() {
    let text = text_table(
        "Rain [mm],WS_max [m/s],TA_min,T_Max,Rain_rate [mm/h],Level [mm]",
        &["0.2,4,1,9,3,1", "0.4,9,-2,12,0,2", "0.2,3,3,8,0,3", "0.2,4,1,9,3,1", "0.4,9,-2,12,0,2", "0.2,3,3,8,0,3"],
    );
    let station = station_of_text("");
    station.write("met.csv", &text);
    let made = first_half_hour(&station);
    for (name, value) in [
        ("Rain [mm]", 0.8),
        ("WS_max [m/s]", 9.0),
        ("TA_min", -2.0),
        ("T_Max", 12.0),
        ("Rain_rate [mm/h]", 1.0),
        ("Level [mm]", 2.0),
    ] {
        assert_eq!(made[name], value, "{name}");
    }
    let station =
        station_of_text("[table.columns.\"Rain [mm]\"]\nkind = \"linear\"\n[table.columns.T_Max]\nkind = \"linear\"");
    station.write("met.csv", &text);
    let made = first_half_hour(&station);
    assert!((made["Rain [mm]"].as_f64().unwrap() - 0.8 / 3.0).abs() < 1e-6, "{made:?}");
    assert!((made["T_Max"].as_f64().unwrap() - 29.0 / 3.0).abs() < 1e-6, "{made:?}");
}

#[test]
fn the_count_of_a_half_hour_keeps_its_name_beside_a_column_of_the_source_that_has_it() {
    for columns in [["TA", "TA_samples", "TA_coverage"], ["TA_coverage", "TA_samples", "TA"]] {
        let columns: Vec<[&str; 3]> = columns.iter().map(|name| [*name, "", "Avg"]).collect();
        let rows = (1..=60).map(|minute: i64| {
            let of = |column: &[&str; 3]| if column[0] == "TA" { "20" } else { "7" }.to_owned();
            (day(1) + TimeDelta::minutes(minute), columns.iter().map(of).collect())
        });
        let station = station("");
        station.write("met.dat", file(&columns, &rows.collect()));
        let made = first_half_hour(&station);
        for (name, value) in
            [("TA", 20), ("TA_samples", 30), ("TA_coverage", 100), ("TA_samples_2", 7), ("TA_coverage_2", 7)]
        {
            assert_eq!(made[name].as_f64(), Some(f64::from(value)), "{name} in {made:?}");
        }
    }
}
