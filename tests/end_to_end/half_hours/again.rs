//! What changes a sample makes its half hour again, and nothing else does.

use super::*;
use crate::support::dice::Dice;

const COLUMNS: [[&str; 3]; 2] = [["T", "Deg C", "Avg"], ["Rain_Tot", "mm", "Tot"]];

/// Rows of these minutes of 1 June.
fn rows(minutes: impl Iterator<Item = i64>) -> BTreeMap<NaiveDateTime, Vec<String>> {
    let row = |minute: i64| {
        let at = day(1) + TimeDelta::minutes(minute);
        (at, vec![format!("{}", minute % 97), "0.1".to_owned()])
    };
    minutes.map(row).collect()
}

fn written(station: &Station, minutes: impl Iterator<Item = i64>) {
    station.write("met.dat", file(&COLUMNS, &rows(minutes)));
}

/// How many half hours an ingest makes.
fn made(station: &Station) -> u64 {
    let report = station.run_json(&["ingest"]).json();
    report["tables"].as_array().unwrap().iter().map(|table| table["made"].as_u64().unwrap()).sum()
}

/// The states of half hours, with how often each was replaced.
fn states(station: &Station) -> BTreeMap<String, (String, i64)> {
    let database = station.database();
    let sql = "SELECT v.ts, v.state, r.version FROM \"t_met_30m\" v JOIN reading r ON r.id = v.row_id";
    let mut statement = database.prepare(sql).unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        let at = chrono::DateTime::from_timestamp_nanos(row.get(0)?).naive_utc() - TimeDelta::hours(5);
        Ok((at.format("%H:%M").to_string(), (row.get(1)?, row.get(2)?)))
    };
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

#[test]
fn one_late_row_makes_one_half_hour_again_and_it_alone_is_sent_again() {
    let station = station("");
    written(&station, (1..=240).filter(|minute| *minute != 77));
    assert_eq!(made(&station), 8);
    station.run(&["sync"]).works();
    assert!(states(&station).values().all(|state| state.0 == "sent"));
    assert_eq!((made(&station), station.count("SELECT count(*) FROM due_window")), (0, 0));
    written(&station, 1..=240);
    assert_eq!(made(&station), 1);
    let pending: Vec<_> = states(&station).into_iter().filter(|(_, state)| state.0 == "pending").collect();
    assert_eq!(pending, [("01:30".to_owned(), ("pending".to_owned(), 1))]);
    station.run(&["sync"]).works();
    assert!(states(&station).values().all(|state| state.0 == "sent"));
    is_as_if_made_anew(&station);
}

#[test]
fn a_half_hour_is_made_when_its_last_row_is_there_and_has_its_end_as_its_time() {
    let station = station("");
    written(&station, 1..=89);
    // The clock is years behind the rows' end: only the rows tell.
    assert_eq!(made(&station), 3, "the wait is over");
    let found = rows_of(&station, MADE);
    let last = &found[&(day(1) + TimeDelta::minutes(90))];
    assert_eq!((&last["T_samples"].0, &last["Rain_Tot"].1), (&Value::from(29), &'3'));
    written(&station, 1..=90);
    assert_eq!(made(&station), 1);
    let found = rows_of(&station, MADE);
    let last = &found[&(day(1) + TimeDelta::minutes(90))];
    assert_eq!((last["T_samples"].0.as_i64(), last["Rain_Tot"].1), (Some(30), '2'));
    assert_eq!(last["T"].0.as_f64(), Some(75.5));
    assert_eq!(last["Rain_Tot_coverage"].0.as_f64(), Some(100.0));
}

#[test]
fn the_half_hour_that_is_under_way_is_not_made() {
    let station = station("").clock("utc_offset = \"+00:00\"");
    let now = chrono::Utc::now().naive_utc();
    let minute =
        now - TimeDelta::seconds(i64::from(now.second())) - TimeDelta::nanoseconds(i64::from(now.nanosecond()));
    let under_way = end_of(minute);
    let rows: BTreeMap<_, _> =
        (0..90).map(|back| (minute - TimeDelta::minutes(back), vec!["1".to_owned(), "0".to_owned()])).collect();
    station.write("met.dat", file(&COLUMNS, &rows));
    made(&station);
    let found = station.rows(MADE);
    let newest = chrono::DateTime::from_timestamp_nanos(found.last().unwrap().ts).naive_utc();
    let wanted = if under_way == minute { minute } else { under_way - TimeDelta::minutes(30) };
    assert_eq!(newest, wanted);
}

#[test]
fn flags_by_hand_and_their_revocation_make_their_half_hour_again() {
    let station = station("");
    written(&station, 1..=240);
    made(&station);
    station.run(&["sync"]).works();
    let before = station.rows(MADE);
    let flag = ["flag", "--table", "met", "--column", "T", "--from", "2026-06-01 01:01", "--to", "2026-06-01 01:05"];
    station.run(&[&flag[..], &["--as", "4", "--reason", "a bird"]].concat()).works();
    let found = rows_of(&station, MADE);
    let changed = &found[&(day(1) + TimeDelta::minutes(90))];
    assert_eq!((changed["T_samples"].0.as_i64(), changed["T"].1), (Some(25), '3'));
    assert_eq!(changed["Rain_Tot_samples"].0.as_i64(), Some(30));
    let pending: Vec<_> =
        states(&station).into_iter().filter(|(_, state)| state.0 == "pending").map(|one| one.0).collect();
    assert_eq!(pending, ["01:30"]);
    is_as_if_made_anew(&station);
    station.run(&["flag", "--revoke", "1"]).works();
    let texts = |rows: &[crate::support::Row]| {
        rows.iter().map(|row| (row.ts, row.vals.clone(), row.flags.clone())).collect::<Vec<_>>()
    };
    assert_eq!(texts(&station.rows(MADE)), texts(&before));
}

#[test]
fn new_limits_a_conflict_decided_by_hand_and_a_corrected_clock_make_their_half_hours_again() {
    let mut station = station("");
    written(&station, 1..=240);
    made(&station);
    // Another content of minute 100.
    let mut other = rows(1..=240);
    other.insert(day(1) + TimeDelta::minutes(100), vec!["500".to_owned(), "0.1".to_owned()]);
    station.write("met.dat", file(&COLUMNS, &other));
    assert_eq!(made(&station), 0);
    station.run(&["conflicts", "--keep", "newer", "--table", "met"]).works();
    let mean = |station: &Station, minutes: i64| {
        rows_of(station, MADE).get(&(day(1) + TimeDelta::minutes(minutes))).map(|row| row["T"].0.as_f64().unwrap())
    };
    let usual = (91..=120).map(|minute| (minute % 97) as f64).sum::<f64>();
    let with = (usual - 3.0 + 500.0) / 30.0;
    assert!((mean(&station, 120).unwrap() - with).abs() < 1e-9);
    is_as_if_made_anew(&station);
    station.configure(|sections| sections.table.push_str("\n[table.columns.T]\nfail = [-50, 400]"));
    station.run(&["reflag", "--since", "2026-01-01"]).works();
    assert!((mean(&station, 120).unwrap() - (usual - 3.0) / 29.0).abs() < 1e-9);
    is_as_if_made_anew(&station);
    station.configure(|sections| {
        let clock = "\n[[table.clock]]\nfrom = \"2026-06-01 02:30:00\"\nadd = \"1d\"";
        sections.table.push_str(clock);
    });
    made(&station);
    assert_eq!(mean(&station, 240), None, "its rows are at another time");
    assert!(mean(&station, 1_440 + 240).is_some());
    assert_eq!(station.rows(MADE).len(), 9, "the half hour that began before the clock was wrong is divided");
    is_as_if_made_anew(&station);
}

#[test]
fn tags_that_change_move_half_hours_to_their_series() {
    let mut station = station("");
    let columns = [["T", "Deg C", "Avg"], ["Plot", "", "Smp"]];
    let of = |plot: &str, offset: i64| -> BTreeMap<NaiveDateTime, Vec<String>> {
        let row = |minute: i64| {
            let at = day(1) + TimeDelta::minutes(minute) + TimeDelta::seconds(offset);
            (at, vec![format!("{}", minute * (1 + offset)), format!("\"{plot}\"")])
        };
        (1..=120).map(row).collect()
    };
    let mut all = of("a", 0);
    all.extend(of("b", -30));
    station.write("met.dat", file(&columns, &all));
    assert_eq!(made(&station), 4);
    station.configure(|sections| sections.table.push_str("\n[table.columns.Plot]\nuse = \"tag\""));
    made(&station);
    let found = station.rows(MADE);
    let tags: Vec<_> = found.iter().map(|row| row.tags.as_str()).collect();
    assert_eq!(tags.iter().filter(|tags| tags.contains('a')).count(), 4, "{tags:?}");
    assert_eq!(tags.len(), 8, "{tags:?}");
    is_as_if_made_anew(&station);
    let lines = station.run_json(&["sync"]).json();
    assert_eq!(lines["pending"], 0, "{lines}");
    let outbox = std::fs::read_dir(station.path("outbox")).unwrap().map(|file| file.unwrap().path());
    let sent: String =
        outbox.filter(|path| path.is_file()).map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let made = sent.lines().find(|line| line.starts_with("met_30m,Plot=a,")).unwrap();
    assert!(made.contains(" T=15.5,T_qc=2,T_samples=30,T_coverage=100 "), "{made}");
}

#[test]
fn rows_that_are_pruned_take_no_half_hour_with_them_and_are_not_pruned_before_it_is_made() {
    let station = station("");
    written(&station, 1..=240);
    made(&station);
    station.run(&["sync"]).works();
    // Half hours are kept as long as any rows, unless they are pending.
    station.run(&["replay", "--since", "2026-01-01", "--table", MADE]).works();
    let before = station.rows(MADE);
    assert_eq!(before.len(), 8);
    station.run(&["prune", "--older-than", "1"]).works();
    assert_eq!(station.rows("met").len(), 1, "the newest row stays");
    assert_eq!(station.rows(MADE), before);
    // Rows of half hours whose others are gone.
    written(&station, 95..=105);
    assert_eq!(made(&station), 0);
    assert_eq!(station.rows(MADE), before);
    // Rows of a half hour that is not made yet stay.
    written(&station, 241..=300);
    station.run(&["ingest"]).works();
    rusqlite::Connection::open(station.store_path())
        .unwrap()
        .execute(
            "INSERT INTO due_window SELECT id, ?1, ?1 FROM series WHERE tags = '[]' AND logger_table = 1",
            [station.rows("met").last().unwrap().ts],
        )
        .unwrap();
    station.run(&["sync"]).works();
    station.run(&["prune", "--older-than", "1"]).works();
    assert_eq!(station.rows("met").len(), 30);
}

#[test]
fn without_aggregate_no_half_hour_is_made_and_those_that_were_made_stay() {
    let station = station("");
    written(&station, 1..=120);
    assert_eq!(made(&station), 4);
    station.replace_in_config("aggregate = \"30m\"\n", "");
    written(&station, 1..=240);
    assert_eq!(made(&station), 0);
    assert_eq!((station.rows(MADE).len(), station.count("SELECT count(*) FROM due_window")), (4, 0));
    station.replace_in_config("name = \"met\"\n", "name = \"met\"\naggregate = \"30m\"\n");
    assert_eq!(made(&station), 4);
    assert_eq!(station.rows(MADE).len(), 8);
}

#[test]
fn a_table_of_the_same_name_with_rows_of_its_own_is_not_touched() {
    let station = Station::new().table("name = \"met_30m\"\nfiles = [\"met.dat\"]");
    written(&station, 1..=60);
    station.run(&["ingest"]).works();
    let before = station.rows(MADE);
    station.replace_in_config("name = \"met_30m\"\n", "name = \"met\"\naggregate = \"30m\"\n");
    let report = station.run_json(&["ingest"]).expect(1).json();
    assert!(report.to_string().contains("has rows from files under that name"), "{report}");
    assert_eq!(station.rows(MADE), before);
}

#[test]
fn i4_killed_at_any_moment_the_half_hours_are_those_of_one_run() {
    let whole = station("");
    let minutes = || (1..=6 * 1440).filter(|minute| minute % 101 != 0 && !(2_000..2_200).contains(minute));
    written(&whole, minutes());
    made(&whole);
    let wanted: Vec<_> = whole.rows(MADE).iter().map(|row| (row.ts, row.vals.clone(), row.flags.clone())).collect();
    let station = station("");
    written(&station, minutes());
    let mut dice = Dice(7);
    for _ in 0..25 {
        let mut child = station
            .command(&["ingest"])
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(dice.below(60)));
        child.kill().unwrap();
        child.wait().unwrap();
        if dice.below(3) == 0 && station.store_path().exists() {
            // What was made is to be made again.
            let database = rusqlite::Connection::open(station.store_path()).unwrap();
            let _ = database.execute_batch("UPDATE aggregation SET inputs = inputs + 1");
        }
    }
    made(&station);
    let found: Vec<_> = station.rows(MADE).iter().map(|row| (row.ts, row.vals.clone(), row.flags.clone())).collect();
    assert_eq!(found, wanted);
    is_as_if_made_anew(&station);
}

#[test]
fn a_station_of_one_minute_rows_exports_the_file_of_its_half_hours() {
    let station = station("[table.columns.T]\nvariable = \"TA\"\n[table.columns.Rain_Tot]\nvariable = \"P\"");
    written(&station, (1..=240).filter(|minute| !(100..=110).contains(minute)));
    made(&station);
    let export = station.run(&["export", "--format", "ameriflux", "--suspects", "leave-out", "--output", "up/"]);
    export.expect(0);
    let file = std::fs::read_to_string(station.path("up/US-UMB_HH_202606010000_202606010400.csv")).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(lines[0], "TIMESTAMP_START,TIMESTAMP_END,TA,P");
    assert_eq!(lines[1], "202606010000,202606010030,15.5,3");
    assert_eq!(lines[4], "202606010130,202606010200,-9999,-9999", "less than 90 % of its rows");
    assert_eq!(lines.len(), 9);
}
