//! I9: ingest, and a second sync, beside a sync that hangs in the network.

use std::time::{Duration, Instant};

use crate::server::{Act, Server, Site};

/// Waits until the server has the sync's request in its hands.
fn hangs(server: &Server) {
    let until = Instant::now() + Duration::from_secs(20);
    while server.requests() == 0 {
        assert!(Instant::now() < until, "no request came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn i9_ingest_does_not_wait_for_a_sync_that_hangs() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..500);
    server.script(|asked| if asked.number == 1 { Act::take().after(Duration::from_secs(6)) } else { Act::take() });
    let mut sync = site.spawn(&["sync"]);
    hangs(&server);
    site.write("met", 0..3_000);
    let begun = Instant::now();
    let ran = site.run(&["ingest", "--json"]).expect(0);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(ran.json()["tables"][0]["staged"], 2_500);
    assert!(sync.try_wait().unwrap().is_none(), "the sync was to hang");
    assert!(sync.wait().unwrap().success());
    site.sync().expect(0);
    assert_eq!(site.count("sent"), 3_000);
    assert_eq!(site.in_state("sent"), server.points().rows());
}

#[test]
fn a_second_sync_says_so_and_leaves_the_work_to_the_first() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..100);
    server.script(|_| Act::take().after(Duration::from_secs(3)));
    let mut first = site.spawn(&["sync"]);
    hangs(&server);
    let second = site.run(&["sync", "--json"]).expect(0);
    assert!(second.stderr.contains("another sync is running"), "{second:?}");
    assert_eq!(second.json()["stopped_by"], "already_running");
    let run = site.run(&["run"]).expect(0);
    assert!(run.stderr.contains("another sync is running"), "{run:?}");
    assert!(first.wait().unwrap().success());
    assert_eq!((server.requests(), site.count("sent")), (1, 100));
}

#[test]
fn a_row_replaced_while_its_old_content_is_on_the_way_is_sent_again() {
    let server = Server::start();
    let site = Site::new(&server.url());
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    std::fs::write(site.path("config.toml"), format!("{config}on_conflict = \"replace\"\n")).unwrap();
    site.stage(0..50);
    server.script(|asked| if asked.number == 1 { Act::take().after(Duration::from_secs(2)) } else { Act::take() });
    let mut sync = site.spawn(&["sync"]);
    hangs(&server);
    let corrected = Site::text("met", 0..50).replace("98.5", "97.25");
    std::fs::write(site.path("met.dat"), corrected).unwrap();
    site.run(&["ingest"]);
    assert!(sync.wait().unwrap().success());
    assert_eq!(site.count("pending"), 50, "what was on its way was not what the store holds now");
    site.sync().expect(0);
    let points = server.points();
    assert!(points.map.values().all(|fields| fields["P_Avg"] == "97.25"), "{:?}", points.map.first_key_value());
    assert_eq!(site.count("sent"), 50);
}
