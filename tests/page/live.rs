//! The page while the station goes on beside it.

use std::time::{Duration, Instant};

use crate::page::{Page, program};
use crate::station::{self, SOIL, STEP, TEMPRH};

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn a_row_that_ingest_reads_beside_it_appears_without_a_reload() {
    let mut day = station::day();
    let page = Page::open(&day.tower, "#/panels?range=3h");
    page.browser.run("window.stays = true;");
    let newest = |page: &Page| page.browser.run("return fluxtower.state.window().to").as_f64().unwrap();
    let before = newest(&page);
    day.goes_on(24);
    let began = Instant::now();
    page.browser.until(&format!("fluxtower.state.window().to > {before}"));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?} from the end of ingest to the page");
    #[allow(clippy::cast_precision_loss)]
    let wanted = 24.0 * STEP as f64 * 1e3;
    assert_eq!(newest(&page) - before, wanted);
    page.drawn();
    assert_eq!(page.browser.run("return window.stays"), true, "the page was not loaded again");
    println!("{} ms from the end of ingest to the page", took.as_millis());
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn a_table_that_falls_silent_turns_red_by_itself_and_moves_to_the_top() {
    // Dead is what is older than an hour: the newest row gets there while somebody looks.
    let newest = station::now() - 3_600 + 45;
    let day = station::day_of(station::tower("", ""), newest);
    let more = station::toa5("TempRH", &[("Temp_46m", "Deg C"), ("Temp_34m", "Deg C"), ("RH_46m", "%")], []);
    let mut text = more;
    for i in 0..700 {
        station::line(
            &mut text,
            day.records + i,
            newest + STEP * (i64::try_from(i).unwrap() + 1),
            &station::weather(newest),
        );
    }
    day.tower.write("temprh.dat", text);
    day.tower.run(&["ingest"]).expect(0);
    let page = Page::open(&day.tower, "#/");
    let state = format!("document.querySelector(\"[data-table='{SOIL}'] [data-question=alive]\").dataset.state");
    assert_ne!(page.browser.run(&format!("return {state}")), "dead", "not yet");
    page.browser.until(&format!("{state} === 'dead'"));
    let first = page.browser.run("return document.querySelector('.card').dataset.table");
    assert_eq!(first, SOIL, "what is dead stands on top");
    assert_eq!(page.text(&format!("[data-table='{SOIL}'] [data-question=alive] .badge")).replace('\n', " "), "✕ dead");
    let red = page
        .browser
        .run(&format!("return getComputedStyle(document.querySelector(\"[data-table='{SOIL}']\")).borderLeftColor"));
    assert_eq!(red, "rgb(200, 50, 28)");
    assert_eq!(page.text(&format!("[data-table='{TEMPRH}'] [data-question=alive] b")), "alive");
    page.browser.picture("dead-table");
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn a_server_that_ends_is_said_to_be_lost() {
    let day = station::day();
    let mut page = Page::open(&day.tower, "#/panels");
    assert!(program().to_str().is_some());
    page.served.end();
    page.browser.until("document.getElementById('notice').innerText.includes('Connection lost')");
    // What was drawn stays.
    assert!(page.browser.run("return document.querySelectorAll('.panel .u-over').length").as_u64().unwrap() > 0);
    page.browser.picture("lost");
}
