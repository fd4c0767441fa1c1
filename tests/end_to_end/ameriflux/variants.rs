//! Broken variants of a good upload: what the checks say of each, and that AmeriFlux's published checker says the same.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use crate::support::{Ended, Station};

const NAME: &str = "US-UMB_HH_202501010000_202501020000.csv";

/// A file of one day, as it is broken.
struct Day {
    name: String,
    head: String,
    rows: Vec<Vec<String>>,
}

impl Day {
    /// Nothing is wrong with it: four variables, each with a gap.
    fn good() -> Day {
        let start = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
        let rows = (0..48).map(|row| {
            let stamp = |row: i32| stamp(start + TimeDelta::minutes(30) * row);
            let value =
                |of: f64| if row == 7 { "-9999".to_owned() } else { format!("{:.2}", of + f64::from(row) / 10.0) };
            vec![stamp(row), stamp(row + 1), value(-3.0), value(20.0), value(80.0), value(30.0)]
        });
        Day {
            name: NAME.to_owned(),
            head: "TIMESTAMP_START,TIMESTAMP_END,FC,TA_1_1_1,RH,SWC_1_2_1".to_owned(),
            rows: rows.collect(),
        }
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

type Change = fn(&mut Day);

/// What is done to the good file.
const VARIANTS: &[(&str, Change)] = &[
    ("as it is", |_| {}),
    ("CRLF line ends", |day| {
        day.head.push('\r');
        day.column(5, |_, value| format!("{value}\r"));
    }),
    ("name: .txt", |day| day.name = NAME.replace(".csv", ".txt")),
    ("name: .CSV", |day| day.name = NAME.replace(".csv", ".CSV")),
    ("name: no site", |day| day.name = NAME.replace("US-UMB", "tower")),
    ("name: a resolution that is none", |day| day.name = NAME.replace("_HH_", "_HX_")),
    ("name: hourly", |day| day.name = NAME.replace("_HH_", "_HR_")),
    ("name: start of ten digits", |day| day.name = NAME.replace("202501010000", "2025010100")),
    ("name: start that is no time", |day| day.name = NAME.replace("202501010000", "202513010000")),
    ("name: another start", |day| day.name = NAME.replace("202501010000", "202501010030")),
    ("name: another end", |day| day.name = NAME.replace("202501020000", "202501020030")),
    ("name: a fifth part", |day| day.name = NAME.replace(".csv", "_v2.csv")),
    ("name: an underscore at its end", |day| day.name = NAME.replace(".csv", "_.csv")),
    ("name: three parts", |day| day.name = "US-UMB_HH_202501010000.csv".to_owned()),
    ("name: the time of the upload behind it", |day| day.name = NAME.replace(".csv", "-20250301120000.csv")),
    ("stamps: none for the start", |day| day.names("TIMESTAMP_START", "TIME_START")),
    ("stamps: none for the end", |day| day.names("TIMESTAMP_END", "RH_2_1_1")),
    ("stamps: in the wrong order", |day| day.names("TIMESTAMP_START,TIMESTAMP_END", "TIMESTAMP_END,TIMESTAMP_START")),
    ("stamps: behind a variable", |day| {
        day.names("TIMESTAMP_START,TIMESTAMP_END,FC", "FC,TIMESTAMP_START,TIMESTAMP_END");
        for row in &mut day.rows {
            row[..3].rotate_right(1);
        }
    }),
    ("stamps: in quotes", |day| day.names("TIMESTAMP_START", "\"TIMESTAMP_START\"")),
    ("stamps: with dashes", |day| day.rows[5][0] = "2025-01-01 02:30".to_owned()),
    ("stamps: with seconds", |day| day.column(0, |_, stamp| format!("{stamp}00"))),
    ("stamps: the hour 24", |day| day.rows[47][1] = "202501012400".to_owned()),
    ("stamps: missing", |day| day.rows[9][1] = "-9999".to_owned()),
    ("rows: one is not there", |day| drop(day.rows.remove(20))),
    ("rows: one stands twice", |day| {
        let row = day.rows[20].clone();
        day.rows.insert(20, row);
    }),
    ("rows: two are exchanged", |day| day.rows.swap(20, 21)),
    ("rows: off the half hour", |day| day.rows[20][0] = "202501011001".to_owned()),
    ("rows: of one hour each", |day| {
        day.column(1, |at, stamp| {
            if at >= 46 { stamp.to_owned() } else { format!("20250101{:02}{}0", (at + 2) / 2, (at % 2) * 3) }
        });
    }),
    ("rows: one alone", |day| {
        day.rows.truncate(1);
        day.name = NAME.replace("202501020000", "202501010030");
    }),
    ("rows: none", |day| day.rows.clear()),
    ("rows: one is too short", |day| drop(day.rows[20].pop())),
    ("rows: one is too long", |day| day.rows[20].push("1".to_owned())),
    ("rows: an empty line between", |day| day.rows.insert(20, vec![String::new()])),
    ("rows: a line of units", |day| {
        day.rows.insert(0, ["", "", "umol", "deg C", "%", "%"].map(str::to_owned).to_vec());
    }),
    ("rows: of the future", |day| {
        day.name = NAME.replace("2025", "2199");
        for place in [0, 1] {
            day.column(place, |_, stamp| stamp.replace("2025", "2199"));
        }
    }),
    ("missing: NaN", |day| day.rows[7][3] = "NaN".to_owned()),
    ("missing: NA", |day| day.rows[8][3] = "NA".to_owned()),
    ("missing: nothing", |day| day.rows[8][3].clear()),
    ("missing: nothing in the last column", |day| day.rows[8][5].clear()),
    ("missing: a blank", |day| day.rows[8][3] = " ".to_owned()),
    ("missing: -9999.0", |day| day.rows[8][3] = "-9999.0".to_owned()),
    ("missing: -999", |day| day.rows[8][3] = "-999".to_owned()),
    ("missing: -6999", |day| day.rows[8][3] = "-6999".to_owned()),
    ("missing: -99999", |day| day.rows[8][3] = "-99999".to_owned()),
    ("missing: -Inf", |day| day.rows[8][3] = "-Inf".to_owned()),
    ("missing: #REF! in the middle", |day| day.rows[8][3] = "#REF!".to_owned()),
    ("missing: #NAME? in the last column", |day| day.rows[8][5] = "#NAME?".to_owned()),
    ("missing: a blank before -9999", |day| day.rows[8][3] = " -9999".to_owned()),
    ("names: one stands twice", |day| day.add("RH")),
    ("names: unknown", |day| day.names("RH", "HUMIDITY")),
    ("names: in small letters", |day| day.names("RH", "rh")),
    ("names: _PI", |day| day.names("RH", "RH_PI")),
    ("names: _F behind the position", |day| day.names("TA_1_1_1", "TA_1_1_1_F")),
    ("names: two positions only", |day| day.names("TA_1_1_1", "TA_1_1")),
    ("names: a blank inside", |day| day.names("RH", "R H")),
    ("names: a blank before", |day| day.names(",RH", ", RH")),
    ("names: a quote around one", |day| day.names("RH", "\"RH\"")),
    ("names: quotes around all", |day| {
        day.head = day.head.split(',').map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(",");
    }),
    ("names: no variable", |day| day.head = "TIMESTAMP_START,TIMESTAMP_END,A,B,C,D".to_owned()),
    ("names: no flux", |day| day.names("FC", "CO2")),
    ("names: FETCH_70 with its position", |day| day.add("FETCH_70_1_1_1")),
    ("names: a spread and a count of an aggregate", |day| {
        day.add("TA_2_1_A_SD");
        day.add("TA_2_1_A_N");
    }),
    ("names: TA beside TA_1_1_1", |day| day.add("TA")),
    ("names: an empty one", |day| day.add("")),
    ("values: a column without a gap", |day| day.fill(3)),
    ("values: a filled flux beside the measured one", |day| {
        day.add("FC_F");
        day.fill(6);
    }),
    ("values: a filled flux alone", |day| {
        day.names("FC", "FC_F");
        day.fill(2);
    }),
    ("values: a filled flux at a position, alone", |day| {
        day.add("LE_F_1_1_1");
        day.fill(6);
    }),
    ("values: a filled flux with a gap", |day| day.add("H_F")),
    ("values: a column of nothing", |day| day.column(3, |_, _| "-9999".to_owned())),
    ("values: nothing at all", |day| {
        for place in 2..6 {
            day.column(place, |_, _| "-9999".to_owned());
        }
    }),
    ("values: a text", |day| day.rows[8][3] = "broken".to_owned()),
    ("values: a number with an exponent", |day| day.rows[8][3] = "-6.99e2".to_owned()),
];

/// A folder for each variant, because names repeat. What the checks say, a line each.
fn said(tower: &Station) -> String {
    let mut text = String::new();
    for (at, (title, change)) in VARIANTS.iter().enumerate() {
        let mut day = Day::good();
        change(&mut day);
        let folder = tower.path(&format!("v{at}"));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(&day.name);
        std::fs::write(&file, day.text()).unwrap();
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

#[test]
fn broken_variants_of_a_good_file_are_judged_as_the_golden_list_says() {
    assert!(VARIANTS.len() > 40);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ameriflux_checks.txt");
    let text = said(&Station::new());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &text).unwrap();
    }
    let wanted = std::fs::read_to_string(&golden).unwrap();
    assert_eq!(text, wanted.replace("\r\n", "\n"));
}

/// `FLUXTOWER_AMERIFLUX_QAQC` is a clone of AMF-FLX/AMF-BASE-QAQC, `FLUXTOWER_PYTHON` a Python with numpy below 2.
#[test]
#[ignore = "needs AmeriFlux's published checker"]
fn the_published_checker_says_the_same_of_each_broken_variant() {
    let [repository, python] = ["FLUXTOWER_AMERIFLUX_QAQC", "FLUXTOWER_PYTHON"]
        .map(|name| std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set")));
    let tower = Station::new();
    let ours = said(&tower);
    let mut published = Command::new(python);
    published.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ameriflux/published.py")).arg(repository);
    for at in 0..VARIANTS.len() {
        let file = std::fs::read_dir(tower.path(&format!("v{at}"))).unwrap().next().unwrap().unwrap();
        published.arg(file.path());
    }
    let output = published.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs = String::from_utf8(output.stdout).unwrap();
    assert_eq!(theirs.lines().count(), VARIANTS.len());
    let mut apart = String::new();
    for ((ours, theirs), (title, _)) in ours.lines().zip(theirs.lines()).zip(VARIANTS) {
        let [ours, theirs] = [ours, theirs].map(|line| line.split_once('\t').unwrap().1);
        if ours != theirs {
            writeln!(apart, "{title}\n  ours   {ours}\n  theirs {theirs}").unwrap();
        }
    }
    assert!(apart.is_empty(), "{apart}");
    println!("{} variants are judged alike", VARIANTS.len());
}
