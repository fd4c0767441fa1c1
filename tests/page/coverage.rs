//! The Coverage view: its shares calculated again from the database, and its print on A4.

use serde_json::Value;

use crate::page::Page;
use crate::station::{self, SOIL, TEMPRH};

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn coverage_counts_what_the_database_holds_of_what_was_expected() {
    let day = station::day();
    let page = Page::open(&day.tower, "#/coverage");
    page.browser.until("fluxtower.coverage");
    page.drawn();
    let shown = page.browser.run("return fluxtower.coverage.all");
    let conn = day.tower.database();
    for one in shown.as_array().unwrap() {
        let table = one["table"].as_str().unwrap();
        let step = if table == TEMPRH { station::STEP } else { 300 };
        let (begin, end) = (one["begin"].as_f64().unwrap(), one["end"].as_f64().unwrap());
        let mut statement = conn
            .prepare(
                "SELECT (r.id & 4503599627370495) / 1000, r.flags FROM reading r JOIN series s ON s.id = r.id >> 52
                 JOIN logger_table t ON t.id = s.logger_table WHERE t.name = ?1 ORDER BY r.id",
            )
            .unwrap();
        let rows = statement.query_map([table], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))).unwrap();
        let all: Vec<(i64, String)> = rows.map(Result::unwrap).collect();
        let inside: Vec<&String> =
            all.iter().filter(|(at, _)| *at as f64 >= begin && (*at as f64) < end).map(|(_, flags)| flags).collect();
        assert_eq!(one["rows"].as_u64().unwrap(), inside.len() as u64, "{table}");
        // Rows come as before, so the newest one ends what is expected.
        let from = begin.max(all[0].0 as f64);
        let newest = all.last().unwrap().0 as f64;
        let stamps = (0..).map(|k| newest - k as f64 * step as f64 * 1e3).take_while(|at| *at >= from);
        let expected = stamps.filter(|at| *at < end).count() as f64;
        assert_eq!(one["expected"].as_f64().unwrap(), expected, "{table}");
        assert_eq!(one["lost"].as_f64().unwrap(), expected - inside.len() as f64, "{table}");
        for (place, column) in one["columns"].as_array().unwrap().iter().enumerate() {
            let n = |digit: char| inside.iter().filter(|flags| flags.chars().nth(place) == Some(digit)).count();
            let name = column["name"].as_str().unwrap();
            assert_eq!(column["there"], n('1') + n('2') + n('3') + n('4'), "{name}");
            assert_eq!(column["kept"], n('1') + n('2') + n('3'), "{name}");
            let texts = page.browser.run(&format!(
                "return [...document.querySelector('[data-table=\"{table}\"] [data-column=\"{name}\"]').cells].map((td) => td.textContent)"
            ));
            let share =
                |n: usize| format!("{:.1}\u{202f}%", ((n as f64 / expected).min(1.0) * 1e3 + 1e-9).floor() / 10.0);
            let right = serde_json::json!([
                name,
                share(n('1') + n('2') + n('3') + n('4')),
                share(n('1') + n('2') + n('3')),
                texts[3],
                texts[4],
                grouped(n('3')),
                grouped(n('4')),
                grouped(n('9')),
                grouped(n('2')),
            ]);
            assert_eq!(texts, right);
            half_hours(&all, (place, step), one, &[&texts[3], &texts[4]]);
        }
    }
    assert_eq!(shown.as_array().unwrap().len(), 2);
    let rule = page.text(&format!("[data-table=\"{TEMPRH}\"] .half-hours"));
    assert!(rule.contains("half hours from ") && rule.contains("at least 50 % of its rows"), "{rule}");
    // The missing records of the hole are a loss.
    let losses = page.text(".losses");
    assert!(losses.contains("rows of ") && losses.contains(TEMPRH) && !losses.contains(SOIL), "{losses}");
    page.browser.picture("coverage");
    page.browser.size(360, 900);
    page.browser.picture("coverage-phone");
    let wide = "return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5).map((e) => e.outerHTML.slice(0, 80))";
    assert_eq!(page.browser.run(wide), serde_json::json!([]));
    // A4 at 96 dots an inch, without the margins.
    page.browser.size(703, 1000);
    page.browser.medium("print");
    assert_eq!(page.browser.run(wide), serde_json::json!([]));
    assert_eq!(page.browser.run("return getComputedStyle(document.querySelector('#top nav')).display"), "none");
    page.browser.picture("coverage-print");
    page.browser.medium("");
    let pdf = page.browser.print();
    let pages = String::from_utf8_lossy(&pdf).matches("/Type /Page\n").count();
    assert_eq!(pages, 1, "of {} bytes", pdf.len());
    page.was_quiet();
}

/// The half hours of a column, at this place in the flags, counted again from its rows: one with half of its rows counts. A
/// row at the very end of a half hour may be counted in it or in the next one.
fn half_hours(all: &[(i64, String)], (place, step): (usize, i64), shown: &Value, texts: &[&Value; 2]) {
    const HALF_HOUR: i64 = 1_800_000;
    let last = all.last().unwrap().0 / HALF_HOUR;
    let n = shown["half"]["n"].as_i64().unwrap();
    assert!((46..=48).contains(&n), "a day has so many whole half hours: {n}");
    for ((key, digits), text) in [("present", "1234"), ("good", "123")].into_iter().zip(texts) {
        let count = |early: i64| {
            let mut rows = std::collections::BTreeMap::<i64, i64>::new();
            let counted = all.iter().filter(|(_, flags)| digits.contains(flags.chars().nth(place).unwrap()));
            counted.for_each(|(at, _)| *rows.entry((at - early) / HALF_HOUR).or_default() += 1);
            let is_in = |half_hour: &i64| (last - n..last).contains(half_hour);
            rows.iter().filter(|(at, rows)| is_in(at) && **rows * step * 1_000 * 2 >= HALF_HOUR).count() as i64
        };
        let column = shown["half"]["columns"]
            .as_array()
            .unwrap()
            .iter()
            .find(|of| of["name"] == shown["columns"][place]["name"]);
        let found = column.unwrap()[key].as_i64().unwrap();
        assert!([count(0), count(1)].contains(&found), "{key}: {found}, not {} or {}", count(0), count(1));
        let share = format!("{:.1}\u{202f}%", ((found as f64 / n as f64) * 1e3 + 1e-9).floor() / 10.0);
        assert_eq!(**text, share, "{key}");
    }
}

fn grouped(n: usize) -> String {
    let text = n.to_string();
    let mut out = String::new();
    for (i, digit) in text.chars().enumerate() {
        if i > 0 && (text.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
