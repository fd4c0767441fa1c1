//! `init` on times of day in odd forms and places: behind other columns, with `a` and `p`, as intervals, and as counts of days or
//! parts of a second. Rows never get midnight in place of their time without a CHECK, and no clock time becomes a series.

use std::fs;

use crate::init_text_tables::{Drafted, half_hour, init};
use crate::support::Station;

fn table(names: &str, row: &dyn Fn(u32) -> String) -> String {
    (0..120).fold(format!("{names}\n"), |text, place| text + &format!("{}\n", row(place)))
}

/// The row of 14:30 on the first day.
#[track_caller]
fn is_half_past_two(drafted: &Drafted, table: &str) {
    assert_eq!(drafted.counts(), [120, 0, 0]);
    let row = drafted.rows(table)[29].clone();
    assert!(row.starts_with("2025-11-20 14:30:00,"), "{row}");
}

#[test]
fn a_date_and_a_time_of_day_with_columns_between_are_the_time() {
    for (names, form) in [
        ("Date,Site,Time", "%Y-%m-%d,UMB,%H:%M"),
        ("Date,Well,Time,Level", "%m/%d/%Y,6,%H:%M:%S,1.5"),
        ("Time,Site,Plot,Date", "%H:%M,UMB,3,%d.%m.%Y"),
        ("Date,Site,Clock", "%Y-%m-%d,UMB,%I:%M %p"),
        ("Date,Site,Hour", "%Y-%m-%d,UMB,%H%M"),
    ] {
        let drafted = Drafted::of("plots.csv", &table(&format!("{names},T"), &|row| half_hour(row, form) + ",10.5"));
        drafted.lacks("use = \"tag\"\n");
        drafted.lacks("sensor_column");
        is_half_past_two(&drafted, "plots");
    }
}

#[test]
fn a_time_of_day_in_an_odd_form_beside_its_date_is_read() {
    for form in ["%Hh%M", "T%H:%M", "%H%MZ", "%H:%M EST", "%H:%Mh", "%H:%M Uhr"] {
        let text = table("Date,Time,T", &|row| format!("{},{row}.5", half_hour(row, &format!("%Y-%m-%d,{form}"))));
        let drafted = Drafted::of("met.csv", &text);
        assert_eq!(drafted.counts(), [120, 0, 0], "{form}");
        let rows = drafted.rows("met");
        let minute = if form.ends_with('Z') { "2025-11-20 09:30:00" } else { "2025-11-20 14:30:00" };
        assert!(rows[29].starts_with(minute), "{form}: {}", rows[29]);
    }
    for form in ["%-I:%M%P", "%-I:%M %P"] {
        let clock = |row: u32| half_hour(row, form).trim_end_matches('m').to_owned();
        let davis = table("Date,Time,T", &|row| format!("{},{},{row}.5", half_hour(row, "%m/%d/%y"), clock(row)));
        let drafted = Drafted::of("davis.csv", &davis);
        drafted.has(&["time_format = \"%m/%d/%y %I:%M %p\""]);
        is_half_past_two(&drafted, "davis");
    }
}

#[test]
fn a_clock_that_is_not_understood_is_a_check_and_no_tag_or_sensor() {
    for names in ["Date,Time,T", "Date,Site,Time,T", "Date,Time,T,RH"] {
        let text = table(names, &|row| {
            let clock = half_hour(row, "%H:%M~x");
            names
                .replace("Date", &half_hour(row, "%Y-%m-%d"))
                .replace("Time", &clock)
                .replace('T', "10.5")
                .replace("RH", "50")
        });
        let drafted = Drafted::of("met.csv", &text);
        drafted.has(&["# CHECK: the column Time has times of day (\"00:00~x\")"]);
        drafted.lacks("sensor_column");
        drafted.lacks("\nuse = \"tag\"");
    }
    // The hour of the maximum beside a date of its own is no time of the row, and said so.
    let daily = table("Date,Tmax,Time", &|row| format!("{},10.5,14:{:02}", half_hour(row * 48, "%Y-%m-%d"), row % 60));
    let drafted = Drafted::of("daily.csv", &daily);
    drafted.has(&["time_column = \"Date\"", "# CHECK: the column Time has times of day (\"14:00\")"]);
    assert_eq!(drafted.counts(), [120, 0, 0]);
}

#[test]
fn an_interval_is_no_offset_and_its_end_is_the_time() {
    let end = |row: u32, form: &str| half_hour(row, form);
    for (names, row) in [
        (
            "Date,Time,T",
            &(|row: u32| format!("{}-{},{row}.5", end(row, "%m/%d/%Y,%H:%M"), end(row + 1, "%H:%M")))
                as &dyn Fn(u32) -> String,
        ),
        ("Date,Time,T", &|row| format!("{} - {},{row}.5", end(row, "%d.%m.%Y,%H:%M"), end(row + 1, "%H:%M"))),
        ("MTU,T", &|row| format!("{} - {},{row}.5", end(row, "%d.%m.%Y %H:%M"), end(row + 1, "%d.%m.%Y %H:%M"))),
    ] {
        let drafted = Drafted::of("grid.csv", &table(names, row));
        drafted.lacks("%z");
        drafted.has(&["# A stamp is an interval, from start to end; the end is the time of its row"]);
        assert_eq!(drafted.counts(), [120, 0, 0]);
        let rows = drafted.rows("grid");
        assert!(
            rows[0].starts_with("2025-11-20 00:30:00,") && rows[47].starts_with("2025-11-21 00:00:00,"),
            "{}",
            rows[47]
        );
    }
    let offset = table("Time,T", &|row| format!("{}-05:00,{row}.5", half_hour(row, "%Y-%m-%dT%H:%M")));
    Drafted::of("met.csv", &offset).has(&["time_format = \"%Y-%m-%dT%H:%M%z\""]);
}

#[test]
fn counts_of_days_and_of_parts_of_a_second_are_read() {
    let begin = 1_763_596_800_i64;
    let days = |row: u32, first: f64, sign: &str| format!("{:.10}", first + f64::from(row) / 48.0).replace('.', sign);
    for (format, text) in [
        ("excel", table("Zeit;T", &|row| format!("{};{row},5", days(row, 45_981.0, ",")))),
        ("excel", table("Date,T", &|row| format!("{},{row}.5", days(row, 45_981.0, ".")))),
        ("matlab", table("datenum,T", &|row| format!("{},{row}.5", days(row, 739_941.0, ".")))),
        (
            "microseconds since 1970-01-01Z",
            table("time,T", &|row| format!("{},{row}.5", (begin + 1_800 * i64::from(row)) * 1_000_000)),
        ),
        (
            "nanoseconds since 1970-01-01Z",
            table("time,T", &|row| format!("{},{row}.5", (begin + 1_800 * i64::from(row)) * 1_000_000_000)),
        ),
    ] {
        let drafted = Drafted::of("met.csv", &text);
        drafted.has(&[&format!("time_format = \"{format}\"")]);
        drafted.lacks("# CHECK: the numbers are read");
        assert_eq!(drafted.counts(), [120, 0, 0], "{format}");
        let wanted = if format.ends_with('Z') { "2025-11-20 09:30:00," } else { "2025-11-20 14:30:00," };
        assert!(drafted.rows("met")[29].starts_with(wanted), "{format}: {}", drafted.rows("met")[29]);
    }
    let unnamed = table("time,T", &|row| format!("{},{row}.5", days(row, 739_941.0, ".")));
    Drafted::of("met.csv", &unnamed).has(&["# CHECK: the numbers are read as Matlab's days"]);
}

#[test]
fn a_day_of_the_year_with_a_fraction_beside_its_year_is_the_time() {
    for (names, digits) in [("Year,DOY,T", 4), ("Year,Site,DOY,T", 10), ("DOY,Year,T", 5)] {
        let text = table(names, &|row| {
            let day = format!("{:.digits$}", 324.0 + f64::from(row) / 48.0);
            names.replace("Year", "2025").replace("DOY", &day).replace("Site", "6").replace('T', "10.5")
        });
        is_half_past_two(&Drafted::of("met.csv", &text), "met");
    }
}

#[test]
fn dates_of_c_of_mail_and_in_parts_beside_a_clock_are_read() {
    for (names, form) in [
        ("time", "%a %b %d %H:%M:%S %Y"),
        ("time", "\"%a, %d %b %Y %H:%M:%S -0500\""),
        ("time", "%Y%m%dT%H%M%S"),
        ("time", "%Y-%jT%H:%M"),
        ("time", "%Y:%m:%d %H:%M:%S"),
        ("time", "%Y-%m-%d %Hh%M"),
        ("Year,DOY,Time", "%Y,%-j,%H:%M"),
        ("Year,Month,Day,Time", "%Y,%-m,%-d,%H:%M:%S"),
    ] {
        let drafted =
            Drafted::of("met.csv", &table(&format!("{names},T"), &|row| format!("{},{row}.5", half_hour(row, form))));
        is_half_past_two(&drafted, "met");
    }
}

#[test]
fn a_refusal_names_the_column_and_the_text_that_is_no_time() {
    let refused = |text: &str| {
        let station = Station::new();
        fs::remove_file(station.config_path()).unwrap();
        station.write("met.csv", text);
        init(&station, &["met.csv"], &[]).expect(2).stderr
    };
    let odd = refused(&table("Timestamp,T,RH", &|row| format!("{},{row}.5,50", half_hour(row, "the %dth at %H~%M"))));
    assert!(odd.contains("\"the 21th at 06~00\" in the column Timestamp"), "{odd}");
    assert!(odd.contains("time_format") && !odd.contains("CSV without a header"), "{odd}");
    let years =
        refused(&table("year_dec,T,RH", &|row| format!("{:.6},{row}.5,50", 2025.88 + f64::from(row) / 17_520.0)));
    assert!(years.contains("the column year_dec has years with a fraction"), "{years}");
    let days = refused(&table("DOY,T,RH", &|row| format!("{:.4},{row}.5,50", 324.0 + f64::from(row) / 48.0)));
    assert!(days.contains("the column DOY has days of the year with a fraction"), "{days}");
}
