//! A sign of life for a dead man's switch.

use std::time::Duration;

use reqwest::blocking::Client;
use url::Url;

/// A beat that is late is as good as none.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Calls the address with GET. The error is a text without the address: it may hold a secret.
///
/// # Errors
/// No answer, or one that is not a success.
pub fn beat(url: &Url) -> Result<(), String> {
    let client = Client::builder().timeout(TIMEOUT).build().map_err(|error| error.without_url().to_string())?;
    let answer = client.get(url.clone()).send().map_err(|error| error.without_url().to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("status {}", answer.status().as_u16())) }
}
