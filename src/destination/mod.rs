//! Destinations of lines: a server that speaks one of InfluxDB's write APIs, or a folder of `.lp` files.
//!
//! An [`Answer`] says what happened to the *request*, never to a single row, and only [`Outcome::Stored`] allows rows
//! to be marked as sent (I5). Everything that can happen on the network is an answer; a [`DestinationError`] occurs
//! before a request is made. No secret leaves this module in any form (I10).

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::config::{Config, DestinationConfig, SecretError};
use crate::time::{Timestamp, clocks_agree};

mod answer;
mod buckets;
mod conflict;
mod files;
mod flux;
mod heartbeat;
mod influx;
mod influxql;
mod query;
mod remove;
mod router;
mod tls;

pub use buckets::{Bucket, Created, Retention};
pub use conflict::TypeConflict;
pub use files::Files;
pub use heartbeat::beat;
pub use influx::Influx;
pub(crate) use influx::cause;
pub use query::{CountAsk, Counted, QueryError, SeriesAsk, StoredValue, Tally, ValuesAsk};
pub use remove::{Beside, Removal, Tags};

/// One request: whole lines, each ending in `\n`.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The bucket; None is the destination's default.
    pub bucket: Option<&'a str>,
    /// The uncompressed lines.
    pub lines: &'a [u8],
    /// The same lines as one gzip member. If it is empty, the lines are sent uncompressed; a folder ignores it.
    pub gzip: &'a [u8],
    /// The number of lines. It must agree with `lines`.
    pub rows: usize,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The meaning for the request.
    pub outcome: Outcome,
    /// The HTTP status; None if there was no complete response, or no server.
    pub status: Option<u16>,
    /// The message of the server or of the network: without control characters and secrets, at most 600 characters.
    pub message: String,
    /// The server's clock, from the `Date` header.
    pub server_time: Option<DateTime<Utc>>,
}

/// The meaning of an answer for the request. Only `Stored` marks a row as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Exactly 204, or a file synced to disk.
    Stored,
    /// 400, 413, 422: a row may be the cause. The parts must be sent separately.
    Split,
    /// 500: must be sent again; if the same answer is repeated, a row is the cause.
    Failing,
    /// The server or the network is not ready: the same bytes are sent later. Some of them may have been stored.
    Retry {
        /// How long the server asks to wait, at most one hour.
        after: Option<Duration>,
    },
    /// The destination refuses this sender, or is not the expected one. A user has to act; no row is the cause.
    Held {
        /// What the user has to do.
        fix: String,
    },
}

impl Answer {
    /// Whether the message is about rows older than the bucket's retention. Four statuses are used for it, so the text
    /// decides (docs/influx-answers.md#a-status-alone-decides-nothing). A missing retention policy is a different
    /// problem.
    pub fn speaks_of_retention(&self) -> bool {
        answer::speaks_of_retention(&self.message)
    }

    /// The field type conflict in the server's message, if it names one.
    pub fn type_conflict(&self) -> Option<TypeConflict> {
        TypeConflict::read(&self.message)
    }

    /// An answer that did not come from a server.
    fn without_server(outcome: Outcome, message: String) -> Answer {
        Answer { outcome, status: None, message, server_time: None }
    }
}

/// Accepts requests.
pub trait Destination: Send {
    /// A name for users: what and where, without secrets.
    fn name(&self) -> String;

    /// Sends one request and waits for the answer.
    ///
    /// # Errors
    /// A problem before the request was made; nothing was sent.
    fn write(&mut self, request: &Request<'_>) -> Result<Answer, DestinationError>;

    /// Like [`Destination::name`], for one of its buckets.
    fn describe(&self, bucket: Option<&str>) -> String {
        let _ = bucket;
        self.name()
    }

    /// Asks whether a write would be accepted, without storing anything: [`Outcome::Stored`] means yes. None if only a
    /// write can show it.
    ///
    /// # Errors
    /// A problem before the request was made.
    fn may_write(&mut self, bucket: Option<&str>) -> Result<Option<Answer>, DestinationError> {
        let _ = bucket;
        Ok(None)
    }

    /// Another connection to the same destination, for another request at the same time. None if only one request at a
    /// time is allowed.
    fn another(&self) -> Option<Box<dyn Destination>> {
        None
    }

    /// Whether [`Request::gzip`] is used.
    fn wants_gzip(&self) -> bool;

    /// Asks what is known about a bucket; None is the destination's default. A server that does not say it is not an
    /// error.
    fn look(&mut self, bucket: Option<&str>) -> BucketLook {
        let _ = bucket;
        BucketLook { id: None, is_there: None, retention: Retention::Forever, server_time: None, product: None }
    }

    /// Counts the values of a series, and adds them up.
    ///
    /// # Errors
    /// There is no answer, a refusal, an answer that is not reliable, or the destination cannot be queried.
    fn count(&mut self, ask: &CountAsk<'_>) -> Result<Counted, QueryError> {
        let _ = ask;
        Err(QueryError::Unknown("a folder of files cannot be asked what arrived".to_owned()))
    }

    /// Reads the values of a field of a series, oldest first.
    ///
    /// # Errors
    /// As for [`Destination::count`].
    fn values(&mut self, ask: &ValuesAsk<'_>) -> Result<Vec<StoredValue>, QueryError> {
        let _ = ask;
        Err(QueryError::Unknown("a folder of files cannot be asked what arrived".to_owned()))
    }

    /// The tag sets of the series that have these tags, or further ones, and a point in the interval.
    ///
    /// # Errors
    /// As for [`Destination::count`].
    fn tag_sets(&mut self, ask: &SeriesAsk<'_>) -> Result<Vec<Tags>, QueryError> {
        let _ = ask;
        Err(QueryError::Unknown("a folder of files cannot be asked what arrived".to_owned()))
    }

    /// Which points the destination can remove.
    fn removal(&self) -> Removal {
        Removal::Never
    }

    /// Asks whether points may be removed from the bucket, without removing any.
    ///
    /// # Errors
    /// There is no answer, or a refusal.
    fn may_remove(&mut self, bucket: Option<&str>) -> Result<(), QueryError> {
        let _ = bucket;
        Err(QueryError::Unknown("nothing can be removed there".to_owned()))
    }

    /// Asks which other series a removal of points would affect.
    ///
    /// # Errors
    /// As for [`Destination::count`].
    fn beside(&mut self, ask: &SeriesAsk<'_>) -> Result<Beside, QueryError> {
        let _ = ask;
        Err(QueryError::Unknown("nothing can be removed there".to_owned()))
    }

    /// Removes points; `tag_keys` are as in [`Beside::tag_keys`]. Points that do not exist are not an error.
    ///
    /// # Errors
    /// There is no acknowledgement: the points may have been removed, or may be removed later.
    fn remove(&mut self, ask: &SeriesAsk<'_>, tag_keys: &[String]) -> Result<(), QueryError> {
        let _ = (ask, tag_keys);
        Err(QueryError::Unknown("nothing can be removed there".to_owned()))
    }

    /// Whether it is a server, which can be queried and accepts the agent's own health.
    fn can_be_asked(&self) -> bool {
        false
    }
}

/// What a server says about a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketLook {
    /// The id, which only v2 has. A bucket of the same name with another id is another bucket.
    pub id: Option<String>,
    /// Whether the bucket exists; None if the login may not see it or the server does not say it.
    pub is_there: Option<bool>,
    /// How long it keeps rows; the configured time if the server does not say it.
    pub retention: Retention,
    /// The server's clock, if the server answered the question with success: the time in an error page, a login page or
    /// a proxy's answer proves nothing.
    pub server_time: Option<DateTime<Utc>>,
    /// The product and version that the server states.
    pub product: Option<String>,
}

impl BucketLook {
    /// The oldest instant that the bucket still keeps, unless it keeps rows for ever. Rows expire by it, so two clocks
    /// are required: the server's in this very answer and this computer's, and they must agree.
    pub fn kept_from(&self, now: DateTime<Utc>) -> Option<Timestamp> {
        let Retention::For(retention) = self.retention else { return None };
        let server = self.server_time.filter(|_| !self.clocks_disagree(now))?;
        Some(Timestamp::from_utc(server.min(now)).before(retention))
    }

    /// Whether the server's clock is known, and disagrees with this computer's.
    pub fn clocks_disagree(&self, now: DateTime<Utc>) -> bool {
        self.server_time.is_some_and(|server| !clocks_agree(server, now))
    }
}

/// The errors that occur before a request is made.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// The token or password cannot be read.
    #[error("the destination's token or password cannot be read")]
    Secret(#[source] SecretError),
    /// The token or password contains a byte that HTTP cannot transmit.
    #[error("the token or password holds a line break or another character that cannot be sent")]
    SecretUnusable,
    /// The HTTP client cannot be set up; most likely the system's certificates cannot be read.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
    /// A certificate or a key cannot be used.
    #[error("{path} cannot be used for TLS: {problem}", path = path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// The reason, without any content of the file.
        problem: String,
    },
    /// A batch without lines, which servers would answer with 204 (docs/influx-answers.md#the-write-request).
    #[error("a request without lines was about to be sent")]
    Empty,
    /// The number of lines of the batch is wrong, or its gzip form is incomplete.
    #[error("the request's body does not hold its {rows} lines")]
    Miscounted {
        /// The expected number.
        rows: usize,
    },
    /// A file of the folder destination cannot be written.
    #[error("{path} cannot be written")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
}

impl DestinationError {
    /// Whether the error would occur again unless a user acts.
    pub fn is_permanent(&self) -> bool {
        match self {
            DestinationError::Secret(_) | DestinationError::SecretUnusable | DestinationError::Client(_) => true,
            DestinationError::Certificate { .. } => true,
            DestinationError::Empty | DestinationError::Miscounted { .. } => true,
            DestinationError::Disk { source, .. } => matches!(
                source.kind(),
                std::io::ErrorKind::PermissionDenied
                    | std::io::ErrorKind::ReadOnlyFilesystem
                    | std::io::ErrorKind::NotADirectory
            ),
        }
    }

    /// The advice.
    pub fn hint(&self) -> &'static str {
        match self {
            DestinationError::Secret(_) => {
                "set the variable of `token_env`, or the file of `token_file`, for the account that runs fluxtower"
            }
            DestinationError::SecretUnusable => "store the token again: one line, no quotes",
            DestinationError::Certificate { .. } => {
                "check `ca_file`, `client_cert_file` and `client_key_file` in [destination]: files in PEM that the account that \
                 runs fluxtower may read"
            }
            DestinationError::Client(_) => "check the system's certificate store",
            DestinationError::Empty | DestinationError::Miscounted { .. } => {
                "this is a fault in fluxtower: nothing was sent and nothing is lost; please report it"
            }
            DestinationError::Disk { source, .. } => match source.kind() {
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                    "make room on the disk; rows stay pending"
                }
                _ => {
                    "check that the folder of [destination] `path` exists and may be written by the account that runs fluxtower"
                }
            },
        }
    }
}

/// Opens the destination of a configuration: reads the secret, does not connect.
///
/// # Errors
/// The secret cannot be read or used, or the HTTP client cannot be set up.
pub fn open(config: &Config) -> Result<Box<dyn Destination>, DestinationError> {
    Ok(match &config.destination {
        DestinationConfig::Files { path } => Box::new(Files::new(path.clone())),
        DestinationConfig::Influx(influx) if influx.buckets.is_empty() => Box::new(Influx::open(influx)?),
        DestinationConfig::Influx(influx) => Box::new(router::Router::open(influx)?),
    })
}

/// Refuses a batch without lines, which most servers acknowledge, and one whose gzip stream is incomplete or doubled,
/// of which a part may be stored under a 204: neither is ever sent (docs/influx-answers.md#the-write-request).
fn refuse_hollow(request: &Request<'_>) -> Result<(), DestinationError> {
    if request.rows == 0 || request.lines.iter().all(u8::is_ascii_whitespace) {
        return Err(DestinationError::Empty);
    }
    let whole = request.lines.ends_with(b"\n") && memchr::memchr_iter(b'\n', request.lines).count() == request.rows;
    if !whole || !(request.gzip.is_empty() || is_whole_gzip(request.gzip, request.lines.len())) {
        return Err(DestinationError::Miscounted { rows: request.rows });
    }
    Ok(())
}

/// A member begins with its magic number and ends with the length of its content (RFC 1952), so the last four bytes
/// reveal both an incomplete stream and a second member.
fn is_whole_gzip(gzip: &[u8], length: usize) -> bool {
    let stated = gzip.last_chunk::<4>().map(|end| u32::from_le_bytes(*end));
    gzip.len() >= 18 && gzip.starts_with(&[0x1f, 0x8b, 8]) && stated == u32::try_from(length & 0xffff_ffff).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(lines: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(lines).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn i5_a_hollow_request_is_refused_before_it_is_sent() {
        let lines = b"m f=1 1\nm f=2 2\n";
        let whole = gzip(lines);
        let doubled = [gzip(&lines[..8]), gzip(&lines[8..])].concat();
        let good = Request { bucket: None, lines, gzip: &whole, rows: 2 };
        assert!(refuse_hollow(&good).is_ok());
        assert!(refuse_hollow(&Request { gzip: b"", ..good }).is_ok());
        for (request, empty) in [
            (Request { rows: 0, ..good }, true),
            (Request { lines: b"", ..good }, true),
            (Request { lines: b"\n\n", ..good }, true),
            (Request { rows: 3, ..good }, false),
            (Request { lines: &lines[..15], ..good }, false),
            (Request { gzip: &whole[..whole.len() - 8], ..good }, false),
            (Request { gzip: &doubled, ..good }, false),
            (Request { gzip: lines, ..good }, false),
        ] {
            let error = refuse_hollow(&request).unwrap_err();
            assert_eq!(matches!(error, DestinationError::Empty), empty, "{request:?}");
            assert!(error.is_permanent() && !error.hint().is_empty());
        }
    }

    #[test]
    fn a_full_disk_is_not_for_ever() {
        let disk = |kind: std::io::ErrorKind| DestinationError::Disk { path: PathBuf::from("x"), source: kind.into() };
        assert!(!disk(std::io::ErrorKind::StorageFull).is_permanent());
        assert!(disk(std::io::ErrorKind::PermissionDenied).is_permanent());
    }
}
