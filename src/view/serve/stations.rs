//! The stations of one server, each with its configuration file.
//!
//! An invalid configuration does not prevent the other stations from being shown: the list shows it with its error.
//! Each file is looked at once per second, as in `run --watch`. A valid change is shown at once; an invalid one is
//! reported, and the configuration before it remains in force.

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use tokio::sync::{Semaphore, watch};

use super::assets::Assets;
use super::network::{Member, Network};
use super::{ServeError, Shared, api, live, watch_store};
use crate::config::{Config, ConfigError, ConfigFile};

/// A configuration file and its content.
pub type Given = (ConfigFile, Result<Config, ConfigError>);

/// All stations, in the order of the command line.
#[derive(Debug)]
pub(super) struct Stations {
    places: Vec<Place>,
    assets: Arc<Assets>,
    turns: Arc<Semaphore>,
}

/// A station with its configuration file.
#[derive(Debug)]
struct Place {
    file: ConfigFile,
    /// None until its configuration was valid once.
    watched: Option<Watched>,
    /// Why the present content of the file is not in force.
    refused: Option<String>,
}

/// A station that is shown, with the thread that detects commits to its database.
#[derive(Debug)]
struct Watched {
    shared: Arc<Shared>,
    end: mpsc::Sender<()>,
    watcher: JoinHandle<()>,
}

impl Stations {
    pub(super) fn begin(given: Vec<Given>, turns: usize) -> Result<Stations, ServeError> {
        let assets = Arc::new(Assets::load());
        let mut stations = Stations { places: Vec::new(), assets, turns: Arc::new(Semaphore::new(turns)) };
        for (file, config) in given {
            let place = match config {
                Ok(config) => {
                    let watched = stations.watched(config).map_err(ServeError::Start)?;
                    Place { file, watched: Some(watched), refused: None }
                }
                Err(error) => Place { file, watched: None, refused: Some(error.to_string()) },
            };
            stations.places.push(place);
        }
        Ok(stations)
    }

    fn watched(&self, config: Config) -> std::io::Result<Watched> {
        let (revision, seen) = watch::channel(watch_store::first_revision());
        let shared = Arc::new(Shared {
            assets: Arc::clone(&self.assets),
            live: live::Live::new(seen.clone()),
            revision: seen,
            turns: Arc::clone(&self.turns),
            answers: api::Answers::new(config),
        });
        let (end, ended) = mpsc::channel();
        let looked_at = Arc::clone(&shared);
        let watch = move || watch_store::watch(&looked_at.answers, &revision, &ended);
        let watcher = std::thread::Builder::new().name("watch".to_owned()).spawn(watch)?;
        Ok(Watched { shared, end, watcher })
    }

    /// The present stations.
    pub(super) fn network(&self) -> Network {
        let member = |place: &Place| Member {
            file: place.file.path().to_owned(),
            shared: place.watched.as_ref().map(|watched| Arc::clone(&watched.shared)),
            refused: place.refused.clone(),
        };
        let members = self.places.iter().map(member).collect();
        Network::of(members, Arc::clone(&self.assets), Arc::clone(&self.turns))
    }

    /// Takes up changed configurations. Returns whether the pages have changed.
    pub(super) fn look(&mut self) -> bool {
        let mut is_changed = false;
        let mut places = std::mem::take(&mut self.places);
        for place in &mut places {
            let Some(config) = place.file.look() else { continue };
            is_changed = true;
            match config.map_err(|error| error.to_string()).and_then(|config| self.taken(place, config)) {
                Ok(watched) => {
                    tracing::warn!("{} was changed, and is in force now", place.file.path().display());
                    // The thread of the previous one ends by itself, because its channel is closed.
                    place.watched = watched.or(place.watched.take());
                    place.refused = None;
                }
                Err(why) => {
                    match place.watched {
                        Some(_) => tracing::error!("{why}; the configuration before stays in force"),
                        None => tracing::error!("{why}"),
                    }
                    place.refused = Some(why);
                }
            }
        }
        self.places = places;
        is_changed
    }

    /// The station with this configuration; None if it is already in force.
    fn taken(&self, place: &Place, config: Config) -> Result<Option<Watched>, String> {
        let in_force = place.watched.as_ref();
        if in_force.is_some_and(|watched| watched.shared.answers.config().fingerprint == config.fingerprint) {
            return Ok(None);
        }
        let path = config.path.clone();
        let failed = |error| format!("{} is not taken up: {}", path.display(), ServeError::Start(error));
        self.watched(config).map(Some).map_err(failed)
    }

    /// Ends the threads.
    pub(super) fn end(self) {
        let running: Vec<Watched> = self.places.into_iter().filter_map(|place| place.watched).collect();
        let (ends, watchers): (Vec<_>, Vec<_>) =
            running.into_iter().map(|watched| (watched.end, watched.watcher)).unzip();
        drop(ends);
        for watcher in watchers {
            // The thread keeps nothing important, and checks twice per second whether it should end.
            let _ = watcher.join();
        }
    }
}
