//! The heartbeat for a dead man's switch.

use std::time::Duration;

use reqwest::blocking::Client;
use url::Url;

/// The time limit: a late heartbeat is useless.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Calls the address with GET. The address may contain a secret, so the error is a text without it, and a redirect to
/// another address is followed without naming it (`Referer`).
///
/// # Errors
/// There is no answer, or one without success.
pub fn beat(url: &Url) -> Result<(), String> {
    let client =
        Client::builder().timeout(TIMEOUT).referer(false).build().map_err(|error| error.without_url().to_string())?;
    let answer = client.get(url.clone()).send().map_err(|error| error.without_url().to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("status {}", answer.status().as_u16())) }
}
