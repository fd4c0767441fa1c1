//! The Patterns view: each of its numbers calculated again from the rows.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use crate::page::Page;
use crate::station::{self, STEP, TEMPRH, now, weather};
use crate::support::{DAT, Logger, Station};

/// The station's clock is five hours west of UTC.
const WEST: i64 = 5 * 3_600;
const HALF_HOUR: i64 = 1_800;

fn place(of: &str) -> String {
    format!("#/patterns/{}", percent_encoding::utf8_percent_encode(of, percent_encoding::NON_ALPHANUMERIC))
}

fn concluded(page: &Page) -> Value {
    page.browser.until("fluxtower.patterns && fluxtower.patterns.days.length");
    page.browser.run("return fluxtower.patterns")
}

#[track_caller]
fn near(shown: &Value, right: f64, what: &str) {
    let shown = shown.as_f64().unwrap_or_else(|| panic!("{what}: {shown} where {right} is right"));
    assert!((shown - right).abs() <= 1e-6 * right.abs().max(1.0), "{what}: {shown} where {right} is right");
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn each_half_hour_of_the_patterns_is_the_mean_of_the_values_that_did_not_fail() {
    let day = station::day();
    let page = Page::open(&day.tower, &place(&format!("{TEMPRH}/Temp_46m")));
    let shown = concluded(&page);
    let mut sums: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    let mut good: BTreeMap<i64, f64> = BTreeMap::new();
    for at in (day.newest - 86_400..=day.newest).step_by(usize::try_from(STEP).unwrap()) {
        // Its neighbours are spikes against it.
        let is_lost = (at - day.failed).abs() <= STEP
            || (day.nan.0..=day.nan.1).contains(&at)
            || (at > day.hole.0 && at < day.hole.1);
        if is_lost {
            continue;
        }
        // As the file has it.
        let value = ((weather(at)[0] + if at == day.suspect { 3.0 } else { 0.0 }) * 1e3).round() / 1e3;
        let sum = sums.entry(at / HALF_HOUR).or_default();
        *sum = (sum.0 + value, sum.1 + 1.0);
        *good.entry((at - WEST).div_euclid(86_400)).or_default() += 1.0;
    }
    let mut found = 0;
    for one in shown["days"].as_array().unwrap() {
        let date = one["day"].as_i64().unwrap();
        for (slot, value) in one["values"].as_array().unwrap().iter().enumerate() {
            let half_hour = (date * 86_400 + WEST) / HALF_HOUR + i64::try_from(slot).unwrap();
            match sums.get(&half_hour) {
                None => assert!(value.is_null(), "{half_hour}: {value}"),
                Some((sum, n)) => {
                    near(value, sum / n, "half hour");
                    found += 1;
                }
            }
        }
        let (begin, end) = (date * 86_400 + WEST, (date + 1) * 86_400 + WEST);
        let span = end.min(day.newest) - begin.max(day.newest - 86_400);
        near(&one["share"], (good[&date] / (span as f64 / STEP as f64)).min(1.0), "share of a day");
    }
    assert_eq!(found, sums.len());
    let note = page.text("[data-pattern=fingerprint] .dim");
    assert!(note.contains("hatched: no value"), "{note}");
    page.browser.picture("patterns");
    // A click shows the day.
    let [x, y, width, height] = page.browser.place("[data-pattern=fingerprint] canvas");
    page.browser.click((x + width * 0.75, y + height * 0.5));
    page.drawn();
    assert!(page.hash().starts_with(&format!("#/table/{TEMPRH}?from=")), "{}", page.hash());
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn the_wind_rose_counts_each_half_hour_in_its_sector_and_class() {
    let tower = Station::new().table_keys("[table.columns.WindDir]\nvariable = \"WD\"");
    let newest = now() / HALF_HOUR * HALF_HOUR;
    let rows = 10 * 48_i64;
    let start = newest - (rows - 1) * HALF_HOUR;
    let local = DateTime::from_timestamp(start - WEST, 0).unwrap();
    let logger = Logger::par()
        .stating(&[["WindDir", "deg", "Smp"], ["WS_ms", "m/s", "Avg"], ["WS_ms_Std", "m/s", "Std"]])
        .every(TimeDelta::minutes(30))
        .start(&local.format("%Y-%m-%d %H:%M:%S").to_string());
    let wind = |row: i64| (row * 37 + row * row) % 360;
    let speed = |row: i64| (row * 7 % 95) as f64 / 10.0;
    let line = |row: i64| {
        format!("\"{}\",{row},{},{},0.1\r\n", logger.stamp(row).format("%Y-%m-%d %H:%M:%S"), wind(row), speed(row))
    };
    tower.write(DAT, logger.header() + &(0..rows).map(line).collect::<String>());
    let _ = tower.run(&["ingest"]).expect(0);
    let table = tower.in_process().config.tables[0].name.0.clone();
    let page = Page::open(&tower, &format!("{}?range=all", place(&format!("{table}/WindDir"))));
    let rose = concluded(&page)["rose"].clone();
    let (mut calm, mut sectors) = (0, vec![[0; 5]; 16]);
    for row in 0..rows {
        let class = [0.5, 2.0, 4.0, 6.0, 8.0].iter().rposition(|least| speed(row) >= *least);
        match class {
            None => calm += 1,
            // Sectors of 22.5 degrees around north.
            Some(class) => sectors[usize::try_from((wind(row) * 2 + 22) / 45 % 16).unwrap()][class] += 1,
        }
    }
    assert_eq!((&rose["n"], &rose["calm"]), (&json!(rows), &json!(calm)));
    assert_eq!(rose["sectors"], json!(sectors));
    assert!(page.browser.run("return document.querySelector('[data-pattern=usual-day]').hidden").as_bool().unwrap());
    page.browser.picture("wind-rose");
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn a_day_is_reached_by_its_date_and_yesterday_and_last_week_are_whole_days_of_the_stations_clock() {
    let day = station::day();
    let page = Page::open(&day.tower, "#/panels");
    let click = |text: &str| {
        page.browser.run(&format!(
            "[...document.querySelectorAll('.rangebar button')].find((b) => b.textContent === {}).click()",
            json!(text)
        ));
        page.drawn();
        page.browser.run("return [fluxtower.state.window().from / 1e3, fluxtower.state.window().to / 1e3]")
    };
    let midnight = (now() - WEST).div_euclid(86_400) * 86_400 + WEST;
    assert_eq!(click("today"), json!([midnight, midnight + 86_400]));
    assert_eq!(click("yesterday"), json!([midnight - 86_400, midnight]));
    let week = click("last week");
    let monday = week[0].as_i64().unwrap();
    assert_eq!(week[1].as_i64().unwrap() - monday, 7 * 86_400);
    assert_eq!(DateTime::from_timestamp(monday - WEST, 0).unwrap().format("%a %H:%M").to_string(), "Mon 00:00");
    assert!(monday + 7 * 86_400 <= midnight && midnight < monday + 14 * 86_400);
    page.browser.run(
        "const pick = document.querySelector('.rangebar input[type=date]'); pick.value = '2026-03-01'; pick.dispatchEvent(new Event('change'))",
    );
    page.drawn();
    assert!(page.hash().contains("from=2026-03-01T05:00:00Z") && page.hash().contains("to=2026-03-02T05:00:00Z"));
    page.was_quiet();
}
