//! Where rows are sent: a folder, or a server with its certificates, headers, and buckets with settings of their own.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::Secret;

/// Where rows are sent.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a process holds one, and a box would only make it harder to match")]
pub enum DestinationConfig {
    /// A folder of line-protocol files, ready for `influx write`.
    Files {
        /// The folder; it is created at its first use.
        path: PathBuf,
    },
    /// A server that speaks one of InfluxDB's write APIs.
    Influx(InfluxConfig),
}

impl DestinationConfig {
    /// Whether points can be removed there: files cannot be changed, and InfluxDB 3 Core removes nothing.
    pub fn can_remove(&self) -> bool {
        matches!(self, DestinationConfig::Influx(influx) if influx.api != Api::V3)
    }
}

/// Which write API a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// `/write` of InfluxDB 1.x.
    V1,
    /// `/api/v2/write` of Cloud 2.0 and OSS 2.x.
    V2,
    /// `/api/v3/write_lp` of InfluxDB 3.
    V3,
}

/// An InfluxDB, or a server that speaks its write API.
#[derive(Debug, Clone)]
pub struct InfluxConfig {
    /// Scheme, host and port; the path is empty.
    pub url: Url,
    /// Which write API it speaks.
    pub api: Api,
    /// Organisation (v2); empty for the others.
    pub org: String,
    /// Bucket (v2), `db` or `db/rp` (v1), database (v3). A table may name its own.
    pub bucket: String,
    /// The token of v2 and v3, the password of v1.
    pub secret: Option<Secret>,
    /// The user of v1.
    pub user: Option<String>,
    /// How long the bucket keeps rows, if the server cannot be asked.
    pub retention: Option<Duration>,
    /// Total time allowed for one request.
    pub timeout: Duration,
    /// The trusted certificates and the client certificate.
    pub tls: Tls,
    /// Headers that are sent with each request, in addition to fluxtower's own.
    pub headers: Vec<Header>,
    /// Settings of single buckets; names are unique.
    pub buckets: Vec<BucketConfig>,
}

/// The settings of one bucket in `[[bucket]]`; those that are not given are as in `[destination]`.
#[derive(Debug, Clone)]
pub struct BucketConfig {
    /// The name, written as in `bucket` of a table or of `[destination]`.
    pub name: String,
    /// How long it keeps rows, if the server cannot be asked.
    pub retention: Option<Duration>,
    /// Its organisation (v2).
    pub org: Option<String>,
    /// Its token (v2, v3).
    pub secret: Option<Secret>,
}

/// Certificates, as files in PEM; they are read at each use.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Certificates that are trusted in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// The client certificate, for a server that asks for one; the file may also hold the key.
    pub client_cert_file: Option<PathBuf>,
    /// The key of the client certificate.
    pub client_key_file: Option<PathBuf>,
}

/// A header of every request. Its value may be a secret, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// A header name that fluxtower does not set itself.
    pub name: String,
    value: String,
}

impl Header {
    pub(crate) fn new(name: &str, value: &str) -> Header {
        Header { name: name.to_owned(), value: value.to_owned() }
    }

    /// The value, in printable ASCII. It must not be shown in any message.
    pub(crate) fn value(&self) -> &str {
        &self.value
    }
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Header({}: [hidden])", self.name)
    }
}

/// Whether an organisation or a bucket is given by its id: sixteen hexadecimal digits, as InfluxDB 2 shows them.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl DestinationConfig {
    /// The most columns (time, tags and fields) that a measurement may have on this server. InfluxDB 3 Core allows 500;
    /// the others have no limit that a logger's table reaches (docs/influx-answers.md#limits).
    pub fn most_columns(&self) -> Option<usize> {
        match self {
            DestinationConfig::Influx(influx) if influx.api == Api::V3 => Some(500),
            _ => None,
        }
    }
}

impl InfluxConfig {
    /// The configuration for one bucket, which becomes the default bucket of the result; None is the destination's
    /// default.
    pub fn of_bucket(&self, bucket: Option<&str>) -> InfluxConfig {
        let mut own = self.clone();
        if let Some(bucket) = bucket {
            bucket.clone_into(&mut own.bucket);
        }
        own.retention = self.retention_of(bucket);
        if let Some(special) = self.special(bucket) {
            if let Some(org) = &special.org {
                own.org.clone_from(org);
            }
            if let Some(secret) = &special.secret {
                own.secret = Some(secret.clone());
            }
        }
        own
    }

    /// The retention that is configured for a bucket; None is the destination's default bucket.
    pub fn retention_of(&self, bucket: Option<&str>) -> Option<Duration> {
        self.special(bucket).and_then(|special| special.retention).or(self.retention)
    }

    fn special(&self, bucket: Option<&str>) -> Option<&BucketConfig> {
        let name = bucket.unwrap_or(&self.bucket);
        self.buckets.iter().find(|special| special.name == name)
    }
}
