//! Directions, totals and counters: what is drawn, and that the browser puts values together as the server does.

use serde_json::json;

use crate::page::Page;
use crate::station::now;
use crate::support::{DAT, Logger, Station};
use chrono::{DateTime, TimeDelta};

/// Rows a minute, two days of them.
const ROWS: i64 = 2_880;

fn tower() -> Station {
    let tower = Station::new()
        .table_keys("[table.columns.WindDir]\nvariable = \"WD\"\n[table.columns.Gauge]\nkind = \"counter\"");
    let newest = now() / 3_600 * 3_600;
    let start = DateTime::from_timestamp(newest - (ROWS - 1) * 60 - 18_000, 0).unwrap();
    let columns =
        [["WindDir", "deg", "Smp"], ["Rain_Tot", "mm", "Tot"], ["Gauge", "mm", "Smp"], ["WS_Std", "m/s", "Std"]];
    let logger = Logger::par()
        .stating(&columns)
        .every(TimeDelta::minutes(1))
        .start(&start.format("%Y-%m-%d %H:%M:%S").to_string());
    let line = |row: i64| {
        let stamp = logger.stamp(row).format("%Y-%m-%d %H:%M:%S");
        let wind = (row * 37 % 61 - 30 + row / 40).rem_euclid(360);
        let rain = if row / 100 % 3 == 0 { row % 5 } else { 0 };
        format!("\"{stamp}\",{row},{wind},0.{rain},{}.5,0.{}\r\n", row % 2_000, row % 7)
    };
    tower.write(DAT, logger.header() + &(0..ROWS).map(line).collect::<String>());
    let _ = tower.run(&["ingest"]).expect(0);
    tower
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn directions_are_points_with_north_at_both_ends_and_sums_are_bars_from_zero() {
    let tower = tower();
    let table = tower.in_process().config.tables[0].name.0.clone();
    let page = Page::open(&tower, &format!("#/table/{table}"));
    page.drawn();
    page.browser.picture("kinds-table");
    page.go("#/panels?range=all&open=Wind!Other");
    page.browser.until("document.querySelectorAll('.panel.lines .together').length >= 3");
    let notes = page
        .browser
        .run("return [...document.querySelectorAll('.panel.lines .together')].map((n) => n.textContent).join('; ')");
    let notes = notes.as_str().unwrap();
    for note in ["vector mean of ", "sum of ", "increment of ", "root mean square of "] {
        assert!(notes.contains(note), "{note}: {notes}");
    }
    let ends = page.browser.run(&format!(
        "const of = (column) => fluxtower.plot.ofHost(document.querySelector('#panel-' + fluxtower.panelOf({}, column).panel.id + ' .plot')).u.scales.y;
         return [of('WindDir').min, of('WindDir').max, of('Rain_Tot').min, of('Gauge').min]",
        json!(table)
    ));
    assert_eq!(ends, json!([0, 360, 0, 0]));
    page.browser.picture("kinds-panels");
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn the_browser_puts_values_together_as_the_server_does() {
    let tower = tower();
    let table = tower.in_process().config.tables[0].name.0.clone();
    let page = Page::open(&tower, "#/");
    page.drawn();
    let differences = page.browser.run(&format!(
        "const table = {}, t = fluxtower.station.tables.find((one) => one.name === table);
         const columns = t.columns.map((c) => c.name), hour = 3600e3;
         const from = Math.ceil(t.oldest / hour) * hour, to = Math.floor(t.newest / hour) * hour - 1;
         const get = (points) => fluxtower.source.trace({{ table, columns, tags: {{}}, from, to, points }});
         const wide = await get(48), differences = [];
         if (wide.bin_s !== 3600) differences.push('the width is ' + wide.bin_s);
         for (const points of [5000, 600, 200]) {{
           const fine = await get(points);
           const made = fluxtower.rebin.bin(fine, 3600);
           if (JSON.stringify(made.times) !== JSON.stringify(wide.times)) differences.push('times at ' + points);
           made.columns.forEach((c, k) => c.value.forEach((value, i) => {{
             const other = wide.columns[k].value[i];
             const apart = c.kind === 'direction' ? ((value - other + 540) % 360) - 180 : value - other;
             if (!(Math.abs(apart) < 1e-3)) differences.push([points, fine.bin_s, c.name, i, value, other]);
           }}));
         }}
         return differences",
        json!(table)
    ));
    assert_eq!(differences, json!([]));
    page.was_quiet();
}
