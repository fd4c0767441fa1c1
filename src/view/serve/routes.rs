//! The paths of the server and the handlers of each.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;

use super::Shared;
use super::answer::{ask, asset, error_text, refused};
use super::api::CoverageRequest;
use super::assets::Assets;
use super::error::ApiError;
use super::query::Query;
use crate::time::{Clock, SystemClock, Timestamp};
use crate::view::summary::{MOST_POINTS, RibbonRequest, TraceRequest};

type Here = State<Arc<Shared>>;

/// The largest number of rejected lines in an answer.
const MOST_REJECTED: usize = 2_000;
/// The points of a trace and the bins of a ribbon if the request gives none.
const POINTS: usize = 1_200;
const BINS: usize = 200;

/// The paths of a station, which begin with `base`.
pub(super) fn routes(shared: Arc<Shared>, base: &str) -> Router {
    Router::new()
        .route(&format!("{base}/"), get(page))
        .route(&format!("{base}/api/station"), get(station))
        .route(&format!("{base}/api/status"), get(status))
        .route(&format!("{base}/api/trace"), get(trace))
        .route(&format!("{base}/api/values"), get(values))
        .route(&format!("{base}/api/ribbon"), get(ribbon))
        .route(&format!("{base}/api/coverage"), get(coverage))
        .route(&format!("{base}/api/delivery"), get(delivery))
        .route(&format!("{base}/api/sun"), get(sun))
        .route(&format!("{base}/api/gaps"), get(gaps))
        .route(&format!("{base}/api/rejected"), get(rejected))
        .route(&format!("{base}/api/flags"), get(flags))
        .route(&format!("{base}/api/costs"), get(costs))
        .route(&format!("{base}/api/live"), get(live))
        .with_state(shared)
}

pub(super) fn now() -> Timestamp {
    Timestamp::from_utc(SystemClock.now())
}

pub(super) async fn nothing() -> Response {
    error_text(StatusCode::NOT_FOUND, "no such path; the page is at /")
}

async fn page(State(shared): Here, headers: HeaderMap) -> Response {
    match shared.assets.page() {
        Some(page) => asset(page, &headers),
        None => nothing().await,
    }
}

/// A file of the pages, which all stations share.
pub(super) async fn app(State(assets): State<Arc<Assets>>, headers: HeaderMap, Path(name): Path<String>) -> Response {
    match assets.find(&name) {
        Some(found) => asset(found, &headers),
        None => nothing().await,
    }
}

async fn station(State(shared): Here, headers: HeaderMap, RawQuery(asked): RawQuery) -> Response {
    if let Err(error) = Query::read(asked.as_deref(), &[]) {
        return refused(&error);
    }
    ask(shared, &headers, |shared| shared.answers.station(now())).await
}

async fn status(State(shared): Here, headers: HeaderMap, RawQuery(asked): RawQuery) -> Response {
    if let Err(error) = Query::read(asked.as_deref(), &[]) {
        return refused(&error);
    }
    ask(shared, &headers, |shared| {
        let revision = *shared.revision.borrow();
        Ok(shared.answers.status(revision, now()))
    })
    .await
}

/// Columns of a series over a span of time. The key `most` gives the most points or rows.
fn columns_over(asked: Option<&str>, most: &str) -> Result<TraceRequest, ApiError> {
    let query = Query::read(asked, &["table", "columns", "from", "to", most, "tag."])?;
    let (from, to) = query.span()?;
    Ok(TraceRequest {
        table: query.needed("table")?.to_owned(),
        columns: query.names("columns")?,
        from,
        to,
        points: query.count(most, POINTS, MOST_POINTS)?,
        tags: query.tags(),
    })
}

async fn trace(State(shared): Here, headers: HeaderMap, RawQuery(asked): RawQuery) -> Response {
    match columns_over(asked.as_deref(), "points") {
        Ok(request) => ask(shared, &headers, move |shared| shared.answers.trace(&request)).await,
        Err(error) => refused(&error),
    }
}

async fn values(State(shared): Here, headers: HeaderMap, RawQuery(asked): RawQuery) -> Response {
    match columns_over(asked.as_deref(), "rows") {
        Ok(request) => ask(shared, &headers, move |shared| shared.answers.values(&request)).await,
        Err(error) => refused(&error),
    }
}

async fn ribbon(State(shared): Here, headers: HeaderMap, RawQuery(asked): RawQuery) -> Response {
    let request = Query::read(asked.as_deref(), &["table", "from", "to", "bins", "tag."]).and_then(|query| {
        let (from, to) = query.span()?;
        Ok(RibbonRequest {
            table: query.needed("table")?.to_owned(),
            from,
            to,
            bins: query.count("bins", BINS, MOST_POINTS)?,
            tags: query.tags(),
        })
    });
    match request {
        Ok(request) => ask(shared, &headers, move |shared| shared.answers.ribbon(&request)).await,
        Err(error) => refused(&error),
    }
}

async fn coverage(State(shared): Here, headers: HeaderMap, RawQuery(asked): RawQuery) -> Response {
    let request = Query::read(asked.as_deref(), &["table", "from", "to", "tag."]).and_then(|query| {
        let (from, to) = query.span()?;
        Ok(CoverageRequest { table: query.needed("table")?.to_owned(), from, to, tags: query.tags() })
    });
    match request {
        Ok(request) => ask(shared, &headers, move |shared| shared.answers.coverage(&request, now())).await,
        Err(error) => refused(&error),
    }
}

async fn delivery(State(shared): Here, headers: HeaderMap, RawQuery(asked): RawQuery) -> Response {
    let span = match Query::read(asked.as_deref(), &["from", "to"]).and_then(|query| query.span()) {
        Ok(span) => span,
        Err(error) => return refused(&error),
    };
    ask(shared, &headers, move |shared| shared.answers.delivery(span, now())).await
}

async fn sun(State(shared): Here, headers: HeaderMap, RawQuery(asked): RawQuery) -> Response {
    match Query::read(asked.as_deref(), &["from", "to"]).and_then(|query| query.span()) {
        Ok(span) => ask(shared, &headers, move |shared| shared.answers.sun(span)).await,
        Err(error) => refused(&error),
    }
}

async fn gaps(State(shared): Here, headers: HeaderMap, RawQuery(asked): RawQuery) -> Response {
    if let Err(error) = Query::read(asked.as_deref(), &[]) {
        return refused(&error);
    }
    ask(shared, &headers, |shared| shared.answers.gaps()).await
}

async fn rejected(State(shared): Here, headers: HeaderMap, RawQuery(asked): RawQuery) -> Response {
    let limit =
        match Query::read(asked.as_deref(), &["limit"]).and_then(|query| query.count("limit", 200, MOST_REJECTED)) {
            Ok(limit) => limit,
            Err(error) => return refused(&error),
        };
    ask(shared, &headers, move |shared| shared.answers.rejected(limit)).await
}

async fn flags(State(shared): Here, headers: HeaderMap, RawQuery(asked): RawQuery) -> Response {
    if let Err(error) = Query::read(asked.as_deref(), &[]) {
        return refused(&error);
    }
    ask(shared, &headers, |shared| shared.answers.flags()).await
}

async fn costs(State(shared): Here, headers: HeaderMap, RawQuery(asked): RawQuery) -> Response {
    match Query::read(asked.as_deref(), &["from", "to"]).and_then(|query| query.span()) {
        Ok(span) => ask(shared, &headers, move |shared| shared.answers.costs(span)).await,
        Err(error) => refused(&error),
    }
}

async fn live(State(shared): Here, RawQuery(asked): RawQuery) -> Result<Response, Response> {
    let stream: Result<Response, ApiError> = Query::read(asked.as_deref(), &[]).and_then(|_| shared.live.stream());
    stream.map_err(|error| refused(&error))
}
