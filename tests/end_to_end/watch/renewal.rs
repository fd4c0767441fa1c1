//! A configuration that changes under an agent that stays up; and what systemd is told of it.

use super::agent::{Agent, until};
use crate::support::Site;
use crate::support::server::{Act, Gate, Server};

fn findings(site: &Site) -> Vec<(String, String)> {
    let status = site.run(&["status", "--json"]).json();
    let text = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let of = |finding: &serde_json::Value| (text(finding, "kind"), text(finding, "message"));
    status["findings"].as_array().unwrap().iter().map(of).collect()
}

/// What the store keeps of a changed configuration that was not taken up.
fn refused(site: &Site) -> Option<String> {
    let store = rusqlite::Connection::open(site.path("store.db")).unwrap();
    let kept = store.query_row("SELECT value FROM setting WHERE key = 'configuration refused'", [], |row| row.get(0));
    kept.ok()
}

#[test]
fn i9_a_changed_configuration_is_taken_up_without_a_stop_while_a_request_is_on_its_way() {
    let server = Server::start();
    let gate = Gate::default();
    let closed = gate.clone();
    server.script(move |_| Act::take().behind(&closed));
    let site = Site::with(&server.url(), &["met", "wind"], "", "");
    let both = std::fs::read_to_string(site.path("config.toml")).unwrap();
    let one = &both[..both.rfind("[[table]]").unwrap()];
    std::fs::write(site.path("config.toml"), one).unwrap();
    site.write("met", 0..3);
    site.write("wind", 0..4);
    let mut agent = Agent::start(&site, &["--watch"]);
    until("a request on its way", || server.requests() == 1);
    let id = agent.id();
    std::fs::write(site.path("config.toml"), &both).unwrap();
    // The request still lies there, and the new table is read.
    until("the rows of the new table", || site.staged() == 7);
    assert_eq!(site.count("sent"), 0);
    until("it says so", || agent.stderr().contains("the configuration was changed, and is in force now"));
    gate.open();
    until("every row sent", || site.count("sent") == 7);
    assert!(agent.is_up() && agent.id() == id);
    let points = server.points();
    assert_eq!((points.len(), points.repeated, points.changed), (7, 0, 0));
    assert_eq!(refused(&site), None);
    agent.end();
}

#[test]
fn a_changed_configuration_that_is_wrong_is_a_finding_and_the_one_before_stays_in_force() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.write("met", 0..3);
    let agent = Agent::start(&site, &["--watch"]);
    until("rows sent", || site.count("sent") == 3);
    let right = std::fs::read_to_string(site.path("config.toml")).unwrap();
    std::fs::write(site.path("config.toml"), right.replace("[sync]", "[sync]\nno_such_key = 1")).unwrap();
    until("the refusal", || refused(&site).is_some_and(|why| why.contains("no_such_key")));
    until("the message", || agent.stderr().contains("the one before it stays in force"));
    assert_eq!(agent.stderr().matches("no_such_key").count(), 1, "{}", agent.stderr());
    site.write("met", 3..6);
    until("the next rows sent", || site.count("sent") == 6);
    // `status` of the wrong file is its own error; put right, the finding is gone without a restart.
    std::fs::write(site.path("config.toml"), &right).unwrap();
    until("the refusal is over", || refused(&site).is_none());
    until("the message", || agent.stderr().contains("again the one in force"));
    agent.end();
}

#[test]
fn a_changed_configuration_that_does_not_fit_the_store_is_given_up_for_the_one_before() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "wind"], "", "");
    let both = std::fs::read_to_string(site.path("config.toml")).unwrap();
    let one = &both[..both.rfind("[[table]]").unwrap()];
    site.write("met", 0..3);
    site.write("wind", 0..4);
    site.run(&["ingest"]).works();
    // As a later version might write it.
    let store = rusqlite::Connection::open(site.path("store.db")).unwrap();
    store.execute_batch("UPDATE logger_table SET clock = 'sundial' WHERE name = 'wind'").unwrap();
    std::fs::write(site.path("config.toml"), one).unwrap();
    let mut agent = Agent::start(&site, &["--watch"]);
    until("rows sent", || site.count("sent") == 3);
    std::fs::write(site.path("config.toml"), &both).unwrap();
    until("the refusal", || refused(&site).is_some_and(|why| why.contains("was staged with the clock sundial")));
    site.write("met", 3..6);
    until("the next rows sent", || site.count("sent") == 6);
    assert!(agent.is_up());
    std::fs::write(site.path("config.toml"), one).unwrap();
    until("the refusal is over", || refused(&site).is_none());
    agent.end();
    let points = server.points();
    assert_eq!((points.len(), points.repeated, points.changed), (6, 0, 0));
}

#[test]
fn i1_i9_an_offset_that_is_changed_while_it_runs_stops_nothing() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.write("met", 0..3);
    let mut agent = Agent::start(&site, &["--watch"]);
    until("rows sent", || site.count("sent") == 3);
    site.replace_in_config("+00:00", "-05:00");
    let is_unconfirmed = || findings(&site).iter().any(|(kind, _)| kind == "offset_unconfirmed");
    until("the finding", is_unconfirmed);
    site.write("met", 3..6);
    until("the next rows sent", || site.count("sent") == 6);
    assert!(agent.is_up() && refused(&site).is_none());
    site.replace_in_config("-05:00", "+00:00");
    until("the finding is over", || !is_unconfirmed());
    agent.end();
    let points = server.points();
    assert_eq!((points.len(), points.repeated, points.changed), (6, 0, 0));
}

#[test]
fn a_refusal_of_an_agent_that_has_ended_is_over_with_the_next_run() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..3);
    let store = rusqlite::Connection::open(site.path("store.db")).unwrap();
    store.execute("INSERT INTO setting (key, value) VALUES ('configuration refused', '1 wrong')", []).unwrap();
    assert!(
        findings(&site).iter().any(|(kind, message)| kind == "configuration_refused" && message.ends_with(": wrong"))
    );
    let _ = site.run(&["run"]).expect(0);
    assert_eq!(refused(&site), None);
}

#[cfg(target_os = "linux")]
#[test]
fn systemd_is_told_that_it_is_up_and_then_that_it_is_alive_by_a_path_or_an_abstract_name() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let server = Server::start();
    for is_abstract in [false, true] {
        let site = Site::new(&server.url());
        let name = format!("fluxtower-test-{}", std::process::id());
        let (address, variable) = match is_abstract {
            true => (SocketAddr::from_abstract_name(&name).unwrap(), format!("@{name}")),
            false => {
                let path = site.path("notify");
                (SocketAddr::from_pathname(&path).unwrap(), path.to_str().unwrap().to_owned())
            }
        };
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        socket.set_read_timeout(Some(std::time::Duration::from_secs(120))).unwrap();
        let mut child = site.command(&["run", "--watch"]).env("NOTIFY_SOCKET", variable).spawn().unwrap();
        let receive = || {
            let mut bytes = [0; 100];
            let length = socket.recv(&mut bytes).unwrap();
            String::from_utf8(bytes[..length].to_vec()).unwrap()
        };
        assert_eq!(receive(), "READY=1\nWATCHDOG=1");
        assert_eq!([receive(), receive()], ["WATCHDOG=1", "WATCHDOG=1"]);
        child.kill().unwrap();
        let _ = child.wait();
    }
}
