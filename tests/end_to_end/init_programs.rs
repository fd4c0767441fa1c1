//! `init` on tables of Campbell's own programs for eddy covariance, whose names look like AmeriFlux's and are, or are not.

use std::fmt::Write as _;

use crate::init_text_tables::Drafted;

/// A half-hourly table with these columns (name, unit, process) and these values, with tenths that change from row to row.
fn toa5(table: &str, columns: &[[&str; 3]], values: &[&str]) -> String {
    let line = |place: usize| columns.iter().map(|column| format!(",\"{}\"", column[place])).collect::<String>();
    let mut text = format!(
        "\"TOA5\",\"US-UMB\",\"CR6\",\"1234\",\"CR6.Std.32\",\"CPU:p.CR6\",\"1111\",\"{table}\"\r\n\"TIMESTAMP\",\"RECORD\"{}\r\n\
         \"TS\",\"RN\"{}\r\n\"\",\"\"{}\r\n",
        line(0),
        line(1),
        line(2)
    );
    for row in 0..20 {
        write!(text, "\"2025-06-01 {:02}:{:02}:00\",{row}", (row + 1) / 2, (row + 1) % 2 * 30).unwrap();
        for value in values {
            // Stamps and numbers for "missing" are as they are.
            let digits = if value.contains('.') { format!("{}", row % 7) } else { String::new() };
            write!(text, ",{value}{digits}").unwrap();
        }
        text += "\r\n";
    }
    text
}

#[test]
fn a_table_of_easyflux_in_amerifluxs_format_keeps_its_names_positions_and_missing_values() {
    let columns = [
        ["TIMESTAMP_START", "YYYYMMDDHHMM", "Smp"],
        ["TIMESTAMP_END", "YYYYMMDDHHMM", "Smp"],
        ["FC", "umolCO2 m-2 s-1", "Smp"],
        ["CO2_SIGMA", "umolCO2 mol-1", "Smp"],
        ["WS", "m s-1", "Smp"],
        ["WS_MAX", "m s-1", "Smp"],
        ["W_SIGMA", "m s-1", "Smp"],
        ["TS_1_1_1", "deg C", "Smp"],
        ["TS_1_2_1", "deg C", "Smp"],
        ["T_DP_1_1_1", "deg C", "Smp"],
        ["P", "mm", "Smp"],
    ];
    let stamps = ["\"202506010000\"", "\"202506010030\""];
    let values = ["-3.0", "0.4", "2.0", "5.0", "0.3", "8.0", "6.0", "-9999", "0.2"];
    let drafted = Drafted::of("flux.dat", &toa5("Flux_AmeriFluxFormat", &columns, &[&stamps[..], &values].concat()));
    drafted.has(&[
        "missing = [-9999]",
        "variable = \"WS\"",
        "variable = \"WS_MAX\"",
        "variable = \"CO2_SIGMA\"",
        "variable = \"W_SIGMA\"",
        "variable = \"TS_1_1_1\"",
        "variable = \"TS_1_2_1\"",
        "kind = \"total\"",
    ]);
    let _ = drafted.station.run(&["run"]);
    let csv = drafted.station.run(&["export", "--format", "ameriflux"]).expect(0).stdout;
    let head = csv.lines().next().unwrap();
    assert_eq!(head, "TIMESTAMP_START,TIMESTAMP_END,FC,CO2_SIGMA,WS,WS_MAX,W_SIGMA,TS_1_1_1,TS_1_2_1,P");
    // -9999 is missing in a column without a variable, too.
    let table = ["export", "--table", "flux", "--columns", "T_DP_1_1_1", "--flags", "beside"];
    let dew_points = drafted.station.run(&table).expect(0).stdout;
    assert_eq!(dew_points.lines().filter(|line| line.ends_with(",9")).count(), 20, "{dew_points}");
}

#[test]
fn the_compass_gives_the_wind_direction_and_not_the_sonic_anemometers_own_axis() {
    let columns = [
        ["wnd_spd", "m/s", "WVc"],
        ["rslt_wnd_spd", "m/s", "WVc"],
        ["wnd_dir_sonic", "degrees", "WVc"],
        ["std_wnd_dir", "degrees", "WVc"],
        ["wnd_dir_compass", "degrees", "Smp"],
    ];
    let drafted = Drafted::of("flux.dat", &toa5("flux", &columns, &["4.8", "4.5", "79.1", "8.5", "106.1"]));
    assert_eq!(drafted.config.matches("variable = \"W").count(), 2, "{}", drafted.config);
    let _ = drafted.station.run(&["run"]);
    let csv = drafted.station.run(&["export", "--format", "ameriflux"]).expect(0).stdout;
    assert!(csv.starts_with("TIMESTAMP_START,TIMESTAMP_END,WS,WD\n202506010000,202506010030,4.80,106.10\n"), "{csv}");
}
