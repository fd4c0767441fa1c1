//! What `serve` can fail with before it listens, and what it answers instead of data.

use std::net::SocketAddr;

use axum::http::StatusCode;
use thiserror::Error;

use crate::status::StatusError;
use crate::store::StoreError;
use crate::view::summary::SummaryError;

/// Why there is no server.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Another program listens there.
    #[error(
        "{address} is taken by another program, perhaps another `fluxtower serve`; give another --port, or 0 for any free one"
    )]
    Taken {
        /// What was asked for.
        address: SocketAddr,
    },
    /// The address is none of this computer's, or may not be listened on.
    #[error("cannot listen on {address}: {source}; check --bind and --port")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// The system's words.
        source: std::io::Error,
    },
    /// The system gives no threads or no events.
    #[error("cannot start the server: {0}; close other programs and try again")]
    Start(std::io::Error),
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ApiError {
    /// The question cannot be read.
    #[error("{0}")]
    Question(String),
    /// What is asked for is not there.
    #[error("{0}")]
    Unknown(String),
    /// Too many ask at once.
    #[error("the server is busy; ask again")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The answer could not be written as JSON.
    #[error("the answer cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    /// A worker ended early.
    #[error("the answer was lost; ask again")]
    Lost,
    /// There is no view.
    #[error(transparent)]
    Summary(#[from] SummaryError),
    /// There is no status.
    #[error(transparent)]
    Status(#[from] StatusError),
}

impl ApiError {
    /// As HTTP says it.
    pub(super) fn code(&self) -> StatusCode {
        match self {
            ApiError::Question(_) => StatusCode::BAD_REQUEST,
            ApiError::Unknown(_) => StatusCode::NOT_FOUND,
            ApiError::Summary(error) if error.is_not_found() => StatusCode::NOT_FOUND,
            ApiError::Summary(SummaryError::Backwards) => StatusCode::BAD_REQUEST,
            ApiError::Busy => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}
