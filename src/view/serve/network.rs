//! One station at `/`, or several, each behind a path of its own, with a list of them at `/`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use tokio::sync::Semaphore;

use super::Shared;
use super::answer::{asset, in_turn};
use super::api::{Millis, StationLine};
use super::assets::Assets;
use super::gate::STATION;
use super::routes::{app, nothing, now, routes};

/// The stations behind one server, in the order of the command line.
#[derive(Debug, Clone)]
pub(super) struct Network {
    stations: Arc<Vec<Member>>,
    assets: Arc<Assets>,
    turns: Arc<Semaphore>,
}

/// A station, and the path that its own ones begin with: empty for the only one.
#[derive(Debug)]
struct Member {
    path: String,
    shared: Arc<Shared>,
}

/// The answer for the list.
#[derive(Debug, Serialize)]
struct Stations {
    now: Millis,
    stations: Vec<StationLine>,
}

impl Network {
    pub(super) fn of(stations: Vec<Arc<Shared>>, assets: Arc<Assets>, turns: Arc<Semaphore>) -> Network {
        let is_one = stations.len() == 1;
        let mut members: Vec<Member> = Vec::new();
        for shared in stations {
            let name = slug(&shared.answers.config().station.name);
            let is_free = |path: &String| members.iter().all(|member| member.path != *path);
            let numbered = (1..).map(|n| if n == 1 { name.clone() } else { format!("{name}-{n}") });
            let path = numbered.map(|name| format!("{STATION}{name}")).find(is_free).unwrap_or_default();
            members.push(Member { path: if is_one { String::new() } else { path }, shared });
        }
        Network { stations: Arc::new(members), assets, turns }
    }

    pub(super) fn stations(&self) -> impl Iterator<Item = &Arc<Shared>> {
        self.stations.iter().map(|member| &member.shared)
    }

    pub(super) fn routes(&self) -> Router {
        let mut all = Router::new().route("/app/{*name}", get(app)).with_state(Arc::clone(&self.assets));
        if self.stations.len() > 1 {
            let list = Router::new().route("/", get(page)).route("/api/stations", get(list));
            all = all.merge(list.with_state(self.clone()));
        }
        for member in self.stations.iter() {
            all = all.merge(routes(Arc::clone(&member.shared), &member.path));
        }
        all.fallback(nothing)
    }
}

/// A name as a part of a path.
fn slug(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    let slug: String = name.chars().map(letter).take(100).collect();
    if slug.is_empty() { "station".to_owned() } else { slug }
}

async fn page(State(network): State<Network>, headers: HeaderMap) -> Response {
    match network.assets.stations() {
        Some(page) => asset(page, &headers),
        None => nothing().await,
    }
}

async fn list(State(network): State<Network>, headers: HeaderMap) -> Response {
    let turns = Arc::clone(&network.turns);
    in_turn(turns, &headers, move || {
        let now = now();
        let line = |member: &Member| {
            let revision = *member.shared.revision.borrow();
            let answers = &member.shared.answers;
            answers.status(revision, now).line(&answers.config().station.name, format!("{}/", member.path))
        };
        let mut stations: Vec<StationLine> = network.stations.iter().map(line).collect();
        // Those of one verdict stay in the order of the command line.
        stations.sort_by_key(StationLine::rank);
        Ok(Stations { now: Millis(now), stations })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_a_path() {
        for (name, wanted) in [("US-UMB", "US-UMB"), ("a/b ../c", "a_b____c"), ("Hütte?#", "H_tte__"), ("", "station")]
        {
            assert_eq!(slug(name), wanted);
        }
    }
}
