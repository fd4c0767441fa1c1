//! Broken variants of a good upload: what the checks say of each is what AmeriFlux's published checker says.
//!
//! `tests/golden/ameriflux_checks.txt` lists the variants with the verdict of the published checker on each: it is written by
//! the test that runs that checker, and not of what the program says.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use super::{two_tables, year_of};
use crate::support::{Ended, Station};

/// An upload of four variables, as it is broken.
struct Upload {
    name: String,
    head: String,
    rows: Vec<Vec<String>>,
}

impl Upload {
    /// A day. Nothing is wrong with it: each variable has a gap.
    fn of_a_day() -> Upload {
        let start = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
        let rows = (0..48).map(|row| {
            let stamp = |row: i32| stamp(start + TimeDelta::minutes(30) * row);
            let value =
                |of: f64| if row == 7 { "-9999".to_owned() } else { format!("{:.2}", of + f64::from(row) / 10.0) };
            vec![stamp(row), stamp(row + 1), value(-3.0), value(20.0), value(80.0), value(30.0)]
        });
        Upload {
            name: "US-UMB_HH_202501010000_202501020000.csv".to_owned(),
            head: "TIMESTAMP_START,TIMESTAMP_END,FC,TA_1_1_1,RH,SWC_1_2_1".to_owned(),
            rows: rows.collect(),
        }
    }

    /// The first ten days of the year 2025 of a station with two tables, as it was exported; with a gap in each variable.
    fn of_ten_days(path: &Path) -> Upload {
        let text = std::fs::read_to_string(path).unwrap();
        let (head, rows) = text.split_once('\n').unwrap();
        let rows = rows.lines().take(480).map(|row| row.split(',').map(str::to_owned).collect());
        let mut upload = Upload {
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            head: head.to_owned(),
            rows: rows.collect(),
        };
        upload.rename(3, "202501110000");
        upload.rows[7][2..].fill("-9999".to_owned());
        upload
    }

    /// Another text for a part of its name: the site, the resolution, the start or the end.
    fn rename(&mut self, part: usize, to: &str) {
        let stem = self.name.strip_suffix(".csv").unwrap().to_owned();
        let mut parts: Vec<&str> = stem.split('_').collect();
        parts[part] = to;
        self.name = parts.join("_") + ".csv";
    }

    fn end(&mut self, to: &str) {
        self.name = self.name.replace(".csv", to);
    }

    fn text(&self) -> String {
        let rows: String = self.rows.iter().map(|row| row.join(",") + "\n").collect();
        format!("{}\n{rows}", self.head)
    }

    fn column(&mut self, place: usize, value: impl Fn(usize, &str) -> String) {
        for (at, row) in self.rows.iter_mut().enumerate() {
            row[place] = value(at, &row[place]);
        }
    }

    fn fill(&mut self, place: usize) {
        self.column(place, |_, value| if value == "-9999" { "1.5".to_owned() } else { value.to_owned() });
    }

    fn names(&mut self, from: &str, to: &str) {
        assert!(self.head.contains(from));
        self.head = self.head.replace(from, to);
    }

    /// Another column of values with a gap.
    fn add(&mut self, name: &str) {
        write!(self.head, ",{name}").unwrap();
        for (at, row) in self.rows.iter_mut().enumerate() {
            row.push(if at == 3 { "-9999".to_owned() } else { format!("{at}.5") });
        }
    }
}

fn stamp(time: NaiveDateTime) -> String {
    time.format("%Y%m%d%H%M").to_string()
}

type Change = fn(&mut Upload);

/// What is done to the good file.
const VARIANTS: &[(&str, Change)] = &[
    ("as it is", |_| {}),
    ("CRLF line ends", |file| {
        file.head.push('\r');
        file.column(5, |_, value| format!("{value}\r"));
    }),
    ("name: .txt", |file| file.end(".txt")),
    ("name: .CSV", |file| file.end(".CSV")),
    ("name: no site", |file| file.rename(0, "tower")),
    ("name: a resolution that is none", |file| file.rename(1, "HX")),
    ("name: hourly", |file| file.rename(1, "HR")),
    ("name: start of ten digits", |file| file.rename(2, "2025010100")),
    ("name: start that is no time", |file| file.rename(2, "202513010000")),
    ("name: another start", |file| file.rename(2, "202501010030")),
    ("name: another end", |file| file.rename(3, "202501020030")),
    ("name: a fifth part", |file| file.end("_v2.csv")),
    ("name: an underscore at its end", |file| file.end("_.csv")),
    ("name: three parts", |file| file.name = "US-UMB_HH_202501010000.csv".to_owned()),
    ("name: the time of the upload behind it", |file| file.end("-20250301120000.csv")),
    ("stamps: none for the start", |file| file.names("TIMESTAMP_START", "TIME_START")),
    ("stamps: none for the end", |file| file.names("TIMESTAMP_END", "RH_2_1_1")),
    ("stamps: in the wrong order", |file| file.names("TIMESTAMP_START,TIMESTAMP_END", "TIMESTAMP_END,TIMESTAMP_START")),
    ("stamps: behind a variable", |file| {
        file.names("TIMESTAMP_START,TIMESTAMP_END,FC", "FC,TIMESTAMP_START,TIMESTAMP_END");
        for row in &mut file.rows {
            row[..3].rotate_right(1);
        }
    }),
    ("stamps: in quotes", |file| file.names("TIMESTAMP_START", "\"TIMESTAMP_START\"")),
    ("stamps: with dashes", |file| file.rows[5][0] = "2025-01-01 02:30".to_owned()),
    ("stamps: with seconds", |file| file.column(0, |_, stamp| format!("{stamp}00"))),
    ("stamps: the hour 24", |file| file.rows[47][1] = "202501012400".to_owned()),
    ("stamps: missing", |file| file.rows[9][1] = "-9999".to_owned()),
    ("rows: one is not there", |file| drop(file.rows.remove(20))),
    ("rows: one stands twice", |file| {
        let row = file.rows[20].clone();
        file.rows.insert(20, row);
    }),
    ("rows: two are exchanged", |file| file.rows.swap(20, 21)),
    ("rows: off the half hour", |file| file.rows[20][0] = "202501011001".to_owned()),
    ("rows: of one hour each", |file| {
        for at in 0..file.rows.len() - 2 {
            file.rows[at][1] = file.rows[at + 1][1].clone();
        }
    }),
    ("rows: one alone", |file| {
        file.rows.truncate(1);
        file.rename(3, "202501010030");
    }),
    ("rows: none", |file| file.rows.clear()),
    ("rows: one is too short", |file| drop(file.rows[20].pop())),
    ("rows: one is too long", |file| file.rows[20].push("1".to_owned())),
    ("rows: an empty line between", |file| file.rows.insert(20, vec![String::new()])),
    ("rows: a line of units", |file| {
        file.rows.insert(0, ["", "", "umol", "deg C", "%", "%"].map(str::to_owned).to_vec());
    }),
    ("rows: of the future", |file| {
        let later = |text: &str| text.replace("2025", "2199");
        file.name = later(&file.name);
        for place in [0, 1] {
            file.column(place, |_, stamp| later(stamp));
        }
    }),
    ("missing: NaN", |file| file.rows[7][3] = "NaN".to_owned()),
    ("missing: NA", |file| file.rows[8][3] = "NA".to_owned()),
    ("missing: nothing", |file| file.rows[8][3].clear()),
    ("missing: nothing in the last column", |file| file.rows[8][5].clear()),
    ("missing: a blank", |file| file.rows[8][3] = " ".to_owned()),
    ("missing: -9999.0", |file| file.rows[8][3] = "-9999.0".to_owned()),
    ("missing: -999", |file| file.rows[8][3] = "-999".to_owned()),
    ("missing: -6999", |file| file.rows[8][3] = "-6999".to_owned()),
    ("missing: -99999", |file| file.rows[8][3] = "-99999".to_owned()),
    ("missing: -Inf", |file| file.rows[8][3] = "-Inf".to_owned()),
    ("missing: #REF! in the middle", |file| file.rows[8][3] = "#REF!".to_owned()),
    ("missing: #NAME? in the last column", |file| file.rows[8][5] = "#NAME?".to_owned()),
    ("missing: a blank before -9999", |file| file.rows[8][3] = " -9999".to_owned()),
    ("names: one stands twice", |file| file.add("RH")),
    ("names: unknown", |file| file.names("RH", "HUMIDITY")),
    ("names: in small letters", |file| file.names("RH", "rh")),
    ("names: _PI", |file| file.names("RH", "RH_PI")),
    ("names: _F behind the position", |file| file.names("TA_1_1_1", "TA_1_1_1_F")),
    ("names: two positions only", |file| file.names("TA_1_1_1", "TA_1_1")),
    ("names: a blank inside", |file| file.names("RH", "R H")),
    ("names: a blank before", |file| file.names(",RH", ", RH")),
    ("names: a quote around one", |file| file.names("RH", "\"RH\"")),
    ("names: quotes around all", |file| {
        file.head = file.head.split(',').map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(",");
    }),
    ("names: no variable", |file| file.head = "TIMESTAMP_START,TIMESTAMP_END,A,B,C,D".to_owned()),
    ("names: no flux", |file| file.names("FC", "CO2")),
    ("names: FETCH_70 with its position", |file| file.add("FETCH_70_1_1_1")),
    ("names: a spread and a count of an aggregate", |file| {
        file.add("TA_2_1_A_SD");
        file.add("TA_2_1_A_N");
    }),
    ("names: TA beside TA_1_1_1", |file| file.add("TA")),
    ("names: an empty one", |file| file.add("")),
    ("values: a column without a gap", |file| file.fill(3)),
    ("values: a filled flux beside the measured one", |file| {
        file.add("FC_F");
        file.fill(6);
    }),
    ("values: a filled flux alone", |file| {
        file.names("FC", "FC_F");
        file.fill(2);
    }),
    ("values: a filled flux at a position, alone", |file| {
        file.add("LE_F_1_1_1");
        file.fill(6);
    }),
    ("values: a filled flux with a gap", |file| file.add("H_F")),
    ("values: a column of nothing", |file| file.column(3, |_, _| "-9999".to_owned())),
    ("values: nothing at all", |file| {
        for place in 2..6 {
            file.column(place, |_, _| "-9999".to_owned());
        }
    }),
    ("values: a text", |file| file.rows[8][3] = "broken".to_owned()),
    ("values: a number with an exponent", |file| file.rows[8][3] = "-6.99e2".to_owned()),
];

/// The files of all variants, each in a folder of its own, because names repeat.
fn variants(tower: &Station, good: impl Fn() -> Upload) -> Vec<(&'static str, PathBuf)> {
    let file = |(at, (title, change)): (usize, &(&'static str, Change))| {
        let mut file = good();
        change(&mut file);
        let folder = tower.path(&format!("v{at}"));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(&file.name);
        std::fs::write(&path, file.text()).unwrap();
        (*title, path)
    };
    VARIANTS.iter().enumerate().map(file).collect()
}

/// What the checks say of each file, a line each.
fn said(tower: &Station, files: &[(&str, PathBuf)]) -> String {
    let mut text = String::new();
    for (title, file) in files {
        let ended: Ended = tower.run_json(&["export", "--check", file.to_str().unwrap()]);
        let told = ended.json();
        let mut found: Vec<(String, String)> = Vec::new();
        for check in told["checks"].as_array().unwrap() {
            let [name, severity] = ["check", "severity"].map(|key| check[key].as_str().unwrap().to_owned());
            let rank = |text: &str| ["warning", "error", "critical"].iter().position(|known| *known == text);
            match found.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) if rank(known) < rank(&severity) => *known = severity,
                Some(_) => {}
                None => found.push((name, severity)),
            }
        }
        found.sort();
        let is_rejected = found.iter().any(|(_, severity)| severity != "warning");
        assert_eq!(ended.code, i32::from(is_rejected), "{title}: {told}");
        let found: Vec<String> = found.into_iter().map(|(name, severity)| format!("{name}={severity}")).collect();
        writeln!(text, "{title}\t{}", found.join(" ")).unwrap();
    }
    text
}

/// What the published checker says of each file, a line each.
fn published(files: &[(&str, PathBuf)]) -> String {
    let [repository, python] = ["FLUXTOWER_AMERIFLUX_QAQC", "FLUXTOWER_PYTHON"]
        .map(|name| std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set")));
    let mut checker = Command::new(python);
    checker.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ameriflux/published.py")).arg(repository);
    let output = checker.args(files.iter().map(|(_, path)| path)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs = String::from_utf8(output.stdout).unwrap();
    assert_eq!(theirs.lines().count(), files.len());
    let titled =
        |((title, _), line): (&(&str, PathBuf), &str)| format!("{title}\t{}\n", line.split_once('\t').unwrap().1);
    files.iter().zip(theirs.lines()).map(titled).collect()
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ameriflux_checks.txt")
}

#[test]
fn broken_variants_of_a_good_file_are_judged_as_the_published_checker_judged_them() {
    assert!(VARIANTS.len() > 40);
    let tower = Station::new();
    let ours = said(&tower, &variants(&tower, Upload::of_a_day));
    let theirs = std::fs::read_to_string(golden()).unwrap();
    assert_eq!(ours, theirs.replace("\r\n", "\n"));
}

/// `FLUXTOWER_AMERIFLUX_QAQC` is a clone of AMF-FLX/AMF-BASE-QAQC, `FLUXTOWER_PYTHON` a Python with numpy below 2.
#[test]
#[ignore = "needs AmeriFlux's published checker"]
fn the_published_checker_says_the_same_of_each_broken_variant() {
    let tower = Station::new();
    let files = variants(&tower, Upload::of_a_day);
    let theirs = published(&files);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden(), &theirs).unwrap();
    }
    assert_eq!(said(&tower, &files), theirs);
    println!("{} variants of a day are judged alike", VARIANTS.len());
}

/// As above, of files that the program made of the two tables of a station. A variant of a whole year takes the published checker
/// seconds, and differs in nothing but its length.
#[test]
#[ignore = "needs AmeriFlux's published checker"]
fn the_published_checker_accepts_a_leap_and_a_common_year_and_says_the_same_of_broken_variants_of_its_days() {
    let span = ("2023-12-31 22:00", "2026-01-01 02:00");
    let tower = two_tables(span, span);
    let [leap, common] = ["2024", "2025"].map(|year| year_of(&tower, year));
    let accepted = published(&[("leap", leap.clone()), ("common", common.clone())]);
    assert_eq!(accepted, "leap\tgap_fill=warning\ncommon\tgap_fill=warning\n", "no column has a gap in these years");
    assert_eq!(said(&tower, &[("leap", leap), ("common", common.clone())]), accepted);
    let files = variants(&tower, || Upload::of_ten_days(&common));
    let theirs = published(&files);
    assert!(theirs.starts_with("as it is\t\n"), "with gaps, nothing is said: {theirs}");
    assert_eq!(said(&tower, &files), theirs);
    println!("two years are accepted, and {} variants of ten days of one are judged alike", VARIANTS.len());
}
