//! I9: reading, and a second sync, beside a sync that hangs in the network.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::Site;
use crate::support::server::{Act, Gate, Server};

/// No limit of a promise: so long is waited for what has to come, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(60);

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LIMIT, "{what}: not within {LIMIT:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// From now on the first request lies behind the gate; the others are taken.
fn first_behind(server: &Server, gate: &Gate) {
    let gate = gate.clone();
    server.script(move |asked| if asked.number == 1 { Act::take().behind(&gate) } else { Act::take() });
}

fn is_up(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_none()
}

#[test]
fn i9_ingest_does_not_wait_for_a_sync_that_hangs() {
    let (server, gate) = (Server::start(), Gate::default());
    let site = Site::new(&server.url());
    site.stage(0..500);
    first_behind(&server, &gate);
    let mut sync = site.spawn(&["sync"]);
    until("the sync's request is there", || server.requests() == 1);
    site.write("met", 0..3_000);
    let ran = site.run(&["ingest", "--json"]).expect(0);
    assert_eq!(ran.json()["tables"][0]["staged"], 2_500);
    assert!(is_up(&mut sync), "the sync was to hang");
    gate.open();
    assert!(sync.wait().unwrap().success());
    site.sync().expect(0);
    assert_eq!(site.count("sent"), 3_000);
    assert_eq!(site.in_state("sent"), server.points().rows());
}

#[test]
fn i9_a_run_reads_every_change_while_its_sync_hangs_and_reports_it() {
    let (server, gate) = (Server::start(), Gate::default());
    let site = Site::with(&server.url(), &["met", "wind"], "", "");
    site.write("met", 0..10);
    site.write("wind", 0..10);
    first_behind(&server, &gate);
    let mut run =
        crate::support::start(|| site.command(&["run", "--json"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn());
    until("the run's request is there", || server.requests() == 1);
    // Each collection overwrites the one before.
    for collection in 1..5 {
        site.write("met", collection * 10..(collection + 1) * 10);
        let rows = 20 + usize::try_from(collection).unwrap() * 10;
        until("the collection is read", || site.states().len() == rows);
        assert!(is_up(&mut run), "the sync was to hang");
    }
    gate.open();
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let staged = |table: usize| said["ingest"]["tables"][table]["staged"].as_u64().unwrap();
    assert_eq!((staged(0), staged(1), said["sync"]["sent"].as_u64()), (50, 10, Some(20)));
    site.run(&["run"]).expect(0);
    assert_eq!((site.count("sent"), server.points().len(), server.points().repeated), (60, 60, 0));
}

#[test]
fn i9_a_second_run_beside_it_reads_too_and_leaves_the_sending_to_the_first() {
    let (server, gate) = (Server::start(), Gate::default());
    let site = Site::new(&server.url());
    site.write("met", 0..100);
    first_behind(&server, &gate);
    let mut first = site.spawn(&["run"]);
    until("the first run's request is there", || server.requests() == 1);
    site.write("met", 100..200);
    // Either of them reads the file; the second ends only when it is read.
    let second = site.run(&["run", "--json"]).expect(0);
    assert_eq!(site.states().len(), 200);
    assert!(second.json()["sync"].is_null(), "{second:?}");
    assert!(second.stderr.contains("another sync is running"), "{second:?}");
    assert!(is_up(&mut first), "the first was to hang");
    gate.open();
    assert!(first.wait().unwrap().success());
    site.run(&["run"]).expect(0);
    assert_eq!((site.count("sent"), server.points().len(), server.points().repeated), (200, 200, 0));
}

#[test]
fn i9_a_run_whose_schedule_is_known_ends_before_the_next_start_unless_a_deadline_is_configured() {
    let site = Site::new(&crate::support::server::closed_port());
    site.stage(0..10);
    let begun = Instant::now();
    // Four seconds; the default of a run that knows no schedule is four minutes.
    let ran = site.run(&["run", "--scheduled", "5s", "--json"]).expect(1);
    assert_eq!(ran.json()["sync"]["stopped_by"], "unreachable");
    assert!(begun.elapsed() < LIMIT, "the schedule counts: {:?}", begun.elapsed());
    let mut site = Site::with(&crate::support::server::closed_port(), &["met"], "", "deadline = \"200ms\"");
    site.stage(0..10);
    let begun = Instant::now();
    let ran = site.run(&["run", "--scheduled", "5m", "--json"]).expect(1);
    assert_eq!(ran.json()["sync"]["stopped_by"], "unreachable");
    assert!(begun.elapsed() < LIMIT, "the configured deadline counts: {:?}", begun.elapsed());
    let check = site.run(&["check"]).expect(1);
    assert!(check.stdout.contains("the last run ended"), "{check:?}");
    // The schedule became denser than the configuration allows.
    site.configure(&crate::support::server::closed_port(), "", "deadline = \"2m\"");
    site.run(&["ingest"]).expect(0);
    let store = rusqlite::Connection::open(site.path("store.db")).unwrap();
    store.execute("UPDATE setting SET value = '60000' WHERE key = 'schedule'", []).unwrap();
    let check = site.run(&["check"]).expect(1);
    let said =
        "a run starts every 60 s and may send for 2 min, so starts are skipped while the server cannot be reached";
    assert!(check.stdout.contains(said) && check.stdout.contains("take deadline out of [sync]"), "{check:?}");
}

#[test]
fn a_second_sync_says_so_and_leaves_the_work_to_the_first() {
    let (server, gate) = (Server::start(), Gate::default());
    let site = Site::new(&server.url());
    site.stage(0..100);
    first_behind(&server, &gate);
    let mut first = site.spawn(&["sync"]);
    until("the first sync's request is there", || server.requests() == 1);
    let second = site.run(&["sync", "--json"]).expect(0);
    assert!(second.stderr.contains("another sync is running"), "{second:?}");
    assert_eq!(second.json()["stopped_by"], "already_running");
    let run = site.run(&["run"]).expect(0);
    assert!(run.stderr.contains("another sync is running"), "{run:?}");
    gate.open();
    assert!(first.wait().unwrap().success());
    assert_eq!((server.requests(), site.count("sent")), (1, 100));
}

#[test]
fn a_row_replaced_while_its_old_content_is_on_the_way_is_sent_again() {
    let (server, gate) = (Server::start(), Gate::default());
    let site = Site::new(&server.url());
    site.add_to_config("on_conflict = \"replace\"\n");
    site.stage(0..50);
    first_behind(&server, &gate);
    let mut sync = site.spawn(&["sync"]);
    until("the sync's request is there", || server.requests() == 1);
    let corrected = Site::text("met", 0..50).replace("98.5", "97.25");
    std::fs::write(site.path("met.dat"), corrected).unwrap();
    site.run(&["ingest"]).expect(1);
    gate.open();
    // The configuration says which of two contents holds.
    assert_eq!(sync.wait().unwrap().code(), Some(0));
    assert_eq!(site.count("pending"), 50, "what was on its way was not what the store holds now");
    site.sync().works();
    let points = server.points();
    assert!(points.map.values().all(|fields| fields["P_Avg"] == "97.25"), "{:?}", points.map.first_key_value());
    assert_eq!(site.count("sent"), 50);
}
