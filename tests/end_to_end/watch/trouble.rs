//! What a single run survives, an agent that stays up survives.

use std::time::Instant;

use super::agent::{Agent, full_passes, until};
use crate::support::Site;
use crate::support::server::{Act, Server};

#[test]
fn i6_an_outage_is_lived_through_and_what_piled_up_is_delivered_once() {
    let server = Server::start();
    let site = Site::new(&server.url());
    let mut agent = Agent::start(&site, &["--watch"]);
    site.write("met", 0..5);
    until("rows sent", || site.count("sent") == 5);
    server.script(|_| Act::reset());
    for row in 5..25 {
        site.write("met", row..row + 1);
        until("the row read", || site.staged() > usize::try_from(row).unwrap());
    }
    assert!(agent.is_up());
    assert_eq!((site.count("sent"), site.count("pending")), (5, 20));
    server.take_all();
    until("the backlog delivered", || site.count("sent") == 25);
    let points = server.points();
    assert_eq!((points.len(), points.repeated, points.changed), (25, 0, 0));
    agent.end();
}

#[test]
fn i9_a_refusal_is_not_hammered_and_reading_goes_on() {
    let server = Server::start();
    server.script(|_| Act::refuse(401, "unauthorized access"));
    let site = Site::new(&server.url());
    let mut agent = Agent::start(&site, &["--watch", "--every", "1s"]);
    let begun = Instant::now();
    for row in 0..12 {
        site.write("met", row..row + 1);
        until("the row read", || site.staged() > usize::try_from(row).unwrap());
    }
    // Full passes go on by the second, and each of them asks for a sync.
    full_passes(&site, 1);
    assert!(agent.is_up());
    // The first wait is half a minute at least.
    let most = 1 + usize::try_from(begun.elapsed().as_secs() / 30).unwrap();
    assert!((1..=most).contains(&server.requests()), "{} requests", server.requests());
    assert_eq!(site.count("pending"), 12);
    let status = site.run(&["status", "--json"]).expect(1);
    assert!(status.stdout.contains("the last sync failed"), "{}", status.stdout);
    agent.end();
}

#[test]
fn a_bad_file_a_missing_token_and_a_lost_database_are_said_once_and_do_not_end_it() {
    let server = Server::start();
    let mut site = Site::with(&server.url(), &["met", "wind"], "", "");
    site.token = String::new();
    std::fs::write(site.path("wind.dat"), "<html>no table at all</html>\n").unwrap();
    site.write("met", 0..5);
    let mut agent = Agent::start(&site, &["--watch", "--every", "1s", "-vv"]);
    let said = |agent: &Agent, text: &str| -> (usize, usize) {
        let stderr = agent.stderr();
        let (again, first): (Vec<&str>, Vec<&str>) =
            stderr.lines().filter(|line| line.contains(text)).partition(|line| line.contains("failed again"));
        (first.len(), again.len())
    };
    until("rows staged", || site.states().len() == 5);
    until("it says what is missing", || said(&agent, "FLUXTOWER_TEST_TOKEN").0 > 0);
    full_passes(&site, 1);
    assert!(agent.is_up());
    assert_eq!(said(&agent, "FLUXTOWER_TEST_TOKEN").0, 1, "{}", agent.stderr());

    // Something else takes the place of the database, then it is there again.
    std::fs::rename(site.path("store.db"), site.path("store.aside")).unwrap();
    std::fs::create_dir(site.path("store.db")).unwrap();
    site.write("met", 5..7);
    until("it fails again for what is lost", || said(&agent, "cannot open the database").1 > 1);
    assert!(agent.is_up());
    assert_eq!(said(&agent, "cannot open the database").0, 1, "{}", agent.stderr());
    std::fs::remove_dir(site.path("store.db")).unwrap();
    std::fs::rename(site.path("store.aside"), site.path("store.db")).unwrap();
    until("rows of the bad hour staged", || site.states().len() == 7);
    until("it says so", || agent.stderr().contains("ingest works again"));
    agent.end();
}

#[test]
fn i1_a_locked_database_is_waited_for_and_what_came_meanwhile_is_read() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..5);
    let agent = Agent::start(&site, &["--watch"]);
    until("rows sent", || site.count("sent") == 5);
    let store = rusqlite::Connection::open(site.path("store.db")).unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    let lock = site.path("store.db.ingest.lock");
    std::fs::remove_file(&lock).unwrap();
    site.write("met", 5..9);
    until("a pass begun", || lock.exists());
    assert_eq!(site.states().len(), 5);
    store.execute_batch("ROLLBACK").unwrap();
    until("rows sent", || site.count("sent") == 9);
    assert_eq!(agent.stderr(), "");
    agent.end();
}

#[test]
fn a_wrong_configuration_ends_it_at_the_start_with_2() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..3);
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    std::fs::write(site.path("config.toml"), config.replace("[sync]", "[sync]\nno_such_key = 1")).unwrap();
    let mut agent = Agent::start(&site, &["--watch"]);
    assert_eq!(agent.ends().0, Some(2));
    until("the reason", || agent.stderr().contains("no_such_key"));
    for flags in [&["--every", "5"][..], &["--every", "10ms"], &["--poll", "1s"], &["--watch", "--poll", "1ms"]] {
        let mut agent = Agent::start(&site, flags);
        assert_eq!(agent.ends().0, Some(2), "{flags:?}");
    }
}
