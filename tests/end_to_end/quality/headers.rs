//! Units and processes of a file's header: what they change in flags, exports and findings.

use chrono::TimeDelta;
use fluxtower::store::Store;

use crate::support::{DAT, Logger, Station, TABLE};

fn logger(columns: &[[&str; 3]]) -> Logger {
    Logger::par().stating(columns).every(TimeDelta::minutes(30)).start("2026-06-01 00:30:00")
}

/// Lines of such a logger, from this row on.
fn lines(logger: &Logger, from: i64, rows: &[&str]) -> String {
    let line = |(row, values): (i64, &&str)| {
        format!("\"{}\",{row},{values}\r\n", logger.stamp(row).format("%Y-%m-%d %H:%M:%S"))
    };
    (from..).zip(rows).map(line).collect()
}

fn flags(tower: &Station) -> Vec<String> {
    tower.rows(TABLE).iter().map(|row| row.flags.clone()).collect()
}

const UNITS: [[&str; 3]; 7] = [
    ["Rain_in_Tot", "inches", "Tot"],
    ["VWC_5cm", "m^3/m^3", "Avg"],
    ["BP", "hPa", "Smp"],
    ["AirT_F", "Deg F", "Avg"],
    ["H2O", "umol/mol", "Avg"],
    ["CO2", "counts", "Avg"],
    ["RH", "", "Avg"],
];

fn station() -> Station {
    let of = |(name, variable): (&str, &str)| format!("[table.columns.{name}]\nvariable = \"{variable}\"\n");
    let variables = [
        ("Rain_in_Tot", "P"),
        ("VWC_5cm", "SWC"),
        ("BP", "PA"),
        ("AirT_F", "TA"),
        ("H2O", "H2O"),
        ("CO2", "CO2"),
        ("RH", "RH"),
    ];
    Station::new().table_keys(&variables.map(of).concat())
}

#[test]
fn values_are_judged_by_the_variable_s_range_in_the_unit_of_the_header() {
    let tower = station();
    let logger = logger(&UNITS);
    let rows = ["0.5,0.31,1013,68,11000,412,55", "2.3,1.2,98.7,140,200000,1e9,120", "0,0,650,-57,0,1,0"];
    tower.write(DAT, logger.header() + &lines(&logger, 0, &rows));
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!(flags(&tower), ["1111121", "4444424", "1111121"]);
    let said = tower.run(&["flags", "--table", TABLE, "--since", "2026-06-01"]).expect(0).stdout;
    // 5 % beyond 50 mm are 52.5 mm.
    assert!(said.contains("2.3 above 2.066929") && said.contains("140 above 131"), "{said}");
    let found = tower.run_json(&["status"]).expect(1).json();
    let units: Vec<&str> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["kind"] == "unit_unfit")
        .map(|finding| finding["message"].as_str().unwrap())
        .collect();
    assert_eq!(units.len(), 1, "{units:?}");
    assert!(units[0].contains(TABLE) && units[0].contains("CO2") && units[0].contains("counts"), "{units:?}");
    // Limits of the user are in the column's own unit, and end the finding.
    tower.replace_in_config("variable = \"CO2\"", "variable = \"CO2\"\nsuspect = [100, 1000]\nfail = [0, 5000]");
    let _ = tower.run(&["reflag", "--table", TABLE, "--since", "2026-06-01"]).expect(0);
    assert_eq!(flags(&tower), ["1111111", "4444444", "1111131"]);
    assert!(!tower.run(&["status"]).stdout.contains("counts"));
}

#[test]
fn an_export_for_ameriflux_is_in_its_units_and_the_store_is_not() {
    let tower = station();
    let logger = logger(&UNITS);
    tower.write(
        DAT,
        logger.header() + &lines(&logger, 0, &["0.5,0.31,1013,68,11000,412,55", "0.01,0.3,1000.5,50,9000,1,50.50"]),
    );
    let _ = tower.run(&["ingest"]).expect(0);
    let written = tower.run(&["export", "--table", TABLE, "--format", "ameriflux"]).expect(0);
    let rows: Vec<&str> = written.stdout.lines().collect();
    assert_eq!(rows[0], "TIMESTAMP_START,TIMESTAMP_END,P,SWC,PA,TA,H2O,RH");
    assert_eq!(rows[1], "202606010000,202606010030,12.7,31,101.3,20,11,55");
    assert_eq!(rows[2], "202606010030,202606010100,0.254,30,100.05,10,9,50.50");
    assert!(written.stderr.contains("column CO2 is left out"), "{}", written.stderr);
    assert!(tower.rows(TABLE)[0].vals.contains("0.5"), "{:?}", tower.rows(TABLE)[0].vals);
}

#[test]
fn a_row_is_judged_by_its_own_header_when_a_program_changes_unit_or_process() {
    let tower = Station::new().table_keys(
        "[table.columns.BP]\nvariable = \"PA\"\n[table.columns.Wind]\nrate_of_change = { fail = 100, per = \"30m\" }",
    );
    let before = logger(&[["BP", "kPa", "Smp"], ["Wind", "m/s", "Avg"]]);
    let after = logger(&[["BP", "hPa", "Smp"], ["Wind", "deg", "WVc"]]);
    let old = lines(&before, 0, &["98.7,350", "98.8,10", "987,12"]);
    let new = lines(&after, 3, &["987,350", "98.8,10", "988,12"]);
    tower.write(DAT, before.header() + &old);
    let _ = tower.run(&["ingest"]).expect(0);
    tower.write(DAT, after.header() + &new);
    let _ = tower.run(&["ingest"]).expect(0);
    // Under the first header 350 to 10 is a fall of 340; under the second a turn of 20.
    let wanted = ["11", "14", "41", "11", "41", "11"];
    let found = flags(&tower);
    assert_eq!(found[..3], wanted[..3], "{found:?}");
    assert_eq!(found[4..], wanted[4..], "{found:?}");
    let _ = tower.run(&["reflag", "--table", TABLE, "--since", "2026-06-01"]).expect(0);
    assert_eq!(flags(&tower), found, "judged again, the flags are the same");
    let store = Store::open_reader(&tower.store_path()).unwrap();
    assert_eq!(store.headers_of(TABLE).unwrap().len(), 2);
    let written = tower.run(&["export", "--table", TABLE, "--format", "ameriflux"]).expect(0).stdout;
    let pressure: Vec<&str> = written.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
    assert_eq!(pressure, ["98.7", "98.8", "-9999", "98.7", "-9999", "98.8"]);
    // A database that lost its flags by a late row comes to the same.
    let other = Station::new().table_keys(
        "[table.columns.BP]\nvariable = \"PA\"\n[table.columns.Wind]\nrate_of_change = { fail = 100, per = \"30m\" }",
    );
    other.write(DAT, after.header() + &new);
    let _ = other.run(&["ingest"]).expect(0);
    other.write(DAT, before.header() + &old);
    let _ = other.run(&["ingest"]).expect(0);
    assert_eq!(flags(&other), found, "in the other order");
}

#[test]
fn the_outputs_of_a_wind_vector_are_known_without_a_configured_kind() {
    let tower = Station::new().table_keys(
        "[table.columns.\"WS_WVc(2)\"]\nrate_of_change = { fail = 100, per = \"30m\" }\n\
         [table.columns.\"WS_WVc(3)\"]\nvariable = \"WD\"\n",
    );
    let logger = logger(&[["WS_WVc(1)", "m/s", "WVc"], ["WS_WVc(2)", "Deg", "WVc"], ["WS_WVc(3)", "Deg", "WVc"]]);
    tower.write(DAT, logger.header() + &lines(&logger, 0, &["2,350,12", "3,10,11", "2,200,9"]));
    let _ = tower.run(&["ingest"]).expect(0);
    let found = flags(&tower);
    assert_eq!([&found[0][1..2], &found[1][1..2], &found[2][1..2]], ["1", "1", "4"], "{found:?}");
    // The deviation of the direction is called a direction: the configuration holds, and that is said once.
    let found = tower.run_json(&["status"]).json();
    let said: Vec<&serde_json::Value> =
        found["findings"].as_array().unwrap().iter().filter(|finding| finding["kind"] == "kind_disagrees").collect();
    assert_eq!(said.len(), 1, "{found}");
    assert_eq!(said[0]["severity"], "info");
    let message = said[0]["message"].as_str().unwrap();
    assert!(
        message.contains("WS_WVc(3)") && message.contains("WVc (a deviation)") && message.contains("WD"),
        "{message}"
    );
}

#[test]
fn a_diagnostic_word_is_bits_whatever_the_logger_did_with_it() {
    let tower = Station::new().table_keys("[table.columns.diag]\ndiagnostic = \"csat3\"\ngoverns = [\"Ux\"]\n");
    let logger = logger(&[["diag", "", "Max"], ["Ux", "m/s", "Avg"]]);
    tower.write(DAT, logger.header() + &lines(&logger, 0, &["0,1.5", "2,1.6"]));
    let _ = tower.run(&["ingest"]).expect(0);
    let found = tower.run_json(&["status"]).json();
    let kinds: Vec<&str> =
        found["findings"].as_array().unwrap().iter().map(|finding| finding["kind"].as_str().unwrap()).collect();
    assert!(!kinds.contains(&"kind_disagrees"), "{found}");
}

#[test]
fn a_sample_of_the_sun_may_be_brighter_than_any_half_hour() {
    let columns = [["SW_Avg", "W/m^2", "Avg"], ["SW_Max", "W/m^2", "Max"], ["SW_Smp", "kW/m^2", "Smp"]];
    let keys = columns.map(|column| format!("[table.columns.{}]\nvariable = \"SW_IN\"\n", column[0])).concat();
    let tower = Station::new().table_keys(&keys);
    let logger = logger(&columns);
    tower.write(
        DAT,
        logger.header() + &lines(&logger, 0, &["1290,1290,1.29", "1500,1500,1.5", "1700,1700,1.7", "2200,2200,2.2"]),
    );
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!(flags(&tower), ["111", "411", "433", "444"]);
}

#[test]
fn the_range_of_a_row_is_that_of_its_interval_whatever_files_and_order_it_came_in() {
    let columns = [["SW", "W/m^2", "Avg"], ["PAR", "umol/s/m2", "Avg"], ["Rain", "mm", "Tot"], ["WS", "m/s", "Avg"]];
    let variables = ["SW_IN", "PPFD_IN", "P", "WS"];
    let keys = columns.iter().zip(variables);
    let keys: String =
        keys.map(|(column, variable)| format!("[table.columns.{}]\nvariable = \"{variable}\"\n", column[0])).collect();
    let logger = logger(&columns);
    let values = "1400,3000,12,45";
    // The first row, rows of a minute, of half an hour, of a day, and a month behind a gap.
    let at = ["06-01 00:00", "06-01 00:01", "06-01 00:02", "06-01 00:32", "06-01 01:02", "06-02 01:02", "07-20 00:00"];
    let at = at.map(|at| format!("2026-{at}:00"));
    let wanted = ["1111", "1131", "1131", "4414", "4414", "1111", "1111"];
    let line = |(record, time): (usize, &String)| format!("\"{time}\",{record},{values}\n");
    let all: Vec<String> = at.iter().enumerate().map(line).collect();
    let orders: [&[&[usize]]; 3] =
        [&[&[0, 1, 2, 3, 4, 5, 6]], &[&[0], &[1, 2], &[3], &[4, 5, 6]], &[&[2, 4, 6], &[1, 3], &[0, 5]]];
    for order in orders {
        let tower = Station::new().table_keys(&keys);
        for part in order {
            tower.write(DAT, logger.header() + &part.iter().map(|row| all[*row].as_str()).collect::<String>());
            let _ = tower.run(&["ingest"]).expect(0);
        }
        assert_eq!(flags(&tower), wanted, "{order:?}");
        let _ = tower.run(&["reflag", "--table", TABLE, "--since", "2026-01-01"]).expect(0);
        assert_eq!(flags(&tower), wanted, "{order:?}, judged again");
    }
}

#[test]
fn a_pressure_of_fp2_that_stands_still_within_a_step_is_not_evaluated() {
    let columns = [["PA_FP2", "kPa", "Smp"], ["PA_IEEE4", "kPa", "Smp"], ["TA_FP2", "Deg C", "Smp"]];
    let of = |(name, variable): (&str, &str)| {
        format!(
            "[table.columns.{name}]\nvariable = \"{variable}\"\nflat_line = {{ suspect = \"3h\", tolerance = 0.001 }}\n"
        )
    };
    let keys = [("PA_FP2", "PA"), ("PA_IEEE4", "PA"), ("TA_FP2", "TA")].map(of).concat();
    let tower = Station::new().table_keys(&keys);
    let logger = logger(&columns);
    tower.write(DAT, logger.header() + &lines(&logger, 0, &["98.7,98.71234,12.34"; 9]));
    let _ = tower.run(&["ingest"]).expect(0);
    // The range passes the pressure; only what is no number of FP2, or is not quiet, is known to stand still.
    assert_eq!(flags(&tower)[8], "133");
}
