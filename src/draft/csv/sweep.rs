//! Every form of a date beside every form of a time of day: a table is read with the true times, or the configuration has
//! a CHECK, or the file is no table. A wrong time that looks right would be sent without a word.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta, Timelike};

use super::{Recognised, recognise};
use crate::time::StampFormat;

const DATES: [&str; 12] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y%m%d",
    "%m/%d/%Y",
    "%m/%d/%y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%b %d %Y",
    "%-m/%-d/%Y",
];
const TIMES: [&str; 15] = [
    "%H:%M",
    "%H:%M:%S",
    "%H.%M",
    "%-H:%M",
    "%H%M",
    "hmm",
    "%H%M%S",
    "%-H",
    "%H",
    "hours",
    "%I:%M %p",
    "%I:%M:%S%P",
    "seconds",
    "minutes",
    "%H:%M:%S.000",
];

fn clock(time: NaiveDateTime, form: &str) -> String {
    match form {
        "hmm" => (time.hour() * 100 + time.minute()).to_string(),
        "hours" => format!("{:.2}", f64::from(time.hour()) + f64::from(time.minute()) / 60.0),
        "seconds" => time.num_seconds_from_midnight().to_string(),
        "minutes" => (time.num_seconds_from_midnight() / 60).to_string(),
        form => time.format(form).to_string(),
    }
}

fn at(year: i32, month: u32, day: u32, hour: u32, minute: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(year, month, day).unwrap().and_hms_opt(hour, minute, 0).unwrap()
}

/// The times of a table's rows by its draft.
fn times(found: &Recognised, text: &str, separator: char) -> Vec<Option<String>> {
    let names: Vec<&str> = text.lines().next().unwrap().split(separator).collect();
    let own = found.csv.names.as_ref();
    let place = |name: &String| match own {
        Some(own) => own.iter().position(|known| known == name),
        None => names.iter().position(|known| known == name),
    };
    let columns: Vec<usize> = found.csv.time_columns.iter().map(|name| place(name).unwrap()).collect();
    let formats: Vec<StampFormat> =
        found.csv.time_formats.iter().map(|format| StampFormat::new(format.as_deref()).unwrap()).collect();
    let lines = text.lines().skip(usize::from(own.is_none()));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split(separator).collect();
            let stamp = columns.iter().map(|place| fields[*place]).collect::<Vec<_>>().join(" ");
            formats.iter().find_map(|format| format.read(stamp.as_bytes())).map(|read| read.time.to_string())
        })
        .collect()
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Right,
    Check,
    Refused,
    Wrong,
}

fn outcome(rows: &[(NaiveDateTime, String)], names: Option<&str>, separator: char) -> Outcome {
    let head = names.map_or(String::new(), |names| format!("{names}\n"));
    let text = rows
        .iter()
        .enumerate()
        .fold(head, |text, (place, (_, stamp))| text + &format!("{stamp}{separator}{}{separator}50\n", 10 + place % 7));
    let Some(found) = recognise(text.as_bytes()) else { return Outcome::Refused };
    let wanted: Vec<Option<String>> = rows.iter().map(|(time, _)| Some(time.to_string())).collect();
    if times(&found, &text, separator) == wanted {
        Outcome::Right
    } else if found.notes.iter().any(|note| note.starts_with("CHECK")) {
        Outcome::Check
    } else {
        Outcome::Wrong
    }
}

#[test]
fn no_form_of_a_date_beside_any_form_of_a_time_of_day_gives_a_wrong_time_without_a_check() {
    let begins = [at(2025, 11, 3, 0, 0), at(2025, 2, 27, 23, 0)];
    let mut wrong = Vec::new();
    let mut right = 0;
    for (date, form) in DATES.iter().flat_map(|date| TIMES.iter().map(move |form| (*date, *form))) {
        for (minutes, begin) in [60, 30].into_iter().zip(begins) {
            // Only hours alone have no minutes, and a minute is not a whole number of hundredths of an hour.
            let rows = if minutes == 60 { 60 } else { 50 };
            if ["%H", "%-H"].contains(&form) && minutes != 60 {
                continue;
            }
            let times: Vec<NaiveDateTime> = (0..rows).map(|row| begin + TimeDelta::minutes(row * minutes)).collect();
            for (names, join, separator) in [
                (Some("Date,Time,T,RH"), ",", ','),
                (Some("Date,Hour,T,RH"), ",", ','),
                (Some("Date,x,T,RH"), ",", ','),
                (None, ",", ','),
                (Some("stamp,T,RH"), " ", ','),
            ] {
                let row = |time: &NaiveDateTime| (*time, format!("{}{join}{}", time.format(date), clock(*time, form)));
                let rows: Vec<(NaiveDateTime, String)> = times.iter().map(row).collect();
                let outcome = outcome(&rows, names, separator);
                right += usize::from(outcome == Outcome::Right);
                // What a time format cannot read, and days below 13 before or behind months.
                let may_fail = ["seconds", "minutes"].contains(&form)
                    || date.contains('/')
                    || names.is_none_or(|names| names.contains('x'));
                if outcome == Outcome::Wrong || (outcome != Outcome::Right && !may_fail) {
                    wrong.push(format!(
                        "{outcome:?} {date} {form} every {minutes} min from {begin}, {names:?}: {}",
                        rows[1].1
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of them, {right} are right:\n{}", wrong.len(), wrong.join("\n"));
    assert!(right > 1_000, "{right}");
}

#[test]
fn an_hour_column_that_fits_two_readings_is_a_check_with_both() {
    let check = |names: &str, form: &str, rows: i64, minutes: i64| {
        let times = (0..rows).map(|row| at(2025, 11, 3, 0, 30) + TimeDelta::minutes(row * minutes));
        let text = times.fold(format!("{names},T,RH\n"), |text, time| {
            text + &format!("{},{},5,50\n", time.format("%Y-%m-%d"), clock(time, form))
        });
        recognise(text.as_bytes()).unwrap().notes.join("\n")
    };
    // Hours at half past: 1.50 may be ten to two.
    let note = check("Date,Time", "hours", 60, 60);
    assert!(note.contains("time_format = \"%Y-%m-%d %H") && note.contains("00:50"), "{note}");
    // The hours of one day, 0 to 19, may be minutes; a column that is named Hour has hours.
    assert!(check("Date,Time", "%-H", 20, 60).contains("(14 is 00:14)"));
    assert_eq!(check("Date,Hour", "%-H", 20, 60), "");
    assert_eq!(check("Date,Time", "%-H", 40, 60), "");
}

#[test]
fn a_value_beside_a_date_of_its_own_is_no_time_of_day() {
    let dates = ["%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%d-%b-%Y", "%Y%m%d"];
    let values: [fn(usize) -> String; 4] = [
        |row| format!("{}.{}", row % 7, row % 6),
        |row| format!("{}.0", 12 + row % 8),
        |row| (row * 7 % 24).to_string(),
        |row| format!("{:.2}", (row * 5 % 60) as f64 / 100.0),
    ];
    for (date, value) in dates.iter().flat_map(|date| values.iter().map(move |value| (date, value))) {
        for names in ["Date,Rain,TA", "Date,h,TA", "Date,Sun_hours,TA"] {
            let text = (0..60).fold(format!("{names}\n"), |text, row: usize| {
                let time = at(2025, 10, 1, 0, 0) + TimeDelta::days(row.try_into().unwrap());
                text + &format!("{},{},9\n", time.format(date), value(row))
            });
            let found = recognise(text.as_bytes()).unwrap();
            assert_eq!(found.csv.time_columns, ["Date"], "{names} {date} {}", value(3));
        }
    }
}

#[test]
fn a_number_of_ten_digits_is_a_date_unix_seconds_or_a_check() {
    let drafted = |name: &str, stamp: &dyn Fn(NaiveDateTime) -> String, begin: NaiveDateTime| {
        let text = (0..60).fold(format!("{name},T\n"), |text, row| {
            text + &format!("{},5\n", stamp(begin + TimeDelta::minutes(30 * row)))
        });
        let found = recognise(text.as_bytes()).unwrap();
        (found.csv.time_formats[0].clone().unwrap(), found.notes.join("\n"))
    };
    let hours = |time: NaiveDateTime| {
        (at(2025, 2, 27, 0, 0) + (time - at(2025, 2, 27, 0, 0)) * 2).format("%Y%m%d%H").to_string()
    };
    assert_eq!(drafted("MESS_DATUM", &hours, at(2025, 2, 27, 0, 0)), ("%Y%m%d%H".to_owned(), String::new()));
    for begin in [at(2025, 11, 3, 0, 30), at(2016, 11, 3, 0, 30)] {
        let short = |time: NaiveDateTime| time.format("%y%m%d%H%M").to_string();
        assert_eq!(drafted("Date", &short, begin), ("%y%m%d%H%M".to_owned(), String::new()));
        let unix = |time: NaiveDateTime| time.and_utc().timestamp().to_string();
        assert_eq!(drafted("Date", &unix, begin), ("unix".to_owned(), String::new()));
    }
    let since_1990 = |time: NaiveDateTime| (time - at(1990, 1, 1, 0, 0)).num_seconds().to_string();
    let (format, note) = drafted("Seconds", &since_1990, at(2025, 11, 3, 0, 0));
    assert!(format == "unix" && note.contains("seconds since 1990-01-01"), "{note}");
}

#[test]
fn a_year_of_two_digits_is_not_the_beginning_of_one_of_four() {
    let text = (1..29).fold("Date,T\n".to_owned(), |text, day| text + &format!("{day:02}-Feb-2024,5\n"));
    let found = recognise(text.as_bytes()).unwrap();
    assert_eq!(found.csv.time_formats, [Some("%d-%b-%Y".to_owned())]);
}

#[test]
fn hours_behind_year_and_day_may_have_a_fraction_and_may_be_named_time() {
    for (names, form, wanted) in [
        ("Year,DoY,Hour,NEE", "hours", "%Y %j %H%.f"),
        ("Year,DoY,Time,NEE", "%-H", "%Y %j %H"),
        ("Year,DoY,Time,NEE", "hmm", "%Y %j %H%M"),
        ("Year,DoY,Hour,NEE", "%-H", "%Y %j %H"),
    ] {
        let text = (0..60).fold(format!("{names}\n"), |text, row| {
            let minutes = if form == "%-H" { 60 } else { 30 };
            let time = at(2025, 11, 3, 0, 0) + TimeDelta::minutes(minutes * row);
            text + &format!("{},{},5\n", time.format("%Y,%-j"), clock(time, form))
        });
        assert_eq!(recognise(text.as_bytes()).unwrap().csv.time_formats, [Some(wanted.to_owned())], "{names}");
    }
}

#[test]
fn hours_and_minutes_in_columns_behind_a_date_are_read_together() {
    for (date, minutes) in [("%Y-%m-%d", 30), ("%m/%d/%Y", 60), ("%Y%m%d", 10)] {
        let text = (0..100).fold("Date,Hour,Minute,T\n".to_owned(), |text, row| {
            let time = at(2025, 11, 13, 0, 5) + TimeDelta::minutes(minutes * row);
            text + &format!("{},{},{},5\n", time.format(date), time.hour(), time.minute())
        });
        let found = recognise(text.as_bytes()).unwrap();
        assert_eq!(found.csv.time_columns, ["Date", "Hour", "Minute"], "{date}");
        assert_eq!(found.csv.time_formats, [Some(format!("{date} %H %M"))]);
        assert!(found.notes.is_empty(), "{:?}", found.notes);
    }
}
