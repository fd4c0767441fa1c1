//! The Values view: the rows behind a plot, held against the database, their CSV, and the command that flags a marked interval.

use serde_json::Value;

use crate::page::Page;
use crate::station::{self, Day, STEP, TEMPRH};

const VIEW: &str = "#/values/46m_temprh%2FTemp_46m";

fn instant(at: i64) -> String {
    chrono::DateTime::from_timestamp(at, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Seconds, text and digit of each stored value of the temperature from one time to another.
fn stored(day: &Day, from: i64, to: i64) -> Vec<(i64, Option<String>, String)> {
    let conn = day.tower.database();
    let mut statement = conn
        .prepare(
            "SELECT (r.id & 4503599627370495) / 1000000 AS at, r.vals, r.flags FROM reading r JOIN series s ON s.id = r.id >> 52
             JOIN logger_table t ON t.id = s.logger_table WHERE t.name = ?1 AND at BETWEEN ?2 AND ?3 ORDER BY at",
        )
        .unwrap();
    let rows = statement.query_map((TEMPRH, from, to), |row| {
        let (at, vals, flags): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let text = vals.trim_start_matches('[').split(',').next().unwrap().to_owned();
        Ok((at, (text != "null").then_some(text), flags[..1].to_owned()))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn shown(page: &Page) -> Vec<Vec<String>> {
    let rows = page.browser.run(
        "return [...document.querySelectorAll('.values tbody tr')].map((tr) => [String(tr.at / 1e3), ...[...tr.cells].map((td) => td.textContent)])",
    );
    serde_json::from_value(rows).unwrap()
}

fn word(digit: &str) -> &str {
    match digit {
        "1" => "good",
        "2" => "not evaluated",
        "3" => "suspect",
        "4" => "failed",
        "9" => "missing",
        _ => "",
    }
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn the_rows_behind_a_plot_are_those_of_the_database_and_can_be_saved_as_csv() {
    let day = station::day();
    let (from, to) = (day.suspect - 300, day.failed + 600);
    let page = Page::open(&day.tower, &format!("{VIEW}?from={}&to={}", instant(from), instant(to)));
    page.browser.until("document.querySelectorAll('.values tbody tr').length > 0");
    let all = stored(&day, from, to);
    let first = shown(&page);
    assert_eq!(first.len(), 200.min(all.len()));
    while page.browser.run("return !document.querySelector('.values + button').hidden") == true {
        let before = shown(&page).len();
        page.browser.run("document.querySelector('.values + button').click()");
        page.browser.until(&format!("document.querySelectorAll('.values tbody tr').length > {before}"));
    }
    let rows = shown(&page);
    assert_eq!(rows.len(), all.len());
    for (row, (at, text, digit)) in rows.iter().zip(&all) {
        assert_eq!(row[0], at.to_string());
        assert_eq!(row[2], text.clone().unwrap_or_default(), "{row:?}");
        assert!(row[3].ends_with(word(digit)), "{row:?} is {digit}");
    }
    let failed = rows.iter().find(|row| row[0] == day.failed.to_string()).unwrap();
    assert!(failed[4].contains("gross_range") && failed[5].contains("99"), "{failed:?}");
    page.browser.run("document.querySelector('.choice button').click()");
    page.browser.until("fluxtower.values && fluxtower.values.csv");
    let csv = page.browser.run("return fluxtower.values.csv");
    let lines: Vec<&str> = csv.as_str().unwrap().lines().collect();
    assert_eq!(lines[0], "time,Temp_46m,flag,test,why");
    assert_eq!(lines.len(), all.len() + 1);
    for (line, (at, text, digit)) in lines[1..].iter().zip(&all) {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(chrono::DateTime::parse_from_rfc3339(cells[0]).unwrap().timestamp(), *at, "{line}");
        assert!(cells[0].ends_with("-05:00"), "{line}");
        assert_eq!((cells[1], cells[2]), (text.as_deref().unwrap_or(""), word(digit)));
    }
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn a_marked_interval_gives_the_command_that_flags_it() {
    let day = station::day();
    let (from, to) = (day.failed - 300, day.failed + 300);
    let page = Page::open(&day.tower, &format!("{VIEW}?from={}&to={}", instant(from), instant(to)));
    page.browser.until("document.querySelectorAll('.values tbody tr').length > 0");
    for at in [day.failed - 2 * STEP, day.failed + STEP] {
        page.browser.run(&format!("document.querySelector('.values tr[data-at=\"{at}000\"] button').click()"));
        page.drawn();
    }
    assert!(page.hash().contains("mark="), "{}", page.hash());
    assert_eq!(page.browser.run("return document.querySelectorAll('.values [aria-selected=true]').length"), 4);
    page.browser.picture("values");
    page.browser.size(360, 800);
    page.browser.picture("values-phone");
    page.browser.size(1400, 900);
    // The command is one that the program takes, and it flags these rows.
    let command = page.text(".hand code").replace("\"...\"", "\"a bird\"");
    let words: Vec<String> = command.split('"').enumerate().fold(Vec::new(), |mut words, (i, part)| {
        if i % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
        words
    });
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(words[0], "fluxtower");
    day.tower.run(&words[1..]).expect(0);
    let flagged = |at: i64| stored(&day, at, at)[0].2.clone();
    for at in [day.failed - 2 * STEP, day.failed - STEP, day.failed, day.failed + STEP] {
        assert_eq!(flagged(at), "4");
    }
    assert_ne!(flagged(day.failed - 3 * STEP), "4");
    page.browser.until("[...document.querySelectorAll('.values tbody tr')].filter((tr) => tr.textContent.includes('a bird')).length === 4");

    // The mark is on the plots as well, and a drag there makes another one without a zoom.
    page.browser.run("location.hash = location.hash.replace(/#.values.[^?]*/, '#/panels')");
    page.drawn();
    let id = page.browser.run(&format!("return fluxtower.panelOf('{TEMPRH}', 'Temp_46m').panel.id"));
    let panel = format!("#panel-{}", id.as_str().unwrap());
    page.browser.run(&format!("document.querySelector('{panel} .hand summary').click()"));
    page.browser.until(&format!("document.querySelector('{panel} .hand code')"));
    let said = page.text(&format!("{panel} .hand"));
    assert!(said.contains("Flag the marked interval") && said.contains("--column Temp_46m"), "{said}");
    page.browser.picture("marked");
    page.browser.run(&format!("document.querySelector('{panel} .hand button').click()"));
    let window = |page: &Page| -> Value { page.browser.run("return fluxtower.state.window()") };
    let before = window(&page);
    let [left, top, width, height] = page.browser.place(&format!("{panel} .u-over"));
    page.browser.drag((left + width * 0.6, top + height / 2.0), (left + width * 0.8, top + height / 2.0));
    page.drawn();
    assert_eq!(window(&page), before, "nothing was zoomed");
    let mark = page.browser.run("return fluxtower.state.get().mark");
    let share = (mark["from"].as_f64().unwrap() - before["from"].as_f64().unwrap()) / 600e3;
    assert!((share - 0.6).abs() < 0.02, "{mark}");
    page.was_quiet();
}
