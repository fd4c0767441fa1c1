//! Turbulence in the Patterns view: each value calculated again from the scans, with flags, gaps, and titles that say what the
//! values are not.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::DateTime;
use serde_json::Value;

use crate::accessibility::violations;
use crate::browser::program;
use crate::page::Page;
use crate::station::now;
use crate::support::Station;
use crate::support::dice::Dice;
use crate::support::turbulence::rotated;

const WEST: i64 = 5 * 3_600;
const HALF_HOUR: i64 = 1_800;
/// One scan in two seconds.
const STEP: i64 = 2;
const HALF_HOURS: i64 = 14;

/// What is special about a half hour, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Special {
    Nothing,
    /// No scan came.
    Absent,
    /// Its scans end in its first half.
    TooFew,
    /// Its scans end after three quarters.
    Few,
    /// u* is flagged by hand as failed.
    Failed,
}

fn special(half_hour: i64) -> Special {
    match half_hour {
        3 => Special::Failed,
        5 => Special::Absent,
        8 => Special::TooFew,
        10 => Special::Few,
        _ => Special::Nothing,
    }
}

fn text(at: i64) -> String {
    DateTime::from_timestamp(at - WEST, 0).unwrap().format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A station with a sonic, and the scans of each half hour by its end.
fn tower(keys: &str) -> (Station, BTreeMap<i64, Vec<[f64; 5]>>) {
    let tower = Station::new().table(&format!("name = \"sonic\"\nfiles = [\"sonic.dat\"]\n{keys}"));
    let newest = now() / HALF_HOUR * HALF_HOUR;
    let begin = newest - HALF_HOURS * HALF_HOUR;
    let mut dice = Dice(9);
    let mut scans: BTreeMap<i64, Vec<[f64; 5]>> = BTreeMap::new();
    let mut file = "\"TOA5\",\"T\",\"CR6\",\"1\",\"S\",\"P\",\"2\",\"sonic\"\r\n\"TIMESTAMP\",\"RECORD\",\"Ux\",\"Uy\",\"Uz\",\"Ts\"\r\n\
        \"TS\",\"RN\",\"m/s\",\"m/s\",\"m/s\",\"C\"\r\n\"\",\"\",\"Smp\",\"Smp\",\"Smp\",\"Smp\"\r\n"
        .to_owned();
    for scan in 1..=HALF_HOURS * HALF_HOUR / STEP {
        let at = begin + scan * STEP;
        let half_hour = (at - begin - 1) / HALF_HOUR;
        let is_there = match special(half_hour) {
            Special::Absent => false,
            Special::TooFew => (at - begin - 1) % HALF_HOUR < 700,
            Special::Few => (at - begin - 1) % HALF_HOUR < 1_350,
            Special::Nothing | Special::Failed => true,
        };
        if !is_there {
            continue;
        }
        let mut part = |range: f64| (dice.below(2_000_001) as f64 / 1e6 - 1.0) * range;
        let lift = part(0.3 + half_hour as f64 / 40.0);
        let values = [
            -2.5 + part(1.0) - lift,
            1.4 + part(0.8),
            0.08 + lift,
            21.0 + part(0.2) + lift * (7 - half_hour) as f64 / 9.0,
        ];
        let texts = values.map(|value| format!("{value:.4}"));
        let [u, v, w, ts] = [0, 1, 2, 3].map(|place: usize| texts[place].parse::<f64>().unwrap());
        write!(file, "\"{}\",{scan},{}\r\n", text(at), texts.join(",")).unwrap();
        scans.entry(begin + (half_hour + 1) * HALF_HOUR).or_default().push([u, v, w, ts, 0.0]);
    }
    tower.write("sonic.dat", file);
    let _ = tower.run(&["ingest"]);
    (tower, scans)
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER, FLUXTOWER_CHROMIUM and FLUXTOWER_AXE"]
fn turbulence_is_drawn_over_time_with_its_flags_and_says_what_it_is_not() {
    let (tower, scans) = tower("turbulence = [\"Ux\", \"Uy\", \"Uz\", \"Ts\"]\nturbulence_pressure = 98.0\n");
    let begin = *scans.keys().next().unwrap() - HALF_HOUR;
    let number = |end: i64| (end - begin) / HALF_HOUR - 1;
    let failed = text(begin + 4 * HALF_HOUR);
    let flag = ["flag", "--table", "sonic_30m", "--column", "USTAR_quick", "--from", &failed, "--to", &failed];
    let _ = tower.run(&[&flag[..], &["--as", "4", "--reason", "an owl"]].concat()).works();
    let page = Page::open(&tower, "#/patterns/sonic_30m%2FUSTAR_quick?range=all");
    page.browser.until("fluxtower.patterns && fluxtower.patterns.turbulence.length");
    page.drawn();
    let shown = page.browser.run("return fluxtower.patterns.turbulence");
    let drawn: Vec<&str> = shown.as_array().unwrap().iter().map(|one| one["column"].as_str().unwrap()).collect();
    assert_eq!(drawn, ["USTAR_quick", "W_SIGMA_quick", "H_quick", "TAU_quick"]);
    for one in shown.as_array().unwrap() {
        let name = one["column"].as_str().unwrap();
        let points: BTreeMap<i64, (&Value, &Value)> = one["points"]
            .as_array()
            .unwrap()
            .iter()
            .map(|point| (point["at"].as_i64().unwrap() / 1_000, (&point["value"], &point["digit"])))
            .collect();
        assert_eq!(
            points.keys().collect::<Vec<_>>(),
            scans.keys().collect::<Vec<_>>(),
            "{name}: a half hour without a scan has no point"
        );
        for (end, scans) in &scans {
            let (value, digit) = points[end];
            let what = special(number(*end));
            let is_failed = what == Special::Failed && name == "USTAR_quick";
            if is_failed || what == Special::TooFew {
                assert!(value.is_null(), "{name} {what:?}: {value}");
                assert_eq!(digit, if is_failed { "4" } else { "9" }, "{name}");
                continue;
            }
            let (value, right) = (value.as_f64().unwrap(), rotated(scans)[name]);
            // As the server rounds: to seven digits.
            assert!((value - right).abs() <= 1e-6 * right.abs(), "{name} {what:?}: {value} where {right} is right");
            assert_eq!(digit, if what == Special::Few { "3" } else { "2" }, "{name} {what:?}");
        }
        let fails = u64::from(name == "USTAR_quick");
        assert_eq!(
            [&one["suspect"], &one["fail"], &one["missing"]].map(Value::as_u64),
            [1, fails, 1].map(Some),
            "{name}"
        );
        let picture = format!("[data-pattern=turbulence-{name}]");
        let title = page.text(&format!("{picture} h3"));
        assert!(title.starts_with("sonic_30m: ") && title.contains("quick look"), "{title}");
        let said = match name {
            "USTAR_quick" | "TAU_quick" => "without spectral correction",
            "H_quick" => "holds about 0.06 LE, without corrections",
            _ => "standard deviation of vertical wind",
        };
        assert!(title.contains(said), "{title}");
        let note = page.text(&format!("{picture} .dim"));
        let counts = format!("1 suspect value, marked ▲; left out: {fails} failed, 1 missing");
        assert!(note.contains(&counts) && note.contains("no flux to publish"), "{note}");
    }
    let axe = std::fs::read_to_string(program("FLUXTOWER_AXE")).unwrap();
    for (width, picture) in [(1_400, "turbulence"), (360, "turbulence-phone")] {
        page.browser.size(width, 900);
        page.drawn();
        page.browser.run("document.querySelector('.turbulence').scrollIntoView()");
        page.browser.picture(picture);
        let wide = "return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5).map((e) => e.outerHTML.slice(0, 80))";
        assert_eq!(page.browser.run(wide), serde_json::json!([]), "{width}");
        assert_eq!(violations(&page.browser, &axe), Vec::<Value>::new(), "{width}");
    }
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn without_the_key_there_is_no_turbulence_and_without_the_air_pressure_no_heat() {
    for (keys, pictures) in [
        ("aggregate = \"30m\"\n", &[][..]),
        ("turbulence = [\"Ux\", \"Uy\", \"Uz\", \"Ts\"]\n", &["turbulence-USTAR_quick", "turbulence-W_SIGMA_quick"]),
    ] {
        let (tower, _) = tower(keys);
        let page = Page::open(&tower, "#/patterns/sonic_30m%2FUx?range=all");
        page.browser.until("fluxtower.patterns && fluxtower.patterns.days.length");
        page.drawn();
        let found = page.browser.run(
            "return [...document.querySelectorAll('.pattern')].map((one) => one.dataset.pattern).filter((one) => one.startsWith('turbulence'))",
        );
        assert_eq!(found, serde_json::json!(pictures));
        page.was_quiet();
    }
}
