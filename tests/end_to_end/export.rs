//! `fluxtower export`: what a spreadsheet, a script and a data archive get.

use crate::support::{DAT, Logger, Station, TABLE};

/// Half-hourly, around midnight; the third row failed its range, the fourth is missing, one is not there.
const FLUX: &str = "\"TOA5\",\"46m\",\"CR5000\",\"1041\",\"CR5000.Std.07\",\"CPU:F.CR5\",\"6827\",\"flux\"\r\n\
    \"TIMESTAMP\",\"RECORD\",\"AirTC_Avg\",\"RH\",\"Note\",\"Batt\"\r\n\
    \"TS\",\"RN\",\"Deg C\",\"%\",\"\",\"V\"\r\n\
    \"\",\"\",\"Avg\",\"Smp\",\"Smp\",\"Min\"\r\n\
    \"2024-05-01 23:00:00\",10,12.50,80.0,\"a, \"\"b\"\"\",12.9\r\n\
    \"2024-05-01 23:30:00\",11,12.25,81,\"ok\",12.8\r\n\
    \"2024-05-02 00:00:00\",12,99.9,7999,\"ok\",12.7\r\n\
    \"2024-05-02 00:30:00\",13,\"NAN\",82,\"ok\",12.6\r\n\
    \"2024-05-02 02:00:00\",16,-1.5E-3,83,\"ok\",12.5\r\n";

const VARIABLES: &str = "missing = [7999]\n[table.columns.AirTC_Avg]\nfield = \"Temp_46m\"\nvariable = \"TA_1_1_1\"\n\
    [table.columns.RH]\nvariable = \"RH\"\n";

fn station(keys: &str, file: &str) -> Station {
    let tower = Station::new().table(&format!("name = \"flux\"\nfiles = [\"flux.dat\"]\n{keys}"));
    tower.write("flux.dat", file);
    let ran = tower.run(&["ingest"]);
    assert!(ran.code <= 1, "{ran:?}");
    tower
}

/// Half-hourly rows of one column, at these times.
fn at(times: &[&str]) -> String {
    let head: Vec<&str> = FLUX.split_inclusive("\r\n").take(4).collect();
    let rows: String = times
        .iter()
        .enumerate()
        .map(|(record, time)| format!("\"{time}\",{record},{record}.5,50,\"x\",12\r\n"))
        .collect();
    head.concat() + &rows
}

#[test]
fn i8_values_come_out_as_the_logger_spelled_them_in_station_time() {
    let tower = station(VARIABLES, FLUX);
    let csv = tower.run(&["export", "--table", "flux"]).expect(0).stdout;
    assert_eq!(
        csv,
        "TIMESTAMP,RECORD,AirTC_Avg,RH,Note,Batt\n\
         2024-05-01 23:00:00,10,12.50,80.0,\"a, \"\"b\"\"\",12.9\n\
         2024-05-01 23:30:00,11,12.25,81,ok,12.8\n\
         2024-05-02 00:00:00,12,99.9,7999,ok,12.7\n\
         2024-05-02 00:30:00,13,,82,ok,12.6\n\
         2024-05-02 02:00:00,16,-1.5E-3,83,ok,12.5\n"
    );
}

#[test]
fn flags_stand_beside_their_values_or_mask_them() {
    let tower = station(VARIABLES, FLUX);
    let export = |more: &[&str]| {
        let arguments = [&["export", "--table", "flux", "--columns", "RH,AirTC_Avg"], more].concat();
        tower.run(&arguments).expect(0).stdout
    };
    assert_eq!(
        export(&["--flags", "beside", "--until", "2024-05-02 00:30"]),
        "TIMESTAMP,RH,RH_qc,AirTC_Avg,AirTC_Avg_qc\n\
         2024-05-01 23:00:00,80.0,1,12.50,1\n\
         2024-05-01 23:30:00,81,1,12.25,1\n\
         2024-05-02 00:00:00,7999,9,99.9,4\n\
         2024-05-02 00:30:00,82,1,,9\n"
    );
    assert_eq!(
        export(&["--flags", "mask", "--since", "2024-05-02", "--time", "utc"]),
        "TIMESTAMP,RH,AirTC_Avg\n\
         2024-05-02T05:00:00Z,,\n\
         2024-05-02T05:30:00Z,82,\n\
         2024-05-02T07:00:00Z,83,-1.5E-3\n"
    );
}

#[test]
fn record_can_be_named_and_stands_where_it_was_named() {
    let tower = station(VARIABLES, FLUX);
    let columns = ["export", "--table", "flux", "--columns", "RH,RECORD,Batt", "--flags", "beside", "--until"];
    let csv = tower.run(&[&columns[..], &["2024-05-01 23:00"]].concat()).expect(0).stdout;
    assert_eq!(csv, "TIMESTAMP,RH,RH_qc,RECORD,Batt,Batt_qc\n2024-05-01 23:00:00,80.0,1,10,12.9,2\n");
}

#[test]
fn tag_columns_are_columns_and_rows_of_all_series_come_in_the_order_of_time() {
    let tower = Station::new().table(
        "name = \"plots\"\nfiles = [\"p.csv\"]\nformat = \"csv\"\nnames = [\"Time\", \"Plot\", \"Temp\"]\ntime_column = \"Time\"\n\
         last_line_after = \"0s\"\n[table.columns.Plot]\nuse = \"tag\"",
    );
    let mut file = String::new();
    for plot in ["6a", "1b"] {
        for minute in 10..40 {
            file += &format!("2024-05-01 00:{minute}:00,{plot},{minute}.5\n");
        }
    }
    tower.write("p.csv", &file);
    let _ = tower.run(&["ingest"]).expect(0);
    let csv = tower.run(&["export", "--table", "plots", "--flags", "beside"]).expect(0).stdout;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "TIMESTAMP,RECORD,Plot,Temp,Temp_qc");
    assert_eq!(lines[1], "2024-05-01 00:10:00,,6a,10.5,2");
    assert_eq!(lines[2], "2024-05-01 00:10:00,,1b,10.5,2");
    assert_eq!(lines.len(), 61);
    assert!(lines[1..].is_sorted_by_key(|line| line[..19].to_owned()));
    let refused = tower.run(&["export", "--table", "plots", "--format", "ameriflux"]).expect(2);
    assert!(refused.stderr.contains("variable"), "{}", refused.stderr);
}

#[test]
fn every_row_comes_once_however_many_there_are() {
    let tower = Station::new();
    let logger = Logger::par();
    tower.write(DAT, logger.file(0..30_000));
    let _ = tower.run(&["ingest"]).expect(0);
    let csv = tower.run(&["export", "--table", TABLE]).expect(0).stdout;
    let mut lines = csv.lines().skip(1);
    for record in 0..30_000 {
        let written = logger.row(record).trim_end().replace('"', "");
        assert_eq!(lines.next(), Some(written.as_str()));
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn a_row_older_than_a_column_has_neither_value_nor_flag_for_it() {
    let tower = station("", FLUX);
    let wider = FLUX.replace("\"Batt\"\r\n", "\"Batt\",\"New\"\r\n").replace(",\"V\"\r\n", ",\"V\",\"\"\r\n");
    let wider = wider.replace(",\"Min\"\r\n", ",\"Min\",\"Smp\"\r\n");
    let head: Vec<&str> = wider.split_inclusive("\r\n").take(4).collect();
    tower.write("flux.dat", head.concat() + "\"2024-05-02 02:30:00\",17,1,2,\"ok\",12.4,3\r\n");
    let _ = tower.run(&["ingest"]).expect(0);
    let csv = tower.run(&["export", "--table", "flux", "--columns", "New", "--flags", "beside"]).expect(0).stdout;
    assert!(csv.starts_with("TIMESTAMP,New,New_qc\n2024-05-01 23:00:00,,\n"), "{csv}");
    assert!(csv.ends_with("\n2024-05-02 02:30:00,3,2\n"), "{csv}");
}

#[test]
fn a_zone_gives_its_own_time_in_csv_and_standard_time_to_ameriflux() {
    let tower = Station::new()
        .clock("timezone = \"America/Detroit\"")
        .table(&format!("name = \"flux\"\nfiles = [\"flux.dat\"]\n{VARIABLES}"));
    tower.write("flux.dat", FLUX);
    let _ = tower.run(&["ingest"]).expect(0);
    let csv = tower.run(&["export", "--table", "flux", "--columns", "RH"]).expect(0).stdout;
    assert!(csv.contains("\n2024-05-01 23:00:00,80.0\n"), "{csv}");
    let csv = tower.run(&["export", "--table", "flux", "--format", "ameriflux"]).expect(0).stdout;
    assert!(csv.contains("\n202405012130,202405012200,12.50,80.0\n"), "{csv}");
}

#[test]
fn ameriflux_gets_start_and_end_standard_time_and_minus_9999() {
    let tower = station(VARIABLES, FLUX);
    let expected = "TIMESTAMP_START,TIMESTAMP_END,TA_1_1_1,RH\n\
         202405012230,202405012300,12.50,80.0\n\
         202405012300,202405012330,12.25,81\n\
         202405012330,202405020000,-9999,-9999\n\
         202405020000,202405020030,-9999,82\n\
         202405020030,202405020100,-9999,-9999\n\
         202405020100,202405020130,-9999,-9999\n\
         202405020130,202405020200,-1.5E-3,83\n";
    let csv = tower.run(&["export", "--table", "flux", "--format", "ameriflux"]).expect(0).stdout;
    assert_eq!(csv, expected);

    let folder = tower.path("upload");
    let arguments = ["export", "--table", "flux", "--format", "ameriflux", "--output"];
    let told = tower.run_json(&[&arguments[..], &[&format!("{}/", folder.display())]].concat()).expect(0).json();
    assert_eq!((told["rows"].as_u64(), told["filled"].as_u64()), (Some(5), Some(2)), "{told}");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["US-UMB_HH_202405012230_202405020200.csv"], "one whole file and no part of one");
    assert_eq!(std::fs::read_to_string(folder.join(&files[0])).unwrap(), expected);

    let one = tower.run(&[&arguments[..5], &["--columns", "RH"]].concat()).expect(0).stdout;
    assert!(one.starts_with("TIMESTAMP_START,TIMESTAMP_END,RH\n"), "{one}");
}

#[test]
fn an_hourly_table_is_hourly_there() {
    let tower = station(VARIABLES, &at(&["2024-05-01 22:00:00", "2024-05-01 23:00:00", "2024-05-02 00:00:00"]));
    let folder = tower.path(".");
    let arguments = ["export", "--table", "flux", "--format", "ameriflux", "--output", folder.to_str().unwrap()];
    let _ = tower.run(&arguments).expect(0);
    let csv = tower.read("US-UMB_HR_202405012100_202405020000.csv");
    assert!(String::from_utf8(csv).unwrap().contains("\n202405012300,202405020000,2.5,50\n"));
}

#[test]
fn what_ameriflux_would_not_take_is_refused_with_the_mend() {
    let ameriflux = ["export", "--table", "flux", "--format", "ameriflux"];
    let every_minute = at(&["2024-05-01 00:00:00", "2024-05-01 00:01:00", "2024-05-01 00:02:00"]);
    let astray = at(&["2024-05-01 00:00:00", "2024-05-01 00:30:00", "2024-05-01 01:00:00", "2024-05-01 01:17:00"]);
    let shifted = at(&["2024-05-01 00:15:00", "2024-05-01 00:45:00", "2024-05-01 01:15:00"]);
    let same = "[table.columns.AirTC_Avg]\nvariable = \"TA\"\n[table.columns.Batt]\nvariable = \"TA\"\n";
    for (keys, file, words) in [
        (VARIABLES, every_minute.as_str(), "a row every 1 min"),
        (VARIABLES, &astray, "2024-05-01 01:17:00"),
        (VARIABLES, &shifted, "2024-05-01 00:15:00"),
        (VARIABLES, &at(&["2024-05-01 00:30:00"]), "one row"),
        (same, &FLUX.replace("\"V\"", "\"Deg C\""), "TA_1_1_1 and TA_1_1_2 where they are replicates"),
        ("", FLUX, "has an AmeriFlux variable"),
    ] {
        let refused = station(keys, file).run(&ameriflux).expect(2).says(words);
        assert_eq!(refused.stdout, "");
    }
    let tower = station(VARIABLES, FLUX);
    let _ = tower.run(&[&ameriflux[..], &["--flags", "mask"]].concat()).expect(2).says("--flags");
    let _ = tower.run(&[&ameriflux[..], &["--since", "2030-01-01"]].concat()).expect(2).says("no row");
}

#[test]
fn a_window_of_ameriflux_holds_the_intervals_that_begin_in_it() {
    let times = ["2024-12-31 23:30:00", "2025-01-01 00:00:00", "2025-01-01 00:30:00", "2025-01-01 01:00:00"];
    let tower = station(VARIABLES, &at(&[&times[..], &["2025-12-31 23:30:00", "2026-01-01 00:00:00"]].concat()));
    let year = ["--since", "2025-01-01", "--until", "2026-01-01", "--output", tower.folder().to_str().unwrap()];
    let ameriflux = ["export", "--table", "flux", "--format", "ameriflux"];
    let told = tower.run_json(&[&ameriflux[..], &year].concat()).expect(0).json();
    assert_eq!(
        (told["rows"].as_u64(), told["filled"].as_u64()),
        (Some(4), Some(17_516)),
        "a year has 17,520 half hours"
    );
    let csv = String::from_utf8(tower.read("US-UMB_HH_202501010000_202601010000.csv")).unwrap();
    assert!(csv.lines().nth(1).unwrap().starts_with("202501010000,202501010030,"), "{}", &csv[..200]);
    // Of two windows side by side no interval is in both, and none is in neither.
    let next = tower.run(&[&ameriflux[..], &["--since", "2025-12-31 23:30", "--until", "2026-01-01 00:30"]].concat());
    let _ = next.expect(2).says("one row");
    let csv = tower.run(&[&ameriflux[..], &["--since", "2024-12-31 23:00", "--until", "2025-01-01 00:30"]].concat());
    assert_eq!(csv.expect(0).stdout.lines().count(), 1 + 3);
    let csv = tower.run(&[&ameriflux[..], &["--since", "2024-12-31 23:10", "--until", "2025-01-01 00:10"]].concat());
    let csv = csv.expect(0).stdout;
    let starts: Vec<&str> = csv.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(starts, ["202412312330", "202501010000"], "edges between half hours");
}

#[test]
fn rows_a_little_off_the_half_hour_are_rounded_where_that_is_asked_for_and_counted() {
    let right = ["2024-04-30 23:30:00", "2024-05-01 00:00:00", "2024-05-01 00:30:00"];
    let slow = ["2024-05-01 00:59:00", "2024-05-01 01:30:40", "2024-05-01 02:00:00"];
    let tower = station(VARIABLES, &at(&[right, slow].concat()));
    let ameriflux = ["export", "--table", "flux", "--format", "ameriflux"];
    let refused = tower.run(&ameriflux).expect(2).says("2 rows from 2024-05-01 00:59:00 to 2024-05-01 01:30:40");
    assert!(refused.stderr.contains("--round 1m") && !refused.stderr.contains("--since"), "{refused:?}");
    let _ = tower.run(&[&ameriflux[..], &["--round", "30s"]].concat()).expect(2).says("00:59:00");
    let folder = tower.folder().to_str().unwrap().to_owned();
    let rounding = [&ameriflux[..], &["--round", "1m", "--output", &folder]].concat();
    let told = tower.run_json(&rounding).expect(0).json();
    assert_eq!((told["rows"].as_u64(), told["rounded"].as_u64(), told["filled"].as_u64()), (Some(6), Some(2), Some(0)));
    let csv = String::from_utf8(tower.read("US-UMB_HH_202404302300_202405010200.csv")).unwrap();
    let ends: Vec<&str> = csv.lines().skip(3).map(|line| line.split(',').nth(1).unwrap()).collect();
    assert_eq!(ends, ["202405010030", "202405010100", "202405010130", "202405010200"]);
    assert!(tower.run(&rounding).expect(0).stdout.contains("6 rows (2 rounded to the full interval)"));
    let far = tower.run(&[&ameriflux[..], &["--round", "365d"]].concat()).expect(0).stdout;
    assert_eq!(far, csv, "the nearest half hour, however far a row may be off");
    // The plain form keeps each row's own time.
    let _ = tower.run(&["export", "--table", "flux", "--round", "1m"]).expect(2).says("leave out --round");
    let twice = station(VARIABLES, &at(&["2024-05-01 00:30:00", "2024-05-01 01:00:00", "2024-05-01 01:00:30"]));
    let _ = twice
        .run(&[&ameriflux[..], &["--round", "1m"]].concat())
        .expect(2)
        .says("the second is that of 2024-05-01 01:00:30");
}

#[test]
fn a_slip_of_the_pen_is_told_what_was_meant() {
    let tower = station(VARIABLES, FLUX);
    for (arguments, words) in [
        (&["export", "--table", "flix"][..], "did you mean \"flux\"?"),
        (&["replay", "--since", "2024-01-01", "--table", "Flux"], "did you mean \"flux\"?"),
        (&["ingest", "--table", "fluxx"], "did you mean \"flux\"?"),
        (&["export", "--table", "flux", "--columns", "RH,AirTC"], "did you mean \"AirTC_Avg\"?"),
        (
            &["export", "--table", "flux", "--columns", "Temp_46m"],
            "the field Temp_46m is the logger's column \"AirTC_Avg\"",
        ),
        (&["export", "--table", "flux", "--columns", "zzz"], "it has: AirTC_Avg, RH, Note, Batt"),
        (&["export", "--table", "flux", "--since", "yesterday"], "--since \"yesterday\" is no time"),
        (&["export", "--table", "flux", "--json"], "--output"),
    ] {
        let _ = tower.run(arguments).expect(2).says(words);
    }
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let tower = station(VARIABLES, FLUX);
    let output = tower.path("rows.csv");
    let arguments = ["export", "--table", "flux", "--output", output.to_str().unwrap()];
    std::fs::write(&output, "older").unwrap();
    let _ = tower.run(&arguments).expect(0);
    assert!(tower.read("rows.csv").starts_with(b"TIMESTAMP,RECORD,"));
    for own in [tower.store_path(), tower.config_path()] {
        let over = ["export", "--table", "flux", "--output", own.to_str().unwrap()];
        let _ = tower.run(&over).expect(2).says("give another name");
    }
    let nowhere = tower.path("no/such/rows.csv");
    let _ = tower.run(&["export", "--table", "flux", "--output", nowhere.to_str().unwrap()]).expect(4).says("no/such");
    let parts = std::fs::read_dir(tower.path(".")).unwrap().map(|file| file.unwrap().file_name());
    assert!(parts.filter(|name| name.to_string_lossy().ends_with(".part")).count() == 0);
}

#[test]
fn an_export_changes_nothing_in_the_store() {
    let tower = station(VARIABLES, FLUX);
    let before = tower.kept();
    let _ = tower.run(&["export", "--table", "flux"]).expect(0);
    let _ = tower.run(&["export", "--table", "flux", "--format", "ameriflux"]).expect(0);
    assert_eq!(tower.kept(), before);
    let _ = Station::new().run(&["export", "--table", "46m_par"]).expect(4).says("store.db");
}

#[test]
fn a_table_of_another_clock_is_refused() {
    let tower = station(VARIABLES, FLUX).clock("utc_offset = \"-06:00\"");
    let _ = tower.run(&["export", "--table", "flux"]).expect(2).says("staged with the clock");
}
