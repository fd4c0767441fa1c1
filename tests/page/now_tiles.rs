//! The Now view: each sensor's newest value, and what is usual for its hour, calculated again from the rows.

use chrono::{DateTime, TimeDelta};

use crate::page::Page;
use crate::station::now;
use crate::support::{DAT, Logger, Station};

const HALF_HOUR: i64 = 1_800;
/// Ten days.
const ROWS: i64 = 480;

fn temperature(row: i64) -> f64 {
    let last = if row == ROWS - 1 { 20.0 } else { 0.0 };
    (row % 48 * 10 + row / 48) as f64 / 10.0 + last
}

fn humidity(row: i64) -> f64 {
    50.0 + (row * 7 % 48) as f64 / 10.0
}

fn tower() -> Station {
    let tower = Station::new().table_keys(
        "[table.columns.TA]\nheight = \"46m\"\nfail = [-40, 90]\n[table.columns.RH]\nheight = \"2m\"\n\
         [table.columns.Dead]\nfail = [0, 10]",
    );
    let newest = now() / HALF_HOUR * HALF_HOUR;
    let start = DateTime::from_timestamp(newest - (ROWS - 1) * HALF_HOUR - 18_000, 0).unwrap();
    let columns = [["TA", "Deg C", "Avg"], ["RH", "%", "Avg"], ["Dead", "mV", "Avg"], ["WindDir", "deg", "Smp"]];
    let logger = Logger::par()
        .stating(&columns)
        .every(TimeDelta::minutes(30))
        .start(&start.format("%Y-%m-%d %H:%M:%S").to_string());
    let line = |row: i64| {
        let stamp = logger.stamp(row).format("%Y-%m-%d %H:%M:%S");
        format!("\"{stamp}\",{row},{},{},\"NAN\",{}\r\n", temperature(row), humidity(row), row * 37 % 360)
    };
    tower.write(DAT, logger.header() + &(0..ROWS).map(line).collect::<String>());
    let _ = tower.run(&["ingest"]);
    tower
}

/// Of the half hour of the newest row and its neighbours, on the days before.
fn usual(value: impl Fn(i64) -> f64) -> (f64, f64) {
    let rows = (1..=14).flat_map(|back| (-1..=1).map(move |by| ROWS - 1 - back * 48 + by)).filter(|row| *row >= 0);
    let values: Vec<f64> = rows.map(value).collect();
    (values.iter().copied().fold(f64::INFINITY, f64::min), values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn each_sensor_has_its_newest_value_and_whether_it_is_usual_for_the_hour() {
    let tower = tower();
    let page = Page::open(&tower, "#/now");
    page.browser.until("document.querySelectorAll('.tile').length === 4");
    let tile = |column: &str| page.text(&format!(".tile[data-column={column}]"));
    let state = |column: &str| {
        let read = format!("return document.querySelector('.tile[data-column={column}]').dataset.usual");
        page.browser.run(&read).as_str().unwrap().to_owned()
    };
    let warm = tile("TA");
    let (low, high) = usual(temperature);
    assert!(warm.contains(&format!("{}", temperature(ROWS - 1))), "{warm}");
    assert!(
        warm.contains(&format!("above the usual {low} … {high}")) && warm.contains("(10 days)"),
        "{low} {high}: {warm}"
    );
    assert_eq!(state("TA"), "high");
    let (low, high) = usual(humidity);
    let moist = tile("RH");
    assert!(moist.contains(&format!("{low} … {high}")), "{low} {high}: {moist}");
    let inside = (low..=high).contains(&humidity(ROWS - 1));
    assert_eq!(state("RH") == "usual", inside, "{moist}");
    assert!(tile("Dead").contains("no value"), "{}", tile("Dead"));
    // A direction has no lowest and highest.
    assert_eq!(state("WindDir"), "unknown");
    // The highest first, and what has no height behind.
    let levels = page.browser.run("return [...document.querySelectorAll('.level h2')].map((h) => h.textContent)");
    let levels: Vec<&str> = levels.as_array().unwrap().iter().map(|level| level.as_str().unwrap()).collect();
    assert_eq!((levels.len(), levels[0].contains("46"), levels[1].contains('2')), (3, true, true), "{levels:?}");
    let said = page.text("#main [role=status]");
    assert!(said.contains("1 column without a good newest value"), "{said}");
    page.browser.picture("now");
    page.browser.size(360, 800);
    page.browser.picture("now-phone");
    page.was_quiet();
}
