//! Panels: zoom, hover, legend, keys.

use serde_json::json;

use crate::page::Page;
use crate::station::{self, Day, STEP, TEMPRH};

/// The panel that shows the temperatures.
const PANEL: &str = ".panel.lines:has([data-key])";

fn open(day: &Day) -> Page {
    let page = Page::open(&day.tower, "#/panels");
    page.browser.until(&format!("document.querySelector('{PANEL} .u-over') !== null"));
    page
}

/// The panel whose series include this column.
fn panel_of(page: &Page, column: &str) -> String {
    let id = page.browser.run(&format!("return fluxtower.panelOf('{}', '{column}').panel.id", station::TEMPRH));
    format!("#panel-{}", id.as_str().unwrap())
}

/// Where a time stands on the screen.
fn place(page: &Page, panel: &str, at: i64) -> (f64, f64) {
    let [left, top, width, height] = page.browser.place(&format!("{panel} .u-over"));
    let window = page.browser.run("const w = fluxtower.state.window(); return [w.from, w.to]");
    let (from, to) = (window[0].as_f64().unwrap(), window[1].as_f64().unwrap());
    #[allow(clippy::cast_precision_loss)]
    let share = (at as f64 * 1e3 - from) / (to - from);
    (left + share * width, top + height / 2.0)
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn a_drag_zooms_into_finer_data_and_the_address_says_so() {
    let day = station::day();
    let page = open(&day);
    let panel = panel_of(&page, "Temp_46m");
    // Two windows of one table: what is asked for is what is drawn.
    let bins = || page.browser.requests().into_iter().filter(|url| url.contains("/api/trace")).collect::<Vec<_>>();
    assert!(!bins().is_empty());
    page.browser.picture("panels");
    let (from, to) = (place(&page, &panel, day.failed - 900), place(&page, &panel, day.failed + 900));
    page.browser.drag(from, to);
    page.browser.until("location.hash.includes('from=')");
    page.drawn();
    let window = page.browser.run("const w = fluxtower.state.window(); return (w.to - w.from) / 1000");
    let seconds = window.as_f64().unwrap();
    assert!((1_500.0..2_100.0).contains(&seconds), "{seconds} s from a drag over 1800 s");
    assert!(page.hash().contains("from=") && page.hash().contains("to="), "{}", page.hash());
    let asked = bins();
    assert!(!asked.is_empty(), "a zoom asks for finer data");
    let answer = page.browser.run(&format!("return await (await fetch({})).json()", json!(asked[0])));
    assert!(answer["bin_s"].is_null(), "single rows are drawn: {}", answer["bin_s"]);
    page.browser.picture("zoomed");

    // The link alone shows another person the same.
    let hash = page.hash();
    page.go(&hash);
    assert_eq!(page.hash(), hash);

    page.browser.run(&format!("document.querySelector('{panel} .u-over').focus()"));
    page.browser.keys(&["-"]);
    page.drawn();
    assert_ne!(page.hash(), hash);
    page.browser.keys(&["\u{e00c}"]);
    page.drawn();
    assert_eq!(page.hash(), hash, "Escape goes back");
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn hovering_names_value_flag_and_the_test_that_failed() {
    let day = station::day();
    let page = open(&day);
    let panel = panel_of(&page, "Temp_46m");
    let around = |at: i64| format!("#/panels?from={}&to={}", instant(at - 300), instant(at + 300));
    for (at, flag, test, value) in [(day.failed, "failed", "range", "99"), (day.suspect, "suspect", "spike", "")] {
        page.go(&around(at));
        page.browser.hover(place(&page, &panel, at));
        page.browser.until(&format!("!document.querySelector('{panel} .tip').hidden"));
        let words = page.text(&format!("{panel} .tip"));
        assert!(words.contains(flag) && words.contains(test) && words.contains(value), "{words}");
        page.browser.picture(&format!("hover-{flag}"));
    }
    // Where nothing came, the words say so.
    page.go(&around(i64::midpoint(day.hole.0, day.hole.1)));
    page.browser.hover(place(&page, &panel, i64::midpoint(day.hole.0, day.hole.1)));
    page.browser.until(&format!("document.querySelector('{panel} .tip').innerText.includes('no record') || document.querySelector('{panel} .over').innerText.includes('No row')"));
    page.was_quiet();
}

fn instant(at: i64) -> String {
    chrono::DateTime::from_timestamp(at, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn a_failed_value_does_not_stretch_the_axis() {
    let day = station::day();
    let page = open(&day);
    let panel = panel_of(&page, "Temp_46m");
    let top = page.browser.run(&format!(
        "let top = -Infinity; for (const t of document.querySelectorAll('{panel} canvas')) top = t.height; return top > 0"
    ));
    assert_eq!(top, true);
    let range = page
        .browser
        .run(&format!("return fluxtower.plot.ofHost(document.querySelector('{panel} .plot')).u.scales.y.max"));
    assert!(range.as_f64().unwrap() < 30.0, "the axis ends at {range}, though 99 failed");
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn a_click_in_the_legend_hides_a_series_and_the_address_keeps_it() {
    let day = station::day();
    let page = open(&day);
    let panel = panel_of(&page, "Temp_46m");
    let entry = format!("{panel} .legend button");
    let pixels = || page.browser.run(&format!("return document.querySelector('{panel} canvas').toDataURL()"));
    let before = pixels();
    let [left, top, width, height] = page.browser.place(&entry);
    page.browser.click((left + width / 2.0, top + height / 2.0));
    page.browser.until(&format!("document.querySelector('{entry}').getAttribute('aria-pressed') === 'false'"));
    page.drawn();
    assert!(page.hash().contains("hide="), "{}", page.hash());
    assert_ne!(pixels(), before, "the drawing changed");

    // The link hides it too, and the keyboard brings it back.
    let hash = page.hash();
    page.go(&hash);
    page.browser.until(&format!("document.querySelector('{entry}').getAttribute('aria-pressed') === 'false'"));
    page.browser.run(&format!("document.querySelector('{entry}').focus()"));
    page.browser.keys(&[" "]);
    page.browser.until(&format!("document.querySelector('{entry}').getAttribute('aria-pressed') === 'true'"));
    assert!(!page.hash().contains("hide="), "{}", page.hash());
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn everything_can_be_reached_and_read_with_the_keyboard_alone() {
    let day = station::day();
    let page = Page::open(&day.tower, "#/");
    let focused = || {
        page.browser.run("const e = document.activeElement; return e.innerText || e.getAttribute('aria-label') || e.id")
    };
    let tab = "\u{e004}";
    page.browser.keys(&[tab]);
    assert_eq!(focused(), "Skip to the content");
    // On to the view's link, and in.
    for _ in 0..12 {
        page.browser.keys(&[tab]);
        if focused() == "Panels" {
            break;
        }
    }
    assert_eq!(focused(), "Panels");
    page.browser.keys(&["\u{e007}"]);
    page.browser.until("location.hash.startsWith('#/panels')");
    page.drawn();
    for _ in 0..40 {
        page.browser.keys(&[tab]);
        if page.browser.run("return document.activeElement.classList.contains('u-over')") == true {
            break;
        }
    }
    assert_eq!(
        page.browser.run("return document.activeElement.classList.contains('u-over')"),
        true,
        "no plot has the focus"
    );
    let ring = page.browser.run("return getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(ring, "solid", "the focus is seen");
    page.browser.keys(&["\u{e014}", "\u{e014}"]);
    let said = page.browser.until("document.getElementById('spoken').textContent.includes('good') && document.getElementById('spoken').textContent");
    assert!(said.as_str().unwrap().contains(':'), "{said}");
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn a_flag_on_the_ribbon_leads_to_the_values_behind_it() {
    let day = station::day();
    let page = Page::open(&day.tower, "#/flags?range=3h");
    let [left, top, width, _] = page.browser.place(".heat");
    let row = page
        .browser
        .run("return [...document.querySelectorAll('.labels a')].findIndex((a) => a.textContent === 'Temp_46m')");
    let window = page.browser.run("const w = fluxtower.state.window(); return [w.from, w.to]");
    let (from, to) = (window[0].as_f64().unwrap(), window[1].as_f64().unwrap());
    #[allow(clippy::cast_precision_loss)]
    let share = (day.failed as f64 * 1e3 - from) / (to - from);
    let at = (left + share * width, top + 18.0 * row.as_f64().unwrap() + 9.0);
    page.browser.hover(at);
    page.browser.until("!document.querySelector('.heatmap .tip').hidden");
    assert!(page.text(".heatmap .tip").contains("failed"), "{}", page.text(".heatmap .tip"));
    page.browser.picture("flags");
    page.browser.click(at);
    page.browser.until("location.hash.startsWith('#/panels/')");
    page.drawn();
    let inside = page
        .browser
        .run(&format!("const w = fluxtower.state.window(); return w.from < {0} && w.to > {0}", day.failed * 1_000));
    assert_eq!(inside, true, "{}", page.hash());
    // The browser's own way back.
    page.browser.run("history.back()");
    page.browser.until("location.hash.startsWith('#/flags')");
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn what_the_tests_cost_stands_below_the_flags_with_the_dearest_first() {
    // The humidity falls below 50 % every day, and a soil temperature stands still for less than its window.
    let keys = "[table.columns.RH_46m]\nsuspect = [50, 100]\n";
    let soil = "[table.columns.Soil_T_50cm]\nflat_line = { suspect = \"2d\", tolerance = 0.1 }\n";
    let tower = station::tower("", &format!("{soil}[[table]]\nname = \"again\"\nfiles = [\"temprh.dat\"]\n{keys}"));
    let day = station::day_of(tower, station::now() / STEP * STEP - STEP);
    let page = Page::open(&day.tower, "#/flags?range=24h");
    page.browser.run("document.querySelector('[aria-label=\"what the tests cost\"]').scrollIntoView()");
    page.browser.until("document.querySelector('[aria-label=\"what the tests cost\"] tbody tr') !== null");
    let shown = page.browser.run(
        "return [...document.querySelectorAll('[aria-label=\"what the tests cost\"] tbody tr')].map((row) => [row.dataset.table, \
         row.dataset.column, row.cells[3].innerText, row.cells[4].innerText, row.querySelector('.much') !== null])",
    );
    let since = chrono::DateTime::from_timestamp(day.newest - 86_400, 0).unwrap().to_rfc3339();
    let counted = day.tower.run_json(&["flags", "--summary", "--since", &since]).expect(0).json();
    let mut shares = Vec::new();
    for row in shown.as_array().unwrap() {
        let columns = counted["columns"].as_array().unwrap();
        let of = columns.iter().find(|of| of["table"] == row[0] && of["column"] == row[1]).unwrap();
        let mut most = 0.0_f64;
        for test in of["tests"].as_array().unwrap() {
            let (name, findings) = (test["test"].as_str().unwrap(), test["findings"].as_u64().unwrap());
            let wanted = format!("{name} {findings}");
            let shown = row[2].as_str().unwrap().replace(',', "");
            assert!(shown.contains(&wanted), "{wanted} is not in {row}");
            most = most.max(test["share"].as_f64().unwrap());
        }
        assert_eq!(row[4], most > 0.01, "{row}");
        for test in of["not_judged_by"].as_array().unwrap() {
            assert!(row[3].as_str().unwrap().contains(test.as_str().unwrap()), "{test} is not in {row}");
        }
        shares.push(most);
    }
    assert!(shares.len() == 3 && shares[0] > 0.2 && shares.is_sorted_by(|one, next| one >= next), "{shares:?}");
    page.browser.picture("costs");
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn a_range_without_a_row_says_where_the_newest_is_and_leads_there() {
    let day = station::day();
    let page = Page::open(&day.tower, "#/panels?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z");
    assert!(page.text(".panel .over").contains("No row in this time"), "{}", page.text(".panel"));
    let [left, top, width, height] = page.browser.place(".panel .over button");
    page.browser.click((left + width / 2.0, top + height / 2.0));
    page.browser.until("!location.hash.includes('2020')");
    page.drawn();
    assert_eq!(page.browser.run("return document.querySelector('.panel .over').hidden"), true);
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn the_line_is_open_where_no_record_came_and_where_the_logger_wrote_nan() {
    let day = station::day();
    let page = open(&day);
    let panel = panel_of(&page, "Temp_46m");
    page.go(&format!("#/panels?from={}&to={}", instant(day.hole.0 - 1_800), instant(day.newest)));
    // Columns of pixels that hold the line's colour, between two times.
    let coloured = |from: i64, to: i64| {
        let count = page.browser.run(&format!(
            "const plot = fluxtower.plot.ofHost(document.querySelector('{panel} .plot')), u = plot.u;
             const s = fluxtower.panelOf('{}', 'Temp_46m').panel.series.find((one) => one.column === 'Temp_46m');
             const want = [1, 3, 5].map((i) => parseInt(s.colour.slice(i, i + 2), 16));
             const a = Math.round(u.valToPos({} * 1000, 'x', true)), b = Math.round(u.valToPos({} * 1000, 'x', true));
             const copy = Object.assign(document.createElement('canvas'), {{ width: b - a, height: u.bbox.height }}).getContext('2d', {{ willReadFrequently: true }});
             copy.drawImage(u.ctx.canvas, -a, -u.bbox.top);
             const {{ data, width }} = copy.getImageData(0, 0, b - a, u.bbox.height);
             let columns = 0;
             for (let x = 0; x < width; x++) {{
               for (let i = x * 4; i < data.length; i += width * 4) {{
                 if (want.every((v, k) => Math.abs(data[i + k] - v) < 40)) {{ columns++; break; }}
               }}
             }}
             return columns / width",
            station::TEMPRH,
            from,
            to
        ));
        count.as_f64().unwrap()
    };
    let within = |(from, to): (i64, i64)| coloured(from + 120, to - 120);
    assert_eq!(within(day.hole), 0.0, "a line over a hole");
    assert_eq!(within(day.nan), 0.0, "a line over what the logger did not measure");
    assert!(within((day.hole.0 - 1_500, day.hole.0)) > 0.9, "no line where there are values");
    page.browser.picture("gaps-in-a-line");
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn what_the_server_refuses_is_said_in_its_words_with_a_way_to_try_again() {
    let day = station::day();
    let page = open(&day);
    // A column that the configuration no longer knows, as after an edit beside an open page.
    page.browser.run(
        "window.kept = fluxtower.station.rows[0].panels[0].series[0].column;
         fluxtower.station.rows[0].panels[0].series[0].column = 'gone';
         location.hash = '#/'; await new Promise((r) => setTimeout(r, 100)); location.hash = '#/panels';",
    );
    page.browser.until("document.querySelector('.panel .over button') !== null");
    let words = page.text(".panel .over");
    assert!(words.contains("gone") && words.contains("Try again"), "{words}");
    page.browser.picture("refused");
    page.browser.run("fluxtower.station.rows[0].panels[0].series[0].column = window.kept; document.querySelector('.panel .over button').click()");
    page.browser.until("document.querySelector('.panel .over').hidden");
    let log = page.browser.console();
    assert!(log.iter().all(|line| line.contains("404")), "{log:#?}");
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn the_command_that_flags_the_time_in_sight_does_so() {
    let day = station::day();
    let (from, to) = (day.newest - 3_600, day.newest - 1_800);
    let page = Page::open(&day.tower, &format!("#/table/{TEMPRH}?from={}&to={}", instant(from), instant(to)));
    page.browser.run("document.querySelector('.panel.lines .hand').open = true");
    page.browser.until("document.querySelector('.panel.lines .hand code')");
    let command = page.text(".panel.lines .hand code");
    assert!(command.starts_with(&format!("fluxtower flag --table {TEMPRH} --column Temp_46m --from \"")), "{command}");
    // As a shell would read it.
    let mut words: Vec<String> = Vec::new();
    for (at, part) in command.split('"').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let _ = day.tower.run(&words).expect(0);
    let flagged = day.tower.count("SELECT count(*) FROM reading WHERE flags LIKE '4%'");
    assert!(flagged >= (to - from) / STEP, "{command}: {flagged}");
    page.was_quiet();
}
