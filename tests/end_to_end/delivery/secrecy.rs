//! I10: the token goes into one header and nowhere else.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::Site;
use crate::support::server::{Act, Gate, Reply, Server};

/// As Cloud makes them: 64 letters of base64, made from nothing that a search could find by chance.
const TOKEN: &str = "qZ3u9V_xLk7/TtW0eR5+yHcJ8mBnGd2sAf4oPi6UaEbXwKvNlQhDzSgMrCjYF1Opl==";

fn site(server: &Server, destination: &str) -> Site {
    let mut site = Site::with(&server.url(), &["met"], destination, "deadline = \"4s\"");
    TOKEN.clone_into(&mut site.token);
    site.stage(0..50);
    site
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    memchr::memmem::find(bytes, secret.as_bytes()).is_some()
}

/// Every file that the program left: database, WAL, locks, logs.
fn leaves_no_trace(folder: &Path, secret: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(!holds(&std::fs::read(&path).unwrap(), secret), "{} holds the secret", path.display());
    }
}

/// Runs every command that talks, at its loudest; nothing said or kept may hold `secret`.
fn is_quiet(site: &Site, secret: &str) {
    for arguments in [
        &["-vv", "sync"][..],
        &["-vv", "sync", "--json"],
        &["-vv", "run", "--json"],
        &["-vv", "status"],
        &["-vv", "status", "--json"],
        &["-vv", "rejected", "--json"],
        &["-vv", "replay", "--rejected"],
    ] {
        let ran = site.run(arguments);
        assert!(!holds(ran.stdout.as_bytes(), secret), "{arguments:?}: {}", ran.stdout);
        assert!(!holds(ran.stderr.as_bytes(), secret), "{arguments:?}: {}", ran.stderr);
    }
    leaves_no_trace(site.folder(), secret);
}

/// What the client sent as its login.
fn login(server: &Server) -> String {
    server.seen()[0].header("authorization").unwrap().to_owned()
}

#[test]
fn i10_the_token_is_in_no_output_no_log_and_no_database() {
    let server = Server::start();
    let site = site(&server, "");
    is_quiet(&site, TOKEN);
    assert_eq!(login(&server), format!("Token {TOKEN}"));
    assert!(server.seen().iter().all(|seen| !seen.path.contains(TOKEN)));
    assert_eq!(site.count("sent"), 50);
}

#[test]
fn i10_a_server_that_quotes_the_login_gives_nothing_away() {
    let quote = |asked: &crate::support::server::Asked<'_>| {
        let (_, login) = asked.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization")).unwrap();
        login.clone()
    };
    let case = |status: u16, escape: bool| {
        let server = Server::start();
        let site = site(&server, "");
        site.sync().expect(0);
        site.stage(0..60);
        server.script(move |asked| {
            let mut login = quote(asked);
            if escape {
                // As some JSON writers spell `/` and `=`.
                login = login.replace('/', "\\/").replace('=', "\\u003d");
            }
            Act::say(Reply::json(status, &format!(r#"{{"code":"x","message":"bad header Authorization: {login}"}}"#)))
        });
        is_quiet(&site, TOKEN);
        assert!(server.requests() > 1, "{status}");
    };
    // Side by side: where a server fails, most of the time is spent waiting before the next attempt.
    std::thread::scope(|scope| {
        for (status, escape) in
            [(401, false), (400, false), (500, false), (503, false), (200, false), (401, true), (400, true)]
        {
            scope.spawn(move || case(status, escape));
        }
    });
}

#[test]
fn i10_a_redirect_that_quotes_the_token_gives_nothing_away() {
    let server = Server::start();
    let site = site(&server, "");
    server.script(|_| {
        Act::say(Reply::new(302).with("Location", &format!("https://login.example.org/?next=/write&auth={TOKEN}")))
    });
    is_quiet(&site, TOKEN);
    let spelled = TOKEN.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
    let target = format!("https://login.example.org/?next=/write&auth={spelled}");
    server.script(move |_| Act::say(Reply::new(302).with("Location", &target)));
    is_quiet(&site, &spelled);
    assert!(site.sync().notes().contains("login.example.org"));
}

#[test]
fn i10_a_quoted_basic_login_gives_no_password_away() {
    let server = Server::start();
    let mut site = Site::new(&server.url());
    TOKEN.clone_into(&mut site.token);
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    let config =
        config.replace("token_env", "api = \"v1\"\nuser = \"tower\"\npassword_env").replace("org = \"umbs\"\n", "");
    std::fs::write(site.path("config.toml"), config).unwrap();
    site.stage(0..50);
    server.script(|asked| {
        let (_, login) = asked.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization")).unwrap();
        Act::refuse(401, &format!("authorization failed: {login}"))
    });
    site.sync().expect(3);
    let login = login(&server);
    let encoded = login.strip_prefix("Basic ").unwrap();
    is_quiet(&site, encoded);
    is_quiet(&site, TOKEN);
}

#[cfg(target_os = "linux")]
#[test]
fn i10_the_token_is_not_on_the_command_line() {
    let server = Server::start();
    let site = site(&server, "");
    let gate = Gate::default();
    let closed = gate.clone();
    server.script(move |_| Act::take().behind(&closed));
    let mut sync = site.spawn(&["-vv", "sync"]);
    let until = Instant::now() + Duration::from_secs(60);
    while server.requests() == 0 {
        assert!(Instant::now() < until, "no request came");
        std::thread::sleep(Duration::from_millis(10));
    }
    let line = std::fs::read(format!("/proc/{}/cmdline", sync.id())).unwrap();
    assert!(holds(&line, "sync") && !holds(&line, TOKEN));
    gate.open();
    assert!(sync.wait().unwrap().success());
}

#[test]
fn i10_a_redirect_of_the_heartbeat_does_not_name_its_address() {
    use std::io::{Read as _, Write as _};
    let (first, second) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (from, to) = (first.local_addr().unwrap(), second.local_addr().unwrap());
    // One request each; gives what was asked.
    let hear = |listener: TcpListener, answer: String| {
        std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut asked = Vec::new();
            while memchr::memmem::find(&asked, b"\r\n\r\n").is_none() {
                let mut part = [0; 1_024];
                let length = stream.read(&mut part).unwrap();
                assert!(length > 0, "the request broke off");
                asked.extend_from_slice(&part[..length]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(asked).unwrap()
        })
    };
    let end = "Content-Length: 0\r\nConnection: close\r\n\r\n";
    let redirect = hear(first, format!("HTTP/1.1 302 Found\r\nLocation: http://{to}/elsewhere\r\n{end}"));
    let elsewhere = hear(second, format!("HTTP/1.1 200 OK\r\n{end}"));
    let url = url::Url::parse(&format!("http://{from}/ping/s3cret-of-the-station")).unwrap();
    fluxtower::destination::beat(&url).unwrap();
    assert!(redirect.join().unwrap().starts_with("GET /ping/s3cret-of-the-station "));
    let asked = elsewhere.join().unwrap();
    assert!(asked.starts_with("GET /elsewhere ") && !asked.contains("s3cret"), "{asked}");
}

#[test]
fn i10_a_header_that_repeats_the_token_is_printed_by_no_command() {
    let server = Server::start();
    let site = site(&server, "");
    let echo = |reply: Reply| reply.with("X-Influxdb-Version", TOKEN).with("X-Influxdb-Build", TOKEN);
    server.answer(move |path| path.starts_with("/api/v2/buckets").then(|| echo(Reply::json(200, r#"{"buckets":[]}"#))));
    server.script(move |_| Act::say(echo(Reply::refusal(401, "unauthorized"))));
    for arguments in [&["-vv", "check"][..], &["check", "--json"]] {
        let ran = site.run(arguments);
        assert!(ran.stdout.contains("[secret]"), "the header is not shown, so this shows nothing: {}", ran.stdout);
        assert!(!holds(ran.stdout.as_bytes(), TOKEN) && !holds(ran.stderr.as_bytes(), TOKEN), "{ran:?}");
    }
    is_quiet(&site, TOKEN);
}

#[cfg(unix)]
#[test]
fn a_pipe_as_token_file_is_refused_at_once() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..10);
    site.replace_in_config("token_env = \"FLUXTOWER_TEST_TOKEN\"", "token_file = \"token.pipe\"");
    let made = std::process::Command::new("mkfifo").arg(site.path("token.pipe")).status().unwrap();
    assert!(made.success());
    site.sync().expect(2).says("is no regular file");
    assert_eq!(site.count("pending"), 10);
}
