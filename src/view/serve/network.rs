//! One station at `/`, or several, each under a path of its own, with a list of them at `/`.

use std::path::PathBuf;
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

/// The stations of one server at one time, in the order of the command line.
#[derive(Debug, Clone)]
pub(super) struct Network {
    stations: Arc<Vec<Named>>,
    assets: Arc<Assets>,
    turns: Arc<Semaphore>,
}

/// A station, or a configuration that was never valid.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) file: PathBuf,
    pub(super) shared: Option<Arc<Shared>>,
    /// Why the present content of the file is not in force.
    pub(super) refused: Option<String>,
}

/// A member with the beginning of its paths: empty for a single station, None if there is nothing to show.
#[derive(Debug)]
struct Named {
    path: Option<String>,
    member: Member,
}

/// The answer for the list.
#[derive(Debug, Serialize)]
struct Stations {
    now: Millis,
    stations: Vec<StationLine>,
}

impl Network {
    pub(super) fn of(members: Vec<Member>, assets: Arc<Assets>, turns: Arc<Semaphore>) -> Network {
        let is_one = members.len() == 1;
        let mut stations: Vec<Named> = Vec::new();
        for member in members {
            let path = member.shared.as_ref().map(|shared| {
                let name = slug(&shared.answers.config().station.name);
                let is_free = |path: &String| stations.iter().all(|named| named.path.as_ref() != Some(path));
                let numbered = (1..).map(|n| if n == 1 { name.clone() } else { format!("{name}-{n}") });
                let path = numbered.map(|name| format!("{STATION}{name}")).find(is_free).unwrap_or_default();
                if is_one { String::new() } else { path }
            });
            stations.push(Named { path, member });
        }
        Network { stations: Arc::new(stations), assets, turns }
    }

    pub(super) fn routes(&self) -> Router {
        let mut all = Router::new().route("/app/{*name}", get(app)).with_state(Arc::clone(&self.assets));
        if self.stations.len() > 1 {
            let list = Router::new().route("/", get(page)).route("/api/stations", get(list));
            all = all.merge(list.with_state(self.clone()));
        }
        for Named { path, member } in self.stations.iter() {
            if let (Some(path), Some(shared)) = (path, &member.shared) {
                all = all.merge(routes(Arc::clone(shared), path));
            }
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
        let line = |Named { path, member }: &Named| {
            let (Some(path), Some(shared)) = (path, &member.shared) else {
                let file = member.file.display().to_string();
                return StationLine::unreadable(file, member.refused.clone().unwrap_or_default());
            };
            let revision = *shared.revision.borrow();
            let answers = &shared.answers;
            let line = answers.status(revision, now).line(&answers.config().station.name, format!("{path}/"));
            match &member.refused {
                Some(why) => line.refused(why.clone()),
                None => line,
            }
        };
        let mut stations: Vec<StationLine> = network.stations.iter().map(line).collect();
        // Stations with equal verdicts keep the order of the command line.
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
