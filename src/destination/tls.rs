//! The settings of a connection besides the token: trusted certificates, the client certificate, and configured
//! headers.
//!
//! No content of a file and no value of a header appears in a message (I10).

use std::path::Path;

use reqwest::blocking::ClientBuilder;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Identity};

use super::DestinationError;
use super::influx::cause;
use crate::config::{Header, Tls};

/// Adds the configured certificates.
pub(super) fn certified(mut client: ClientBuilder, tls: &Tls) -> Result<ClientBuilder, DestinationError> {
    let wrong = |path: &Path, problem: String| DestinationError::Certificate { path: path.to_owned(), problem };
    let read = |path: &Path| {
        // Reading a pipe may never end.
        if !std::fs::metadata(path).map_err(|error| wrong(path, error.to_string()))?.is_file() {
            return Err(wrong(path, "it is no regular file".to_owned()));
        }
        std::fs::read(path).map_err(|error| wrong(path, error.to_string()))
    };
    if let Some(path) = &tls.ca_file {
        let found = Certificate::from_pem_bundle(&read(path)?).map_err(|error| wrong(path, cause(&error)))?;
        if found.is_empty() {
            return Err(wrong(path, "it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned()));
        }
        for certificate in found {
            client = client.add_root_certificate(certificate);
        }
    }
    if let Some(path) = &tls.client_cert_file {
        let mut pem = read(path)?;
        if let Some(key) = &tls.client_key_file {
            pem.push(b'\n');
            pem.extend(read(key)?);
        }
        // The cause may quote the key, so it is left out.
        let unusable =
            |_| wrong(path, "it and client_key_file do not hold a certificate and its key in PEM".to_owned());
        client = client.identity(Identity::from_pem(&pem).map_err(unusable)?);
    }
    Ok(client)
}

/// The configured headers, which are treated as secret like the token.
pub(super) fn headers(configured: &[Header]) -> Result<HeaderMap, DestinationError> {
    let mut headers = HeaderMap::new();
    for header in configured {
        let unusable = || DestinationError::Client(format!("the header {} cannot be sent", header.name));
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| unusable())?;
        let mut value = HeaderValue::from_str(header.value()).map_err(|_| unusable())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}
