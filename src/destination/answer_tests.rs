//! Tests every row of the status table (docs/influx-answers.md#what-each-status-means).

use reqwest::header::{HeaderName, HeaderValue};

use super::*;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect()
}

fn answer(api: Api, status: u16, body: &str) -> Answer {
    read(Target { api, bucket: "tower" }, status, &HeaderMap::new(), body)
}

#[derive(Debug, PartialEq)]
enum Is {
    Stored,
    Split,
    Failing,
    Retry,
    Held,
}

fn kind(answer: &Answer) -> Is {
    match &answer.outcome {
        Outcome::Stored => Is::Stored,
        Outcome::Split => Is::Split,
        Outcome::Failing => Is::Failing,
        Outcome::Retry { .. } => Is::Retry,
        Outcome::Held { fix } => {
            assert!(!fix.is_empty());
            Is::Held
        }
    }
}

#[test]
fn i5_nothing_but_204_is_stored() {
    for api in [Api::V1, Api::V2, Api::V3] {
        for status in 100..1000 {
            assert_eq!(kind(&answer(api, status, "")) == Is::Stored, status == 204, "{status}");
        }
    }
}

#[test]
fn each_status_has_its_outcome() {
    for (status, is) in [
        (200, Is::Held),
        (201, Is::Held),
        (202, Is::Held),
        (206, Is::Held),
        (207, Is::Held),
        (208, Is::Held),
        (301, Is::Held),
        (302, Is::Held),
        (303, Is::Held),
        (304, Is::Held),
        (307, Is::Held),
        (308, Is::Held),
        (400, Is::Split),
        (401, Is::Held),
        (403, Is::Held),
        (404, Is::Held),
        (405, Is::Held),
        (407, Is::Held),
        (408, Is::Retry),
        (411, Is::Held),
        (413, Is::Split),
        (415, Is::Held),
        (418, Is::Held),
        (422, Is::Split),
        (429, Is::Retry),
        (499, Is::Retry),
        (500, Is::Failing),
        (501, Is::Held),
        (502, Is::Retry),
        (503, Is::Retry),
        (504, Is::Retry),
        (507, Is::Retry),
        (511, Is::Held),
        (522, Is::Retry),
    ] {
        for api in [Api::V1, Api::V2, Api::V3] {
            assert_eq!(kind(&answer(api, status, "")), is, "{status}");
        }
    }
}

#[test]
fn the_message_decides_where_the_status_does_not() {
    for (api, status, body, is) in [
        // 2.3 (2): the server's own fault as 400.
        (
            Api::V2,
            400,
            r#"{"code":"invalid","message":"write buffer error: error from wal: wal is shutdown and not accepting writes"}"#,
            Is::Retry,
        ),
        (
            Api::V2,
            400,
            r#"{"code":"invalid","message":"write buffer error: error from wal: wal buffer full with 10000 ops"}"#,
            Is::Retry,
        ),
        (Api::V3, 400, r#"{"error":"write buffer error: error from wal: object store error: timed out"}"#, Is::Retry),
        (Api::V2, 400, r#"{"code":"invalid","message":"write buffer error: persister error: x"}"#, Is::Retry),
        (
            Api::V2,
            400,
            r#"{"code":"invalid","message":"dml handler error: rejected write: system overloaded - reduce write rate"}"#,
            Is::Retry,
        ),
        (
            Api::V2,
            400,
            r#"{"code":"invalid","message":"write buffer error: line protocol parse failed: invalid column type"}"#,
            Is::Split,
        ),
        (
            Api::V2,
            400,
            r#"{"code":"invalid","message":"write buffer error: line protocol parse failed: \"wal is shutdown\""}"#,
            Is::Split,
        ),
        // 2.1: complaints about lines.
        (Api::V2, 400, r#"{"code":"invalid","message":"unable to parse 'invalid': missing fields"}"#, Is::Split),
        (
            Api::V2,
            400,
            r#"{"code":"invalid","message":"unable to parse 'bucket not found f=x 1': invalid number"}"#,
            Is::Split,
        ),
        (
            Api::V2,
            400,
            r#"{"code":"invalid","line":2,"message":"partial write has occurred, errors encountered on line(s): 2"}"#,
            Is::Split,
        ),
        (
            Api::V2,
            400,
            r#"{"code":"invalid","message":"partial write error (5 accepted): 1 out of 6 points rejected (check rejected_points)"}"#,
            Is::Split,
        ),
        (Api::V1, 400, r#"{"error":"partial write: field type conflict: input field \"f\" dropped=0"}"#, Is::Split),
        (Api::V1, 400, r#"{"error":"partial write: points beyond retention policy dropped=1"}"#, Is::Split),
        (
            Api::V3,
            400,
            r#"{"error":"partial write of line protocol occurred","data":[{"original_line":"x"}]}"#,
            Is::Split,
        ),
        (
            Api::V2,
            422,
            r#"{"code":"unprocessable entity","message":"failure writing points to database: partial write: points beyond retention policy dropped=1"}"#,
            Is::Split,
        ),
        (Api::V2, 413, "<html><title>413 Request Entity Too Large</title></html>", Is::Split),
        // 2.2: configuration as 400.
        (Api::V2, 400, r#"{"code":"invalid","message":"org not found"}"#, Is::Held),
        (
            Api::V2,
            400,
            r#"{"code":"invalid","message":"invalid precision; valid precision units are ns, us, ms, and s"}"#,
            Is::Held,
        ),
        (Api::V3, 400, r#"{"error":"missing query parameter 'db'"}"#, Is::Held),
        (Api::V3, 400, "requestURI: /api/v3/write_lp; unsupported path requested: \"/api/v3/write_lp\"", Is::Held),
        // 2.2: retention as 403.
        (
            Api::V2,
            403,
            r#"{"code":"forbidden","message":"data in table m is outside of the retention period: minimum …"}"#,
            Is::Split,
        ),
        (Api::V2, 403, r#"{"code":"forbidden","message":"insufficient permissions for write"}"#, Is::Held),
        // 2.3 (3): a permanent fault as 500 stays failing; a missing policy is no row's fault.
        (Api::V2, 500, r#"{"code":"internal error","message":"engine: field type conflict"}"#, Is::Failing),
        (
            Api::V2,
            500,
            r#"{"code":"internal error","message":"An internal error has occurred - check server logs"}"#,
            Is::Failing,
        ),
        (Api::V1, 500, r#"{"error":"timeout"}"#, Is::Failing),
        (Api::V1, 500, r#"{"error":"retention policy not found: y"}"#, Is::Held),
        (Api::V1, 404, r#"{"error":"database not found: \"x\""}"#, Is::Held),
        (Api::V2, 503, r#"{"status":"starting"}"#, Is::Retry),
        (Api::V1, 503, "request throttled, queue full", Is::Retry),
    ] {
        assert_eq!(kind(&answer(api, status, body)), is, "{status} {body}");
    }
}

#[test]
fn a_success_that_is_none_names_its_fix() {
    let fix = |status, pairs: &[(&str, &str)], body| match read(
        Target { api: Api::V2, bucket: "tower" },
        status,
        &headers(pairs),
        body,
    )
    .outcome
    {
        Outcome::Held { fix } => fix,
        other => panic!("{other:?}"),
    };
    assert!(fix(200, &[("content-type", "text/html")], "").contains("captive portal"));
    assert!(fix(200, &[], "<!DOCTYPE html><html>Login").contains("captive portal"));
    assert!(
        fix(200, &[("content-type", "application/json")], "{\"links\":[]}")
            .contains("`url` must be scheme, host and port only")
    );
    assert!(fix(200, &[], "").contains("204"));
    assert!(fix(201, &[], "{\"code\":\"partial\"}").contains("only a part"));
    assert!(fix(202, &[], "").contains("stands between"));
    let moved = fix(308, &[("location", "https://example.org/api/v2/write")], "");
    assert!(moved.contains("https://example.org/api/v2/write"), "{moved}");
    assert!(fix(302, &[], "").contains("`url`"));
}

#[test]
fn a_server_that_asks_for_time_gets_it_up_to_an_hour() {
    let after = |pairs: &[(&str, &str)]| match read(Target { api: Api::V2, bucket: "tower" }, 429, &headers(pairs), "")
        .outcome
    {
        Outcome::Retry { after } => after.map(|after| after.as_secs()),
        other => panic!("{other:?}"),
    };
    let date = ("date", "Mon, 23 Nov 2026 12:00:00 GMT");
    assert_eq!(after(&[]), None);
    assert_eq!(after(&[("retry-after", "30")]), Some(30));
    assert_eq!(after(&[("retry-after", "0")]), Some(0));
    assert_eq!(after(&[("retry-after", "86400")]), Some(3600));
    assert_eq!(after(&[("retry-after", "99999999999999999999999")]), Some(3600));
    assert_eq!(after(&[("retry-after", "-5")]), None);
    assert_eq!(after(&[("retry-after", "soon")]), None);
    assert_eq!(after(&[date, ("retry-after", "Mon, 23 Nov 2026 12:01:30 GMT")]), Some(90));
    assert_eq!(after(&[date, ("retry-after", "Monday, 23-Nov-26 12:01:30 GMT")]), Some(90));
    assert_eq!(after(&[date, ("retry-after", "Mon Nov 23 12:01:30 2026")]), Some(90));
    assert_eq!(after(&[date, ("retry-after", "Mon, 23 Nov 2026 11:00:00 GMT")]), Some(0));
    assert_eq!(after(&[date, ("retry-after", "Tue, 24 Nov 2026 12:00:00 GMT")]), Some(3600));
}

#[test]
fn an_answer_carries_the_servers_clock_and_its_message() {
    let pairs = headers(&[("date", "Mon, 23 Nov 2026 12:00:00 GMT")]);
    let answer = read(
        Target { api: Api::V2, bucket: "tower" },
        422,
        &pairs,
        "{\"code\":\"x\",\"message\":\"line one\\nline\\ttwo\"}",
    );
    assert_eq!(answer.status, Some(422));
    assert_eq!(answer.message, "line one line two");
    assert_eq!(answer.server_time.unwrap().to_rfc3339(), "2026-11-23T12:00:00+00:00");
    let v3 = r#"{"error":"line protocol parsing error","data":{"line_number":1,"error_message":"bad"}}"#;
    assert!(super::message(v3).contains("bad"));
    assert_eq!(super::message(r#"{"error":"the request was not authenticated"}"#), "the request was not authenticated");
    let long = cleaned(&format!("start {} end", "é".repeat(2000)));
    assert_eq!(long.chars().count(), 600);
    assert!(long.starts_with("start") && long.ends_with("end"));
}

#[test]
fn retention_is_known_by_its_message() {
    for (message, speaks) in [
        ("partial write: points beyond retention policy dropped=1", true),
        ("data in table m is outside of the Retention Period", true),
        ("the bucket rejects data older than the retention period", true),
        ("retention period exceeded", true),
        ("retention policy not found: x", false),
        ("field type conflict: input field \"water_retention\" on measurement \"soil\" is type float", false),
        // InfluxDB 1.12 names the retention policy as the place of every partial write.
        (
            "partial write: field type conflict: input field \"RH\" on measurement \"met\" is type float, already exists as type \
             integer dropped=1 for database: tower for retention policy: autogen",
            false,
        ),
        (
            "partial write: max-values-per-tag limit exceeded dropped=1 for database: tower for retention policy: autogen",
            false,
        ),
        (
            "partial write: points beyond retention policy dropped=1 for database: tower for retention policy: autogen",
            true,
        ),
        ("unable to parse", false),
    ] {
        assert_eq!(answer(Api::V1, 422, message).speaks_of_retention(), speaks, "{message}");
    }
}
