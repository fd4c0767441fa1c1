//! axe-core finds nothing on any view; each is used by keys; reading aloud begins with the verdict.
//!
//! `FLUXTOWER_AXE` names axe-core's script, which `tests/page/axe/fetch` gets.

use serde_json::{Value, json};

use crate::browser::{Browser, program};
use crate::page::{Page, Served};
use crate::station::{self, TEMPRH};

const VIEWS: [&str; 11] = [
    "#/",
    "#/now",
    "#/panels",
    "#/table/46m_temprh",
    "#/patterns/46m_temprh%2FTemp_46m?with=46m_temprh%2FTemp_34m",
    "#/values",
    "#/flags",
    "#/coverage",
    "#/delivery",
    "#/gaps",
    "#/rejected",
];

/// What axe-core finds on the page as it is.
pub fn violations(browser: &Browser, axe: &str) -> Vec<Value> {
    browser.run(axe);
    let found = browser.run(
        "const found = await axe.run(document, {resultTypes: ['violations'], preload: false});
         return found.violations.map((v) => [v.id, v.impact, v.help, v.nodes.slice(0, 4).map((n) => n.html.slice(0, 160) + ' ' + (n.any[0] || n.all[0] || n.none[0] || {}).message)])",
    );
    found.as_array().unwrap().clone()
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER, FLUXTOWER_CHROMIUM and FLUXTOWER_AXE"]
fn axe_core_finds_no_violation_on_any_view_wide_and_narrow_light_and_dark() {
    let axe = std::fs::read_to_string(program("FLUXTOWER_AXE")).unwrap();
    let day = station::day();
    day.tower.append("soil.dat", "\"no time\",1,2,3\r\n");
    let _ = day.tower.run(&["ingest"]);
    let page = Page::open(&day.tower, "#/");
    let mut found = Vec::new();
    for (width, scheme) in [(1400, "light"), (360, "light"), (1400, "dark")] {
        page.browser.scheme(scheme);
        page.browser.size(width, 900);
        for view in VIEWS {
            page.go(view);
            for violation in violations(&page.browser, &axe) {
                found.push(json!([view, width, scheme, violation]));
            }
        }
    }
    page.was_quiet();
    day.tower.write("wrong.toml", "[station]\nnmae = \"X\"\n");
    let wrong = day.tower.path("wrong.toml");
    let served = Served::several(&[&day.tower.config_path(), &day.tower.config_path(), &wrong]);
    page.browser.open(&served.url);
    page.browser.until("document.querySelectorAll('.station').length === 3");
    let text = page.browser.run("return document.querySelector('.station').innerText");
    assert!(text.as_str().unwrap().contains("nmae"), "the wrong configuration is first: {text}");
    for width in [1400, 360] {
        page.browser.size(width, 900);
        for violation in violations(&page.browser, &axe) {
            found.push(json!(["stations", width, violation]));
        }
    }
    assert!(found.is_empty(), "{:#}", json!(found));
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn reading_aloud_begins_with_the_verdict_and_every_view_is_reached_by_keys() {
    let day = station::day();
    let page = Page::open(&day.tower, "#/");
    // The first text of the content, in the order of reading, is the verdict; the findings follow, then the tables.
    let order = page.browser.run(
        "const at = (s) => [...document.querySelectorAll('#main *')].indexOf(document.querySelector('#main ' + s));
         return [document.querySelector('#main').innerText.trim().split('\\n')[0], at('.verdict') < at('.reasons') && at('.reasons') < at('.card')]",
    );
    let verdict = page.text("#main .verdict").trim().to_owned();
    assert!(!verdict.is_empty() && verdict.starts_with(order[0].as_str().unwrap().trim()), "{order} and {verdict}");
    assert_eq!(order[1], true);
    // The first Tab leads to the link past the header, Enter to the content.
    page.browser.keys(&["\u{e004}"]);
    assert_eq!(page.browser.run("return document.activeElement.className"), "skip");
    page.browser.keys(&["\u{e007}"]);
    page.browser.until("document.activeElement.id === 'main'");
    // From there Tab stops at whatever can be used, never at what cannot be seen. A date has four stops of its own.
    for view in VIEWS {
        page.go(view);
        let stops = page.browser.run("return [...document.querySelectorAll('a[href], button, select, input, summary, [tabindex=\"0\"]')].filter((e) => e.getClientRects().length && !e.disabled).length");
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..stops.as_u64().unwrap().min(40) {
            page.browser.keys(&["\u{e004}"]);
            let stop = page.browser.run(
                "const e = document.activeElement, all = [...document.querySelectorAll('*')];
                 return [all.indexOf(e), e === document.body || e.getClientRects().length > 0, e.matches(':focus-visible, input[type=date]') || e === document.body, e.outerHTML.slice(0, 200)]",
            );
            assert_eq!((&stop[1], &stop[2]), (&json!(true), &json!(true)), "{view}: {stop}");
            seen.insert(stop[0].as_i64().unwrap());
        }
        assert!(
            seen.len() as u64 >= stops.as_u64().unwrap().min(40).saturating_sub(6),
            "{view}: {} stops of {stops}",
            seen.len()
        );
    }
    // A plot is read by keys.
    page.go("#/panels");
    let id = page.browser.run(&format!("return fluxtower.panelOf('{TEMPRH}', 'Temp_46m').panel.id"));
    let over = format!("#panel-{} .u-over", id.as_str().unwrap());
    page.browser.until(&format!("document.querySelector('{over}')"));
    page.browser.run(&format!("document.querySelector('{over}').focus()"));
    page.browser.keys(&["\u{e010}"]);
    page.browser.until("document.querySelector('#spoken').textContent.includes('46 m')");
    page.was_quiet();
}
