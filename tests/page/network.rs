//! Several stations behind one server.

use serde_json::Value;

use crate::browser::Browser;
use crate::page::{Page, Served};
use crate::station::{self, STEP, TEMPRH};
use crate::support::Station;

/// A station of this name with rows until `ago` seconds ago.
fn named(name: &str, ago: i64) -> Station {
    let tower = station::tower("", "").with(|sections| name.clone_into(&mut sections.name));
    station::day_of(tower, station::now() / STEP * STEP - STEP - ago).tower
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn several_stations_are_a_list_with_the_worst_first_and_each_has_a_page_of_its_own() {
    let well = named("US-WEL", 0);
    let _ = well.run(&["run"]);
    let dead = named("US-DEA <b>", 3 * 86_400);
    let _ = dead.run(&["run"]);
    // One by its name, and one in a folder of configurations.
    let served = Served::several(&[&well.config_path(), dead.folder()]);
    let page = Page { browser: Browser::start(), served };
    page.browser.open(&page.served.url);
    page.browser.until("document.querySelectorAll('.station').length === 2");
    let lines = page.browser.run(
        "return [...document.querySelectorAll('.station')].map((li) => [li.dataset.station, li.dataset.state, li.innerText])",
    );
    let lines: Vec<[String; 3]> = serde_json::from_value(lines).unwrap();
    assert_eq!(lines[0][0], "US-DEA <b>", "{lines:?}");
    assert_eq!(lines[0][1], "look", "{lines:?}");
    for (tower, line) in [(&dead, &lines[0]), (&well, &lines[1])] {
        let status: Value = tower.run_json(&["status"]).json();
        let first = status["findings"].as_array().unwrap().first().map(|f| f["message"].as_str().unwrap().to_owned());
        if let Some(message) = first {
            let begin: String = message.chars().take(30).collect();
            assert!(line[2].contains(&begin), "{begin}: {line:?}");
        }
    }
    assert!(page.text(".verdict").contains(" of 2 to look at"), "{}", page.text(".verdict"));
    page.browser.picture("stations");
    page.browser.size(360, 800);
    assert_eq!(page.browser.run("return document.documentElement.scrollWidth <= innerWidth"), true);
    page.browser.picture("stations-phone");
    page.browser.size(1400, 900);
    // The link leads to the station's own page, which asks for its own data only.
    page.browser.run("document.querySelector('[data-station=US-WEL] a').click()");
    page.browser.until(
        "location.pathname === '/station/US-WEL/' && window.fluxtower && fluxtower.marks && fluxtower.marks.length > 0",
    );
    page.drawn();
    assert_eq!(page.text("h1"), "US-WEL");
    page.browser.run("location.hash = '#/panels'");
    page.drawn();
    page.browser.until(&format!(
        "document.querySelector('#panel-' + fluxtower.panelOf('{TEMPRH}', 'Temp_46m').panel.id + ' canvas')"
    ));
    let asked = page.browser.requests();
    let own = format!("{}station/US-WEL/api/", page.served.url);
    assert!(asked.iter().any(|url| url.starts_with(&format!("{own}trace"))), "{asked:#?}");
    page.browser.run("document.querySelector('#top .up').click()");
    page.browser.until("document.querySelectorAll('.station').length === 2");
    page.was_quiet();
}
