//! `fluxtower export --coverage`, held against a count of lines that knows nothing of the program.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{Datelike as _, NaiveDateTime, TimeDelta, Timelike as _};
use serde_json::Value;

use crate::serve::client::Served;
use crate::support::Station;
use crate::support::dice::Dice;

const HEAD: &str = "\"TOA5\",\"T\",\"CR1000X\",\"4711\",\"Std.05\",\"CPU:demo.CR1X\",\"20250\",\"T\"\r\n\
    \"TIMESTAMP\",\"RECORD\",\"AirTC\",\"RH\",\"Note\",\"Spare\"\r\n\"TS\",\"RN\",\"Deg C\",\"%\",\"\",\"V\"\r\n\
    \"\",\"\",\"Avg\",\"Avg\",\"Smp\",\"Smp\"\r\n";
const KEYS: &str =
    "missing = [7999]\n[table.columns.AirTC]\nvariable = \"TA\"\n[table.columns.Spare]\nuse = \"ignore\"";

fn time(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
}

/// Half hours of a month: all, with values, and with values that did not fail.
type Months = BTreeMap<(i32, u32), [u64; 3]>;

/// The last column of a table, for each half hour from `begin` to before `end`: how many minutes its values stand for.
struct Count {
    minutes: BTreeMap<NaiveDateTime, [i64; 2]>,
}

impl Count {
    fn row(&mut self, at: NaiveDateTime, minutes: i64, cell: &str) {
        // A row is the end of its interval; no interval here goes over more than whole half hours.
        let mut left = minutes;
        let mut end = at;
        while left > 0 {
            let before = end - TimeDelta::minutes(1);
            let half_hour = before.date().and_hms_opt(before.hour(), before.minute() / 30 * 30, 0).unwrap();
            let part = left.min(30);
            let found = self.minutes.entry(half_hour).or_default();
            let is_missing = ["\"NAN\"", "7999"].contains(&cell);
            found[0] += if is_missing { 0 } else { part };
            found[1] += if is_missing || cell == "99.9" { 0 } else { part };
            left -= part;
            end -= TimeDelta::minutes(part);
        }
    }

    fn months(&self, begin: NaiveDateTime, end: NaiveDateTime) -> Months {
        let mut months = Months::new();
        let mut at = begin;
        while at < end {
            let [present, good] = self.minutes.get(&at).copied().unwrap_or_default();
            let month = months.entry((at.year(), at.month())).or_default();
            month[0] += 1;
            month[1] += u64::from(present >= 15);
            month[2] += u64::from(good >= 15);
            at += TimeDelta::minutes(30);
        }
        months
    }
}

/// A table with rows that are not there, values that are missing, and values that fail, with the counts of its two columns.
fn table(span: (&str, &str), interval: impl Fn(NaiveDateTime) -> i64, dice: &mut Dice) -> (String, [Count; 2]) {
    let mut text = HEAD.to_owned();
    let mut counts = [Count { minutes: BTreeMap::new() }, Count { minutes: BTreeMap::new() }];
    let (mut at, end) = (time(span.0), time(span.1));
    let (mut record, mut off) = (0, 0);
    while at < end {
        let minutes = interval(at);
        at += TimeDelta::minutes(minutes);
        record += 1;
        if off == 0 && dice.below(40) == 0 {
            off = [1, 2, 3, 4, 30][usize::try_from(dice.below(5)).unwrap()];
        }
        if off > 0 && at < end {
            off -= 1;
            continue;
        }
        let is_bad = at.hour() % 3 == 0;
        let mut cell = |usual: &str| match dice.below(if is_bad { 5 } else { 40 }) {
            0 => "\"NAN\"".to_owned(),
            1 => "7999".to_owned(),
            _ => usual.to_owned(),
        };
        let humidity = cell("80.5");
        let warm = if is_bad && at.minute() < 20 { "99.9" } else { "12.5" };
        let cells = [cell(warm), humidity];
        counts.iter_mut().zip(&cells).for_each(|(count, cell)| count.row(at, minutes, cell));
        let [first, second] = cells;
        write!(text, "\"{}\",{record},{first},{second},\"ok\",1\r\n", at.format("%Y-%m-%d %H:%M:%S")).unwrap();
    }
    (text, counts)
}

fn months(variable: &Value) -> Months {
    let mut found = Months::new();
    for year in variable["years"].as_array().unwrap() {
        let number = |of: &Value, key: &str| of[key].as_u64().unwrap();
        for key in ["half_hours", "present", "good"] {
            let sum: u64 = year["months"].as_array().unwrap().iter().map(|month| number(month, key)).sum();
            assert_eq!(sum, number(year, key), "{year}");
        }
        for month in year["months"].as_array().unwrap() {
            assert_eq!(month["unknown"], 0, "{month}");
            let counts = ["half_hours", "present", "good"].map(|key| number(month, key));
            for (part, key) in [(counts[1], "present_percent"), (counts[2], "good_percent")] {
                let percent = month[key].as_f64().unwrap();
                let exact = 100.0 * part as f64 / counts[0] as f64;
                assert!(percent <= exact + 1e-9 && exact - percent < 0.1 + 1e-9, "{month}");
                assert!(percent < 100.0 || part == counts[0], "{month}");
            }
            let at = (i32::try_from(year["year"].as_i64().unwrap()).unwrap(), number(month, "month") as u32);
            found.insert(at, counts);
        }
    }
    found
}

#[test]
fn the_coverage_of_every_month_is_that_of_an_independent_count() {
    let mut dice = Dice(18);
    let names = ["five", "half", "hour", "both"];
    let tower = Station::new().table(&format!("name = \"five\"\nfiles = [\"five.dat\"]\n{KEYS}"));
    let further = |name: &&str| format!("[[table]]\nname = \"{name}\"\nfiles = [\"{name}.dat\"]\n{KEYS}\n");
    let tower = tower.more(&names[1..].iter().map(further).collect::<String>());
    // The program of the last table is changed: from five minutes to half hours.
    let change = time("2024-01-20 00:00");
    let both = |at| if at < change { 5 } else { 30 };
    let mut counts = BTreeMap::new();
    for (name, span, interval) in [
        ("five", ("2023-12-11 06:00", "2024-03-05 17:10"), &(|_| 5_i64) as &dyn Fn(NaiveDateTime) -> i64),
        ("half", ("2023-12-31 00:00", "2024-02-10 12:00"), &|_| 30),
        ("hour", ("2023-12-01 00:00", "2024-02-29 00:00"), &|_| 60),
        ("both", ("2024-01-01 00:00", "2024-03-01 00:00"), &both),
    ] {
        let (text, counted) = table(span, interval, &mut dice);
        tower.write(&format!("{name}.dat"), text);
        let year = if name == "both" { "2024-01-01 00:00" } else { "2023-01-01 00:00" };
        counts.insert(name, (year, counted));
    }
    let _ = tower.run(&["ingest"]).works();
    let report = tower.run(&["export", "--coverage", "--json"]).expect(0).json();
    assert!(report["rule"].as_str().unwrap().contains("50 %"), "{report}");
    let found = report["variables"].as_array().unwrap();
    let columns: Vec<_> =
        found.iter().map(|of| (of["table"].as_str().unwrap(), of["column"].as_str().unwrap())).collect();
    // Neither the texts nor the column that is not sent.
    assert_eq!(columns, names.map(|name| [(name, "AirTC"), (name, "RH")]).concat());
    for (of, (table, column)) in found.iter().zip(columns) {
        let (begin, counted) = &counts[table];
        let counted = &counted[usize::from(column == "RH")];
        // The newest row of the station stands for a part of the last half hour.
        let expected = counted.months(time(begin), time("2024-03-05 17:30"));
        assert_eq!(months(of), expected, "{table} {column}");
        let sums = expected.values().fold([0; 3], |sum: [u64; 3], month| [0, 1, 2].map(|at| sum[at] + month[at]));
        assert!(sums[2] > 500 && sums[1] < sums[0] && sums[2] <= sums[1], "{table}: {sums:?} says little");
        assert!(column == "RH" || sums[2] < sums[1], "{table}: {sums:?}: nothing failed");
    }
    let interval = |at: usize| found[at]["interval_s"].as_f64();
    assert_eq!([0, 2, 4, 6].map(interval), [300.0, 1_800.0, 3_600.0, 1_800.0].map(Some));

    let window =
        ["export", "--coverage", "--table", "five", "--since", "2024-01-10", "--until", "2024-02-01", "--json"];
    let report = tower.run(&window).expect(0).json();
    let expected = counts["five"].1[0].months(time("2024-01-10 00:00"), time("2024-02-01 00:00"));
    assert_eq!(expected[&(2024, 1)][0], 22 * 48);
    assert_eq!(months(&report["variables"][0]), expected);
}

/// Rows every five seconds: holes of odd lengths, missing values and values that fail.
fn fast(dice: &mut Dice) -> String {
    let mut text = HEAD.to_owned();
    let (mut off, mut bad) = (0, 0);
    for row in 1..=60 * 720_i64 {
        let at = time("2024-03-01 00:00") + TimeDelta::seconds(5 * row);
        if off == 0 && dice.below(2_000) == 0 {
            off = 7 + dice.below(900);
        }
        if bad == 0 && dice.below(1_500) == 0 {
            bad = 11 + dice.below(500);
        }
        bad = bad.saturating_sub(1);
        if off > 0 {
            off -= 1;
            continue;
        }
        let first = match (bad > 0, row % 2_000 < 700) {
            (true, true) => "\"NAN\"",
            (true, false) => "99.9",
            _ => "12.5",
        };
        write!(text, "\"{}\",{row},{first},80.5,\"ok\",1\r\n", at.format("%Y-%m-%d %H:%M:%S")).unwrap();
    }
    text
}

#[test]
fn the_page_counts_half_hours_as_the_command_does_by_rows_and_by_summaries() {
    let mut dice = Dice(5);
    let tower = Station::new().table(&format!("name = \"minute\"\nfiles = [\"minute.dat\"]\n{KEYS}"));
    let tower = tower.more(&format!("[[table]]\nname = \"fast\"\nfiles = [\"fast.dat\"]\naggregate = \"30m\"\n{KEYS}"));
    let (text, _) = table(("2024-03-01 00:00", "2024-03-03 12:00"), |_| 1, &mut dice);
    tower.write("minute.dat", text);
    tower.write("fast.dat", fast(&mut dice));
    let _ = tower.run(&["ingest"]).works();
    let served = Served::start(&tower.config_path());
    let millis = |text: &str| (time(text) + TimeDelta::hours(5)).and_utc().timestamp_millis();
    // A range that begins within a half hour, before the first row and after it.
    for (since, from, first) in [("2024-03-01", "2024-02-28 11:11", 0), ("2024-03-02T05:00", "2024-03-02 04:41", 58)] {
        let (from, to) = (millis(from), millis("2024-03-03 12:00"));
        for name in ["minute", "fast", "fast_30m"] {
            let shown = served.json(&format!("/api/coverage?table={name}&from={from}&to={to}"));
            assert_eq!(shown["half_hours"], 120 - first, "{shown}");
            let window = ["--since", since, "--until", "2024-03-03T12:00", "--json"];
            let told = tower.run(&[&["export", "--coverage", "--table", name][..], &window].concat()).expect(0).json();
            assert_eq!(shown["rule"], told["rule"]);
            let variables = told["variables"].as_array().unwrap();
            let names: Vec<&str> = variables.iter().map(|of| of["column"].as_str().unwrap()).collect();
            assert!(names.starts_with(&["AirTC", "RH"]), "{names:?}");
            assert!(
                !names.iter().any(|name| name.contains('_')),
                "no number of samples, and no share of them: {names:?}"
            );
            for of in &variables[..2] {
                let column = shown["columns"].as_array().unwrap().iter().find(|column| column["name"] == of["column"]);
                let column = column.unwrap_or_else(|| panic!("{} of {name} is not in {shown}", of["column"]));
                for key in ["present", "good", "unknown"] {
                    assert_eq!(column[key], of["years"][0][key], "{name} {} {key}", of["column"]);
                }
                let [present, good] = ["present", "good"].map(|key| column[key].as_u64().unwrap());
                assert!(0 < good && good <= present && present < 120 - first, "{name}: {column} says little");
                assert!(of["column"] == "RH" || name == "fast_30m" || good < present, "{name}: {column}");
            }
        }
    }
    // In a range without a whole half hour there is none.
    let (from, to) = (millis("2024-03-02 04:41"), millis("2024-03-02 05:10"));
    let nothing = served.json(&format!("/api/coverage?table=fast&from={from}&to={to}"));
    assert_eq!((&nothing["half_hours"], &nothing["from"]), (&Value::from(0), &Value::Null), "{nothing}");
}

#[test]
fn where_the_interval_of_rows_is_not_known_the_coverage_is_unknown() {
    let tower = Station::new().table(&format!("name = \"event\"\nfiles = [\"event.dat\"]\n{KEYS}"));
    let times =
        ["01-01 00:07", "01-01 03:12", "01-03 00:00", "01-03 00:02", "02-20 10:00", "02-20 10:01", "03-01 00:00"];
    let rows = times.iter().enumerate().map(|(record, at)| format!("\"2024-{at}:00\",{record},12,80,\"ok\",1\r\n"));
    tower.write("event.dat", HEAD.to_owned() + &rows.collect::<String>());
    let _ = tower.run(&["ingest"]).works();
    let report = tower.run(&["export", "--coverage", "--json"]).expect(0).json();
    let year = &report["variables"][0]["years"][0];
    assert_eq!(report["variables"][0]["interval_s"], Value::Null);
    assert_eq!((&year["present_percent"], &year["good_percent"]), (&Value::Null, &Value::Null));
    // From the half hour of the first row to that of the last.
    assert_eq!((&year["half_hours"], &year["unknown"]), (&Value::from(60 * 48), &Value::from(60 * 48)));
    let shown = tower.run(&["export", "--coverage"]).expect(0).stdout;
    assert!(shown.contains("event: % of half hours; the interval of its rows is unknown"), "{shown}");
    assert!(shown.contains("unknown\n"), "{shown}");
}

#[test]
fn half_hours_of_pruned_rows_are_unknown() {
    let tower = Station::new().table(&format!("name = \"half\"\nfiles = [\"half.dat\"]\n{KEYS}"));
    let (text, _) = table(("2024-01-01 00:00", "2024-01-21 00:00"), |_| 30, &mut Dice(3));
    tower.write("half.dat", text);
    let _ = tower.run(&["ingest"]).works();
    // As `prune` leaves it.
    let pruned = time("2024-01-05 05:00").and_utc().timestamp_nanos_opt().unwrap();
    let database = rusqlite::Connection::open(tower.store_path()).unwrap();
    database.execute("UPDATE series SET pruned = ?1", [pruned]).unwrap();
    drop(database);
    let before = tower.run(&["export", "--coverage", "--json"]).expect(0).json();
    let year = &before["variables"][0]["years"][0];
    assert_eq!(year["present_percent"], Value::Null, "{year}");
    let unknown = year["unknown"].as_u64().unwrap();
    assert!(unknown > 0 && unknown < 4 * 48, "{unknown}");
}

#[test]
fn the_coverage_is_a_table_for_people_and_csv_in_a_file() {
    let tower = Station::new().table(&format!("name = \"half\"\nfiles = [\"half.dat\"]\n{KEYS}"));
    let mut text = HEAD.to_owned();
    let mut at = time("2024-01-01 00:00");
    for record in 0..60 * 48 - 1 {
        at += TimeDelta::minutes(30);
        let warm = if at < time("2024-02-01 00:15") { "12" } else { "99.9" };
        write!(text, "\"{}\",{record},{warm},80,\"ok\",1\r\n", at.format("%Y-%m-%d %H:%M:%S")).unwrap();
    }
    tower.write("half.dat", text);
    let _ = tower.run(&["ingest"]).works();
    let shown = tower.run(&["export", "--coverage", "--until", "2024-03-01"]).expect(0).stdout;
    let line = |begin: &str| {
        let found = shown.lines().find(|line| line.starts_with(begin)).unwrap_or_else(|| panic!("{shown}"));
        found.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("half:"), "half: % of half hours; a row every 30 min");
    let rest = "- - - - - - - - - -";
    // One half hour of 2,880 is missing: 99.97 % is not 100.
    assert_eq!(line("AirTC (TA)  2024  present"), format!("AirTC (TA) 2024 present 100.0 99.9 {rest} 99.9"));
    assert_eq!(line("AirTC (TA)  2024  good"), format!("AirTC (TA) 2024 good 100.0 0.0 {rest} 51.6"));
    assert!(shown.contains("AmeriFlux asks for 50 % of the half hours of a year"), "{shown}");

    let file = tower.path("coverage.csv");
    let arguments = ["export", "--coverage", "--until", "2024-03-01", "--output", file.to_str().unwrap()];
    let said = tower.run(&arguments).expect(0).stdout;
    assert!(said.contains("wrote the coverage of 2 columns to "), "{said}");
    let csv = String::from_utf8(tower.read("coverage.csv")).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 1 + 2 * 3, "{csv}");
    assert!(lines[0].starts_with("TABLE,TAGS,COLUMN,VARIABLE,INTERVAL_S,YEAR,MONTH,HALF_HOURS,PRESENT,GOOD,UNKNOWN,"));
    assert_eq!(lines[1], "half,,AirTC,TA,1800,2024,1,1488,1488,1488,0,100.0,100.0");
    assert_eq!(lines[3], "half,,AirTC,TA,1800,2024,,2880,2879,1488,0,99.9,51.6");
    let _ = tower.run(&["export", "--coverage", "--flags", "mask"]).expect(2);

    // The time to come is not missing.
    let json = tower.run(&["export", "--coverage", "--until", "2200-01-01", "--json"]).expect(0).json();
    let last = json["variables"][0]["years"].as_array().unwrap().last().unwrap()["year"].as_i64().unwrap();
    assert!(last < 2199, "{last}");
}
