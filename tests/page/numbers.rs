//! Percentages of the first screen and of a table: rounded down, over the span of the ribbon beside them, tested or not.

use serde_json::json;

use crate::page::Page;
use crate::station::{self, SOIL, TEMPRH};

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn a_percentage_is_rounded_down_and_what_is_there_is_not_0() {
    let tower = station::tower("", "");
    let page = Page::open(&tower, "#/");
    let shown = page.browser.run(
        "return [1, 0.9999999, 0.99951, 0.999, 0.5, 0.1236, 0.001, 0.0009, 1e-9, 0].map(fluxtower.percent).concat(
            fluxtower.shares({good: 99999, suspect: 0, fail: 1, missing: 0, not_evaluated: 0}),
            fluxtower.shares({good: 0, suspect: 0, fail: 0, missing: 0, not_evaluated: 7}),
            fluxtower.fit.text({slope: 1, offset: 0, r2: 0.99999}))",
    );
    let wanted = [
        "100.0 %",
        "99.9 %",
        "99.9 %",
        "99.9 %",
        "50.0 %",
        "12.3 %",
        "0.1 %",
        "< 0.1 %",
        "< 0.1 %",
        "0.0 %",
        "99.9 % good, < 0.1 % failed",
        "100.0 % not evaluated",
        "slope 1, offset 0, r² 0.9999",
    ];
    let shown: Vec<String> =
        shown.as_array().unwrap().iter().map(|text| text.as_str().unwrap().replace('\u{202f}', " ")).collect();
    assert_eq!(json!(shown), json!(wanted));
    page.was_quiet();
}

/// By digit, how many values of a table lie in a span of milliseconds, of one column or of all.
fn counted(day: &station::Day, table: &str, column: Option<usize>, from: f64, to: f64) -> [usize; 5] {
    let conn = day.tower.database();
    let mut statement = conn
        .prepare(
            "SELECT r.flags FROM reading r JOIN series s ON s.id = r.id >> 52 JOIN logger_table t ON t.id = s.logger_table
             WHERE t.name = ?1 AND (r.id & 4503599627370495) / 1000 >= ?2 AND (r.id & 4503599627370495) / 1000 < ?3",
        )
        .unwrap();
    let rows = statement.query_map((table, from as i64, to as i64), |row| row.get::<_, String>(0)).unwrap();
    let all: Vec<String> = rows.map(Result::unwrap).collect();
    ['1', '3', '4', '9', '2'].map(|digit| {
        let of = |flags: &String| match column {
            Some(column) => usize::from(flags.chars().nth(column) == Some(digit)),
            None => flags.chars().filter(|flag| *flag == digit).count(),
        };
        all.iter().map(of).sum()
    })
}

/// The percentages in the order of the page, of those that occur.
fn percentages(counts: [usize; 5]) -> Vec<String> {
    let all: usize = counts.iter().sum();
    let text = |n: usize| {
        let share = n as f64 / all as f64;
        if share < 0.001 { "< 0.1 %".to_owned() } else { format!("{:.1} %", (share * 1_000.0).floor() / 10.0) }
    };
    counts.into_iter().filter(|n| *n > 0).map(text).collect()
}

fn shown(text: &str) -> Vec<String> {
    text.replace('\u{202f}', " ")
        .split('%')
        .filter_map(|part| part.rfind(|c: char| c.is_ascii_digit()).map(|end| part[..=end].to_owned()))
        .map(|part| {
            let start = part
                .rfind(|c: char| !c.is_ascii_digit() && !". <".contains(c))
                .map_or(0, |at| at + part[at..].chars().next().unwrap().len_utf8());
            format!("{} %", part[start..].trim())
        })
        .collect()
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn the_percentages_beside_a_ribbon_are_those_of_its_span() {
    let day = station::day();
    let page = Page::open(&day.tower, "#/");
    for table in [TEMPRH, SOIL] {
        let place = format!("[data-table='{table}'] .day p");
        page.browser.until(&format!("document.querySelector(\"{place}\").dataset.from"));
        let from = page
            .browser
            .run(&format!("return Number(document.querySelector(\"{place}\").dataset.from)"))
            .as_f64()
            .unwrap();
        let to = (day.newest + 1) as f64 * 1e3;
        assert!((86_400e3..=86_400e3 + 1_800e3).contains(&(to - 1e3 - from)), "{}", to - from);
        let words = page.text(&place);
        assert_eq!(shown(&words), percentages(counted(&day, table, None, from, to)), "{table}: {words}");
    }
    // No test looks at the soil: nothing there is called good.
    let words = page.text(&format!("[data-table='{SOIL}'] .day p"));
    assert!(words.contains("not evaluated") && !words.contains("good"), "{words}");

    page.go(&format!("#/table/{TEMPRH}"));
    page.browser.until("document.querySelectorAll('.panel.lines .legend p').length === 3 && [...document.querySelectorAll('.panel.lines .legend p')].every((p) => p.textContent)");
    let ribbon = page.browser.run(&format!(
        "const w = fluxtower.state.window(); return await fluxtower.source.ribbon({{table: '{TEMPRH}', from: w.from, to: w.to, bins: 200, tags: {{}}}})"
    ));
    let times = ribbon["times"].as_array().unwrap();
    let from = times[0].as_f64().unwrap();
    let to = times.last().unwrap().as_f64().unwrap() + ribbon["bin_s"].as_f64().unwrap() * 1e3;
    let texts =
        page.browser.run("return [...document.querySelectorAll('.panel.lines .legend p')].map((p) => p.textContent)");
    for (column, text) in texts.as_array().unwrap().iter().enumerate() {
        let text = text.as_str().unwrap();
        assert_eq!(shown(text), percentages(counted(&day, TEMPRH, Some(column), from, to)), "{column}: {text}");
    }
    page.was_quiet();
}
