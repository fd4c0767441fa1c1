//! Zoom in time and in values, by mouse, wheel, fingers and keys; robust axes; nights; back.

use fluxtower::sun::{Position, elevation};
use fluxtower::time::Timestamp;

use crate::page::Page;
use crate::station::{self, Day, STEP, TEMPRH};

const VIEW: &str = "#/panels";

fn open(day: &Day) -> (Page, String) {
    let page = Page::open(&day.tower, VIEW);
    let id = page.browser.run(&format!("return fluxtower.panelOf('{TEMPRH}', 'Temp_46m').panel.id"));
    let panel = format!("#panel-{}", id.as_str().unwrap());
    page.browser.until(&format!("document.querySelector('{panel} .u-over') !== null"));
    (page, panel)
}

/// From, to, and the ends of the left axis.
fn sight(page: &Page, panel: &str) -> [f64; 4] {
    page.drawn();
    let found = page.browser.run(&format!(
        "const w = fluxtower.state.window(), y = fluxtower.plot.ofHost(document.querySelector('{panel} .plot')).u.scales.y; return [w.from, w.to, y.min, y.max]"
    ));
    serde_json::from_value(found).unwrap()
}

fn close(one: f64, other: f64, by: f64, what: &str) {
    assert!((one - other).abs() <= by, "{what}: {one} is not {other} within {by}");
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn a_drag_across_the_time_zooms_the_values_and_back_and_escape_undo_it() {
    let day = station::day();
    let (page, panel) = open(&day);
    let before = sight(&page, &panel);
    let [left, top, width, height] = page.browser.place(&format!("{panel} .u-over"));
    let x = left + width / 2.0;
    page.browser.drag((x, top + height * 0.25), (x + 5.0, top + height * 0.75));
    page.browser.until("location.hash.includes('y=')");
    let zoomed = sight(&page, &panel);
    assert_eq!(zoomed[..2], before[..2], "time does not change");
    let span = before[3] - before[2];
    close(zoomed[2], before[3] - span * 0.75, span * 0.02, "low");
    close(zoomed[3], before[3] - span * 0.25, span * 0.02, "high");
    let words = page.text(&format!("{panel} .legend"));
    assert!(words.contains("beyond the axis"), "{words}");
    page.browser.picture("values-zoomed");
    // The address alone shows the same.
    let hash = page.hash();
    page.go(&hash);
    page.browser.until(&format!("document.querySelector('{panel} .u-over') !== null"));
    assert_eq!(sight(&page, &panel)[2..], zoomed[2..]);
    // A slanting drag zooms both, and the browser's way back undoes one step.
    page.browser.drag((left + width * 0.2, top + height * 0.2), (left + width * 0.6, top + height * 0.6));
    page.browser.until(&format!("location.hash !== {}", serde_json::json!(hash)));
    let both = sight(&page, &panel);
    close(both[1] - both[0], (before[1] - before[0]) * 0.4, 300e3, "time");
    assert!(both[3] - both[2] < (zoomed[3] - zoomed[2]) * 0.45);
    page.browser.run("history.back()");
    page.browser.until(&format!("location.hash === {}", serde_json::json!(hash)));
    close(sight(&page, &panel)[2], zoomed[2], 1e-6, "back");
    // Keys: nearer, and away again.
    page.browser.run(&format!("document.querySelector('{panel} .u-over').focus()"));
    page.browser.keys(&["\u{e013}"]);
    let nearer = sight(&page, &panel);
    close(nearer[3] - nearer[2], (zoomed[3] - zoomed[2]) * 0.8, 0.01, "arrow up");
    page.browser.keys(&["\u{e00c}"]);
    close(sight(&page, &panel)[3], zoomed[3], 1e-3, "Escape");
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn robust_axes_leave_out_the_outermost_hundredths_and_mark_them_at_the_edge() {
    let day = station::day();
    let (page, panel) = open(&day);
    // Single rows, and most of the suspect ones among them.
    let (from, to) = (day.suspect - 1_200, day.suspect + 1_200);
    let stamp = |at: i64| chrono::DateTime::from_timestamp(at, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    page.go(&format!("{VIEW}?from={}&to={}", stamp(from), stamp(to)));
    page.browser
        .run("[...document.querySelectorAll('.rangebar button')].find((b) => b.textContent === 'P1–P99').click()");
    page.drawn();
    assert!(page.hash().contains("axis=p1-p99"), "{}", page.hash());
    let conn = day.tower.database();
    let mut statement = conn
        .prepare("SELECT vals, flags FROM reading r JOIN series s ON s.id = r.id >> 52 JOIN logger_table t ON t.id = s.logger_table \
                  WHERE t.name = ?1 AND (r.id & 4503599627370495) / 1000000 BETWEEN ?2 AND ?3")
        .unwrap();
    let rows = statement.query_map((TEMPRH, from, to), |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    let mut values: Vec<f64> = Vec::new();
    for (vals, flags) in rows.unwrap().map(Result::unwrap) {
        for (text, flag) in vals.trim_matches(['[', ']']).split(',').zip(flags.chars()).take(2) {
            if "123".contains(flag) {
                values.push(text.parse().unwrap());
            }
        }
    }
    values.sort_by(f64::total_cmp);
    let share = |share: f64| {
        let at = (values.len() - 1) as f64 * share;
        let low = at.floor() as usize;
        values[low] + (values[(low + 1).min(values.len() - 1)] - values[low]) * at.fract()
    };
    let (low, high) = (share(0.01), share(0.99));
    let shown = sight(&page, &panel);
    let pad = (high - low) * 0.08;
    close(shown[2], low - pad, 1e-4, "low");
    close(shown[3], high + pad, 1e-4, "high");
    let beyond = values.iter().filter(|value| **value < shown[2] || **value > shown[3]).count();
    assert!(beyond > 0);
    let words = page.text(&format!("{panel} .legend"));
    assert!(words.contains(&format!("{beyond} value")) && words.contains("beyond the axis"), "{beyond}: {words}");
    page.browser.picture("robust");
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn nights_are_shaded_where_the_position_is_known() {
    let tower = station::tower("", "");
    tower.replace_in_config("[station]", "[station]\nlatitude = 45.5598\nlongitude = -84.7138");
    let day = station::day_of(tower, station::now() / STEP * STEP - STEP);
    let (page, panel) = open(&day);
    let [from, to, ..] = sight(&page, &panel);
    let nights: Vec<[f64; 2]> =
        serde_json::from_value(page.browser.run(&format!("return fluxtower.sun.between({from}, {to})"))).unwrap();
    assert!(!nights.is_empty());
    let place = Position { latitude: 45.5598, longitude: -84.7138 };
    let mut checked = 0;
    for ms in (from as i64..to as i64).step_by(300_000) {
        let high = elevation(place, Timestamp::from_nanos(ms * 1_000_000));
        if (high + 0.833).abs() > 0.05 {
            let is_shaded = nights.iter().any(|[sunset, sunrise]| (*sunset..*sunrise).contains(&(ms as f64)));
            assert_eq!(is_shaded, high < -0.833, "{high} degrees at {ms}");
            checked += 1;
        }
    }
    assert!(checked > 250, "{checked}");
    // The shade is there to be seen, and nothing else is at the edge of the plot.
    let ink = |ms: f64| {
        page.browser.run(&format!(
            "const u = fluxtower.plot.ofHost(document.querySelector('{panel} .plot')).u;
             const copy = document.createElement('canvas').getContext('2d', {{willReadFrequently: true}});
             copy.drawImage(u.ctx.canvas, -u.valToPos({ms}, 'x', true), -(u.bbox.top + 3));
             return [...copy.getImageData(0, 0, 1, 1).data].join()"
        ))
    };
    let middle = |(a, b): (f64, f64)| f64::midpoint(a, b);
    // A night that has just begun reaches beyond the plot.
    let seen = nights.iter().map(|night| [night[0].max(from), night[1].min(to)]);
    let night = seen.max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0]))).unwrap();
    let light = if nights.len() > 1 {
        middle((nights[0][1], nights[1][0]))
    } else if nights[0][0] > from {
        middle((from, nights[0][0]))
    } else {
        middle((nights[0][1], to))
    };
    assert_ne!(ink(middle((night[0], night[1])) + 7e4), ink(light + 7e4));
    page.browser.picture("nights");
    page.browser.size(360, 800);
    page.drawn();
    page.browser.picture("nights-phone");
    page.was_quiet();
}

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn the_wheel_zooms_a_plot_with_the_focus_and_fingers_move_and_zoom_it() {
    let day = station::day();
    let (page, panel) = open(&day);
    let before = sight(&page, &panel);
    let span = before[1] - before[0];
    let over = format!("{panel} .u-over");
    let [left, top, width, height] = page.browser.place(&over);
    let middle = (left + width / 2.0, top + height / 2.0);
    page.browser.run(&format!("document.querySelector('{over}').focus()"));
    page.browser.wheel(middle, -1);
    page.browser.until("location.hash.includes('from=')");
    let nearer = sight(&page, &panel);
    close(nearer[1] - nearer[0], span * 0.8, 2e3, "wheel");
    // One finger moves the time by what it moves itself.
    page.browser.fingers(&[((left + width * 0.6, middle.1), (left + width * 0.3, middle.1))]);
    page.browser.until(&format!("fluxtower.state.window().from !== {}", nearer[0]));
    let moved = sight(&page, &panel);
    close(moved[1] - moved[0], nearer[1] - nearer[0], 2e3, "a finger does not zoom");
    close(moved[0] - nearer[0], (nearer[1] - nearer[0]) * 0.3, span * 0.02, "a finger moves");
    // Two fingers that part show half of it.
    let pinch = [
        ((left + width * 0.4, middle.1), (left + width * 0.3, middle.1)),
        ((left + width * 0.6, middle.1), (left + width * 0.7, middle.1)),
    ];
    page.browser.fingers(&pinch);
    page.browser.until(&format!("fluxtower.state.window().from !== {}", moved[0]));
    let pinched = sight(&page, &panel);
    close(pinched[1] - pinched[0], (moved[1] - moved[0]) / 2.0, span * 0.02, "two fingers");
    close(f64::midpoint(pinched[0], pinched[1]), f64::midpoint(moved[0], moved[1]), span * 0.02, "around their middle");
    page.was_quiet();
}
