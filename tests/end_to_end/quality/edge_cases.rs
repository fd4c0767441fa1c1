//! Flags where something is odd: columns that come and go, lonely values, a program killed half way, a slow partner.

use fluxtower::qc::Flag;
use fluxtower::store::NewFlag;
use fluxtower::time::Timestamp;

use super::rows::upper;
use super::station::{Line, START, UPPER, file, judged};
use crate::support::Station;

fn tower(keys: &str) -> Station {
    Station::new().sync("health = false").table(&format!("name = \"upper\"\nfiles = [\"upper.dat\"]\n{keys}"))
}

fn column(tower: &Station, table: &str, place: usize) -> String {
    judged(tower, table).iter().map(|row| char::from(*row.2.as_bytes().get(place).unwrap_or(&b'-'))).collect()
}

fn lines(values: &[&str]) -> Vec<Line> {
    values.iter().enumerate().map(|(row, value)| (row as i64, vec![(*value).to_owned()])).collect()
}

#[test]
fn i8_reflag_never_computes_over_a_column_that_the_file_has() {
    let tower = tower("[table.columns.SW]\nformula = \"TA + RH\"\n");
    tower.write("upper.dat", file(UPPER, &upper(4, 0, |_| None)));
    tower.in_process().ingest();
    let before = judged(&tower, "upper");
    assert_eq!(tower.run_json(&["reflag", "--since", "2026-01-01"]).expect(0).json()["changed"].as_i64(), Some(0));
    assert_eq!(judged(&tower, "upper"), before);
}

#[test]
fn i8_a_column_that_a_new_program_measures_is_no_longer_computed() {
    let tower = tower("[table.columns.SUM]\nformula = \"TA + RH\"\nunit = \"odd\"\n");
    tower.write("upper.dat", file("TA,RH", &[(0, vec!["1".to_owned(), "2".to_owned()])]));
    tower.in_process().ingest();
    let row = |row: i64, values: &[&str]| (row, values.iter().map(|&value| value.to_owned()).collect());
    tower.write("upper.dat", file("TA,RH,SUM", &[row(1, &["1", "2", "77.5"])]));
    tower.in_process().ingest();
    let _ = tower.run(&["reflag", "--since", "2026-01-01"]).expect(0);
    let values: Vec<_> = judged(&tower, "upper").into_iter().map(|row| row.1).collect();
    assert_eq!(values, ["[1,2,3.0]", "[1,2,77.5]"]);
    assert_eq!(tower.count("SELECT count(*) FROM column_list WHERE name = 'SUM' AND process = 'Avg'"), 1);
}

#[test]
fn a_table_compared_with_a_derived_column_is_judged_again_when_the_formula_changes() {
    let more = "[[table]]\nname = \"other\"\nfiles = [\"other.dat\"]\n[table.columns.TWICE]\nformula = \"TA * 2\"\n\
                [[pair]]\nname = \"p\"\ntable = \"upper\"\ncolumn = \"TA\"\nagainst_table = \"other\"\nagainst = \"TWICE\"\n\
                difference = { fail = 6 }\nflags = \"column\"\n";
    let tower = tower("").more(more);
    tower.write("upper.dat", file("TA", &lines(&["10", "10", "10"])));
    tower.write("other.dat", file("TA", &lines(&["5", "5", "5"])));
    tower.in_process().ingest();
    assert_eq!(column(&tower, "upper", 0), "111");
    tower.replace_in_config("TA * 2", "TA * 4");
    let _ = tower.run(&["reflag", "--since", "2026-01-01"]).expect(0);
    assert_eq!(column(&tower, "upper", 0), "444", "its table was judged before the other was computed");
    tower.replace_in_config("TA * 4", "TA * 2");
    let _ = tower.run(&["reflag", "--since", "2026-01-01", "--table", "other"]).expect(0);
    assert_eq!(column(&tower, "upper", 0), "111", "only the other table was named");
}

#[test]
fn reflag_computes_no_value_before_its_since() {
    let tower = tower("[table.columns.SUM]\nformula = \"TA + RH\"\nspike = { fail = 2 }\n");
    tower.write("upper.dat", file(UPPER, &upper(8, 0, |_| None)));
    tower.in_process().ingest();
    tower.replace_in_config("TA + RH", "TA - RH");
    let span = ["reflag", "--since", "2026-06-01 00:15", "--until", "2026-06-01 00:25"];
    let _ = tower.run(&span).expect(0);
    let is_new: Vec<_> = judged(&tower, "upper").iter().map(|row| row.1.contains(",-4")).collect();
    assert_eq!(is_new, [false, false, false, true, true, true, false, false]);
    // The step is no spike by height, and what is stored is what a look at the stored values gives.
    let flags = column(&tower, "upper", 6);
    let agent = tower.in_process();
    let table = agent.config.table("upper").unwrap();
    agent.store.judge_again(&agent.config, table, (Timestamp::EPOCH, Timestamp::MAX), false).unwrap();
    assert_eq!(column(&tower, "upper", 6), flags);
}

#[test]
fn a_value_alone_in_its_window_has_no_spread_and_is_not_evaluated() {
    let keys = |by: &str| {
        format!(
            "[table.columns.TA]\nattenuated_signal = {{ suspect = 0.5, fail = 0.1, window = \"20m\", by = \"{by}\" }}\n"
        )
    };
    for by in ["deviation", "range"] {
        let gap = tower(&keys(by));
        let rows: Vec<Line> = (0..8).chain(40..48).map(|row| (row, vec![format!("{}", row % 3)])).collect();
        gap.write("upper.dat", file("TA", &rows));
        gap.in_process().ingest();
        assert_eq!(column(&gap, "upper", 0), "2221111122211111", "{by}: the first row behind a gap is no line");
    }
    let holes = tower(&keys("deviation"));
    let nan = "\"NAN\"";
    holes.write("upper.dat", file("TA", &lines(&["1", "2", "3", "1", nan, nan, nan, nan, nan, "2", "9"])));
    holes.in_process().ingest();
    assert_eq!(column(&holes, "upper", 0), "22219999921");
}

#[test]
fn a_row_from_before_a_column_was_added_says_the_same_as_one_without_its_value() {
    let keys = "[table.columns.B]\nattenuated_signal = { suspect = 0.5, window = \"30m\", by = \"range\" }\n";
    let narrow: Vec<Line> = (0..6).map(|row| (row, vec!["1".to_owned()])).collect();
    let wide: Vec<Line> = (6..9).map(|row| (row, vec!["1".to_owned(), "5".to_owned()])).collect();
    let in_order = tower(keys);
    in_order.write("upper.dat", file("A", &narrow));
    in_order.in_process().ingest();
    in_order.write("upper.dat", file("A,B", &wide));
    in_order.in_process().ingest();
    let turned = tower(keys);
    turned.write("upper.dat", file("A,B", &wide));
    turned.in_process().ingest();
    turned.write("upper.dat", file("A", &narrow));
    turned.in_process().ingest();
    assert_eq!(column(&in_order, "upper", 1)[6..], column(&turned, "upper", 1)[6..]);
    assert_eq!(&column(&in_order, "upper", 1)[6..], "222");
}

#[test]
fn a_flag_by_hand_whose_run_was_killed_holds_after_the_next_ingest() {
    let tower = tower("[table.columns.TA]\nvariable = \"TA\"\n");
    tower.write("upper.dat", file(UPPER, &upper(5, 0, |_| None)));
    tower.in_process().ingest();
    let agent = tower.in_process();
    let utc = |row: i64| Timestamp::from_nanos((START + 5 * 3_600 + row * 300) * 1_000_000_000);
    let span = (utc(1), utc(2));
    // As far as a run came that was killed before it judged.
    let id = agent
        .store
        .set_flag(&NewFlag { table: "upper", column: "TA", span, flag: Flag::Fail, reason: "a bird" }, Timestamp::EPOCH)
        .unwrap();
    assert_eq!(column(&tower, "upper", 0), "11111");
    agent.ingest();
    assert_eq!(column(&tower, "upper", 0), "14411");
    agent.store.revoke_flag(id, Timestamp::from_nanos(1)).unwrap().unwrap();
    agent.ingest();
    assert_eq!(column(&tower, "upper", 0), "11111");
    assert_eq!(tower.count("SELECT count(*) FROM setting WHERE key LIKE 'unjudged%'"), 0);
}

#[test]
fn a_flag_of_a_table_that_left_the_configuration_is_not_taken_back_half() {
    let tower = tower("");
    tower.write("upper.dat", file(UPPER, &upper(3, 0, |_| None)));
    tower.in_process().ingest();
    let set = ["flag", "--table", "upper", "--column", "TA", "--from", "2026-06-01", "--to", "2026-06-02", "--as", "4"];
    let _ = tower.run(&[&set[..], &["--reason", "ice"]].concat()).expect(0);
    tower.replace_in_config("name = \"upper\"", "name = \"renamed\"");
    let _ = tower.run(&["flag", "--revoke", "1"]).expect(2).says("upper");
    assert_eq!(tower.count("SELECT count(*) FROM manual_flag WHERE revoked IS NULL"), 1);
}

#[test]
fn a_reference_that_a_pair_does_not_flag_does_not_wait_for_the_other_table() {
    let more = "[qc]\nwait = \"9000d\"\n[[table]]\nname = \"other\"\nfiles = [\"other.dat\"]\n[[pair]]\nname = \"p\"\n\
                table = \"upper\"\ncolumn = \"TA\"\nagainst_table = \"other\"\nagainst = \"TA\"\ndifference = { fail = 6 }\n\
                flags = \"against\"\n";
    let tower = tower("").more(more);
    tower.write("upper.dat", file("TA", &lines(&["10", "11"])));
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!(tower.count("SELECT sum(pending) FROM logger_table"), 0);
    tower.write("other.dat", file("TA", &lines(&["30", "11"])));
    let _ = tower.run(&["run"]).expect(0);
    assert_eq!(column(&tower, "other", 0), "41");
    assert_eq!(column(&tower, "upper", 0), "22");
}

#[test]
fn the_nearest_of_a_thousand_rows_of_a_faster_table_is_compared() {
    let more = "[[table]]\nname = \"fast\"\nfiles = [\"fast.dat\"]\n[[pair]]\nname = \"p\"\ntable = \"upper\"\ncolumn = \"TA\"\n\
                against_table = \"fast\"\nagainst = \"TA\"\ndifference = { fail = 1 }\nwithin = \"3s\"\nflags = \"column\"\n";
    let tower = tower("").more(more);
    let mut fast = file("TA", &[]);
    for second in 0..3_000_i64 {
        // Seconds at which the rows of the other table have no equal; the earlier of two as near agrees.
        if second % 300 == 0 && second > 0 {
            continue;
        }
        let stamp = chrono::DateTime::from_timestamp(START + second, 0).unwrap().format("%Y-%m-%d %H:%M:%S");
        let value = if second % 300 == 299 { 10 } else { 50 };
        fast.push_str(&format!("\"{stamp}\",{second},{value}\r\n"));
    }
    tower.write("upper.dat", file("TA", &lines(&["10"; 12])));
    tower.write("fast.dat", fast);
    tower.in_process().ingest();
    assert_eq!(column(&tower, "upper", 0), "411111111112");
}

#[test]
fn i3_two_readings_within_a_microsecond_never_stop_an_ingest_that_replaces() {
    let tower = tower("on_conflict = \"replace\"\n");
    let mut text = file("TA", &lines(&["1"]));
    text.push_str("\"2026-06-01 00:00:00.0000003\",1,2\r\n");
    for at in 0..3 {
        tower.write("upper.dat", &text);
        let agent = tower.in_process();
        agent.ingest_file(&tower.path("upper.dat"));
        let values: Vec<_> = judged(&tower, "upper").into_iter().map(|row| row.1).collect();
        assert_eq!(values, ["[2]"], "the newer one, reading {at}");
    }
    assert_eq!(tower.count("SELECT conflicts FROM logger_table"), 1);
}

#[test]
fn i3_a_reading_that_was_replaced_does_not_come_back_when_a_formula_or_a_column_is_new() {
    let tower = tower("on_conflict = \"replace\"\n[table.columns.SUM]\nformula = \"TA + RH\"\n");
    let row = |row: i64, values: &[&str]| (row, values.iter().map(|&value| value.to_owned()).collect());
    let old = file("TA,RH", &[row(0, &["1", "2"])]);
    tower.write("old.dat", &old);
    tower.in_process().ingest_file(&tower.path("old.dat"));
    tower.write("upper.dat", file("TA,RH", &[row(0, &["5", "6"])]));
    tower.in_process().ingest();
    tower.replace_in_config("TA + RH", "TA * RH");
    tower.write("upper.dat", file("TA,RH,SW", &[row(1, &["5", "6", "7"])]));
    tower.in_process().ingest();
    tower.in_process().ingest_file(&tower.path("old.dat"));
    assert!(judged(&tower, "upper")[0].1.starts_with("[5,6,"), "{:?}", judged(&tower, "upper"));
    assert_eq!(tower.count("SELECT conflicts FROM logger_table"), 1);
}

#[test]
fn i6_two_readings_within_a_microsecond_are_one_row_of_the_backlog() {
    let tower = tower("on_conflict = \"replace\"\n");
    let mut text = file("TA", &lines(&["1", "2"]));
    text.push_str("\"2026-06-01 00:05:00.0000003\",2,3\r\n");
    tower.write("upper.dat", text);
    tower.in_process().ingest();
    assert_eq!(tower.count("SELECT count(*) FROM backlog"), 1);
    let _ = tower.run(&["sync"]).works();
    assert_eq!(tower.count("SELECT count(*) FROM backlog"), 0);
}
