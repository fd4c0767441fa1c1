//! Tests the client against a minimal server on loopback.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use flate2::read::GzDecoder;
use url::Url;

use super::*;
use crate::config::{Header, Secret, Tls};
use crate::destination::{Bucket, CountAsk, Created, QueryError, Retention, SeriesAsk, Tally};
use crate::time::{Interval, Timestamp};

const TOKEN: &str = "s3cret-token";
/// A time limit that is longer than any of these tests on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
const LINES: &[u8] = b"m f=1 1\n";

/// A request as it arrived: head, then body.
type Arrived = (String, Vec<u8>);

/// Answers one connection after the other with the given answers, and returns the requests.
fn serve(answers: Vec<String>) -> (Url, JoinHandle<Vec<Arrived>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let served = std::thread::spawn(move || {
        answers
            .into_iter()
            .map(|answer| {
                let stream = accept(&listener);
                let mut reader = BufReader::new(stream);
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .map_or(0, |n| n.parse().unwrap());
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
                (head, body)
            })
            .collect()
    });
    (url, served)
}

/// Waits for a client, with a time limit.
fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                return stream;
            }
            Err(error) => assert!(Instant::now() < deadline, "no connection came: {error}"),
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

fn config(url: Url, api: Api) -> InfluxConfig {
    InfluxConfig {
        url,
        api,
        org: "umbs & co".to_owned(),
        bucket: "db/rp".to_owned(),
        secret: None,
        user: None,
        retention: None,
        timeout: PATIENCE,
        tls: Tls::default(),
        headers: Vec::new(),
        buckets: Vec::new(),
    }
}

/// Opens a client whose secret is in a file, as with `token_file`.
fn open(url: Url, api: Api) -> Influx {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{TOKEN}\n")).unwrap();
    let secret = Some(Secret::File(file.path().to_owned()));
    Influx::open(&InfluxConfig { secret, ..config(url, api) }).unwrap()
}

fn gzip() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(LINES).unwrap();
    encoder.finish().unwrap()
}

fn write(influx: &mut Influx) -> Answer {
    influx.write(&Request { bucket: None, lines: LINES, gzip: &gzip(), rows: 1 }).unwrap()
}

#[test]
fn i10_each_api_gets_its_own_request_and_the_token_in_a_header_only() {
    for (api, target, login) in [
        (Api::V1, "POST /write?db=db&rp=rp&precision=ns HTTP/1.1", "Token s3cret-token"),
        (Api::V2, "POST /api/v2/write?org=umbs+%26+co&bucket=db%2Frp&precision=ns HTTP/1.1", "Token s3cret-token"),
        (
            Api::V3,
            "POST /api/v3/write_lp?db=db%2Frp&precision=nanosecond&accept_partial=false HTTP/1.1",
            "Bearer s3cret-token",
        ),
    ] {
        let (url, served) = serve(vec![http("204 No Content", "", "")]);
        let mut influx = open(url, api);
        assert_eq!(write(&mut influx).outcome, Outcome::Stored);
        assert!(!influx.name().contains(TOKEN));
        let (head, body) = served.join().unwrap().remove(0);
        assert_eq!(head.lines().next(), Some(target));
        let agent = concat!("user-agent: fluxtower/", env!("CARGO_PKG_VERSION"));
        let login = format!("authorization: {login}");
        for header in [
            agent,
            &login,
            "content-type: text/plain; charset=utf-8",
            "accept: application/json",
            "content-encoding: gzip",
        ] {
            assert!(head.lines().any(|line| line == header), "{header} in {head}");
        }
        assert!(!head.contains("transfer-encoding"), "a sized body: {head}");
        let mut lines = Vec::new();
        GzDecoder::new(&body[..]).read_to_end(&mut lines).unwrap();
        assert_eq!(lines, LINES);
    }
}

#[test]
fn i10_a_user_of_v1_logs_in_by_header() {
    let (url, served) = serve(vec![http("204 No Content", "", "")]);
    let mut influx = open(url.clone(), Api::V1);
    influx.login = login(&InfluxConfig { user: Some("tower".to_owned()), ..config(url, Api::V1) }, Some("pw")).unwrap();
    assert_eq!(write(&mut influx).outcome, Outcome::Stored);
    let (head, _) = served.join().unwrap().remove(0);
    assert!(head.contains("authorization: Basic dG93ZXI6cHc="), "{head}");
    assert_eq!(head.lines().next(), Some("POST /write?db=db&rp=rp&precision=ns HTTP/1.1"));
}

#[test]
fn i10_a_server_that_quotes_the_token_is_edited() {
    let body = format!("{{\"message\":\"token {TOKEN} is unknown\"}}");
    let (url, served) = serve(vec![http("401 Unauthorized", "", &body)]);
    let answer = write(&mut open(url, Api::V2));
    assert_eq!(answer.message, "token [secret] is unknown");
    assert!(matches!(answer.outcome, Outcome::Held { .. }));
    served.join().unwrap();
}

#[test]
fn i5_a_redirect_is_not_followed() {
    let (url, served) = serve(vec![http("302 Found", "location: http://127.0.0.1:9/login\r\n", "")]);
    let answer = write(&mut open(url, Api::V2));
    assert_eq!(answer.status, Some(302));
    assert!(matches!(answer.outcome, Outcome::Held { fix } if fix.contains("http://127.0.0.1:9/login")));
    served.join().unwrap();
}

#[test]
fn i5_an_answer_that_does_not_arrive_whole_is_tried_again() {
    for answer in [
        "",
        "HTTP/1.1 204",
        "not http at all\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 100\r\n\r\n{\"message\":",
        "HTTP/1.1 401 Unauthorized\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc",
    ] {
        let (url, served) = serve(vec![answer.to_owned()]);
        let answer = write(&mut open(url, Api::V2));
        assert_eq!(answer.outcome, Outcome::Retry { after: None }, "{answer:?}");
        assert_eq!(answer.status, None);
        assert!(!answer.message.is_empty() && !answer.message.contains("/api/v2/write"), "{answer:?}");
        served.join().unwrap();
    }
}

#[test]
fn a_server_that_is_away_or_silent_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let impatient = InfluxConfig { timeout: Duration::from_secs(2), ..config(url, Api::V2) };
    let silent = write(&mut Influx::open(&impatient).unwrap());
    assert_eq!(silent.outcome, Outcome::Retry { after: None });
    assert!(silent.message.contains("no answer from http://127.0.0.1"), "{}", silent.message);
    // The local end of a connection: no program listens there, and no other test gets this port.
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let url = Url::parse(&format!("http://{}", near.local_addr().unwrap())).unwrap();
    let away = write(&mut open(url, Api::V2));
    assert_eq!(away.outcome, Outcome::Retry { after: None });
    assert!(away.message.contains("no connection to http://127.0.0.1"), "{}", away.message);
}

#[test]
fn a_long_complaint_is_read_in_part_only() {
    let (url, served) = serve(vec![http("413 Payload Too Large", "", &"x".repeat(200_000))]);
    let answer = write(&mut open(url, Api::V2));
    assert_eq!(answer.outcome, Outcome::Split);
    assert_eq!(answer.message.chars().count(), 600);
    // The server may find the connection closed before it has sent everything.
    let _ = served.join();
}

#[test]
fn i5_an_empty_request_never_reaches_the_server() {
    let url = Url::parse("http://127.0.0.1:9").unwrap();
    let request = Request { bucket: None, lines: b"", gzip: b"", rows: 0 };
    assert!(matches!(open(url, Api::V2).write(&request), Err(DestinationError::Empty)));
}

#[test]
fn i10_a_secret_that_cannot_be_sent_is_not_shown() {
    let url = Url::parse("http://127.0.0.1:9").unwrap();
    let error = login(&config(url, Api::V2), Some("two\nlines")).err().unwrap();
    assert!(matches!(error, DestinationError::SecretUnusable));
    assert!(!format!("{error} {error:?}").contains("two"));
}

#[test]
fn a_bucket_tells_how_long_it_keeps_rows() {
    let body = r#"{"buckets":[{"id":"0a","orgID":"0b","name":"db/rp","retentionRules":[{"type":"expire","everySeconds":2592000}]}]}"#;
    let empty = r#"{"buckets":[]}"#;
    let page = "content-type: application/json\r\n";
    let answers = vec![
        http("200 OK", page, body),
        http("200 OK", page, empty),
        http("401 Unauthorized", page, "{}"),
        http("200 OK", page, "<html>"),
    ];
    let (url, served) = serve(answers);
    let influx = open(url, Api::V2);
    assert_eq!(influx.retention(None), Ok(Retention::For(Duration::from_secs(2_592_000))));
    assert!(matches!(influx.retention(None), Ok(Retention::Unknown(_))));
    assert!(matches!(influx.retention(None), Ok(Retention::Unknown(_))));
    assert!(matches!(influx.retention(None), Err(QueryError::Unknown(_))));
    let requests = served.join().unwrap();
    assert!(
        requests[0].0.starts_with("GET /api/v2/buckets?org=umbs+%26+co&name=db%2Frp HTTP/1.1"),
        "{}",
        requests[0].0
    );
}

#[test]
fn a_new_bucket_says_how_long_it_keeps_rows() {
    let orgs = r#"{"orgs":[{"id":"0123456789abcdef","name":"umbs & co"}]}"#;
    let none = http("404 Not Found", "", r#"{"code":"not found","message":"bucket \"new\" not found"}"#);
    let (url, served) = serve(vec![none, http("200 OK", "", orgs), http("201 Created", "", "{}")]);
    let influx = open(url, Api::V2);
    assert_eq!(influx.create("new", None), Ok(Created::New));
    assert!(matches!(influx.create("new", Some(Duration::ZERO)), Err(QueryError::Refused { status: None, .. })));
    let (_, body) = served.join().unwrap().remove(2);
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["orgID"], "0123456789abcdef");
    assert_eq!(body["retentionRules"][0]["everySeconds"], 0);
}

#[test]
fn a_count_is_never_made_up() {
    let csv = "content-type: text/csv\r\n";
    let good = ",result,table,_field,_value\r\n,counts,0,f,5\r\n\r\n#default,,\r\n,result,table,_field,_value\r\n,sums,0,f,1.5\r\n";
    let failed = "#datatype,string,long\r\n,error,reference\r\n,engine: closed,897\r\n";
    let answers = vec![
        http("200 OK", csv, good),
        http("200 OK", csv, failed),
        http("200 OK", "content-type: text/html\r\n", ""),
        http("403 Forbidden", "", "{}"),
        http("503 Service Unavailable", "", ""),
        format!("HTTP/1.1 200 OK\r\n{csv}content-length: 500\r\n\r\n{good}"),
    ];
    let (url, served) = serve(answers);
    let influx = open(url, Api::V2);
    let fields = ["f".to_owned()];
    let series = SeriesAsk {
        bucket: None,
        measurement: "m",
        tags: &[],
        interval: Interval::new(Timestamp::EPOCH, Timestamp::from_nanos(9)),
    };
    let ask = CountAsk { series, fields: &fields, without_sum: &BTreeSet::new() };
    let counted = influx.count(&ask).unwrap();
    assert_eq!(counted.per_field["f"], Tally { count: 5, sum: 1.5 });
    assert!(matches!(influx.count(&ask), Err(QueryError::Unknown(_))));
    assert!(matches!(influx.count(&ask), Err(QueryError::Unknown(_))));
    assert!(matches!(influx.count(&ask), Err(QueryError::Refused { status: Some(403), .. })));
    assert!(matches!(influx.count(&ask), Err(QueryError::Unreachable(_))));
    assert!(matches!(influx.count(&ask), Err(QueryError::Unreachable(_))));
    served.join().unwrap();
}

#[test]
fn ids_stand_under_the_names_that_take_ids() {
    let page = "content-type: application/json\r\n";
    let body = r#"{"buckets":[{"id":"f3da864d5713c24f","name":"tower","retentionRules":[]}]}"#;
    let (url, served) = serve(vec![http("200 OK", page, body), http("204 No Content", "", "")]);
    let ids = InfluxConfig {
        org: "382f01bf7948281b".to_owned(),
        bucket: "f3da864d5713c24f".to_owned(),
        ..config(url, Api::V2)
    };
    let mut influx = Influx::open(&ids).unwrap();
    assert_eq!(influx.look(None).is_there, Some(true));
    assert_eq!(write(&mut influx).outcome, Outcome::Stored);
    let heads: Vec<_> = served.join().unwrap().into_iter().map(|(head, _)| head).collect();
    assert!(
        heads[0].starts_with("GET /api/v2/buckets?orgID=382f01bf7948281b&id=f3da864d5713c24f HTTP"),
        "{}",
        heads[0]
    );
    assert!(heads[1].starts_with("POST /api/v2/write?orgID=382f01bf7948281b&bucket=f3da864d5713c24f&"), "{}", heads[1]);
}

#[test]
fn an_empty_write_tells_whether_a_write_would_be_taken() {
    let refused = r#"{"code":"forbidden","message":"insufficient permissions for write"}"#;
    let json = "content-type: application/json\r\n";
    let cloud = http("400 Bad Request", json, r#"{"code":"invalid","message":"writing requires points"}"#);
    let (url, served) = serve(vec![http("204 No Content", "", ""), cloud, http("403 Forbidden", json, refused)]);
    let mut influx = open(url, Api::V2);
    assert_eq!(influx.may_write(None).unwrap().unwrap().outcome, Outcome::Stored);
    assert_eq!(influx.may_write(None).unwrap().unwrap().outcome, Outcome::Stored);
    let answer = influx.may_write(Some("soil")).unwrap().unwrap();
    assert!(matches!(answer.outcome, Outcome::Held { fix } if fix.contains("bucket \"soil\"")));
    for (head, body) in served.join().unwrap() {
        assert!(head.starts_with("POST /api/v2/write?") && body.is_empty(), "{head}");
    }
}

#[test]
fn influxdb_2_behind_v1_does_not_tell_how_long_it_keeps_rows() {
    let policies = r#"{"results":[{"statement_id":0,"series":[{"columns":["name","duration","shardGroupDuration","replicaN","default"],"values":[["autogen","0s","168h0m0s",1,true]]}]}]}"#;
    let databases =
        r#"{"results":[{"statement_id":0,"series":[{"name":"databases","columns":["name"],"values":[["db"]]}]}]}"#;
    for (version, is_known) in [("1.6.7~rc0", true), ("v2.7.12", false)] {
        let headers =
            format!("content-type: application/json\r\nx-influxdb-build: OSS\r\nx-influxdb-version: {version}\r\n");
        let (url, served) = serve(vec![http("200 OK", &headers, databases), http("200 OK", &headers, policies)]);
        let mut influx = Influx::open(&InfluxConfig { bucket: "db".to_owned(), ..config(url, Api::V1) }).unwrap();
        let look = influx.look(None);
        assert_eq!(look.is_there, Some(true));
        assert_eq!(look.retention == Retention::Forever, is_known, "{version}: {look:?}");
        served.join().unwrap();
    }
}

/// The list has only names, the system table has the periods (docs/influx-answers.md#retention-and-bucket-identity).
#[test]
fn influxdb_3_tells_retention_in_its_system_table_and_a_database_that_is_gone_is_known() {
    let page = "content-type: application/json\r\n";
    let list = r#"[{"iox::database":"_internal"},{"iox::database":"db"},{"iox::database":"ever"}]"#;
    let table = r#"[{"database_name":"db","retention_period_ns":2592000000000000},{"database_name":"ever"}]"#;
    let both = [http("200 OK", page, list), http("200 OK", page, table)];
    let (url, served) = serve([both.clone(), both.clone(), both].concat());
    let mut influx = open(url, Api::V3);
    let month = Retention::For(Duration::from_secs(2_592_000));
    let known = influx.look(Some("db"));
    assert_eq!((known.is_there, known.retention), (Some(true), month));
    assert_eq!(influx.look(Some("ever")).retention, Retention::Forever);
    let gone = influx.look(Some("soil"));
    assert_eq!(gone.is_there, Some(false));
    let heads: Vec<_> = served.join().unwrap().into_iter().map(|(head, _)| head).collect();
    assert!(heads[1].starts_with("GET /api/v3/query_sql?db=_internal&"), "{}", heads[1]);
}

#[test]
fn a_database_of_influxdb_3_without_retention_is_made_without_the_key() {
    let list = http("200 OK", "content-type: application/json\r\n", "[]");
    let made = http("200 OK", "content-type: application/json\r\n", "{}");
    let (url, served) = serve(vec![list.clone(), made.clone(), list, made]);
    let influx = open(url, Api::V3);
    assert_eq!(influx.create("ever", None), Ok(Created::New));
    assert_eq!(influx.create("month", Some(Duration::from_secs(2_592_000))), Ok(Created::New));
    let bodies: Vec<_> = served.join().unwrap().into_iter().map(|(_, body)| String::from_utf8(body).unwrap()).collect();
    assert_eq!(bodies[1], r#"{"db":"ever"}"#);
    assert_eq!(bodies[3], r#"{"db":"month","retention_period":"2592000s"}"#);
}

#[test]
fn a_bucket_that_is_there_already_is_said_and_left_as_it_is() {
    let body = r#"{"buckets":[{"id":"0a","name":"tower","retentionRules":[{"everySeconds":86400}]}]}"#;
    let (url, served) = serve(vec![http("200 OK", "content-type: application/json\r\n", body)]);
    let day = Retention::For(Duration::from_secs(86_400));
    let there = Bucket { name: "tower".to_owned(), id: Some("0a".to_owned()), retention: day };
    assert_eq!(open(url, Api::V2).create("tower", None), Ok(Created::WasThere(there)));
    served.join().unwrap();
}

#[test]
fn i10_configured_headers_go_out_with_each_request_and_come_back_in_no_message() {
    let quoting = r#"{"code":"unauthorized","message":"unknown client gate-s3cret"}"#;
    let (url, served) = serve(vec![http("401 Unauthorized", "content-type: application/json\r\n", quoting)]);
    let headers = vec![Header::new("X-Site", "a"), Header::new("CF-Access-Client-Secret", "gate-s3cret")];
    let guarded = InfluxConfig { headers, ..config(url, Api::V2) };
    assert!(!format!("{guarded:?}").contains("gate-s3cret"));
    let mut influx = Influx::open(&guarded).unwrap();
    let answer = write(&mut influx);
    assert!(answer.message.contains("[secret]") && !answer.message.contains("gate-s3cret"), "{answer:?}");
    assert!(
        answer.message.contains("unauthorized") || answer.message.contains("unknown"),
        "a short value stays a plain letter"
    );
    let (head, _) = served.join().unwrap().remove(0);
    assert!(head.contains("cf-access-client-secret: gate-s3cret") && head.contains("x-site: a"), "{head}");
}

#[test]
fn a_certificate_that_cannot_be_used_is_named_and_its_content_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tower.pem");
    let url = Url::parse("https://127.0.0.1:9").unwrap();
    let with = |tls: Tls| Influx::open(&InfluxConfig { tls, ..config(url.clone(), Api::V2) }).err().unwrap();
    let ca = || Tls { ca_file: Some(path.clone()), ..Tls::default() };
    let client = || Tls { client_cert_file: Some(path.clone()), ..Tls::default() };
    assert!(with(ca()).to_string().contains("tower.pem"), "is not there");
    std::fs::write(&path, "s3cret").unwrap();
    for error in [with(ca()), with(client())] {
        assert!(matches!(error, DestinationError::Certificate { .. }) && error.is_permanent());
        assert!(error.to_string().contains("tower.pem") && !format!("{error} {error:?}").contains("s3cret"), "{error}");
    }
}
