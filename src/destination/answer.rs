//! Maps an HTTP response to an [`Outcome`]. All rules for this are in this table.
//!
//! A status alone decides nothing (docs/influx-answers.md#a-status-alone-decides-nothing): the same event has four
//! codes, a 400 may come from a server that is shutting down, and a 200 may be a hotel's login page. A response that is
//! not in the table is held, because holding loses nothing.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};

use super::{Answer, Outcome, TypeConflict};
use crate::config::Api;
use crate::time::http_date;

/// The longest wait that a server can impose.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The longest text of an answer that is kept, in characters. The end of an error message about a batch has the reason,
/// so the end is kept too.
const TEXT_MAX: usize = 600;
const TEXT_END: usize = 180;

/// Internal problems of InfluxDB 3 that its v2 endpoint reports as 400 (3.4.2 to 3.10; `write_buffer::Error` and
/// `influxdb3_wal::Error`): the same bytes are accepted later.
const PASSING_FAULTS: [&str; 10] = [
    "error from wal",
    "wal is shutdown",
    "wal buffer full",
    "error writing wal file",
    "object store error",
    "object store path error",
    "persister error",
    "error from persister",
    "service is overloaded",
    "system overloaded",
];

/// Each begins with a space, because an error message quotes names, and `water_retention` is a possible name.
const RETENTION: [&str; 3] = [" retention policy", " retention period", " retention window"];

/// Problems of the configuration that some products report as 400: they are not caused by a row.
const CONFIG_FAULTS: [&str; 9] = [
    "org not found",
    "organization not found",
    "bucket not found",
    "database not found",
    "invalid precision",
    "missing query parameter",
    "authorization header",
    "forbidden",
    "read-only",
];

/// The target of a write, for messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) api: Api,
    /// The bucket as it is configured.
    pub(super) bucket: &'a str,
}

/// Interprets a response that arrived completely. Secrets were removed from `body`.
pub(super) fn read(target: Target<'_>, status: u16, headers: &HeaderMap, body: &str) -> Answer {
    let message = message(body);
    let server_time = server_time(headers);
    let message = cleaned(&message);
    Answer { outcome: outcome(target, status, headers, body, &message), status: Some(status), message, server_time }
}

fn outcome(target: Target<'_>, status: u16, headers: &HeaderMap, body: &str, message: &str) -> Outcome {
    let Target { api, .. } = target;
    let text = message.to_lowercase();
    let retry = || Outcome::Retry { after: retry_after(headers, server_time(headers)) };
    match status {
        204 => Outcome::Stored,
        200..=299 => held(other_success(api, status, headers, body)),
        300..=399 => held(redirect(headers)),
        400 if is_passing_fault(&text) => retry(),
        400 if is_unknown_path(&text) => held(wrong_product(api)),
        400 if is_config_fault(&text) => held(refused_400(target)),
        400 | 413 | 422 => Outcome::Split,
        401 => held(unauthorized(target)),
        403 if speaks_of_retention(&text) => Outcome::Split,
        403 => held(forbidden(target)),
        404 => held(not_found(target)),
        408 | 425 | 429 | 499 => retry(),
        405 | 406 | 410 | 501 | 505 => held(wrong_product(api)),
        407 | 511 => held("a proxy or the network's login page stands in between: log in to the network, or give the proxy its password".to_owned()),
        411 => held("a proxy in between does not pass on the request's length: use the server's own address in `url`".to_owned()),
        415 => held("the server, or a proxy in between, does not take gzip: use the server's own address in `url`".to_owned()),
        500 if text.contains("retention policy not found") => held(not_found(target)),
        500 => Outcome::Failing,
        502..=599 => retry(),
        _ => held(format!("the status {status} means nothing to fluxtower: check `url` and what stands between this computer and the server")),
    }
}

fn held(fix: String) -> Outcome {
    Outcome::Held { fix }
}

/// An error message about a line may quote the line, so it is never taken for a fault of the server.
fn is_about_lines(text: &str) -> bool {
    ["parse", "partial write", "no data written", "line protocol", "points rejected"]
        .iter()
        .any(|part| text.contains(part))
}

fn is_passing_fault(text: &str) -> bool {
    !is_about_lines(text) && PASSING_FAULTS.iter().any(|part| text.contains(part))
}

fn is_config_fault(text: &str) -> bool {
    !is_about_lines(text) && CONFIG_FAULTS.iter().any(|part| text.contains(part))
}

/// VictoriaMetrics answers 400 where others answer 404.
pub(super) fn is_unknown_path(text: &str) -> bool {
    text.contains("unsupported path requested")
}

/// See [`Answer::speaks_of_retention`].
pub(super) fn speaks_of_retention(message: &str) -> bool {
    if TypeConflict::read(message).is_some() {
        return false;
    }
    // InfluxDB 1.12 ends the message about every partial write with the name of its retention policy.
    let cause = message.rsplit_once(" for retention policy: ").map_or(message, |(cause, _)| cause);
    let text = format!(" {}", cause.to_lowercase());
    RETENTION.iter().any(|part| text.contains(part)) && !text.contains("retention policy not found")
}

fn other_success(api: Api, status: u16, headers: &HeaderMap, body: &str) -> String {
    let content_type =
        headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_lowercase();
    let start = body.trim_start().to_lowercase();
    let is_page = content_type.contains("html") || start.starts_with("<!doctype html") || start.starts_with("<html");
    let is_json = content_type.contains("json") || start.starts_with(['{', '[']);
    match status {
        200 if is_page => "a web page answered instead of InfluxDB: log in to this network (captive portal), or check `url` and `api`".to_owned(),
        200 if is_json => format!("the server answered, but not as a write: `url` must be scheme, host and port only, and `api` must be right (it is {})", spelled(api)),
        201 => "the server says that it stored only a part and not which: check that `api` fits the product, and look at its message".to_owned(),
        202 | 206..=208 => "the server does not say that it stored the rows: something stands between this computer and InfluxDB; use the server's own address in `url`".to_owned(),
        _ => format!("the status {status} does not say that the rows are stored (204 would): check `url` and `api`"),
    }
}

fn redirect(headers: &HeaderMap) -> String {
    let target = headers.get(LOCATION).and_then(|value| value.to_str().ok()).map(cleaned);
    match target {
        Some(target) => format!(
            "the server sends us on to {target}: if that is InfluxDB, put it (scheme, host and port) into `url`; if it is a login page, log in to this network"
        ),
        None => "the server sends us on to another address: put InfluxDB's own address into `url` (https?)".to_owned(),
    }
}

fn refused_400(Target { api, bucket }: Target<'_>) -> String {
    match api {
        Api::V1 => format!("check `bucket` (\"{bucket}\": `db` or `db/rp`), `user` and the password in [destination]"),
        Api::V2 => format!("check `org`, `bucket` (\"{bucket}\") and the token in the configuration"),
        Api::V3 => format!("check `bucket` (the database \"{bucket}\") and the token in the configuration"),
    }
}

fn unauthorized(Target { api, bucket }: Target<'_>) -> String {
    match api {
        Api::V1 => "the user or the password is wrong: check `user` and `password_env` or `password_file`".to_owned(),
        Api::V2 | Api::V3 => format!(
            "the token is wrong, switched off or may not write to bucket \"{bucket}\": make a token with write permission and \
             put it where `token_env` or `token_file` says"
        ),
    }
}

fn forbidden(Target { api, bucket }: Target<'_>) -> String {
    match api {
        Api::V1 => format!("the user may not write to database \"{bucket}\": GRANT WRITE on it"),
        Api::V2 | Api::V3 => format!(
            "the token may not write to bucket \"{bucket}\", or the account's limit is reached: make a token with write \
             permission for it"
        ),
    }
}

fn not_found(Target { api, bucket }: Target<'_>) -> String {
    match api {
        Api::V1 => format!(
            "the database or the retention policy of \"{bucket}\" does not exist, or `api` is wrong: make it, or correct \
             `bucket` (`db` or `db/rp`)"
        ),
        Api::V2 => format!(
            "the bucket \"{bucket}\" or the organisation does not exist, or `api` is wrong: make the bucket (`fluxtower bucket \
             create`), or correct `bucket` and `org`"
        ),
        Api::V3 => {
            format!("the database \"{bucket}\" does not exist, or `api` is wrong: make it, or correct `bucket`")
        }
    }
}

fn wrong_product(api: Api) -> String {
    format!("the server does not know this request: check `url`, and whether `api` ({}) fits the product", spelled(api))
}

fn spelled(api: Api) -> &'static str {
    match api {
        Api::V1 => "v1",
        Api::V2 => "v2",
        Api::V3 => "v3",
    }
}

/// How long the server asks to wait.
fn retry_after(headers: &HeaderMap, server_time: Option<DateTime<Utc>>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    crate::time::retry_after(text, server_time).map(|wait| wait.min(LONGEST_WAIT))
}

/// The server's clock.
pub(super) fn server_time(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(http_date)
}

/// Product and version, which InfluxDB 1.x, 2.x and Cloud send with every answer.
pub(super) fn product(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(cleaned);
    match (text("x-influxdb-build"), text("x-influxdb-version")) {
        (Some(build), Some(version)) => Some(format!("InfluxDB {version} ({build})")),
        (None, Some(version)) => Some(format!("InfluxDB {version}")),
        (Some(build), None) => Some(format!("InfluxDB ({build})")),
        (None, None) => None,
    }
}

/// The server's message, from any of the JSON forms in use (docs/influx-answers.md#error-bodies); otherwise the body.
/// InfluxDB 3 has a message in two places, of which the second one has the reason.
pub(super) fn message(body: &str) -> String {
    let Ok(serde_json::Value::Object(json)) = serde_json::from_str(body) else {
        return body.to_owned();
    };
    let main = json.get("message").or_else(|| json.get("error")).and_then(|value| value.as_str());
    match (main, json.get("data")) {
        (Some(main), Some(data)) if !data.is_null() => format!("{main}: {data}"),
        (Some(main), _) => main.to_owned(),
        (None, _) => body.to_owned(),
    }
}

/// The text in a form for a log line: without control characters and runs of spaces, at most 600 characters.
pub(super) fn cleaned(text: &str) -> String {
    let spaced: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let clean = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    let length = clean.chars().count();
    if length <= TEXT_MAX {
        return clean;
    }
    let start = clean.chars().take(TEXT_MAX - TEXT_END - 3);
    let end = clean.chars().skip(length - TEXT_END);
    start.chain(" … ".chars()).chain(end).collect()
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
