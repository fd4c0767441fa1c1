//! Answers: computed on a worker thread, as JSON, compressed, with the headers that every answer has.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use flate2::Compression;
use serde::Serialize;
use tokio::sync::Semaphore;

use super::Shared;
use super::assets::{Asset, gzip};
use super::error::ApiError;

/// The time limit of an answer: a view takes a second at most, and a browser that has waited this long has given up.
const DEADLINE: Duration = Duration::from_secs(20);
/// The smallest answer that is compressed; smaller ones fit into one or two packets.
const WORTH_COMPRESSING: usize = 4 * 1024;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Runs the work about a station on a worker thread and answers with its result.
pub(super) async fn ask<T: Serialize>(
    shared: Arc<Shared>,
    headers: &HeaderMap,
    work: impl FnOnce(&Shared) -> Result<T, ApiError> + Send + 'static,
) -> Response {
    let turns = Arc::clone(&shared.turns);
    in_turn(turns, headers, move || work(&shared)).await
}

/// Runs the work on a worker thread and answers with its result.
pub(super) async fn in_turn<T: Serialize>(
    turns: Arc<Semaphore>,
    headers: &HeaderMap,
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Response {
    let takes_gzip = takes_gzip(headers);
    let done = tokio::time::timeout(DEADLINE, async {
        // Requests take turns; more at once would be slower for all.
        let turn = turns.acquire_owned().await.map_err(|_| ApiError::Lost)?;
        let worker = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let text = serde_json::to_vec(&work()?)?;
            let small = if takes_gzip && text.len() >= WORTH_COMPRESSING {
                gzip(&text, Compression::fast())
            } else {
                Vec::new()
            };
            Ok(if small.is_empty() { (text, false) } else { (small, true) })
        });
        worker.await.unwrap_or(Err(ApiError::Lost))
    });
    match done.await.unwrap_or(Err(ApiError::Busy)) {
        Ok((bytes, is_gzip)) => json(StatusCode::OK, bytes, is_gzip),
        Err(error) => refused(&error),
    }
}

/// An error in the form that the page reads.
pub(super) fn refused(error: &ApiError) -> Response {
    error_text(error.code(), &error.to_string())
}

/// A status and a sentence.
pub(super) fn error_text(code: StatusCode, text: &str) -> Response {
    json(code, serde_json::json!({ "error": text }).to_string().into_bytes(), false)
}

fn json(code: StatusCode, bytes: Vec<u8>, is_gzip: bool) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// A file of the page; only its status where the browser has the file already.
pub(super) fn asset(asset: &Asset, asked: &HeaderMap) -> Response {
    let is_known = asked.get_all(header::IF_NONE_MATCH).iter().any(|tags| {
        tags.to_str().is_ok_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == asset.etag))
    });
    let is_gzip = takes_gzip(asked) && !asset.gzip.is_empty() && asset.gzip.len() < asset.plain.len();
    let body = match (is_known, is_gzip) {
        (true, _) => Body::empty(),
        (false, true) => Body::from(asset.gzip.clone()),
        (false, false) => Body::from(asset.plain),
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    // The browser checks each time, so that a newer program shows its own page.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(&asset.etag) {
        headers.insert(header::ETAG, etag);
    }
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else if is_gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let named = |text: &str| {
        text.split(',').any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            name.trim().eq_ignore_ascii_case("gzip") && !matches!(weight.trim(), "q=0" | "q=0.0")
        })
    };
    headers.get_all(header::ACCEPT_ENCODING).iter().any(|value| value.to_str().is_ok_and(named))
}

/// Adds the headers that every answer has.
pub(super) fn seal(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
