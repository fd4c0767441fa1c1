//! What it looks like: on a phone, in the dark.

use crate::page::Page;
use crate::station;

const VIEWS: [&str; 10] = [
    "#/",
    "#/now",
    "#/panels",
    "#/table/46m_temprh",
    "#/patterns",
    "#/values",
    "#/flags",
    "#/delivery",
    "#/gaps",
    "#/rejected",
];

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn on_a_phone_nothing_is_wider_than_the_screen() {
    let day = station::day();
    let page = Page::open(&day.tower, "#/");
    for width in [360, 390] {
        page.browser.size(width, 844);
        for view in VIEWS {
            page.go(view);
            let over = page.browser.run("return document.documentElement.scrollWidth - innerWidth");
            assert!(over.as_f64().unwrap() <= 0.0, "{view} at {width} is {over} too wide");
            if width == 390 {
                page.browser.picture(&format!("phone-{}", name(view)));
            }
        }
    }
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn in_the_dark_the_page_is_dark_and_a_click_says_otherwise() {
    let day = station::day();
    let page = Page::open(&day.tower, "#/");
    let ground = || page.browser.run("return getComputedStyle(document.body).backgroundColor");
    let light = ground();
    page.browser.scheme("dark");
    for view in VIEWS {
        page.go(view);
        page.browser.picture(&format!("dark-{}", name(view)));
    }
    let dark = ground();
    assert_ne!(light, dark);
    // auto, dark, light.
    for wanted in [&dark, &light] {
        let [left, top, width, height] = page.browser.place(".theme");
        page.browser.click((left + width / 2.0, top + height / 2.0));
        assert_eq!(&ground(), wanted);
    }
    page.was_quiet();
}

fn name(view: &str) -> &str {
    view.trim_start_matches("#/").split('/').next().filter(|name| !name.is_empty()).unwrap_or("first")
}
