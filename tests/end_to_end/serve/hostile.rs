//! Requests that no page of ours would send, and names that no technician would give.

use std::io::Write as _;

use super::client::Served;
use super::station::{PAR, configured, lived};
use crate::support::Site;
use crate::support::server::Server;
use crate::support::{Logger, Station};

#[test]
fn a_request_for_another_host_is_not_answered() {
    let (tower, _) = lived();
    let served = Served::with(&tower.config_path(), &["--host", "tower.example"]);
    let port = served.address.port();
    for host in [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "192.168.1.1",
        "127.0.0.1.nip.io",
        "[::2]",
        "user@localhost",
        "",
    ] {
        let answer = served.ask("GET", "/api/status", &[&format!("Host: {host}")]);
        assert!(matches!(answer.code, 400 | 421), "{host}: {}", answer.head);
        assert!(!answer.text().contains("rows"), "{host}");
    }
    for host in [
        "localhost".to_owned(),
        format!("localhost:{port}"),
        format!("[::1]:{port}"),
        "127.0.0.1:9000".to_owned(),
        "Tower.example:80".to_owned(),
    ] {
        served.ask("GET", "/api/status", &[&format!("Host: {host}")]).expect(200);
    }
    let raw = |request: &str| String::from_utf8_lossy(&served.raw(request.as_bytes())).into_owned();
    for request in [
        "GET /api/status HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(),
        "GET /api/status HTTP/1.0\r\n\r\n".to_owned(),
        "GET /api/status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_owned(),
        "GET http://evil.example/api/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(),
    ] {
        let answer = raw(&request);
        assert!(answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4"), "{request}{answer}");
        assert!(!answer.contains("verdict"));
    }
}

#[test]
fn another_site_in_the_same_browser_may_link_here_and_nothing_else() {
    let (tower, _) = lived();
    let served = Served::start(&tower.config_path());
    let own = format!("Origin: http://{}", served.address);
    served.ask("GET", "/api/status", &[&own, "Sec-Fetch-Site: same-origin"]).expect(200);
    for headers in [
        &["Origin: http://evil.example"][..],
        &["Origin: null"],
        &["Origin: http://localhost:1"],
        &["Origin: file://"],
        &["Sec-Fetch-Site: cross-site"],
        &["Sec-Fetch-Site: same-site"],
        &["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"],
    ] {
        let answer = served.ask("GET", "/api/status", headers).expect(403);
        assert!(answer.header("access-control-allow-origin").is_none());
    }
    served
        .ask("GET", "/", &["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"])
        .expect(200);
    served
        .ask("GET", "/", &["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"])
        .expect(403);
}

#[test]
fn only_reading_is_answered() {
    let (tower, _) = lived();
    let served = Served::start(&tower.config_path());
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "BREW"] {
        for path in ["/", "/api/flags", "/nothing"] {
            let answer = served.ask(method, path, &["Content-Length: 0"]).expect(405);
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
    }
    let connect = served.ask("CONNECT", "evil.example:443", &[]);
    assert!(matches!(connect.code, 400 | 405), "{}", connect.head);
    assert!(served.ask("HEAD", "/api/status", &[]).expect(200).body.is_empty());
}

#[test]
fn no_path_leads_out_of_the_page() {
    let (tower, _) = lived();
    let served = Served::start(&tower.config_path());
    for path in [
        "/../config.toml",
        "/app/../../config.toml",
        "/app/..%2f..%2fconfig.toml",
        "/app/%2e%2e/%2e%2e/store.db",
        "/app/....//config.toml",
        "//config.toml",
        "/app//etc/passwd",
        "/app/%2fetc%2fpasswd",
        "/app/C:%5CWindows%5Cwin.ini",
        "/app/..%5c..%5cconfig.toml",
        "/app/index.html%00.js",
        "/app/%00",
        "/app/%ff%fe",
        "/app/",
        "/app",
        "/store.db",
        "/api/../store.db",
        "/api/station/..",
        "/web/index.html",
    ] {
        let answer = served.get(path);
        assert!(matches!(answer.code, 400 | 404), "{path}: {}", answer.head);
        assert!(!answer.text().contains("[station]") && !answer.text().contains("root:"), "{path}");
    }
    for bytes in [
        &b"GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
        b"GET",
    ] {
        let mut stream = served.connect();
        stream.write_all(bytes).unwrap();
        drop(stream);
    }
    served.get("/api/status").expect(200);
}

#[test]
fn what_is_too_long_is_refused_before_it_is_kept() {
    let (tower, _) = lived();
    let served = Served::start(&tower.config_path());
    let long = "a".repeat(60_000);
    let many: String = (0..5_000).map(|at| format!("X-{at}: {at}\r\n")).collect();
    for request in [
        format!("GET /app/{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        format!("GET /api/trace?table={long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"),
    ] {
        let answer = String::from_utf8_lossy(&served.raw(request.as_bytes())).into_owned();
        // A server that stops reading may be gone before its words arrive.
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{}", &answer[..answer.len().min(200)]);
    }
    let columns = vec!["TA"; 5_000].join(",");
    served.get(&format!("/api/trace?table=met&columns={columns}&from=1&to=2")).expect(400);
    served.get("/api/status").expect(200);
}

#[test]
fn names_of_html_and_script_come_out_as_names() {
    const STATION: &str = "<img src=x onerror=alert(1)></script><script>alert(2)</script>";
    let column = "</script><script>alert('column')</script>";
    let tower = Station::new();
    let text = String::from_utf8(tower.read("config.toml")).unwrap();
    std::fs::write(tower.config_path(), text.replace("\"US-UMB\"", &format!("'{STATION}'"))).unwrap();
    tower.write(
        "46m_PAR.dat",
        Logger::par().columns(&["PPFD", column, "a,b%2Cc", "<b>\u{2028}"]).file(0..20) + "<svg onload=alert(3)>\r\n",
    );
    tower.run(&["ingest"]).expect(1);
    let served = Served::start(&tower.config_path());
    let station = served.json("/api/station");
    assert_eq!(station["station"], STATION);
    let names: Vec<&str> = station["tables"][0]["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["PPFD", column, "a,b%2Cc", "<b>\u{2028}"]);
    let encoded = |name: &str| -> String {
        let twice: String = name.replace('%', "%25").replace(',', "%2C");
        twice
            .bytes()
            .map(
                |byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") },
            )
            .collect()
    };
    for name in names {
        let trace =
            served.json(&format!("/api/trace?table={PAR}&columns={},PPFD&from=1&to=9000000000000", encoded(name)));
        assert_eq!(trace["columns"][0]["name"], name);
    }
    assert_eq!(served.json("/api/rejected")["rejected"][0]["raw"], "<svg onload=alert(3)>");
    for path in ["/api/station", "/api/rejected", "/api/status"] {
        assert_eq!(served.get(path).header("content-type"), Some("application/json"));
    }
    let page = served.get("/").text();
    assert!(!page.contains("onerror") && !page.contains("alert("), "the page itself holds no name of the station");
    // An error repeats what was asked, as data.
    let error = served.get("/api/trace?table=%3Cscript%3Ealert(4)%3C/script%3E&columns=x&from=1&to=2").expect(404);
    assert!(error.json()["error"].as_str().unwrap().contains("<script>"));
    assert_eq!(error.header("content-type"), Some("application/json"));

    let report = tower.path("report.html");
    tower.run(&["report", "--output", report.to_str().unwrap()]).expect(0);
    let html = std::fs::read_to_string(report).unwrap();
    assert!(
        !html.contains("<img src=x") && !html.contains("<script>alert") && !html.contains("<svg onload"),
        "a name became markup"
    );
}

#[test]
fn i10_no_answer_and_no_report_holds_the_token() {
    const TOKEN: &str = "qZ3u9V_xLk7TtW0eR5yHcJ8mBnGd2sAf4oPi6UaEbXwKvNlQhDzSgMrCjYF1Opl";
    let server = Server::start();
    let mut site = Site::with(&server.url(), &["met"], "", "");
    TOKEN.clone_into(&mut site.token);
    site.stage(0..50);
    site.sync().expect(0);
    // The program may see it, as the agent that shares its environment does.
    let mut child = crate::support::start(|| {
        site.command(&["serve", "--port", "0", "--json"]).stdout(std::process::Stdio::piped()).spawn()
    });
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    let url = said["url"].as_str().unwrap().to_owned();
    for path in [
        "",
        "api/station",
        "api/status",
        "api/gaps",
        "api/rejected",
        "api/flags",
        "api/costs?from=1&to=9000000000000",
        "api/delivery?from=1&to=9000000000000",
        "config.toml",
        "fluxtower.log",
    ] {
        let text = reqwest::blocking::get(format!("{url}{path}")).unwrap().text().unwrap();
        assert!(!text.contains(TOKEN) && !text.contains("TEST_TOKEN"), "{path}: {text}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let report = site.path("report.html");
    site.run(&["report", "--output", report.to_str().unwrap()]).expect(0);
    let html = std::fs::read_to_string(report).unwrap();
    assert!(!html.contains(TOKEN) && !html.contains("TEST_TOKEN"));
}

#[test]
fn listening_for_others_is_possible_and_loudly_said() {
    let tower = configured();
    let served = Served::with(&tower.config_path(), &["--bind", "0.0.0.0"]);
    served.says("no password");
    served.get("/api/status").expect(200);
    served.ask("GET", "/api/status", &["Host: 192.168.1.5:8642"]).expect(200);
    served.ask("GET", "/api/status", &["Host: evil.example"]).expect(421);
}
