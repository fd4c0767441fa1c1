//! `init` on the stamps of text tables: a number beside a date, a word behind the time, an offset in the name of the column. Every
//! row has its true time, or the configuration says what to look at.

use std::fs;

use crate::init_text_tables::{Drafted, half_hour, init};
use crate::support::Station;

/// The hour of a half hour from midnight of 20 November on, with its fraction.
fn hour(row: u32) -> f64 {
    f64::from(row % 48) / 2.0
}

#[test]
fn hours_beside_a_date_are_hours_and_not_minutes() {
    let of = |names: &str, rows: u32, line: &dyn Fn(u32) -> String| {
        (0..rows).fold(format!("{names},T\n"), |text, row| text + &format!("{},{row}.5\n", line(row)))
    };
    let day = |row: u32, form: &str| half_hour(row, form);
    let hourly: [(&str, String, &str); 4] = [
        ("%m/%d/%Y %H", of("Date,Hour", 100, &|row| format!("{},{}", day(row * 2, "%m/%d/%Y"), row % 24)), "00:00"),
        ("%d.%m.%Y %H", of("Date,Hour", 100, &|row| format!("{},{}", day(row * 2, "%d.%m.%Y"), row % 24 + 1)), "01:00"),
        ("%Y-%m-%d %H", of("time", 100, &|row| day(row * 2, "%Y-%m-%d %H")), "00:00"),
        ("%Y%m%d%H", of("MESS_DATUM", 100, &|row| day(row * 2, "%Y%m%d%H")), "00:00"),
    ];
    for (format, text, first) in &hourly {
        let drafted = Drafted::of("met.csv", text);
        drafted.has(&[&format!("time_format = \"{format}\"")]);
        drafted.lacks("CHECK: the column");
        assert_eq!(drafted.counts(), [100, 0, 0], "{format}");
        let rows = drafted.rows("met");
        assert!(rows[0].starts_with(&format!("2025-11-20 {first}:00,,0.5")), "{format}: {:?}", rows[0]);
        let next = if *first == "01:00" { "2025-11-21 00:00:00,,23.5" } else { "2025-11-20 23:00:00,,23.5" };
        assert!(rows[23].starts_with(next), "{format}: {:?}", rows[23]);
    }
    let halves = of("Date,Hour", 200, &|row| format!("{},{:.2}", day(row, "%m/%d/%Y"), hour(row)));
    let drafted = Drafted::of("met.csv", &halves);
    drafted.has(&["time_format = \"%m/%d/%Y %H%.f\""]);
    assert_eq!(drafted.counts(), [200, 0, 0]);
    assert!(drafted.rows("met")[29].starts_with("2025-11-20 14:30:00,,29.5"), "{:?}", drafted.rows("met")[29]);
}

#[test]
fn hours_and_minutes_without_a_sign_are_read_beside_any_form_of_a_date() {
    for (date, clock) in [
        ("%Y-%m-%d", "%H%M"),
        ("%Y%m%d", "%H%M"),
        ("%d.%m.%Y", "%H%M"),
        ("%d-%m-%Y", "%H%M"),
        ("%Y-%m-%d", "%H%M%S"),
        ("%Y/%m/%d", "%H%M"),
    ] {
        let text = (0..120).fold("Date,Time,T\n".to_owned(), |text, row| {
            text + &format!("{},{},{row}.5\n", half_hour(row, date), half_hour(row, clock))
        });
        let drafted = Drafted::of("met.csv", &text);
        drafted.has(&[&format!("time_format = \"{date} {clock}\""), "time_columns = [\"Date\", \"Time\"]"]);
        drafted.lacks("rows looked at have");
        assert_eq!(drafted.counts(), [120, 0, 0], "{date} {clock}");
        assert!(drafted.rows("met")[50].starts_with("2025-11-21 01:00:00,,50.5"), "{date} {clock}");
    }
}

#[test]
fn the_rain_of_each_day_is_a_value_and_not_its_time() {
    let text = (0..60).fold("Date,Rain,T\n".to_owned(), |text, day| {
        text + &format!("{},{}.{},9.5\n", half_hour(48 * day, "%m/%d/%Y"), day % 6, day * 7 % 6)
    });
    let drafted = Drafted::of("daily.csv", &text);
    drafted.has(&["time_column = \"Date\"", "time_format = \"%m/%d/%Y\""]);
    assert_eq!(drafted.counts(), [60, 0, 0]);
    assert!(drafted.rows("daily")[1].starts_with("2025-11-21 00:00:00,,1.1,9.5"), "{:?}", drafted.rows("daily")[1]);
}

/// The first row as it is sent, with its instant.
fn sent(drafted: &Drafted) -> String {
    let sent = drafted.station.run(&["sync", "--dry-run", "--print"]).stdout;
    sent.lines().find(|line| line.contains("station=")).unwrap_or(&sent).to_owned()
}

#[test]
fn a_word_behind_the_time_is_a_part_of_it_and_its_offset_is_compared_with_the_station_s() {
    for (word, format, clock) in [
        ("EST", "EST", "%H:%M:%S"),
        ("EST", "EST", "%I:%M:%S %p"),
        ("Uhr", "Uhr", "%H:%M"),
        ("GMT-05:00", "GMT%z", "%H:%M:%S"),
    ] {
        for (sign, name) in [(",", ","), (";", ";"), ("\t", "tab")] {
            let text = (0..60).fold(format!("time{sign}T\n"), |text, row| {
                text + &format!("{} {word}{sign}{row}.5\n", half_hour(row, &format!("%Y-%m-%d {clock}")))
            });
            let drafted = Drafted::of("met.csv", &text);
            drafted.has(&[&format!("time_format = \"%Y-%m-%d {clock} {format}\""), &format!("separator = \"{name}\"")]);
            drafted.lacks("CHECK: \"");
            assert_eq!(drafted.counts(), [60, 0, 0], "{word} {sign}");
            assert!(drafted.rows("met")[29].starts_with("2025-11-20 14:30:00,,29.5"), "{:?}", drafted.rows("met")[29]);
        }
    }
    let text = |word: &dyn Fn(u32) -> &'static str| {
        (0..60).fold("time,T\n".to_owned(), |text, row| {
            text + &format!("{} {},{row}.5\n", half_hour(row, "%Y-%m-%d %H:%M:%S"), word(row))
        })
    };
    let other = Drafted::of("met.csv", &text(&|_| "MEZ"));
    other.has(&[
        "utc_offset = \"+01:00\"",
        "# CHECK: \"MEZ\" states UTC+01:00 for the stamps, and the station's is -05:00",
    ]);
    assert_eq!(other.counts(), [60, 0, 0]);
    assert!(sent(&other).contains(" 1763593200"), "{}", sent(&other));
    let summer = Drafted::of("met.csv", &text(&|_| "EDT"));
    summer.has(&["#utc_offset = \"-04:00\"", "# CHECK: \"EDT\" states UTC-04:00"]);
    let both = Drafted::of("met.csv", &text(&|row| if row < 50 { "EDT" } else { "EST" }));
    both.has(&["# CHECK: stamps end with ED", "time_formats = [\"%Y-%m-%d %H:%M:%S EST\"]"]);
    assert_eq!(both.counts(), [60, 0, 0]);
}

#[test]
fn blanks_do_not_separate_fields_where_names_and_rows_have_another_sign() {
    let station = Station::new();
    fs::remove_file(station.config_path()).unwrap();
    let text = (0..60).fold("time,T\n".to_owned(), |text, row| {
        text + &format!("{} no. 7,{row}.5\n", half_hour(row, "%Y-%m-%d %H:%M:%S"))
    });
    station.write("met.csv", text);
    let refused = init(&station, &["met.csv"], &[]).expect(2);
    assert!(refused.stderr.contains("met.csv"), "{}", refused.stderr);
}

#[test]
fn a_table_of_zentra_has_the_names_above_its_rows_and_reads_the_next_download() {
    let text = |rows: std::ops::Range<u32>| {
        let head = format!(
            "z6-12345,Port 1,Port 1,Port 2\nRecords: {},TEROS 12,TEROS 12,ATMOS 41\n\
             Timestamps, m³/m³ Water Content, °C Soil Temperature, kPa VPD\n",
            rows.len()
        );
        rows.fold(head, |text, row| {
            text + &format!("{},0.{},10.{},1.5\n", half_hour(row, "%m/%d/%Y %I:%M:%S %p"), 200 + row, row % 10)
        })
    };
    let drafted = Drafted::of("z6.csv", &text(0..120));
    drafted.has(&["time_column = \"Timestamps\"", "names_line = 3"]);
    drafted.lacks("units_line");
    assert_eq!(drafted.counts(), [120, 0, 0]);
    drafted.station.write("z6.csv", text(100..190));
    assert_eq!(drafted.counts(), [70, 0, 0]);
    // Names above units, both with the time, are names.
    let rows = (0..20).fold(String::new(), |text, row| text + &format!("{},1,2,3\n", half_hour(row, "%Y-%m-%d %H:%M")));
    let units = Drafted::of("met.csv", &format!("Date,T,RH,P\ndate,C,%,mm\n{rows}"));
    units.has(&["names_line = 1", "units_line = 2"]);
}

#[test]
fn a_file_of_hoboware_has_its_units_and_the_offset_of_its_heading() {
    let text = |offset: &str| {
        let head = format!(
            "\u{feff}\"Plot Title: well 3\"\n\"#\",\"Date Time, GMT{offset}\",\"Temp, °C (LGR S/N: 1234, SEN S/N: 1234)\",\
             \"RH, % (LGR S/N: 1234, SEN S/N: 1234)\"\n"
        );
        (0..100).fold(head, |text, row| {
            text + &format!("{},{},1{}.5,50.5\n", row + 1, half_hour(row, "%m/%d/%y %I:%M:%S %p"), row % 10)
        })
    };
    let alike = Drafted::of("hobo.csv", &text("-05:00"));
    alike.lacks("\nutc_offset = \"-05:00\"\nstale_after");
    alike.lacks("CHECK: \"Date Time");
    alike.has(&["# RH, % (LGR S/N: 1234, SEN S/N: 1234): %", "variable = \"RH\""]);
    alike.lacks(": LGR S/N");
    let other = Drafted::of("hobo.csv", &text("-06:00"));
    other.has(&[
        "utc_offset = \"-06:00\"\nstale_after",
        "# CHECK: \"Date Time, GMT-06:00\" states UTC-06:00 for the stamps",
    ]);
    assert_eq!(other.counts(), [100, 0, 0]);
    assert!(sent(&other).contains(" 1763618400"), "{}", sent(&other));
    let findings = other.station.run(&["status"]).stdout;
    assert!(!findings.contains("unit_unfit"), "{findings}");
}
