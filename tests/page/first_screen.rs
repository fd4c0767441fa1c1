//! The first screen.

use crate::page::Page;
use crate::station::{self, SOIL, TEMPRH};

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn the_first_screen_answers_three_questions_of_each_table() {
    let day = station::day();
    day.tower.run(&["sync"]).expect(0);
    let page = Page::open(&day.tower, "#/");
    for table in [TEMPRH, SOIL] {
        for question in ["alive", "right", "sent"] {
            let cell = format!("[data-table='{table}'] [data-question={question}]");
            let words = page.text(&cell);
            let [sign, word, why] = [".badge .sign", ".badge b", "p"].map(|part| page.text(&format!("{cell} {part}")));
            assert!("✓!✕–".contains(&sign) && word.len() > 3 && why.len() > 5, "{table} {question}: {words}");
        }
    }
    assert_eq!(page.text(&format!("[data-table='{TEMPRH}'] [data-question=alive] b")), "alive");
    assert!(page.text(&format!("[data-table='{TEMPRH}'] [data-question=alive] p")).contains("one row every 5 s"));
    assert_eq!(page.text(&format!("[data-table='{TEMPRH}'] [data-question=sent] b")), "sent");
    assert!(page.text("#top .clock").contains("UTC−05:00"), "{}", page.text("#top"));
    page.browser
        .until(&format!("document.querySelector(\"[data-table='{TEMPRH}'] .day p\").innerText.includes('good')"));
    page.browser.picture("first");
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn the_age_of_the_newest_row_counts_up_without_a_click() {
    let day = station::day();
    let page = Page::open(&day.tower, "#/");
    let age = format!("document.querySelector(\"[data-table='{TEMPRH}'] [data-question=alive] p\").innerText");
    let before = page.browser.run(&format!("return {age}"));
    page.browser.until(&format!("{age} !== {before} && {age}"));
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn before_the_first_ingest_the_page_says_what_to_do() {
    let tower = station::tower("", "");
    let page = Page::open(&tower, "#/");
    let words = page.text("#main");
    assert!(
        words.contains("never been read") || words.contains("no row yet") || words.contains("No table yet"),
        "{words}"
    );
    for view in ["panels", "table", "flags", "delivery", "gaps", "rejected"] {
        page.go(&format!("#/{view}"));
        assert!(!page.text("#main").trim().is_empty(), "{view} is blank");
    }
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn each_finding_says_since_when_it_is_so_and_its_commands_can_be_copied() {
    let day = station::day();
    day.tower.append("soil.dat", "\"no time\",1,2,3\r\n");
    let _ = day.tower.run(&["ingest"]);
    let status = day.tower.run_json(&["status"]).json();
    let found = status["findings"].as_array().unwrap();
    assert!(!found.is_empty());
    let page = Page::open(&day.tower, "#/");
    for finding in found {
        let item = format!(".reasons [data-kind={}]", finding["kind"].as_str().unwrap());
        let words = page.text(&item);
        let message = finding["message"].as_str().unwrap();
        let start: String = message.chars().take_while(|c| *c != '`').collect();
        assert!(words.contains(start.trim()), "{item}: {words}");
        assert_eq!(words.contains(" since "), finding["since"].is_string(), "{words}");
    }
    let commands = page.browser.run(
        "return [...document.querySelectorAll('.reasons code')].map((c) => [c.textContent, (c.nextSibling || {}).textContent])",
    );
    let commands = commands.as_array().unwrap();
    assert!(!commands.is_empty(), "{status}");
    for command in commands.iter().filter(|command| command[0].as_str().unwrap().starts_with("fluxtower ")) {
        assert_eq!(command[1], "copy", "{command}");
    }
    page.was_quiet();
}
