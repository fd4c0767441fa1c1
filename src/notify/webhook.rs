//! Sends messages to a webhook.
//!
//! The address of most webhooks is a secret. It appears in no message: a server is named by its host, and its answer is
//! searched for the address and the token before it is shown. Redirects are not followed, because the new address would
//! get what was meant for the old one.

use std::io::Read as _;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use reqwest::blocking::{Client, Response};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, StatusCode, redirect};
use serde_json::json;
use url::Url;

use super::error::NotifyError;
use super::message::{Message, Weight};
use crate::config::{BodyFormat, WebhookAddress, WebhookConfig, is_loopback, web_url};
use crate::destination::cause;
use crate::text::visible;
use crate::time::{http_date, retry_after};

/// The most characters of a server's answer that are kept.
const MOST_CHARS: usize = 200;
/// The longest wait that is granted to a server, which may ask for days.
const LONGEST_ASKED: Duration = Duration::from_secs(6 * 3_600);

/// A webhook with its secrets.
pub(super) struct Webhook {
    client: Client,
    url: Url,
    token: Option<String>,
    format: BodyFormat,
    limit: Duration,
}

/// The server, without parts of the address that may be secret.
pub(super) fn place(config: &WebhookConfig) -> String {
    match &config.address {
        WebhookAddress::Url(url) => host(url),
        WebhookAddress::Secret(secret) => format!("the address in {}", secret.describe()),
    }
}

fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

impl Webhook {
    /// Reads the secrets; does not connect.
    pub(super) fn open(config: &WebhookConfig, limit: Duration) -> Result<Webhook, NotifyError> {
        let url = match &config.address {
            WebhookAddress::Url(url) => url.clone(),
            WebhookAddress::Secret(secret) => {
                let wrong = |problem: String| NotifyError::Address { place: secret.describe(), problem };
                let url = web_url(secret.read()?.trim()).map_err(wrong)?;
                if url.scheme() == "http" && !is_loopback(&url) && !config.allow_http {
                    return Err(wrong(
                        "begins with http://, over which all can read what is sent; write https://, or allow_http = true in \
                         [notify] if the network is your own"
                            .to_owned(),
                    ));
                }
                url
            }
        };
        let token = config.token.as_ref().map(crate::config::Secret::read).transpose()?;
        let unusable = |problem: String| NotifyError::Client { place: host(&url), problem };
        let mut client = Client::builder()
            .timeout(limit)
            .redirect(redirect::Policy::none())
            .referer(false)
            .user_agent(concat!("fluxtower/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&url) {
            // HTTP_PROXY applies to other computers.
            client = client.no_proxy();
        }
        if let Some(path) = &config.ca_file {
            let wrong = |problem: String| NotifyError::Certificates { path: path.clone(), problem };
            let pem = super::mail::pem(path)?;
            for certificate in Certificate::from_pem_bundle(&pem).map_err(|error| wrong(cause(&error)))? {
                client = client.add_root_certificate(certificate);
            }
        }
        let client = client.build().map_err(|error| unusable(cause(&error)))?;
        Ok(Webhook { client, url, token, format: config.format, limit })
    }

    /// Posts a message.
    pub(super) fn post(&self, message: &Message) -> Result<(), NotifyError> {
        let mut request = self.client.post(self.url.clone());
        if let Some(token) = &self.token {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| NotifyError::Client {
                place: host(&self.url),
                problem: "the token holds a character that cannot be sent".to_owned(),
            })?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let request = match self.format {
            BodyFormat::Json => request.header(CONTENT_TYPE, "application/json").body(message.json.to_string()),
            BodyFormat::Slack => request.header(CONTENT_TYPE, "application/json").body(slack(message).to_string()),
            BodyFormat::Teams => request.header(CONTENT_TYPE, "application/json").body(teams(message).to_string()),
            BodyFormat::Text => {
                let (priority, tag) = ntfy(message.weight);
                let request = request.header(CONTENT_TYPE, "text/plain; charset=utf-8");
                let request = match HeaderValue::from_bytes(visible(&message.title).as_bytes()) {
                    Ok(title) => request.header("Title", title),
                    Err(_) => request,
                };
                request.header("Priority", priority).header("Tags", tag).body(message.text_below_title())
            }
        };
        let answer = request.send().map_err(|error| self.no_answer(&error))?;
        self.judge(answer)
    }

    fn no_answer(&self, error: &reqwest::Error) -> NotifyError {
        let place = host(&self.url);
        if error.is_timeout() {
            return NotifyError::TooSlow { place, limit: self.limit };
        }
        let problem = cause(error);
        let problem = visible(&self.redacted(&problem)).into_owned();
        if problem.contains("certificate") {
            let fix = "check this computer's clock; if your own network signs certificates, give its authority as ca_file in \
                       [notify]";
            return NotifyError::Encryption { place, problem, fix: fix.to_owned() };
        }
        NotifyError::Unreachable { place, problem }
    }

    fn judge(&self, answer: Response) -> Result<(), NotifyError> {
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let place = host(&self.url);
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let asked = header(RETRY_AFTER).and_then(|text| retry_after(text, header(DATE).and_then(http_date)));
        let asked = asked.map(|asked| asked.min(LONGEST_ASKED));
        let mut body = String::new();
        // If the answer cannot be read, its text is not shown.
        let _ = answer.take(4_096).read_to_string(&mut body);
        let body = self.redacted(body.trim());
        let body: String = body.lines().next().unwrap_or_default().chars().take(MOST_CHARS).collect();
        let body = visible(&body).into_owned();
        let answer =
            if body.is_empty() { status.as_u16().to_string() } else { format!("{} ({body})", status.as_u16()) };
        let is_busy = status.is_server_error()
            || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS);
        if is_busy {
            return Err(NotifyError::Busy { place, answer, asked });
        }
        let fix = match status.as_u16() {
            300..=399 => "it redirects elsewhere, which is not followed: write the final address",
            401 | 403 => "check the address and token_env or token_file",
            404 | 410 => "there is no such webhook any more: make a new one and write its address",
            405 => "there is no webhook at this address: check it",
            _ => "check that `format` is the one that it takes",
        };
        let fix = fix.to_owned();
        match status {
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => {
                Err(NotifyError::RefusedAsItIs { place, answer, fix })
            }
            _ => Err(NotifyError::Refused { place, answer, fix }),
        }
    }

    /// The text without parts of the address and the token, which a server may repeat.
    fn redacted(&self, text: &str) -> String {
        redacted(text, &self.url, self.token.as_deref())
    }
}

/// Removes secrets from a text. A server may repeat a part of the address as it is written there, or decoded.
fn redacted(text: &str, url: &Url, token: Option<&str>) -> String {
    let query = || url.query().unwrap_or_default();
    let raw = query().split(['&', '=']).chain(url.path_segments().into_iter().flatten());
    let raw = raw.chain([query(), url.username()]).chain(url.password()).chain(token);
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let mut secrets: Vec<String> = raw.flat_map(|part| [part.to_owned(), decoded(part)]).collect();
    // In a query, a `+` is a space.
    secrets.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
    // Shorter parts are names such as `api`.
    secrets.retain(|secret| secret.len() >= 6);
    // One may be a part of another.
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[hidden]"))
}

/// A priority from 1 to 5, and a tag that ntfy shows as a symbol.
fn ntfy(weight: Weight) -> (&'static str, &'static str) {
    match weight {
        Weight::Problem => ("4", "rotating_light"),
        Weight::Warning => ("3", "warning"),
        Weight::Good => ("3", "white_check_mark"),
        Weight::Test => ("3", "information_source"),
    }
}

/// Slack interprets `<` and `&`: `<!channel>` notifies all users.
fn slack(message: &Message) -> serde_json::Value {
    json!({ "text": message.text().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;") })
}

/// The card that workflows accept, as Microsoft 365 connectors did before them.
fn teams(message: &Message) -> serde_json::Value {
    let line = |text: &str| json!({ "type": "TextBlock", "text": text, "wrap": true });
    let mut body = vec![json!({ "type": "TextBlock", "text": message.title, "weight": "Bolder", "wrap": true })];
    body.extend(message.lines.iter().map(|text| line(text)));
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
            },
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i10_no_part_of_an_address_is_shown_as_it_stands_there_or_decoded() {
        let url =
            Url::parse("https://us%2Dername:p%40ssword@hook.example/in/tok%2Fen99?sig=Ab%2Bc%3Dd1&key+one").unwrap();
        for answer in [
            "no /in/tok%2Fen99?sig=Ab%2Bc%3Dd1&key+one",
            "no tok/en99",
            "no sig=Ab%2Bc%3Dd1",
            "no Ab+c=d1",
            "us%2Dername us-ername p%40ssword p@ssword bearer",
        ] {
            let text = redacted(answer, &url, Some("bearer"));
            for secret in ["en99", "Ab", "c=d1", "ername", "ssword", "bearer"] {
                assert!(!text.contains(secret), "{secret}: {text}");
            }
            assert!(text.contains("[hidden]"), "{text}");
        }
    }
}
