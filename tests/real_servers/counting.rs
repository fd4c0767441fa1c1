//! What `verify`, `prune` and `keep` say of a bucket is so: of each series, of each row, of each value and flag.

use std::fs;

use chrono::{TimeDelta, Utc};

use crate::each::{Server, on_each_influxdb};
use crate::readings::{Dice, Readings, station_time, time, utc};
use crate::station::Station;

const SINCE: [&str; 2] = ["--since", "2024-01-01"];

fn readings(name: &'static str, rows: usize, seed: u64) -> Readings {
    let mut dice = Dice::new(seed);
    let start = (time("2024-03-09 22:00:00"), TimeDelta::seconds(60), 0);
    Readings::new(name, &["u", "v"], start, rows, move |_, _| match dice.throw(9) {
        0 => "\"NAN\"".to_owned(),
        _ => dice.number(),
    })
}

/// Text of the configuration, changed.
fn configure(station: &Station, change: impl Fn(String) -> String) {
    let path = station.path("config.toml");
    fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
}

fn send(station: &Station) {
    station.must(0, &["ingest"]);
    let sync = station.must(0, &["sync"]);
    assert_eq!(sync["pending"].as_u64(), Some(0), "{sync}");
}

fn verify(station: &Station, exit: i32, more: &[&str]) -> (u64, u64, u64) {
    let report = station.must(exit, &[&["verify"], &SINCE[..], more].concat());
    let number = |key: &str| report[key].as_u64().unwrap();
    (number("missing"), number("changed"), number("unknown"))
}

fn prune(station: &Station, exit: i32) -> u64 {
    station.must(exit, &["prune", "--older-than", "10"])["pruned"].as_u64().unwrap()
}

fn what_was_sent_is_found_and_pruned<S: Server>() {
    let server = S::fresh();
    let station = Station::new(&server.destination(), "", &[&readings("t", 3_000, 1), &readings("s", 500, 2)]);
    send(&station);
    assert_eq!(verify(&station, 0, &[]), (0, 0, 0));
    assert_eq!(prune(&station, 0), 3_500);
    assert_eq!(prune(&station, 0), 0);
}

fn i6_points_of_a_series_with_a_further_tag_do_not_stand_in_for_lost_ones<S: Server>() {
    let server = S::fresh();
    let station = Station::new(&server.destination(), "", &[&readings("low", 241, 3), &readings("high", 241, 4)]);
    configure(&station, |config| {
        let config = config.replace("name = \"low\"", "name = \"low\"\nmeasurement = \"fast\"");
        let high = config.replace("name = \"high\"", "name = \"high\"\nmeasurement = \"fast\"");
        let (before, behind) = high.split_at(high.find("[\"high.dat\"]").unwrap());
        before.to_owned() + &behind.replace("tags = { site", "tags = { height = \"46m\", site")
    });
    send(&station);
    assert_eq!(verify(&station, 0, &[]), (0, 0, 0));
    server.change("fast", |tags, _, value| tags.contains_key("height").then_some(value));
    assert_eq!(verify(&station, 1, &[]), (241, 0, 0));
    assert_eq!(prune(&station, 1), 241, "the rows of the series that is there");
    assert_eq!((station.times("low", "sent").len(), station.times("high", "sent").len()), (241, 0));
    assert_eq!(verify(&station, 1, &["--requeue"]), (241, 0, 0));
    station.must(0, &["sync"]);
    assert_eq!((verify(&station, 0, &[]), prune(&station, 0)), ((0, 0, 0), 241));
}

fn i6_points_with_a_tag_value_do_not_stand_in_for_those_with_an_empty_one<S: Server>() {
    let server = S::fresh();
    let mut plots = readings("plots", 400, 5);
    plots.columns.push("Plot");
    for (place, (_, values)) in plots.rows.iter_mut().enumerate() {
        values.push(if place % 2 == 0 { "\"\"".to_owned() } else { "\"6a\"".to_owned() });
    }
    let station = Station::new(&server.destination(), "", &[&plots]);
    configure(&station, |config| config + "[table.columns.Plot]\nuse = \"tag\"\n");
    send(&station);
    server.change("plots", |tags, _, value| tags.contains_key("Plot").then_some(value));
    assert_eq!(verify(&station, 1, &[]), (200, 0, 0));
    assert_eq!(prune(&station, 1), 200);
    assert_eq!(station.times("plots", "sent").len(), 200);
}

fn i6_points_of_another_writer_do_not_stand_in_for_lost_ones<S: Server>() {
    let server = S::fresh();
    let station = Station::new(&server.destination(), "", &[&readings("t", 600, 6)]);
    send(&station);
    let half = |at: i64| at % 120_000_000_000 == 0;
    server.change("t", |_, point, value| (!half(point.at)).then_some(value));
    // As many at times of their own.
    let lost: Vec<i64> = station.times("t", "sent").into_iter().filter(|at| half(*at)).collect();
    let lines: String = lost.iter().map(|at| format!("t,site=US-UMB,station=tower u=1,v=1 {}\n", at + 7)).collect();
    server.put(&lines);
    let (missing, ..) = verify(&station, 1, &[]);
    assert_eq!(missing, lost.len() as u64);
    let before = station.times("t", "sent");
    prune(&station, 1);
    let kept = station.times("t", "sent");
    assert!(lost.iter().all(|at| kept.contains(at)), "{} of {} rows were kept", kept.len(), before.len());
}

fn a_value_or_a_flag_that_is_changed_behind_its_back_is_found_and_sent_again<S: Server>() {
    let server = S::fresh();
    let station = Station::new(&server.destination(), "", &[&readings("t", 600, 7)]);
    configure(&station, |config| config + "[table.columns.u]\nfail = [-100, 100]\n");
    send(&station);
    let as_sent = server.cells(["t"]);
    let times = station.times("t", "sent");
    for (field, place) in [("v", 100), ("u_qc", 250)] {
        let at =
            times[place..].iter().find(|at| as_sent.keys().any(|(_, point)| point.at == **at && point.field == field));
        let at = *at.unwrap();
        server.change("t", |_, point, value| {
            Some(if point.at == at && point.field == field { 1.0 - 2.0 * value } else { value })
        });
    }
    assert_eq!(verify(&station, 1, &[]), (0, 2, 0));
    assert_eq!(verify(&station, 1, &["--requeue"]), (0, 2, 0));
    station.must(0, &["sync"]);
    assert_eq!(verify(&station, 0, &[]), (0, 0, 0));
    assert!(server.cells(["t"]) == as_sent, "the bucket does not hold what was sent");
}

fn a_value_that_the_row_does_not_have_is_found_and_taken_out_of_the_bucket<S: Server>() {
    let server = S::fresh();
    let station = Station::new(&server.destination(), "", &[&readings("t", 200, 8)]);
    send(&station);
    let as_sent = server.cells(["t"]);
    let has = |at: i64, field: &str| as_sent.keys().any(|(_, point)| point.at == at && point.field == field);
    let times = station.times("t", "sent");
    let without: Vec<i64> = times.iter().copied().filter(|at| has(*at, "v") && !has(*at, "u")).take(3).collect();
    assert_eq!(without.len(), 3);
    let lines: String = without.iter().map(|at| format!("t,site=US-UMB,station=tower u=7999 {at}\n")).collect();
    server.put(&lines);
    assert_eq!(verify(&station, 1, &["--requeue"]), (0, 3, 0));
    station.must(0, &["sync"]);
    assert_eq!(verify(&station, 0, &[]), (0, 0, 0));
    assert!(server.cells(["t"]) == as_sent, "the bucket does not hold what was sent");
}

fn texts_and_truth_values_are_found_by_their_presence<S: Server>() {
    let server = S::fresh();
    let mut table = readings("t", 300, 9);
    table.columns.extend(["state", "on"]);
    for (place, (_, values)) in table.rows.iter_mut().enumerate() {
        values.push(["\"12\"", "\"pump on\"", "\"\"", "7"][place % 4].to_owned());
        values.push(["0", "-1", "\"NAN\""][place % 3].to_owned());
    }
    let station = Station::new(&server.destination(), "", &[&table]);
    configure(&station, |config| {
        config + "[table.columns.state]\ntype = \"text\"\n[table.columns.on]\ntype = \"boolean\"\n"
    });
    send(&station);
    assert_eq!(verify(&station, 0, &[]), (0, 0, 0));
    assert_eq!(prune(&station, 0), 300);
}

fn verify_does_not_ask_for_what_the_bucket_no_longer_keeps<S: Server>() {
    let server = S::fresh();
    let start = station_time(Utc::now() - TimeDelta::hours(60));
    let start = time(&start.format("%Y-%m-%d %H:00:00").to_string());
    let table = Readings::new("t", &["u"], (start, TimeDelta::minutes(10), 0), 354, |row, _| row.to_string());
    let station = Station::new(&server.destination(), "", &[&table]);
    send(&station);
    assert_eq!(verify(&station, 0, &[]), (0, 0, 0));
    server.keep_for(Some(std::time::Duration::from_secs(86_400)));
    let cutoff = utc(&station_time(Utc::now() - TimeDelta::hours(24)).format("%Y-%m-%d %H:%M:%S").to_string());
    server.change("t", |_, point, value| (point.at > cutoff - 3_600_000_000_000).then_some(value));
    let report = station.must(0, &["verify", SINCE[0], SINCE[1], "--requeue"]);
    assert_eq!((report["missing"].as_u64(), report["requeued"].as_u64()), (Some(0), Some(0)), "{report}");
    assert!(report["notes"].to_string().contains("no longer keeps"), "{report}");
}

on_each_influxdb!(
    what_was_sent_is_found_and_pruned,
    i6_points_of_a_series_with_a_further_tag_do_not_stand_in_for_lost_ones,
    i6_points_with_a_tag_value_do_not_stand_in_for_those_with_an_empty_one,
    i6_points_of_another_writer_do_not_stand_in_for_lost_ones,
    a_value_or_a_flag_that_is_changed_behind_its_back_is_found_and_sent_again,
    a_value_that_the_row_does_not_have_is_found_and_taken_out_of_the_bucket,
    texts_and_truth_values_are_found_by_their_presence,
    verify_does_not_ask_for_what_the_bucket_no_longer_keeps,
);
