//! A page of the station's own, on this computer: what is in the store, and nothing else.
//!
//! It only reads. It takes no lock that an ingest or a sync could feel, asks no other computer for anything, and everything
//! that the page is made of is inside the program. There is no password, so it listens for this computer alone unless it
//! is told otherwise, and a request must come from the page itself (`gate`); whoever is elsewhere comes through ssh.
//!
//! The connections live on one thread; work on the store is done by a few others (`readers`), so that a slow question
//! delays no quick one. What is said, and in which shape, stands in [`api`].

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
mod query;
mod readers;
mod routes;
mod watch_store;

pub use assets::{Asset, Assets};
pub use error::{ApiError, ServeError};

use crate::config::Config;

/// Questions worked on at once.
const TURNS: usize = 3;
/// How long questions that are being worked on may hold up the end.
const END_TIME: Duration = Duration::from_secs(2);

/// Where to listen, and to which names.
#[derive(Debug, Clone)]
pub struct Options {
    /// Loopback, unless others may look.
    pub bind: IpAddr,
    /// 0 for any free one.
    pub port: u16,
    /// Names of this computer that a browser may use, beside `localhost`.
    pub hosts: Vec<String>,
}

/// What every answer is made from.
#[derive(Debug)]
struct Shared {
    answers: api::Answers,
    assets: Assets,
    gate: gate::Gate,
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
    shared: Arc<Shared>,
    revision: watch::Sender<u64>,
    stop: (watch::Sender<bool>, watch::Receiver<bool>),
}

/// Ends a server from another thread.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// Ends it.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Listens.
    pub fn listen(config: Config, options: &Options) -> Result<Server, ServeError> {
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
        let (revision, seen) = watch::channel(watch_store::first_revision());
        let shared = Shared {
            assets: Assets::load(),
            gate: gate::Gate::new(options.bind, &options.hosts),
            live: live::Live::new(seen.clone()),
            revision: seen,
            turns: Arc::new(Semaphore::new(TURNS)),
            answers: api::Answers::new(config),
        };
        Ok(Server { runtime, listener, address, shared: Arc::new(shared), revision, stop: watch::channel(false) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What ends it.
    pub fn stop(&self) -> Stop {
        Stop(self.stop.0.clone())
    }

    /// Answers until it is stopped.
    pub fn run(self) -> Result<(), ServeError> {
        let (ended, end) = mpsc::channel();
        let watched = Arc::clone(&self.shared);
        let revision = self.revision;
        let watcher = std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || watch_store::watch(&watched.answers, &revision, &end))
            .map_err(ServeError::Start)?;
        let router = TowerToHyperService::new(routes::routes(Arc::clone(&self.shared)));
        let shared = self.shared;
        let answer = move |request: Request<Incoming>| {
            let (shared, router) = (Arc::clone(&shared), router.clone());
            async move { answer::seal(answer_one(&shared, &router, request).await) }
        };
        let mut stopped = self.stop.1;
        self.runtime.block_on(connections::accept(self.listener, answer, async move {
            // An error says that nobody is left to stop it.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }));
        drop(ended);
        self.runtime.shutdown_timeout(END_TIME);
        // It holds nothing that matters, and looks every half second.
        let _ = watcher.join();
        Ok(())
    }
}

async fn answer_one(
    shared: &Shared,
    router: &TowerToHyperService<axum::Router>,
    request: Request<Incoming>,
) -> Response {
    if let Some((code, words)) = shared.gate.refusal(request.method(), request.uri(), request.headers()) {
        let mut response = answer::words(code, words);
        if code == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert("allow", axum::http::HeaderValue::from_static("GET, HEAD"));
        }
        return response;
    }
    match router.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
