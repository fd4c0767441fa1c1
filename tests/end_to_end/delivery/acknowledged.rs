//! I5: only the configured endpoint's 204 marks a row. Everything else leaves it, and says what to do.

use crate::support::Site;
use crate::support::server::{Act, Reply, Server};

/// Refuses with `reply`, expects the run to be held with `words` in its mend, and nothing marked.
fn is_held(server: &Server, site: &Site, reply: Reply, words: &str) {
    let status = reply.status;
    let before = site.in_state("pending");
    server.forget_requests();
    server.script(move |_| Act::say(reply.clone()));
    let ran = site.sync().expect(3);
    assert_eq!(ran.json()["stopped_by"], "held", "{status}");
    assert_eq!((ran.number("sent"), ran.number("rejected"), ran.number("expired")), (0, 0, 0), "{status}");
    assert_eq!(site.in_state("pending"), before, "{status}");
    assert_eq!(server.requests(), 1, "{status} was asked about more than once");
    assert!(ran.notes().contains(words), "{status}: no \"{words}\" in {}", ran.notes());
}

/// Everything is still there to be sent.
fn is_sent_at_last(server: &Server, site: &Site) {
    server.take_all();
    site.sync().expect(0);
    assert_eq!(site.count("pending"), 0);
    assert_eq!(site.in_state("sent"), server.points().rows());
}

#[test]
fn i5_no_other_2xx_marks_a_row() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..50);
    let links = r#"{"authorizations":"/api/v2/authorizations","buckets":"/api/v2/buckets"}"#;
    let partial = r#"{"code":"invalid","line":2,"message":"partial write has occurred"}"#;
    for (reply, words) in [
        (Reply::json(200, links), "`url` must be scheme, host and port only"),
        (Reply::html(200, "<!DOCTYPE html><html>Welcome to Campus WiFi</html>"), "log in to this network"),
        (Reply::new(200), "204 would"),
        (Reply::json(201, partial), "only a part"),
        (Reply::new(202), "does not say that it stored"),
        (Reply::new(206), "does not say that it stored"),
        (Reply::new(208), "does not say that it stored"),
        (Reply::new(226), "204 would"),
    ] {
        is_held(&server, &site, reply, words);
    }
    assert_eq!(server.points().len(), 0);
    is_sent_at_last(&server, &site);
}

#[test]
fn i5_a_redirect_is_not_followed_and_marks_nothing() {
    let elsewhere = Server::start();
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..50);
    for status in [301, 302, 303, 307, 308] {
        let reply = Reply::new(status).with("Location", &format!("{}/api/v2/write", elsewhere.url()));
        is_held(&server, &site, reply, &elsewhere.url());
    }
    is_held(&server, &site, Reply::new(308), "another address");
    assert_eq!(elsewhere.connections(), 0);
    is_sent_at_last(&server, &site);
}

#[test]
fn i5_a_refusal_of_the_account_holds_everything() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..50);
    for (reply, words) in [
        (Reply::json(401, r#"{"code":"unauthorized","message":"unauthorized access"}"#), "the token is wrong"),
        (Reply::json(403, r#"{"code":"forbidden","message":"insufficient permissions"}"#), "write permission"),
        (Reply::json(404, r#"{"code":"not found","message":"bucket \"tower\" not found"}"#), "bucket"),
        (Reply::refusal(400, "org not found"), "`org`"),
        (Reply::html(405, "nginx"), "`api`"),
        (Reply::html(407, ""), "proxy"),
        (Reply::html(411, "Length Required"), "proxy"),
        (Reply::new(415), "gzip"),
        (Reply::html(511, ""), "login page"),
    ] {
        is_held(&server, &site, reply, words);
    }
    let status = site.run(&["status", "--json"]).expect(1);
    assert!(status.json()["verdict"].as_str().unwrap().contains("login page"), "{status:?}");
    is_sent_at_last(&server, &site);
}

#[test]
fn i5_a_mend_is_said_without_json_too() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..5);
    server.script(|_| Act::refuse(401, "unauthorized access"));
    let ran = site.run(&["sync"]).expect(3);
    assert!(ran.stdout.contains("the token is wrong") && ran.stderr.contains("unauthorized access"), "{ran:?}");
}

#[test]
fn i5_an_empty_store_makes_no_request() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..0);
    // A table without a row is a finding.
    assert_eq!(site.sync().expect(1).number("requests"), 0);
    assert_eq!(server.connections(), 0);
}

#[test]
fn i5_a_request_says_what_a_server_needs_to_know() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..50);
    site.sync().expect(0);
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].path, "/api/v2/write?org=umbs&bucket=tower&precision=ns");
    assert_eq!(seen[0].header("content-encoding"), Some("gzip"));
    assert_eq!(seen[0].header("content-length"), Some(seen[0].wire_bytes.to_string().as_str()));
    assert_eq!(seen[0].header("transfer-encoding"), None);
    assert_eq!(seen[0].header("authorization"), Some("Token not-a-secret"));
    assert!(seen[0].header("user-agent").is_some_and(|agent| agent.starts_with("fluxtower/")));
}
