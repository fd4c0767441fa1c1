//! `init` on text tables of other programs: what it makes of stamps at the start of an interval, of lines that lack fields and of
//! signs that stand for two things. The rows are those of the file, or the configuration says what to look at.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::support::{Ended, Station};

/// A folder with a file, for which `init` writes the configuration.
pub(crate) struct Drafted {
    pub(crate) station: Station,
    pub(crate) config: String,
}

impl Drafted {
    pub(crate) fn of(name: &str, text: &str) -> Drafted {
        let station = Station::new();
        fs::remove_file(station.config_path()).unwrap();
        station.write(name, text);
        init(&station, &[name], &[]).works();
        let config = fs::read_to_string(station.config_path()).unwrap();
        Drafted { station, config }
    }

    #[track_caller]
    pub(crate) fn has(&self, lines: &[&str]) {
        for line in lines {
            assert!(self.config.contains(&format!("\n{line}")), "{line} is not in:\n{}", self.config);
        }
    }

    #[track_caller]
    pub(crate) fn lacks(&self, text: &str) {
        assert!(!self.config.contains(text), "{text} is in:\n{}", self.config);
    }

    /// Staged, conflicting and rejected lines.
    pub(crate) fn counts(&self) -> [u64; 3] {
        let table = self.station.run_json(&["ingest"]).json()["tables"][0].clone();
        ["staged", "conflicts", "rejected"].map(|name| table[name].as_u64().unwrap())
    }

    /// Station time and values, as they are exported.
    pub(crate) fn rows(&self, table: &str) -> Vec<String> {
        let export = self.station.run(&["export", "--table", table]).expect(0).stdout;
        export.lines().skip(1).map(str::to_owned).collect()
    }
}

/// `init` of files of the station's folder.
pub(crate) fn init(station: &Station, files: &[&str], more: &[&str]) -> Ended {
    let files: Vec<String> = files.iter().map(|name| station.path(name).to_str().unwrap().to_owned()).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    station.run(&[&["init", "--utc-offset", "-05:00"], files.as_slice(), more].concat())
}

/// Half hours from midnight of 20 November on.
pub(crate) fn half_hour(row: u32, form: &str) -> String {
    let first = chrono::NaiveDate::from_ymd_opt(2025, 11, 20).unwrap().and_hms_opt(0, 0, 0).unwrap();
    (first + chrono::TimeDelta::minutes(30 * i64::from(row))).format(form).to_string()
}

fn of_ameriflux(rows: std::ops::Range<u32>) -> String {
    let mut text = "TIMESTAMP_START,TIMESTAMP_END,TA_1_1_1,TA_1_2_1,RH_1_1_1,SW_IN_1_1_1,FC,DAYS_UP\n".to_owned();
    for row in rows {
        let [start, end] = [row, row + 1].map(|row| half_hour(row, "%Y%m%d%H%M"));
        let humidity = if row % 7 == 0 { "-9999".to_owned() } else { format!("{}.5", 60 + row % 20) };
        writeln!(text, "{start},{end},{}.78,{}.5,{humidity},0,4.739,-9999", 9 + row % 5, 8 + row % 4).unwrap();
    }
    text
}

#[test]
fn a_file_in_ameriflux_s_own_format_has_the_ends_of_its_intervals_ameriflux_s_names_and_no_minus_9999() {
    let text = of_ameriflux(0..300);
    let drafted = Drafted::of("US-UMB_HH.csv", &text);
    drafted.has(&[
        "time_column = \"TIMESTAMP_END\"",
        "missing = [-9999]",
        "[table.columns.TIMESTAMP_START]\nuse = \"ignore\"",
        "variable = \"TA_1_1_1\"",
        "variable = \"TA_1_2_1\"",
        "variable = \"RH_1_1_1\"",
        "variable = \"SW_IN_1_1_1\"",
        "variable = \"FC\"",
    ]);
    drafted.lacks("#missing");
    assert_eq!(drafted.counts(), [300, 0, 0]);
    assert!(drafted.rows("US-UMB_HH")[0].starts_with("2025-11-20 00:30:00,"), "{:?}", &drafted.rows("US-UMB_HH")[..2]);
    // A column's own key replaces the table's.
    let other = Drafted::of("US-UMB_HH.csv", &text.replacen("11.78,", "-7999,", 3));
    other.has(&["missing = [-7999, -9999]"]);
    // Out it goes as it came in, but for the column that AmeriFlux does not know.
    let folder = drafted.station.path("upload");
    fs::create_dir(&folder).unwrap();
    drafted.station.run(&["export", "--format", "ameriflux", "--output", folder.to_str().unwrap()]).works();
    let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let mut exported = csv::Reader::from_path(&file).unwrap();
    let mut given = csv::Reader::from_reader(text.as_bytes());
    let names: Vec<String> = exported.headers().unwrap().iter().map(str::to_owned).collect();
    let places: Vec<usize> =
        names.iter().map(|name| given.headers().unwrap().iter().position(|own| own == name).unwrap()).collect();
    assert_eq!(names.len(), 7, "{names:?}");
    let exported: Vec<Vec<String>> =
        exported.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    let given: Vec<Vec<String>> = given
        .records()
        .map(|row| row.unwrap())
        .map(|row| places.iter().map(|place| row[*place].to_owned()).collect())
        .collect();
    assert_eq!(exported, given);
}

#[test]
fn of_two_columns_with_start_and_end_the_end_is_the_time_and_a_start_alone_is_named() {
    let rows = |form: &str, end: bool| {
        (0..40).fold(String::new(), |text, row| {
            let end = if end { format!("{},", half_hour(row + 1, form)) } else { String::new() };
            text + &format!("{},{end}{}.5\n", half_hour(row, form), row)
        })
    };
    let form = "%Y-%m-%d %H:%M";
    for (names, text) in [
        ("Interval start,Interval end,T", rows(form, true)),
        ("begin,end,T", rows(form, true)),
        ("time_start,time_stop,T", rows("%d.%m.%Y %H:%M:%S", true)),
    ] {
        let drafted = Drafted::of("met.csv", &format!("{names}\n{text}"));
        let names: Vec<&str> = names.split(',').collect();
        drafted.has(&[&format!("time_column = \"{}\"", names[1])]);
        drafted.lacks("CHECK: by its name");
        assert!(drafted.config.contains("use = \"ignore\"     # the start of the interval"), "{}", drafted.config);
        assert_eq!(drafted.counts(), [40, 0, 0]);
        let first = drafted.rows("met")[0].clone();
        assert!(first.starts_with("2025-11-20 00:30:00,,") && first.ends_with(",0.5"), "{names:?}: {first}");
        let sent = drafted.station.run(&["sync", "--dry-run", "--print"]).stdout;
        assert!(sent.contains("T=0.5") && !sent.contains(&names[0].replace(' ', "\\ ")), "{sent}");
    }
    let days = (0..96).fold("start_date,start_time,end_date,end_time,T\n".to_owned(), |text, row| {
        let [start, end] = [row, row + 1].map(|row| half_hour(row, "%Y-%m-%d,%H:%M"));
        text + &format!("{start},{end},{row}\n")
    });
    let drafted = Drafted::of("met.csv", &days);
    drafted.has(&["time_columns = [\"end_date\", \"end_time\"]", "[table.columns.start_date]\nuse = \"ignore\""]);
    assert_eq!(drafted.counts(), [96, 0, 0]);
    assert!(drafted.rows("met")[47].starts_with("2025-11-21 00:00:00,"), "{:?}", drafted.rows("met")[47]);
    let alone = Drafted::of("met.csv", &format!("TIMESTAMP_START,T\n{}", rows(form, false)));
    alone.has(&["time_column = \"TIMESTAMP_START\"", "# CHECK: by its name TIMESTAMP_START is the start"]);
    // A pair of names whose columns are no interval.
    let no_interval = "start,end,T\n2025-11-20 00:00,5,1\n2025-11-20 00:30,6,2\n2025-11-20 01:00,7,3\n";
    Drafted::of("met.csv", no_interval).has(&["time_column = \"start\"", "# CHECK: by its name start is the start"]);
}

#[test]
fn numbers_with_a_comma_in_quotes_between_commas_are_decimal_numbers() {
    let rows = |number: &dyn Fn(u32) -> String| {
        (0..24).fold("time,\"T (C)\",RH\n".to_owned(), |text, row| {
            text + &format!("\"{}\",\"{}\",\"50\"\n", half_hour(row, "%Y-%m-%d %H:%M"), number(row))
        })
    };
    let drafted = Drafted::of("met.csv", &rows(&|row| format!("{row},5")));
    drafted.has(&["separator = \",\"", "decimal = \",\""]);
    assert_eq!(drafted.counts(), [24, 0, 0]);
    assert_eq!(drafted.rows("met")[..2], ["2025-11-20 00:00:00,,0.5,50", "2025-11-20 00:30:00,,1.5,50"]);
    // Three digits behind each comma may be either.
    let open = Drafted::of("met.csv", &rows(&|row| format!("{},250", row + 1)));
    open.has(&["thousands = \",\"", "# CHECK: a number such as 1,234 is read as 1234"]);
    let sure = Drafted::of("met.csv", &rows(&|row| format!("{},250,000", row + 1)));
    sure.has(&["thousands = \",\""]);
    sure.lacks("CHECK: a number");
}

#[test]
fn a_file_that_cannot_be_described_is_left_out_with_the_reason_and_the_others_are_written() {
    // The quote and the sign between thousands are one.
    let odd = (0..8).fold("'time','T'\n".to_owned(), |text, row| {
        text + &format!("'{}','1''234.5'\n", half_hour(row, "%Y-%m-%d %H:%M"))
    });
    let station = Station::new();
    fs::remove_file(station.config_path()).unwrap();
    station.write("odd.csv", &odd);
    let alone = init(&station, &["odd.csv"], &[]).expect(2);
    assert!(alone.stderr.contains("odd.csv cannot be described: [table.csv] thousands is"), "{}", alone.stderr);
    assert!(!alone.stderr.contains("config.toml"), "{}", alone.stderr);
    let good =
        (0..8).fold("time,T\n".to_owned(), |text, row| text + &format!("{},5\n", half_hour(row, "%Y-%m-%d %H:%M")));
    station.write("good.csv", good);
    let both = init(&station, &["odd.csv", "good.csv"], &["--json"]).expect(1).json();
    assert_eq!(both["tables"][0]["table"], "good", "{both}");
    assert!(both["left_out"][0]["reason"].as_str().unwrap().starts_with("cannot be described"), "{both}");
    let file = station.path("odd.csv");
    let added = station.run(&["init", "--add", file.to_str().unwrap()]).expect(1);
    assert!(added.stdout.contains("cannot be described"), "{}{}", added.stdout, added.stderr);
}

#[test]
fn rows_that_lack_their_last_fields_leave_the_separator_as_it_is_and_are_rejected() {
    for form in ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M"] {
        for (names, lead) in [("time,T,RH", 1), ("time,T,RH\ns,C,%", 2)] {
            for (every, lacking) in [(3, 1), (3, 2)] {
                let rows = (0..24).map(|row| {
                    let whole = row % every >= lacking;
                    format!("{},{row}{}\n", half_hour(row, form), if whole { ",50" } else { "" })
                });
                let text = format!("{names}\n{}", rows.collect::<String>());
                let drafted = Drafted::of("met.csv", &text);
                let short = 24 * lacking / every;
                drafted.has(&[
                    "separator = \",\"",
                    "names_line = 1",
                    &format!("# CHECK: {short} of 24 rows looked at"),
                ]);
                drafted.lacks("skip_lines");
                assert_eq!(drafted.counts(), [24 - u64::from(short), 0, u64::from(short)], "{text}");
                let first = drafted.rows("met")[0].clone();
                assert_eq!(
                    first,
                    format!("{},,{lacking},50", half_hour(lacking, "%Y-%m-%d %H:%M:%S")),
                    "{lead} {text}"
                );
            }
        }
    }
}

#[test]
fn names_that_no_row_has_as_many_fields_as_are_a_check() {
    let text = (0..24)
        .fold("time,T,RH,P\n".to_owned(), |text, row| text + &format!("{},{row}\n", half_hour(row, "%Y-%m-%d %H:%M")));
    let drafted = Drafted::of("met.csv", &text);
    drafted.has(&["# CHECK: no line above the rows has 2 fields"]);
    assert_eq!(drafted.counts(), [24, 0, 0]);
}

#[test]
fn a_colon_before_the_milliseconds_is_a_part_of_the_time() {
    let rows = (0..20).fold(String::new(), |text, row| {
        text + &format!("DATA\t{}:250\t{row}\t50\n", half_hour(row, "%Y-%m-%d\t%H:%M:%S"))
    });
    let head = "DATAH\tDate\tTime\tTA\tRH\nDATAU\tyyyy-MM-dd\tHH:mm:ss:SSS\tC\t%\n";
    let drafted = Drafted::of("biomet.csv", &format!("{head}{rows}"));
    drafted.has(&["time_format = \"%Y-%m-%d %H:%M:%S:%f\"", "time_columns = [\"Date\", \"Time\"]"]);
    assert_eq!(drafted.counts(), [20, 0, 0]);
    assert!(drafted.rows("biomet")[1].starts_with("2025-11-20 00:30:00.25,"), "{:?}", drafted.rows("biomet"));
    drafted.lacks("CHECK: 20 rows");
}

#[test]
fn a_table_whose_rows_have_one_time_is_written_with_a_warning() {
    let text = (0..20).fold("Date,Clock,T,RH\n".to_owned(), |text, row| {
        text + &format!("2025-11-20,about {} o'clock,{row},50\n", row)
    });
    Drafted::of("met.csv", &text)
        .has(&["# CHECK: 20 rows looked at have 1 time, and rows of one time that differ are conflicts."]);
    let days = (1..21).fold("Date,T\n".to_owned(), |text, day| text + &format!("2025-11-{day:02},{day}\n"));
    Drafted::of("met.csv", &days).lacks("rows looked at have");
}

#[test]
fn limits_rest_on_what_the_sensors_gave_and_not_on_numbers_that_stand_for_no_value() {
    let mut text = "\"TOA5\",\"A\",\"CR1000X\",\"1\",\"o\",\"p\",\"2\",\"Met\"\r\n\"TIMESTAMP\",\"RECORD\",\"AirTC_Avg\",\"VWC\",\"RH\",\"AirTC_2_Avg\"\r\n\
        \"TS\",\"RN\",\"Deg C\",\"m^3/m^3\",\"%\",\"Deg C\"\r\n\"\",\"\",\"Avg\",\"Avg\",\"Avg\",\"Avg\"\r\n"
        .to_owned();
    for row in 0..600_u32 {
        let stir = f64::from(row * 7_919 % 1_000) / 1_000.0;
        let or = |every: u32, stand_in: &str, value: f64| {
            if row % every == every / 2 { stand_in.to_owned() } else { format!("{value:.3}") }
        };
        let values = [
            or(50, "-9999", 10.0 + 8.0 * stir),
            or(30, "-7999", 0.1 + 0.2 * stir),
            or(60, "7999", 50.0 + 30.0 * stir),
            or(40, if row % 80 == 20 { "-9999" } else { "-7999" }, 11.0 + 8.0 * stir),
        ];
        writeln!(text, "\"{}\",{row},{}\r", half_hour(row, "%Y-%m-%d %H:%M:%S"), values.join(",")).unwrap();
    }
    let drafted = Drafted::of("met.dat", &text);
    let limits: Vec<f64> = drafted
        .config
        .lines()
        .filter_map(|line| {
            line.trim_start_matches('#').strip_prefix("spike = { suspect = ")?.split(',').next()?.parse().ok()
        })
        .collect();
    // Six times the height of what the sensor gave.
    assert_eq!(limits.len(), 4, "{}", drafted.config);
    for (limit, most) in limits.iter().zip([50.0, 1.5, 200.0, 50.0]) {
        assert!(*limit < most, "{limits:?} {}", drafted.config);
    }
    drafted.has(&["missing = [-7999, -9999]", "missing = [-9999]"]);
    // The two thermometers differ by one degree.
    let difference = drafted.config.lines().find(|line| line.contains("difference = ")).unwrap();
    let limit: Value = difference.split("suspect = ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(limit.as_f64().unwrap() < 10.0, "{difference}");
}
