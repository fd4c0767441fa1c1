//! What belongs to a server beside its address: certificates, headers, and buckets that differ from the others.

use std::path::PathBuf;
use std::time::Duration;

use super::{InfluxConfig, Secret};

/// What `[[bucket]]` says about one bucket; what it does not say is as in `[destination]`.
#[derive(Debug, Clone)]
pub struct BucketConfig {
    /// As `bucket` of a table or of `[destination]`.
    pub name: String,
    /// How long it keeps rows, when the server cannot be asked.
    pub retention: Option<Duration>,
    /// Its organisation (v2).
    pub org: Option<String>,
    /// Its token (v2, v3).
    pub secret: Option<Secret>,
}

/// Certificates, as files in PEM; read when they are used.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Certificates that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Our certificate, for a server that asks for one; may hold its key too.
    pub client_cert_file: Option<PathBuf>,
    /// Its key.
    pub client_key_file: Option<PathBuf>,
}

/// A header of every request. Its value may be a secret, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// A name that fluxtower does not set itself.
    pub name: String,
    value: String,
}

impl Header {
    pub(crate) fn new(name: &str, value: &str) -> Header {
        Header { name: name.to_owned(), value: value.to_owned() }
    }

    /// Printable ASCII. Must reach no message.
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

impl InfluxConfig {
    /// As it holds for one bucket, which is then the destination's own; none means the destination's own.
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

    /// The retention that is configured for a bucket; none means the destination's own bucket.
    pub fn retention_of(&self, bucket: Option<&str>) -> Option<Duration> {
        self.special(bucket).and_then(|special| special.retention).or(self.retention)
    }

    fn special(&self, bucket: Option<&str>) -> Option<&BucketConfig> {
        let name = bucket.unwrap_or(&self.bucket);
        self.buckets.iter().find(|special| special.name == name)
    }
}
