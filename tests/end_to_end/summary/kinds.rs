//! Values of each kind of quantity are put together by its own rule, and every zoom says the same.

use chrono::TimeDelta;
use fluxtower::store::Store;
use fluxtower::time::Timestamp;
use fluxtower::view::summary::{Summaries, Trace, TraceColumn, TraceRequest};

use super::station::{SECOND, START, summaries};
use crate::support::views::assert_true_to_rows;
use crate::support::{DAT, Logger, Station, TABLE};

const COLUMNS: [[&str; 3]; 9] = [
    ["TA_Avg", "deg C", "Avg"],
    ["WindDir", "deg", "Smp"],
    ["Turned", "deg", "Smp"],
    ["Rain_Tot", "mm", "Tot"],
    ["Gauge", "mm", "Smp"],
    ["Gust_Max", "m/s", "Max"],
    ["Calm_Min", "m/s", "Min"],
    ["Uz_Std", "m/s", "Std"],
    ["Word", "", "Smp"],
];
const KEYS: &str = "on_conflict = \"replace\"\n[table.columns.WindDir]\nvariable = \"WD\"\n[table.columns.Turned]\nkind = \"direction\"\n\
                    [table.columns.Gauge]\nkind = \"counter\"\n[table.columns.Word]\nkind = \"code\"\n\
                    [table.columns.TA_Avg]\nfail = [-40, 60]";
const DAY: i64 = 1_440;
const MINUTE: i64 = 60 * SECOND;

fn logger() -> Logger {
    Logger::par().stating(&COLUMNS).every(TimeDelta::minutes(1))
}

fn at(row: i64) -> Timestamp {
    Timestamp::from_nanos(START + row * MINUTE)
}

/// Wind from around north; every direction on some day.
fn wind(row: i64) -> f64 {
    ((row * 37 % 61 - 30) as f64 + (row / DAY * 45) as f64).rem_euclid(360.0)
}

/// Hundredths of a millimetre since the gauge was emptied, which is every 3,000 minutes.
fn gauge(row: i64) -> i64 {
    let since = row % 3_000;
    since * 3 + since / 100
}

fn line(row: i64) -> String {
    let stamp = logger().stamp(row).format("%Y-%m-%d %H:%M:%S");
    format!(
        "\"{stamp}\",{row},{},{:.1},{:.1},{},{},{},{},{},{}\r\n",
        row % 50,
        wind(row),
        (wind(row) + 90.0).rem_euclid(360.0),
        f64::from(u8::from(row % 7 == 0)) / 5.0,
        gauge(row) as f64 / 100.0,
        row % 23,
        row % 19,
        (row % 5) as f64 / 10.0,
        row % 3,
    )
}

/// Rows without these few, and with a fault in every 500th temperature.
fn bring(tower: &Station, rows: impl Iterator<Item = i64>) {
    let lines: String = rows.map(line).collect();
    tower.write(DAT, logger().header() + &lines);
    assert_eq!(tower.in_process().ingest().tables[0].sources[0].counts.rejected, 0);
}

fn view(tower: &Station, summaries: &Summaries, (from, to): (i64, i64), points: usize) -> Trace {
    let reader = Store::open_reader(&tower.store_path()).unwrap();
    let columns = COLUMNS.iter().map(|column| column[0].to_owned()).collect();
    let request =
        TraceRequest { table: TABLE.to_owned(), columns, from: at(from), to: at(to), points, tags: Vec::new() };
    summaries.trace(&reader, &request).unwrap()
}

fn column<'t>(trace: &'t Trace, name: &str) -> &'t TraceColumn {
    trace.columns.iter().find(|column| column.name == name).unwrap()
}

fn sum(column: &TraceColumn) -> f64 {
    column.value.iter().filter_map(|value| value.get()).sum()
}

/// Numbers of points for which the same rows are shown one by one and in bins of many widths.
const ZOOMS: [usize; 9] = [1, 3, 8, 30, 100, 250, 700, 2_000, 5_000];

#[test]
fn each_kind_of_quantity_is_put_together_by_its_own_rule_at_every_zoom() {
    let tower = Station::new().table_keys(KEYS);
    bring(&tower, 0..8 * DAY);
    let summaries = summaries(&tower);
    for points in ZOOMS {
        for rows in [(0, 8 * DAY), (100, 1_000), (DAY + 7, 3 * DAY)] {
            // Twice: of rows, and of what was kept.
            for _ in 0..2 {
                assert_true_to_rows(&tower, &summaries, TABLE, &[], (at(rows.0), at(rows.1)), points);
            }
        }
    }
    let seen = view(&tower, &summaries, (0, 8 * DAY), 100);
    let said: Vec<_> = seen.columns.iter().map(|column| (column.kind, column.together, column.drawing)).collect();
    assert_eq!(
        said,
        [
            ("linear", "mean", "line"),
            ("direction", "vector mean", "points"),
            ("direction", "vector mean", "points"),
            ("total", "sum", "bars"),
            ("counter", "increment", "bars"),
            ("maximum", "maximum", "line"),
            ("minimum", "minimum", "line"),
            ("deviation", "root mean square", "line"),
            ("code", "newest value", "points"),
        ]
    );
}

#[test]
fn sums_and_increments_add_up_to_the_same_at_every_zoom_and_a_gap_is_in_none() {
    let tower = Station::new().table_keys(KEYS);
    // Ten minutes are missing on the third day, over the begin of a piece of six hours.
    let gap = 2 * DAY + 5 * 60 + 55..2 * DAY + 6 * 60 + 5;
    bring(&tower, (0..8 * DAY).filter(|row| !gap.contains(row)));
    let summaries = summaries(&tower);
    let is_there = |row: i64| row >= 0 && !gap.contains(&row);
    let first = 500;
    let wanted: i64 = (1..8 * DAY)
        .filter(|row| is_there(*row) && is_there(row - 1))
        .map(|row| if gauge(row) < gauge(row - 1) { gauge(row) } else { gauge(row) - gauge(row - 1) })
        .sum();
    let rain = (0..8 * DAY).filter(|row| is_there(*row) && row % 7 == 0).count() as f64 / 5.0;
    let mut widths = Vec::new();
    for points in [3, 8, 30, 100, 250, 700, 2_000, 5_000] {
        // Twice: of rows, and of what was kept.
        for _ in 0..2 {
            let seen = view(&tower, &summaries, (0, 8 * DAY), points);
            widths.push(seen.bin_s.map(|width| width.0 as i64));
            let (counted, fell) = (sum(column(&seen, "Gauge")), sum(column(&seen, "Rain_Tot")));
            assert!((counted - wanted as f64 / 100.0).abs() < 1e-2, "{counted} in {points} points");
            assert!((fell - rain).abs() < 1e-2, "{fell} in {points} points");
        }
    }
    widths.dedup();
    assert!(widths.len() > 6, "{widths:?}");
    // A view that begins in the middle knows the reading before it.
    let seen = view(&tower, &summaries, (first, first + 60), 2_000);
    assert_eq!(seen.bin_s, None);
    let increment = column(&seen, "Gauge").value[0].get().unwrap();
    assert!((increment - (gauge(first) - gauge(first - 1)) as f64 / 100.0).abs() < 1e-6);
}

#[test]
fn directions_turn_with_the_compass_at_every_zoom() {
    let tower = Station::new().table_keys(KEYS);
    bring(&tower, 0..8 * DAY);
    let summaries = summaries(&tower);
    for points in ZOOMS {
        let seen = view(&tower, &summaries, (0, 8 * DAY), points);
        let (here, there) = (column(&seen, "WindDir"), column(&seen, "Turned"));
        assert!(here.low.is_none() && here.high.is_none());
        for (at, (here_at, there_at)) in here.value.iter().zip(&there.value).enumerate() {
            let steady = here.steadiness.as_ref().map_or(1.0, |list| list[at].0);
            let (Some(one), Some(other)) = (here_at.get(), there_at.get()) else {
                assert!(steady < 1e-3, "a direction is lost");
                continue;
            };
            let apart = (other - one - 90.0 + 180.0).rem_euclid(360.0) - 180.0;
            assert!(apart.abs() < 1e-3 || steady < 1e-3, "{one} and {other} in {points} points");
            assert!((0.0..360.0).contains(&one));
        }
    }
    // The first day's wind is from north: never from south.
    let seen = view(&tower, &summaries, (0, DAY - 1), 24);
    for value in column(&seen, "WindDir").value.iter().take(23).filter_map(|value| value.get()) {
        assert!(!(30.0..=330.0).contains(&value), "{value}");
    }
}

#[test]
fn what_was_kept_of_another_kind_or_before_a_late_row_is_not_used() {
    let keys = KEYS.replace("variable = \"WD\"", "kind = \"linear\"");
    let tower = Station::new().table_keys(&keys);
    // The last row before a piece of six hours comes late.
    let late = 2 * DAY + 359 - 60;
    bring(&tower, (0..4 * DAY).filter(|row| *row != late));
    let before = summaries(&tower);
    let linear = view(&tower, &before, (0, 4 * DAY), 16);
    assert_eq!(column(&linear, "WindDir").together, "mean");
    let incomplete = sum(column(&linear, "Gauge"));
    drop(before);
    tower.replace_in_config("kind = \"linear\"", "variable = \"WD\"");
    for points in ZOOMS {
        assert_true_to_rows(&tower, &summaries(&tower), TABLE, &[], (at(0), at(4 * DAY)), points);
    }
    bring(&tower, 0..4 * DAY);
    let complete = sum(column(&view(&tower, &summaries(&tower), (0, 4 * DAY), 16), "Gauge"));
    let wanted = (gauge(late + 1) - gauge(late - 1)) as f64 / 100.0;
    assert!((complete - incomplete - wanted).abs() < 1e-3, "{incomplete} {complete}");
}
