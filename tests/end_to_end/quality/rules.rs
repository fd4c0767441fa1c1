//! The rules of the tests where they are easily got wrong: offsets, gaps, thresholds, hours, words.

use super::station::{Line, file, judged};
use crate::support::Station;

/// The flags of a table with one column `X`.
fn flags(table_keys: &str, column_keys: &str, rows: &[(i64, String)]) -> String {
    let tower = Station::new()
        .sync("health = false")
        .table(&format!("name = \"met\"\nfiles = [\"met.dat\"]\n{table_keys}\n[table.columns.X]\n{column_keys}\n"));
    let lines: Vec<Line> = rows.iter().map(|(row, value)| (*row, vec![value.clone()])).collect();
    tower.write("met.dat", file("X", &lines));
    tower.in_process().ingest();
    judged(&tower, "met").iter().map(|row| row.2.clone()).collect()
}

fn at(rows: impl IntoIterator<Item = i64>, value: impl Fn(i64) -> String) -> Vec<(i64, String)> {
    rows.into_iter().map(|row| (row, value(row))).collect()
}

#[test]
fn an_attenuated_signal_of_values_far_from_zero_is_judged_by_its_spread() {
    let keys = "attenuated_signal = { suspect = 0.001, fail = 0.0001, window = \"20m\" }";
    for offset in [0.0, 98.0, 980.0, 98_000.0, 1e9] {
        let lively = at(0..12, |row| format!("{:.2}", offset + (row % 3) as f64));
        assert_eq!(flags("", keys, &lively), "222111111111", "around {offset}");
        let dead = at(0..12, |_| format!("{offset:.2}"));
        assert_eq!(flags("", keys, &dead), "222444444444", "at {offset}");
        let weak = at(0..12, |row| format!("{:.4}", offset + (row % 2) as f64 * 0.0010));
        assert_eq!(flags("", keys, &weak), "222333333333", "weak around {offset}");
    }
}

#[test]
fn a_deviation_or_range_on_the_threshold_passes_and_one_below_does_not() {
    for (by, suspect) in [("deviation", 0.05), ("range", 0.1)] {
        let keys = format!("attenuated_signal = {{ suspect = {suspect}, window = \"20m\", by = \"{by}\" }}");
        for middle in [0.2, 1.0, 20.1, 101.3, 997.7] {
            let on = at(0..8, |row| format!("{:.1}", middle + (row % 2) as f64 / 10.0));
            assert_eq!(flags("", &keys, &on), "22211111", "{by} around {middle}");
            let below = at(0..8, |row| format!("{:.7}", middle + (row % 2) as f64 * 0.099_999_9));
            assert_eq!(flags("", &keys, &below), "22233333", "{by} around {middle}");
        }
    }
}

#[test]
fn a_change_a_spike_and_a_flat_line_on_the_threshold_pass_whatever_the_values() {
    for middle in [0.2, 1.0, 20.1, 20.2, 101.3, 997.7, 98_000.4] {
        let step = at(0..4, |row| format!("{:.1}", middle + if row < 2 { 0.0 } else { 0.1 }));
        assert_eq!(flags("", "rate_of_change = { suspect = 0.1, per = \"5m\" }", &step), "1111", "{middle}");
        assert_eq!(flags("", "rate_of_change = { suspect = 0.09999, per = \"5m\" }", &step), "1131", "{middle}");
        let spike = at(0..3, |row| format!("{:.1}", middle + if row == 1 { 0.1 } else { 0.0 }));
        assert_eq!(flags("", "spike = { suspect = 0.1 }", &spike), "212", "{middle}");
        let moving = at(0..8, |row| format!("{:.1}", middle + (row % 2) as f64 / 10.0));
        let keys = "flat_line = { suspect = \"15m\", tolerance = 0.1 }";
        assert_eq!(flags("", keys, &moving), "11111111", "{middle}");
    }
}

#[test]
fn a_flat_line_is_not_evaluated_behind_a_hole_until_its_window_is_full() {
    let keys = "flat_line = { suspect = \"30m\", fail = \"1h\", tolerance = 0.01 }";
    let still = at((0..3).chain(40..54), |row| if row < 3 { format!("{row}") } else { "7.5".to_owned() });
    assert_eq!(flags("", keys, &still), "11122222233333344");
    let lively = at((0..3).chain(40..46), |row| format!("{row}"));
    assert_eq!(flags("", keys, &lively), "111211111", "what moves is no flat line, however short the look back");
}

#[test]
fn a_value_behind_a_gap_is_suspect_at_most() {
    let range = "fail = [0, 100]";
    let rows = at([0, 1, 40, 41], |_| "5".to_owned());
    assert_eq!(flags("time_gap = { suspect = \"12m\" }", range, &rows), "1131");
    assert_eq!(flags("time_gap = { suspect = \"12m\", fail = \"2h\" }", range, &rows), "1131");
    assert_eq!(flags("time_gap = { fail = \"2h\" }", range, &rows), "1131", "an older configuration");
    assert_eq!(flags("time_gap = { suspect = \"4h\" }", range, &rows), "1111");
}

#[test]
fn an_hour_is_the_one_in_which_the_value_was_measured_in_a_file_and_in_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let mut bands = "month,hour,low,high\n".to_owned();
    for month in 1..=12 {
        for hour in 0..24 {
            bands += &format!("{month},{hour},{},10\n", if hour == 1 { 6 } else { 0 });
        }
    }
    let path = folder.path().join("bands.csv");
    std::fs::write(&path, bands).unwrap();
    let of_file = format!("climatology = {{ file = '{}', suspect = [\"low\", \"high\"] }}", path.display());
    let own = "climatology = { bands = [{ suspect = [0, 10] }, { hours = [1, 1], suspect = [6, 10] }] }";
    let rows = at(10..27, |_| "5".to_owned());
    let expected = "11133333333333311";
    assert_eq!(flags("", &of_file, &rows), expected);
    assert_eq!(flags("", own, &rows), expected, "from 01:05 up to and with 02:00");
}

#[test]
fn missing_takes_texts_and_the_usual_texts_are_missing_where_a_number_is_expected() {
    let rows: Vec<(i64, String)> = ["NA", "\"*\"", "null", "---", "ERR", "-9999", "7", "OK"]
        .iter()
        .enumerate()
        .map(|(row, text)| (row as i64, (*text).to_owned()))
        .collect();
    assert_eq!(flags("missing = [-9999, \"err\"]", "fail = [0, 10]", &rows), "99999914");
    assert_eq!(flags("missing = [-9999]", "missing = []\nfail = [0, 10]", &rows), "99994414");
    let of_texts = "type = \"text\"";
    assert_eq!(flags("missing = [\"ERR\"]", of_texts, &rows), "22229222", "a text column has words of its own");
}

/// A compass that drifts through north, jumps, stands still and swings.
const DIRECTIONS: [f64; 24] = [
    350.0, 355.0, 2.0, 8.0, 1.0, 190.0, 4.0, 358.0, 358.0, 358.0, 358.0, 358.5, 0.5, 359.5, 0.0, 359.0, 40.0, 300.0,
    120.0, 119.0, 121.0, 30.0, 330.0, 20.0,
];

#[test]
fn directions_are_judged_around_the_circle_and_equally_wherever_north_is() {
    let tests = [
        "spike = { suspect = 20, fail = 90 }",
        "rate_of_change = { suspect = 30, fail = 90, per = \"5m\" }",
        "flat_line = { suspect = \"15m\", tolerance = 3 }",
        "attenuated_signal = { suspect = 1, fail = 0.5, window = \"20m\" }",
        "attenuated_signal = { suspect = 3, window = \"20m\", by = \"range\" }",
    ];
    for keys in tests {
        let keys = format!("kind = \"direction\"\n{keys}");
        let turned = |turn: f64| {
            let rows = at(0..24, |row| format!("{}", (DIRECTIONS[usize::try_from(row).unwrap()] + turn) % 360.0));
            flags("", &keys, &rows)
        };
        let here = turned(0.0);
        for turn in [90.0, 180.0, 270.0] {
            assert_eq!(turned(turn), here, "{keys} turned by {turn}");
        }
        assert!(here.contains('1') && (here.contains('3') || here.contains('4')), "{keys}: {here}");
    }
    let through_north = at(0..4, |row| ["359", "1", "358", "2"][usize::try_from(row).unwrap()].to_owned());
    let keys = "kind = \"direction\"\nrate_of_change = { suspect = 10, per = \"5m\" }";
    assert_eq!(flags("", keys, &through_north), "1111");
    let keys = "variable = \"WD\"\nclimatology = { bands = [{ suspect = [340, 380] }] }";
    assert_eq!(flags("", keys, &through_north), "1111");
}

#[test]
fn the_range_of_a_direction_is_judged_around_the_circle() {
    let of = |keys: &str, values: &[&str]| {
        flags("", keys, &at(0..values.len() as i64, |row| values[row as usize].to_owned()))
    };
    let values = ["0", "10", "20", "21", "180", "339", "340", "350", "360"];
    assert_eq!(of("kind = \"direction\"\nsuspect = [340, 380]", &values), "111333111");
    assert_eq!(of("kind = \"direction\"\nfail = [340, 380]", &values), "111444111");
    assert_eq!(of("variable = \"WD\"\nsuspect = [340, 380]", &values), "111333111");
    assert_eq!(of("variable = \"WD\"\nfail = [340, 380]", &values), "111444111");
    assert_eq!(of("kind = \"direction\"\nfail = [0, 360]\nsuspect = [-20, 20]", &values), "111333111");
    // No direction is beyond AmeriFlux's limits of -18 and 378, and what is no direction does not turn.
    assert_eq!(of("variable = \"WD\"\nsuspect = [340, 380]", &["370", "379", "400", "-15", "-20"]), "14414");
    assert_eq!(of("suspect = [340, 380]", &values), "333333111");
}

#[test]
fn a_direction_opposite_to_its_neighbours_is_a_spike_and_they_are_none() {
    let judged = |keys: &str, directions: [f64; 5]| {
        let rows = at(0..5, |row| format!("{}", directions[usize::try_from(row).unwrap()]));
        flags("", &format!("kind = \"direction\"\n{keys}"), &rows)
    };
    for turn in [0.0, 90.0, 180.0, 270.0] {
        let turned = |directions: [f64; 5]| directions.map(|direction| (direction + turn) % 360.0);
        let average = "spike = { suspect = 100 }";
        assert_eq!(judged(average, turned([350.0, 350.0, 180.0, 10.0, 10.0])), "21312", "{turn}");
        assert_eq!(judged(average, turned([100.0, 100.0, 300.0, 160.0, 160.0])), "21312", "{turn}");
        let steps = "spike = { suspect = 100, method = \"differential\" }";
        assert_eq!(judged(steps, turned([350.0, 350.0, 180.0, 10.0, 10.0])), "21312", "{turn}");
        assert_eq!(judged(steps, turned([350.0, 350.0, 80.0, 170.0, 170.0])), "21112", "{turn}: it goes on");
        // Opposite neighbours have no middle.
        assert_eq!(judged(average, turned([0.0, 0.0, 90.0, 180.0, 180.0])), "21212", "{turn}");
    }
}

#[test]
fn a_pair_of_directions_differs_by_the_shorter_way_around() {
    let pair = "[[pair]]\nname = \"p\"\ntable = \"met\"\ncolumn = \"A\"\nagainst = \"B\"\ndifference = { fail = 10 }\n";
    let tower = Station::new()
        .sync("health = false")
        .table("name = \"met\"\nfiles = [\"met.dat\"]\n[table.columns.A]\nkind = \"direction\"\n")
        .more(pair);
    let rows = [["359", "2"], ["2", "359"], ["10", "350"], ["10", "190"]];
    let lines: Vec<Line> =
        rows.iter().enumerate().map(|(row, values)| (row as i64, values.map(str::to_owned).to_vec())).collect();
    tower.write("met.dat", file("A,B", &lines));
    tower.in_process().ingest();
    assert_eq!(judged(&tower, "met").iter().map(|row| row.2.clone()).collect::<Vec<_>>(), ["11", "11", "44", "44"]);
}

#[test]
fn a_row_without_a_value_has_no_flag_of_a_column_that_is_never_sent() {
    let tower = Station::new().sync("health = false").table("name = \"met\"\nfiles = [\"met.dat\"]\n");
    let head = "\"TOA5\",\"umb\",\"CR3000\",\"1\",\"CR3000.Std.31\",\"CPU:umb.CR3\",\"1\",\"met\"\r\n\
                \"TIMESTAMP\",\"RECORD\",\"Site\",\"V_Min\",\"V_TMn\"\r\n\"TS\",\"RN\",\"\",\"V\",\"\"\r\n\
                \"\",\"\",\"Smp\",\"Min\",\"TMn\"\r\n";
    let rows = "\"2026-06-01 00:00:00\",0,\"XX\",\"NAN\",\"NAN\"\r\n\
                \"2026-06-01 00:05:00\",1,\"XX\",12.5,\"2026-06-01 00:01:00\"\r\n";
    tower.write("met.dat", format!("{head}{rows}"));
    let _ = tower.run(&["run"]).expect(0);
    let files = std::fs::read_dir(tower.path("outbox")).unwrap().map(|file| file.unwrap().path());
    let lines: String = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    assert!(lines.contains("V_Min_qc=9") && lines.contains("V_Min=12.5"), "{lines}");
    assert!(!lines.contains("Site") && !lines.contains("V_TMn"), "{lines}");
}
