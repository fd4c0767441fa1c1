//! The report: the same page as a file.

use serde_json::json;

use crate::browser::Browser;
use crate::station;

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn a_report_draws_from_a_file_without_one_request() {
    let day = station::day();
    day.tower.run(&["report", "--last", "1d", "--output", "report.html"]).expect(0);
    let file = url::Url::from_file_path(day.tower.path("report.html")).unwrap();
    let browser = Browser::start();
    for view in ["#/", "#/panels", "#/table/46m_temprh", "#/flags", "#/delivery", "#/gaps", "#/rejected"] {
        browser.open(&format!("{file}{view}"));
        browser.until("window.fluxtower && fluxtower.marks.length > 0");
        browser.run("await fluxtower.drawn;");
        let words = browser.run("return document.body.innerText");
        let words = words.as_str().unwrap();
        assert!(words.contains("Report of US-UMB") && words.contains("made 2"), "{view}: {words}");
        assert!(!words.contains("Could not be"), "{view}: {words}");
        browser.picture(&format!("report-{}", view.trim_start_matches("#/").split('/').next().unwrap()));
    }
    // A zoom is answered from the file too.
    browser.open(&format!("{file}#/panels"));
    browser.until("window.fluxtower && fluxtower.marks.length > 0 && document.querySelector('.u-over') !== null");
    browser
        .run("const w = fluxtower.state.window(); fluxtower.state.zoom(w.to - 7200e3, w.to); await fluxtower.drawn;");
    assert_eq!(browser.run("return document.querySelector('.panel .legend button') !== null"), true);

    let asked = browser.requests();
    let others: Vec<_> = asked.iter().filter(|url| url.split('#').next() != Some(file.as_str())).collect();
    assert!(others.is_empty(), "asked for {others:#?}");
    let console = browser.console();
    assert!(console.is_empty(), "the console says {}", json!(console));
}
