//! Errors of `serve` before it listens, and errors that it answers in place of data.

use std::net::SocketAddr;

use axum::http::StatusCode;
use thiserror::Error;

use crate::export::ExportError;
use crate::status::StatusError;
use crate::store::StoreError;
use crate::view::summary::SummaryError;

/// Why the server does not start.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Another program uses the address.
    #[error(
        "{address} is in use by another program, perhaps another `fluxtower serve`; give another --port, or 0 for any free one"
    )]
    Taken {
        /// The requested address.
        address: SocketAddr,
    },
    /// The address is not this computer's, or this account may not listen on it.
    #[error("cannot listen on {address}: {source}; check --bind and --port")]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The system's message.
        source: std::io::Error,
    },
    /// The operating system provides no threads or no events.
    #[error("cannot start the server: {0}; close other programs and try again")]
    Start(std::io::Error),
}

/// Why a request has no answer.
#[derive(Debug, Error)]
pub enum ApiError {
    /// The request is not valid.
    #[error("{0}")]
    Question(String),
    /// The requested object does not exist.
    #[error("{0}")]
    Unknown(String),
    /// Too many requests at once.
    #[error("the server is busy; try again")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The answer could not be written as JSON.
    #[error("the answer cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    /// A worker ended early.
    #[error("the answer was lost; try again")]
    Lost,
    /// The summary failed.
    #[error(transparent)]
    Summary(#[from] SummaryError),
    /// Rows could not be counted.
    #[error(transparent)]
    Count(#[from] ExportError),
    /// The status failed.
    #[error(transparent)]
    Status(#[from] StatusError),
}

impl ApiError {
    /// The HTTP status.
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
