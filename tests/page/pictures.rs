//! The pictures of the Patterns view that put rows together further, each calculated again from the database.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use fluxtower::sun::{Position, elevation};
use fluxtower::time::Timestamp;
use serde_json::Value;

use crate::page::Page;
use crate::station::now;
use crate::support::{DAT, Logger, Station};

const WEST: i64 = 5 * 3_600;
const HALF_HOUR: i64 = 1_800;
const DAYS: i64 = 75;
const ROWS: i64 = DAYS * 48;
const COLUMNS: [[&str; 3]; 8] = [
    ["TA", "Deg C", "Avg"],
    ["TB", "Deg C", "Avg"],
    ["Rain_mm_Tot", "mm", "Tot"],
    ["Rn", "W/m2", "Avg"],
    ["Hs", "W/m2", "Avg"],
    ["LE", "W/m2", "Avg"],
    ["G1", "W/m2", "Avg"],
    ["G2", "W/m2", "Avg"],
];
const KEYS: &str = "[table.columns.TA]\nheight = \"46m\"\nfail = [-50, 60]\n\
    climatology = { bands = [{ hours = [0, 11], suspect = [-60, 40] }, { hours = [12, 23], suspect = [-50, 45] }] }\n\
    [table.columns.TB]\nheight = \"2m\"\n\
    [table.columns.Rn]\nvariable = \"NETRAD\"\n[table.columns.Hs]\nvariable = \"H\"\n[table.columns.LE]\nvariable = \"LE\"\n\
    [table.columns.G1]\nvariable = \"G_1_1_1\"\n[table.columns.G2]\nvariable = \"G_2_1_1\"";

fn values(row: i64) -> Vec<String> {
    let turn = (row % 48) as f64 / 48.0 * std::f64::consts::TAU;
    let season = row as f64 / 300.0;
    let noise = ((row * 7_919) % 101) as f64 / 50.0 - 1.0;
    let ta = if row % 331 == 7 { 99.0 } else { 5.0 - 4.0 * turn.cos() + season + noise };
    let net = (-300.0 * turn.cos() + 100.0 + 20.0 * noise).max(-60.0);
    let ground = net * 0.1;
    let numbers = [
        ta,
        ta * 0.9 + 1.0 + noise / 5.0,
        if row % 37 == 0 { 0.6 } else { 0.0 },
        net,
        net * 0.4 + noise,
        net * 0.3 - noise,
        ground,
        ground + 4.0,
    ];
    let mut texts: Vec<String> = numbers.iter().map(|value| format!("{value:.2}")).collect();
    if row % 53 == 3 {
        texts[5] = "\"NAN\"".to_owned();
    }
    if row % 97 == 5 {
        texts[7] = "\"NAN\"".to_owned();
    }
    texts
}

fn tower() -> (Station, String) {
    let tower = Station::new().table_keys(KEYS);
    tower.replace_in_config("[station]", "[station]\nlatitude = 45.5598\nlongitude = -84.7138");
    let newest = now() / HALF_HOUR * HALF_HOUR;
    let start = DateTime::from_timestamp(newest - (ROWS - 1) * HALF_HOUR - WEST, 0).unwrap();
    let logger = Logger::par()
        .stating(&COLUMNS)
        .every(TimeDelta::minutes(30))
        .start(&start.format("%Y-%m-%d %H:%M:%S").to_string());
    let line =
        |row: i64| format!("\"{}\",{row},{}\r\n", logger.stamp(row).format("%Y-%m-%d %H:%M:%S"), values(row).join(","));
    tower.write(DAT, logger.header() + &(0..ROWS).map(line).collect::<String>());
    let _ = tower.run(&["ingest"]);
    let table = tower.in_process().config.tables[0].name.0.clone();
    (tower, table)
}

/// By column: seconds since 1970 and the value, of all values that did not fail.
fn stored(tower: &Station) -> Vec<BTreeMap<i64, f64>> {
    let conn = tower.database();
    let sql = "SELECT (id & 4503599627370495) / 1000000, vals, flags FROM reading ORDER BY id";
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let mut found = vec![BTreeMap::new(); COLUMNS.len()];
    for row in rows {
        let (at, vals, flags): (i64, String, String) = row.unwrap();
        for (place, (text, flag)) in vals.trim_matches(['[', ']']).split(',').zip(flags.chars()).enumerate() {
            if "123".contains(flag) {
                found[place].insert(at, text.parse().unwrap());
            }
        }
    }
    found
}

fn open(tower: &Station, table: &str, column: &str, more: &str) -> (Page, Value) {
    let key = percent_encoding::utf8_percent_encode(&format!("{table}/{column}"), percent_encoding::NON_ALPHANUMERIC)
        .to_string();
    let page = Page::open(tower, &format!("#/patterns/{key}?range=all{more}"));
    page.browser.until("fluxtower.patterns && fluxtower.patterns.days.length");
    page.drawn();
    let shown = page.browser.run("return fluxtower.patterns");
    (page, shown)
}

#[track_caller]
fn near(shown: &Value, right: f64, what: &str) {
    let shown = shown.as_f64().unwrap_or_else(|| panic!("{what}: {shown} where {right} is right"));
    assert!((shown - right).abs() <= 2e-6 * right.abs().max(1.0), "{what}: {shown} where {right} is right");
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() - 1) as f64 * share;
    let low = at.floor() as usize;
    values[low] + (values[(low + 1).min(values.len() - 1)] - values[low]) * at.fract()
}

/// Slope, offset and r².
fn fit(points: &[(f64, f64)]) -> (f64, f64, f64) {
    let n = points.len() as f64;
    let (mx, my) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let sum = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>();
    let (xx, xy, yy) = (sum(&|p| (p.0 - mx).powi(2)), sum(&|p| (p.0 - mx) * (p.1 - my)), sum(&|p| (p.1 - my).powi(2)));
    (xy / xx, my - xy / xx * mx, xy * xy / (xx * yy))
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn the_usual_day_stands_against_the_climatology_and_month_by_month_with_sunrise_and_sunset() {
    let (tower, table) = tower();
    let (page, shown) = open(&tower, &table, "TA", "");
    let stored = &stored(&tower)[0];
    // The band that the configuration gives.
    for (slot, one) in shown["usual"].as_array().unwrap().iter().enumerate() {
        // A stamp is the end of its half hour, so that of 12:00 belongs to the morning.
        let band = if (1..=24).contains(&slot) { (-60.0, 40.0) } else { (-50.0, 45.0) };
        near(&one["expected"][0], band.0, "band");
        near(&one["expected"][1], band.1, "band");
    }
    let mut months: BTreeMap<String, (std::collections::BTreeSet<i64>, Vec<Vec<f64>>)> = BTreeMap::new();
    for (at, value) in stored {
        let local = DateTime::from_timestamp(at - WEST, 0).unwrap();
        let month = months
            .entry(local.format("%Y-%m").to_string())
            .or_insert_with(|| (Default::default(), vec![Vec::new(); 48]));
        month.0.insert((at - WEST).div_euclid(86_400));
        month.1[usize::try_from((at - WEST).rem_euclid(86_400) / HALF_HOUR).unwrap()].push(*value);
    }
    months.retain(|_, (days, _)| days.len() >= 5);
    let found = shown["months"].as_array().unwrap();
    assert_eq!(found.len(), months.len());
    assert!(found.len() >= 2);
    for (one, (name, (days, slots))) in found.iter().zip(&mut months) {
        assert_eq!((one["name"].as_str(), one["days"].as_u64()), (Some(name.as_str()), Some(days.len() as u64)));
        for (slot, values) in slots.iter_mut().enumerate() {
            near(&one["middle"][slot], quantile(values, 0.5), name);
        }
    }
    let place = Position { latitude: 45.5598, longitude: -84.7138 };
    let times = shown["sunTimes"].as_array().unwrap();
    assert!(times.len() as i64 >= 2 * (DAYS - 1));
    for at in times {
        let height = elevation(place, Timestamp::from_nanos((at.as_f64().unwrap() * 1e6) as i64));
        assert!((height + 0.833).abs() < 0.02, "{height}");
    }
    let expected = percent(stored.len() as f64 / (ROWS - 1) as f64);
    for picture in ["fingerprint", "usual-day", "months"] {
        let note = page.text(&format!("[data-pattern={picture}] .dim"));
        assert!(note.contains(&format!("{expected} of the expected values")), "{expected}: {note}");
    }
    page.browser.picture("patterns-months");
    page.browser.size(360, 2600);
    page.drawn();
    page.browser.picture("patterns-months-phone");
    page.was_quiet();
}

/// As the page rounds: down.
fn percent(share: f64) -> String {
    format!("{:.1}\u{202f}%", (share.min(1.0) * 1_000.0 + 1e-9).floor() / 10.0)
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn rain_is_summed_up_by_day_and_since_the_begin() {
    let (tower, table) = tower();
    let (page, shown) = open(&tower, &table, "Rain_mm_Tot", "");
    let mut days: BTreeMap<i64, f64> = BTreeMap::new();
    for (at, value) in &stored(&tower)[2] {
        *days.entry((at - WEST).div_euclid(86_400)).or_default() += value;
    }
    let sums = shown["sums"].as_array().unwrap();
    assert_eq!(sums.len(), days.len());
    let mut total = 0.0;
    for (one, (day, sum)) in sums.iter().zip(&days) {
        total += sum;
        assert_eq!(one["day"].as_i64(), Some(*day));
        near(&one["sum"], *sum, "day");
        near(&one["total"], total, "total");
    }
    let wet = days.values().filter(|sum| **sum > 0.0).count();
    let note = page.text("[data-pattern=sums] .dim");
    assert!(note.contains(&format!("on {wet} days of {}", days.len())), "{note}");
    page.browser.run("document.querySelector('[data-pattern=sums]').scrollIntoView()");
    page.browser.picture("rain");
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn a_column_against_another_and_the_energy_balance_have_the_fit_of_their_half_hours() {
    let (tower, table) = tower();
    let (page, shown) = open(&tower, &table, "TA", &format!("&with={table}%2FTB"));
    let stored = stored(&tower);
    let pairs: Vec<(f64, f64)> = stored[0].iter().filter_map(|(at, y)| Some((*stored[1].get(at)?, *y))).collect();
    let check = |shown: &Value, points: &[(f64, f64)]| {
        let (slope, offset, r2) = fit(points);
        assert_eq!(shown["n"].as_u64(), Some(points.len() as u64));
        near(&shown["line"]["slope"], slope, "slope");
        near(&shown["line"]["offset"], offset, "offset");
        near(&shown["line"]["r2"], r2, "r2");
    };
    check(&shown["against"], &pairs);
    let [net, heat, water, g1, g2] = [3, 4, 5, 6, 7].map(|place| &stored[place]);
    let balance: Vec<(f64, f64)> = net
        .iter()
        .filter_map(|(at, net)| {
            let soil: Vec<f64> = [g1, g2].iter().filter_map(|g| g.get(at).copied()).collect();
            let soil = (!soil.is_empty()).then(|| soil.iter().sum::<f64>() / soil.len() as f64)?;
            Some((net - soil, heat.get(at)? + water.get(at)?))
        })
        .collect();
    check(&shown["balance"], &balance);
    let closure = balance.iter().map(|p| p.1).sum::<f64>() / balance.iter().map(|p| p.0).sum::<f64>();
    near(&shown["balance"]["closure"], closure, "closure");
    let note = page.text("[data-pattern=balance] .dim");
    assert!(note.contains(&percent(balance.len() as f64 / ROWS as f64)), "{note}");
    page.browser.run("document.querySelector('[data-pattern=balance]').scrollIntoView()");
    page.browser.picture("balance");
    page.browser.size(360, 900);
    page.drawn();
    page.browser.run("document.querySelector('[data-pattern=balance]').scrollIntoView()");
    page.browser.picture("balance-phone");
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn a_profile_shows_the_heights_at_the_time_of_its_slider() {
    let keys: String = ["2", "10", "34"]
        .iter()
        .map(|height| format!("[table.columns.T{height}]\nquantity = \"air temperature\"\nheight = \"{height}m\"\n"))
        .collect();
    let tower = Station::new().table_keys(&keys);
    let newest = now() / HALF_HOUR * HALF_HOUR;
    let start = DateTime::from_timestamp(newest - 199 * HALF_HOUR - WEST, 0).unwrap();
    let logger = Logger::par()
        .stating(&[["T2", "Deg C", "Avg"], ["T10", "Deg C", "Avg"], ["T34", "Deg C", "Avg"]])
        .every(TimeDelta::minutes(30))
        .start(&start.format("%Y-%m-%d %H:%M:%S").to_string());
    let value = |row: i64, height: f64| 10.0 + ((row * 7) % 40) as f64 / 10.0 - height / 20.0;
    let line = |row: i64| {
        let stamp = logger.stamp(row).format("%Y-%m-%d %H:%M:%S");
        format!("\"{stamp}\",{row},{:.2},{:.2},{:.2}\r\n", value(row, 2.0), value(row, 10.0), value(row, 34.0))
    };
    tower.write(DAT, logger.header() + &(0..200).map(line).collect::<String>());
    let _ = tower.run(&["ingest"]);
    let page = Page::open(&tower, "#/panels?range=3h");
    page.browser.until("document.querySelector('.panel.profile input') && fluxtower.profile.shown");
    let check = |newest_row: i64| {
        let lines = page.browser.run("return fluxtower.profile.shown");
        assert_eq!(lines.as_array().unwrap().len(), 4);
        for (line, back) in lines.as_array().unwrap().iter().zip([0, 12, 24, 48]) {
            for (point, height) in line["points"].as_array().unwrap().iter().zip([2.0, 10.0, 34.0]) {
                near(&point["value"], (value(newest_row - back, height) * 100.0).round() / 100.0, "profile");
                near(&point["metres"], height, "height");
            }
        }
    };
    check(199);
    // Two thirds of three hours.
    page.browser.run(
        "const s = document.querySelector('.panel.profile input'); s.value = 667; s.dispatchEvent(new Event('input'))",
    );
    check(197);
    page.browser.run("document.querySelector('.panel.profile').scrollIntoView()");
    page.browser.picture("profile");
    page.was_quiet();
}
