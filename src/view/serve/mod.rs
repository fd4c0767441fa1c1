//! The station's own page, served on this computer from the store.
//!
//! It only reads. It takes no lock that delays an ingest or a sync, sends no request to another computer, and all files
//! of the page are inside the program. There is no password: unless configured otherwise it listens for this computer
//! only, and a request must come from the page itself (`gate`). Users elsewhere connect through ssh.
//!
//! One thread handles the connections. A few others work on the store (`readers`), so that a slow request does not
//! delay a fast one. [`api`] defines the answers.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use axum::http::{Request, StatusCode};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};

mod answer;
pub mod api;
mod assets;
mod connections;
mod error;
mod gate;
mod live;
mod network;
mod query;
mod readers;
mod routes;
mod stations;
mod watch_store;

pub use assets::{Asset, Assets};
pub use error::{ApiError, ServeError};
pub use stations::Given;

use crate::config::ConfigFile;

/// The number of requests that are worked on at once.
const TURNS: usize = 3;
/// How long requests in progress may delay the end.
const END_TIME: Duration = Duration::from_secs(2);

/// Where to listen, and under which names.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address: loopback, unless other computers may connect.
    pub bind: IpAddr,
    /// The port; 0 takes any free one.
    pub port: u16,
    /// Names of this computer that a browser may use, in addition to `localhost`.
    pub hosts: Vec<String>,
}

/// The data behind every answer about a station.
#[derive(Debug)]
struct Shared {
    answers: api::Answers,
    assets: Arc<Assets>,
    live: live::Live,
    revision: watch::Receiver<u64>,
    turns: Arc<Semaphore>,
}

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    runtime: Runtime,
    listener: tokio::net::TcpListener,
    address: SocketAddr,
    gate: gate::Gate,
    stations: stations::Stations,
    stop: (watch::Sender<bool>, watch::Receiver<bool>),
}

/// The present paths; a changed configuration changes them.
type Routes = TowerToHyperService<axum::Router>;

/// Stops a server from another thread.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// Stops it.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Begins to listen, for one station or for several, of which each has a path of its own.
    pub fn listen(given: Vec<Given>, options: &Options) -> Result<Server, ServeError> {
        let asked = SocketAddr::new(options.bind, options.port);
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(TURNS + 1)
            .build()
            .map_err(ServeError::Start)?;
        let listener =
            runtime.block_on(tokio::net::TcpListener::bind(asked)).map_err(|source| match source.kind() {
                std::io::ErrorKind::AddrInUse => ServeError::Taken { address: asked },
                _ => ServeError::Listen { address: asked, source },
            })?;
        let address = listener.local_addr().map_err(ServeError::Start)?;
        let stations = stations::Stations::begin(given, TURNS)?;
        let gate = gate::Gate::new(options.bind, &options.hosts);
        Ok(Server { runtime, listener, address, gate, stations, stop: watch::channel(false) })
    }

    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The handle that stops it.
    pub fn stop(&self) -> Stop {
        Stop(self.stop.0.clone())
    }

    /// Answers until it is stopped.
    pub fn run(self) -> Result<(), ServeError> {
        let (routes, now) = watch::channel(routes_of(&self.stations));
        let (ended, end) = mpsc::channel::<()>();
        let mut stations = self.stations;
        let keeper = std::thread::Builder::new()
            .name("configurations".to_owned())
            .spawn(move || {
                while let Err(mpsc::RecvTimeoutError::Timeout) = end.recv_timeout(ConfigFile::LOOK) {
                    if stations.look() {
                        routes.send_replace(routes_of(&stations));
                    }
                }
                stations.end();
            })
            .map_err(ServeError::Start)?;
        let gate = Arc::new(self.gate);
        let answer = move |request: Request<Incoming>| {
            let (gate, routes) = (Arc::clone(&gate), now.borrow().clone());
            async move { answer::seal(answer_one(&gate, &routes, request).await) }
        };
        let mut stopped = self.stop.1;
        self.runtime.block_on(connections::accept(self.listener, answer, async move {
            // An error means that no handle that could stop it exists any more.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }));
        drop(ended);
        self.runtime.shutdown_timeout(END_TIME);
        // The thread stops the threads of the stations, and does nothing else.
        let _ = keeper.join();
        Ok(())
    }
}

fn routes_of(stations: &stations::Stations) -> Routes {
    TowerToHyperService::new(stations.network().routes())
}

async fn answer_one(gate: &gate::Gate, routes: &Routes, request: Request<Incoming>) -> Response {
    if let Some((code, text)) = gate.refusal(request.method(), request.uri(), request.headers()) {
        let mut response = answer::error_text(code, text);
        if code == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert("allow", axum::http::HeaderValue::from_static("GET, HEAD"));
        }
        return response;
    }
    match routes.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
