//! `init` on text tables whose names, units and values are written in a way of their own: signs of Unicode in numbers, a net
//! radiation that is called as a record number is, missing values that look like comments, names and units in odd lines. What
//! is read is what the file says, or the configuration has a CHECK.

use std::fs;

use crate::init_text_tables::{Drafted, half_hour, init};
use crate::support::{Logger, Station};

const STAMP: &str = "%Y-%m-%d %H:%M:%S";

/// Rows of half hours: the stamp, and what `rest` says of each.
fn rows(count: u32, separator: &str, rest: impl Fn(u32) -> String) -> String {
    (0..count).map(|row| format!("{}{separator}{}\n", half_hour(row, STAMP), rest(row))).collect()
}

#[test]
fn net_radiation_that_is_called_rn_is_sent_and_is_no_record_number() {
    for (names, values) in [
        ("TIMESTAMP,TA,RN", &(|row: u32| format!("12.5,{}", row * 10)) as &dyn Fn(u32) -> String),
        ("TIMESTAMP,Rn,TA", &|row: u32| format!("{},12.5", row % 30 * 7)),
        ("date,Rn,G", &|row: u32| format!("{}.5688333,16", row * 3)),
        ("date,Rn,G", &|row: u32| if row < 15 { ",16".to_owned() } else { format!("{row}.5,16") }),
    ] {
        let drafted = Drafted::of("flux.csv", &format!("{names}\n{}", rows(40, ",", values)));
        drafted.lacks("record_column");
        assert_eq!(drafted.counts(), [40, 0, 0], "{names}");
        let sent = drafted.station.run(&["sync", "--dry-run", "--print"]).stdout;
        assert!(sent.contains("RN=10 ") || sent.contains("Rn="), "{sent}");
    }
    // A configuration that says otherwise can be put right, and no row is lost (I11).
    let text = format!("date,Rn,G\n{}", rows(40, ",", |row| format!("{row}.5,16")));
    let drafted = Drafted::of("flux.csv", &text);
    drafted.station.replace_in_config("time_column = \"date\"", "time_column = \"date\"\nrecord_column = \"Rn\"");
    assert_eq!(drafted.counts(), [0, 0, 40]);
    drafted.station.replace_in_config("record_column = \"Rn\"\n", "");
    drafted.station.run(&["ingest"]).works();
    assert!(drafted.rows("flux")[39].ends_with(",,16,39.5"), "{:?}", drafted.rows("flux"));
    for name in ["RN", "Record", "RecNbr"] {
        let text = format!("TIMESTAMP,{name},TA\n{}", rows(40, ",", |row| format!("{},12.5", row + 7)));
        Drafted::of("met.csv", &text).has(&[&format!("record_column = \"{name}\"")]);
    }
}

#[test]
fn a_minus_of_unicode_is_a_minus_in_every_table_of_text() {
    for (names, separator, value) in [
        ("Time,T,RH", ",", "\u{2212}1.5,50"),
        ("Time,T,RH", ",", "\"\u{2212}1.5\",50"),
        ("Time;T;RH", ";", "\u{2212}1,5;50,1"),
        ("Time\tT\tRH", "\t", "\u{2212}1.5\t50"),
    ] {
        let text = format!(
            "{names}\n{}",
            rows(20, separator, |row| { if row % 2 == 1 { value.to_owned() } else { value.replace('\u{2212}', "") } })
        );
        let drafted = Drafted::of("met.csv", &text);
        drafted.lacks("CHECK: 10 of");
        assert_eq!(drafted.counts(), [20, 0, 0], "{names}");
        let rows = drafted.rows("met");
        assert!(rows[0].contains(",,1.5,") && rows[1].contains(",,-1.5,"), "{names}: {rows:?}");
        assert!(drafted.station.run(&["sync", "--dry-run", "--print"]).stdout.contains("T=-1.5"));
    }
    // In a logger's file, too, which a program saved again.
    let logger = Logger::par();
    let station = Station::new();
    let text = logger.file(0..3);
    let last = text.trim_end().rsplit(',').next().unwrap();
    station.write(crate::support::DAT, text.replacen(&format!(",{last}\r"), ",\u{2212}7.25\r", 1));
    station.run(&["ingest"]).works();
    let table = station.rows(crate::support::TABLE);
    assert!(table.iter().any(|row| row.values().last().and_then(serde_json::Value::as_f64) == Some(-7.25)), "{text}");
}

#[test]
fn blanks_that_do_not_break_and_a_curved_apostrophe_stand_between_thousands() {
    for (sign, key, decimal) in [
        ('\u{a0}', "thousands = \" \"", ","),
        ('\u{202f}', "thousands = \" \"", ","),
        ('\u{2019}', "thousands = \"'\"", "."),
    ] {
        let text =
            format!("Time;P;T\n{}", rows(20, ";", |row| format!("101{sign}{:03}{decimal}5;10{decimal}1", row + 5)));
        let drafted = Drafted::of("met.csv", &text);
        drafted.has(&[key]);
        assert_eq!(drafted.counts(), [20, 0, 0]);
        assert!(drafted.rows("met")[0].ends_with(",101005.5,10.1"), "{:?}", drafted.rows("met"));
        // The key may have the sign of the file.
        drafted.station.replace_in_config(key, &format!("thousands = \"{sign}\""));
        drafted.station.append("met.csv", format!("2025-11-21 00:00:00;102{sign}000{decimal}5;10{decimal}1\n"));
        drafted.station.run(&["ingest"]).works();
        assert!(drafted.rows("met")[20].ends_with(",102000.5,10.1"), "{:?}", drafted.rows("met"));
    }
}

#[test]
fn a_point_before_three_digits_separates_thousands_where_other_numbers_have_a_decimal_comma() {
    let pressure = |row: u32| if row < 6 { (994 + row).to_string() } else { format!("1.{:03}", row - 6) };
    let text = format!("Time;T;P\n{}", rows(20, ";", |row| format!("10,5;{}", pressure(row))));
    let drafted = Drafted::of("met.csv", &text);
    drafted.has(&["decimal = \",\"", "thousands = \".\"", "# CHECK: a number such as 1.234 is read as 1234"]);
    assert_eq!(drafted.counts(), [20, 0, 0]);
    assert!(drafted.rows("met")[7].ends_with(",10.5,1001"), "{:?}", drafted.rows("met"));
    drafted.station.append("met.csv", "2025-11-21 00:00:00;10,5;1.23\n");
    drafted.station.run(&["ingest"]).works();
    assert!(drafted.rows("met")[20].ends_with(",10.5,1.23"), "{:?}", drafted.rows("met"));
    // A point before other digits is a decimal sign.
    let text = format!("Time;T;P\n{}", rows(20, ";", |row| format!("10,5;1.{row}")));
    Drafted::of("met.csv", &text).lacks("thousands");
}

#[test]
fn texts_in_a_column_of_numbers_are_a_check_with_an_example() {
    let value = |row: u32| if row % 4 == 1 { "<0.1".to_owned() } else { format!("{row}.5") };
    let drafted =
        Drafted::of("met.csv", &format!("Time,NH3,RH\n{}", rows(40, ",", |row| format!("{},50", value(row)))));
    drafted.has(&["# CHECK: 10 of 40 rows looked at have a text in NH3, whose others are numbers, such as \"<0.1\""]);
    let words = Drafted::of("met.csv", &format!("Time,T,State\n{}", rows(40, ",", |_| "5,NA".to_owned())));
    words.lacks("have a text in");
}

#[test]
fn i1_a_row_whose_first_field_says_that_there_is_no_value_is_no_comment() {
    for (names, separator, missing) in
        [("T,Time,RH", ",", "--"), ("T;Time;RH", ";", "*"), ("T,Time,RH", ",", "#N/A"), ("T\tTime\tRH", "\t", "---")]
    {
        let row = |row: u32| {
            let value = if row.is_multiple_of(5) { missing.to_owned() } else { row.to_string() };
            format!("{value}{separator}{}{separator}5{row}\n", half_hour(row, STAMP))
        };
        let drafted = Drafted::of("met.csv", &format!("{names}\n{}", (0..30).map(row).collect::<String>()));
        drafted.lacks("comment = ");
        assert_eq!(drafted.counts(), [30, 0, 0], "{missing}");
        // All of them, while the sensor is off.
        let all = (0..30).map(|row| format!("{missing}{separator}{}{separator}5{row}\n", half_hour(row, STAMP)));
        let drafted = Drafted::of("met.csv", &format!("{names}\n{}", all.collect::<String>()));
        drafted.lacks("comment = ");
        assert_eq!(drafted.counts(), [30, 0, 0], "{missing} alone");
    }
    let text = (0..30).fold("-- written by hand\nT,Time,RH\n".to_owned(), |text, row: u32| {
        text + &format!("{},{},50\n", if row.is_multiple_of(5) { "--" } else { "7" }, half_hour(row, STAMP))
    });
    let both = Drafted::of("met.csv", &text);
    both.has(&["comment = [\"-- written\"]"]);
    assert_eq!(both.counts(), [30, 0, 0]);
}

#[test]
fn units_above_the_names_are_the_units() {
    let head = "Version CSV1|Decimalpoint comma\n\n;;Watt;Watt;%\ndd/MM/yyyy HH:mm:ss;Serial;Pdc1;Pdc2;Eff\n";
    let rows = (0..20).fold(String::new(), |text, row| {
        text + &format!("{};2130012345;101,25{row};0,5;95,1\n", half_hour(row, "%d/%m/%Y %H:%M:%S"))
    });
    let drafted = Drafted::of("spot.csv", &format!("{head}{rows}"));
    drafted.has(&["names_line = 4", "units_line = 3", "# Pdc1: Watt"]);
    assert_eq!(drafted.counts(), [20, 0, 0]);
    assert!(drafted.station.run(&["sync", "--dry-run", "--print"]).stdout.contains("Pdc2=0.5"));
}

#[test]
fn names_of_two_levels_are_joined_with_a_check() {
    let head = ",TA,TA,RH\n,mean,std,mean\ndatetime,,,\n";
    let drafted = Drafted::of("half.csv", &format!("{head}{}", rows(20, ",", |row| format!("{row},.5,5"))));
    drafted.has(&[
        "names = [\"datetime\", \"TA_mean\", \"TA_std\", \"RH_mean\"]",
        "skip_lines = 3",
        "# CHECK: the names of the columns stand in several lines, 1 to 3",
    ]);
    assert_eq!(drafted.counts(), [20, 0, 0]);
}

#[test]
fn rows_with_one_field_more_or_less_than_the_names_keep_the_names_with_a_check() {
    let more = rows(20, ",", |row| format!("{row}.5,55,"));
    let of_r = (0..20).map(|row| format!("\"{}\" \"{}\" {row}.5 NA\n", row + 1, half_hour(row, STAMP)));
    let less = rows(20, ",", |row| format!("{row}.5,55"));
    for (text, names, staged) in [
        (format!("Time,Temp,RH\n{more}"), "names = [\"Time\", \"Temp\", \"RH\", \"column_4\"]", 20),
        (
            format!("\"time\" \"Temp\" \"RH\"\n{}", of_r.collect::<String>()),
            "names = [\"column_1\", \"time\", \"Temp\", \"RH\"]",
            20,
        ),
        (format!("Time,Temp,RH,Serial\n{less}"), "names = [\"Time\", \"Temp\", \"RH\"]", 20),
    ] {
        let drafted = Drafted::of("met.csv", &text);
        drafted.has(&[names, "# CHECK: line 1, which names the columns, has one field"]);
        assert_eq!(drafted.counts(), [staged, 0, 0], "{names}");
        assert!(drafted.station.run(&["sync", "--dry-run", "--print"]).stdout.contains("Temp=0.5"), "{names}");
    }
}

#[test]
fn the_time_of_a_query_of_influxdb_is_its_time_and_not_the_end_of_the_query() {
    let head = "#group,false,false,true,true,false,false,true,true\n\
        #datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string\n\
        #default,_result,,,,,,,\n,result,table,_start,_stop,_time,_value,_field,_measurement\n";
    let text = ["TA", "RH"].iter().enumerate().fold(head.to_owned(), |text, (table, field)| {
        let rows = (0..30).map(|row| {
            let time = half_hour(row, "%Y-%m-%dT%H:%M:%SZ");
            format!(",,{table},2025-11-20T00:00:00Z,2025-11-21T00:00:00Z,{time},{row}.5,{field},met\n")
        });
        text + &rows.collect::<String>()
    });
    let drafted = Drafted::of("query.csv", &text);
    drafted.has(&["time_column = \"_time\"", "use = \"tag\"", "field = \"field\""]);
    assert_eq!(drafted.counts(), [60, 0, 0]);
    assert!(drafted.station.run(&["sync", "--dry-run", "--print"]).stdout.contains("field=RH"));
}

#[test]
fn year_day_and_hrmin_apart_are_the_time_of_a_level_2_file_of_ameriflux() {
    let rows = (1..97).map(|row| {
        let (day, minute) = (1 + row / 48, row % 48 * 30);
        format!("2006, 0, {}, {day}, {}, 0.3{row}, {row}\n", f64::from(row) / 48.0, minute / 60 * 100 + minute % 60)
    });
    let head = "Sitename: UMBS\nLocation: Latitude: 45.56  Longitude: -84.71\n\nYEAR,GAP,DTIME,DOY,HRMIN,UST,TA\n , , ,DOY,HHMM,m/s,deg C\n";
    let drafted = Drafted::of("l2.csv", &format!("{head}{}", rows.collect::<String>()));
    drafted.has(&["time_columns = [\"YEAR\", \"DOY\", \"HRMIN\"]", "names_line = 4", "units_line = 5"]);
    assert_eq!(drafted.counts(), [96, 0, 0]);
    assert!(drafted.rows("l2")[0].starts_with("2006-01-01 00:30:00,"), "{:?}", drafted.rows("l2")[0]);
}

#[test]
fn i1_line_ends_in_the_wrong_order_are_line_ends() {
    let text = format!("Time,T,RH\n{}", rows(20, ",", |row| format!("{row}.5,55"))).replace('\n', "\n\r");
    let drafted = Drafted::of("serial.csv", &text);
    assert_eq!(drafted.counts(), [20, 0, 0]);
    drafted.station.append("serial.csv", "2025-11-21 00:00:00,5,55\n\r");
    assert_eq!(drafted.counts(), [1, 0, 0]);
    let station = Station::new();
    station.write(crate::support::DAT, Logger::par().file(0..6).replace("\r\n", "\n\r"));
    station.ingest_accounted();
    assert_eq!(station.rows(crate::support::TABLE).len(), 6);
    // init reads it, too.
    fs::remove_file(station.config_path()).unwrap();
    init(&station, &[crate::support::DAT], &[]).works();
}

#[test]
fn i1_lines_that_powershell_appends_in_utf_16_are_rows() {
    let drafted = Drafted::of("met.csv", &format!("Time,T,RH\n{}", rows(20, ",", |row| format!("{row}.5,55"))));
    assert_eq!(drafted.counts(), [20, 0, 0]);
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    drafted.station.append("met.csv", wide("2025-11-21 00:00:00,7.5,55\r\n2025-11-21 00:30:00,8.5,55\r\n"));
    assert_eq!(drafted.counts(), [2, 0, 0]);
    drafted.station.append("met.csv", wide("2025-11-21 01:00:00,9.5,55\r\n"));
    drafted.station.append("met.csv", "2025-11-21 01:30:00,10.5,55\r\n");
    assert_eq!(drafted.counts(), [2, 0, 0]);
    let rows = drafted.rows("met");
    assert!(rows[20].ends_with(",7.5,55") && rows[23].ends_with(",10.5,55"), "{rows:?}");
    assert_eq!(drafted.station.run(&["rejected"]).code, 0);
}

#[test]
fn i1_a_pgp_message_behind_the_rows_of_a_los_gatos_file_is_no_row_and_no_rejected_line() {
    let message = |lines: usize| {
        let letters = |line: usize| -> String {
            (0..64).map(|place| char::from(b"AbC1dE+fG2hIjK/lMn"[(line * 7 + place * 5) % 18])).collect()
        };
        let body: String = (0..lines).map(|line| letters(line) + "\n").collect();
        format!("-----BEGIN PGP MESSAGE-----\nVersion: BCPG\n\n{body}oc+6ytuq\n=8kQ2\n-----END PGP MESSAGE-----\n")
    };
    let head = "SN:3K43430000002063 VC:936e000\n      Time,      [H2O]_ppm,      [CO2]_ppm,\n";
    let rows = |from: u32, count: u32| {
        (from..from + count).fold(String::new(), |text, row| {
            text + &format!("  {},    6.4{row:04}e+2,    4.1{row:04}e+2,\n", half_hour(row, "%m/%d/%Y %H:%M:%S.000"))
        })
    };
    for (count, lines) in [(30, 80), (300, 40), (20, 500)] {
        let drafted = Drafted::of("n2o.csv", &format!("{head}{}{}", rows(0, count), message(lines)));
        drafted.has(&["names_line = 2"]);
        drafted.lacks("comment = ");
        assert_eq!(drafted.counts(), [count.into(), 0, 0], "{lines}");
        // The next file, and one that is read while the message is being written.
        let (begun, rest) = (message(lines), message(lines));
        let half = begun.len() / 2;
        drafted.station.write("n2o.csv", format!("{head}{}{}", rows(count, 9), &begun[..half]));
        assert_eq!(drafted.counts(), [9, 0, 0], "{lines}");
        drafted.station.append("n2o.csv", &rest[half..]);
        assert_eq!(drafted.counts(), [0, 0, 0], "{lines}");
        // A row that is cut is rejected, within a message, too.
        drafted.station.append("n2o.csv", "  11/26/2025 00:00:0\n");
        assert_eq!(drafted.counts(), [0, 0, 1], "{lines}");
    }
}
