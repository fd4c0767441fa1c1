//! A server that speaks one of InfluxDB's write APIs.
//!
//! One client is used for writing, for asking about buckets ([`super::buckets`]) and for reading back
//! ([`super::query`]). It follows no redirect (a POST would become a GET), repeats nothing automatically, reads each
//! response to its end and reveals no secret: the token is in a header marked as sensitive, errors contain no URL, and
//! the token is removed from a server's answer that quotes it (I10).

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io::Read;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;

use super::answer;
use super::tls;
use super::{
    Answer, Beside, BucketLook, CountAsk, Counted, Destination, DestinationError, Outcome, QueryError, Removal,
    Request, Retention, SeriesAsk, StoredValue, Tags, ValuesAsk, refuse_hollow,
};
use crate::config::{Api, InfluxConfig, is_id, is_loopback};

/// The most bytes that are read of the answer to a write. An error message that lists a hundred lines fits.
const ANSWER_MAX: u64 = 64 * 1024;

/// The longest wait for a connection: a host that does not answer at all is detected sooner than a slow one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// The shortest value of a configured header that is treated as a secret; shorter ones may appear in messages.
const SHORTEST_SECRET: usize = 6;

/// The kind of login.
#[derive(Clone)]
enum Login {
    Anonymous,
    Header(HeaderValue),
    Basic { user: String, password: String },
}

/// A server with everything needed for requests. It has no `Debug`, because it holds the secret.
pub struct Influx {
    client: Client,
    pub(super) config: InfluxConfig,
    login: Login,
    /// The secret in every form in which a server could quote it.
    secrets: Vec<String>,
    /// The server's clock in the newest answer.
    clock: Cell<Option<DateTime<Utc>>>,
    /// The product and version that the server states.
    product: RefCell<Option<String>>,
}

/// A response that arrived completely. The secret was removed from the body.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    /// Whether the body is longer than the part that was read.
    pub(super) is_cut: bool,
}

impl Influx {
    /// Reads the secret and sets up the client; does not connect.
    ///
    /// # Errors
    /// The secret cannot be read or used, or the client cannot be set up.
    pub fn open(config: &InfluxConfig) -> Result<Influx, DestinationError> {
        let secret =
            config.secret.as_ref().map(|secret| secret.read().map_err(DestinationError::Secret)).transpose()?;
        let mut config = config.clone();
        // A user name in the URL would be sent as a separate login. The setters fail only for URLs without a host.
        let _ = config.url.set_username("");
        let _ = config.url.set_password(None);
        let login = login(&config, secret.as_deref())?;
        let mut client = Client::builder()
            .redirect(Policy::none())
            .user_agent(concat!("fluxtower/", env!("CARGO_PKG_VERSION")))
            .timeout(config.timeout)
            .connect_timeout(config.timeout.min(CONNECT_TIMEOUT));
        if is_loopback(&config.url) {
            // Plain http is allowed here because nothing leaves the computer; a proxy would send the token elsewhere.
            client = client.no_proxy();
        }
        let client = tls::certified(client, &config.tls)?.default_headers(tls::headers(&config.headers)?);
        let client = client.build().map_err(|error| DestinationError::Client(cause(&error)))?;
        let mut influx =
            Influx { client, config, login, secrets: Vec::new(), clock: Cell::new(None), product: RefCell::new(None) };
        if let Some(secret) = secret {
            influx.secrets = influx.spellings(&secret);
        }
        // A short value is hardly a secret, and replacing it would damage every message.
        let values = influx.config.headers.iter().map(|header| header.value().to_owned());
        let values: Vec<String> = values.filter(|value| value.len() >= SHORTEST_SECRET).collect();
        influx.secrets.extend(values);
        Ok(influx)
    }

    /// A copy for another request at the same time. It shares the open connections.
    pub(super) fn copy(&self) -> Influx {
        Influx {
            client: self.client.clone(),
            config: self.config.clone(),
            login: self.login.clone(),
            secrets: self.secrets.clone(),
            clock: Cell::new(None),
            product: RefCell::new(None),
        }
    }

    /// A request to a path of the server, with the login.
    pub(super) fn request(&self, method: Method, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.config.url.clone();
        url.set_path(path);
        url.set_fragment(None);
        url.set_query(None);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.client.request(method, url);
        match &self.login {
            Login::Anonymous => request,
            Login::Header(value) => request.header(AUTHORIZATION, value.clone()),
            Login::Basic { user, password } => request.basic_auth(user, Some(password)),
        }
    }

    /// Sends the request and reads the response to its end, or up to `most` bytes. The error is a text for the user.
    pub(super) fn exchange(&self, request: RequestBuilder, most: u64) -> Result<Reply, String> {
        let deadline = Instant::now() + self.config.timeout;
        let mut response = request.send().map_err(|error| self.network_message(error))?;
        let (status, mut headers) = (response.status().as_u16(), response.headers().clone());
        for value in headers.values_mut() {
            let text = String::from_utf8_lossy(value.as_bytes());
            let clean = self.without_secret(&text);
            if clean != text {
                *value = HeaderValue::from_str(&clean).unwrap_or(HeaderValue::from_static(""));
            }
        }
        self.clock.set(answer::server_time(&headers));
        if let Some(product) = answer::product(&headers) {
            *self.product.borrow_mut() = Some(product);
        }
        let body = read_body(&mut response, most, deadline)
            .map_err(|error| answer::cleaned(&format!("the answer ({status}) broke off: {}", io_cause(&error))))?;
        let is_cut = body.len() as u64 > most;
        let body = self.without_secret(&unescaped(&String::from_utf8_lossy(&body)));
        Ok(Reply { status, headers, body, is_cut })
    }

    /// The server's address without secrets.
    pub(super) fn address(&self) -> String {
        let url = &self.config.url;
        let host = url.host_str().unwrap_or("nowhere");
        match url.port() {
            Some(port) => format!("{}://{host}:{port}", url.scheme()),
            None => format!("{}://{host}", url.scheme()),
        }
    }

    pub(super) fn bucket<'a>(&'a self, bucket: Option<&'a str>) -> &'a str {
        bucket.unwrap_or(&self.config.bucket)
    }

    /// The organisation as a query parameter of v2: some routes accept an id only under a name of its own.
    pub(super) fn organisation(&self) -> (&'static str, &str) {
        let org = self.config.org.as_str();
        (if is_id(org) { "orgID" } else { "org" }, org)
    }

    /// The secret unchanged, as in a URL, and as in an HTTP login.
    fn spellings(&self, secret: &str) -> Vec<String> {
        let in_url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let request = self.request(Method::GET, "/", &[]).build().ok();
        let login = request.as_ref().and_then(|request| request.headers().get(AUTHORIZATION)?.to_str().ok());
        let in_login = login.and_then(|login| login.split_once(' ')).map(|(_, login)| login.to_owned());
        let mut spellings: Vec<String> = in_login.into_iter().chain([secret.to_owned(), in_url]).collect();
        spellings.retain(|spelling| !spelling.is_empty());
        spellings
    }

    fn without_secret(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "[secret]"))
    }

    fn network_message(&self, error: reqwest::Error) -> String {
        let error = error.without_url();
        let (address, cause) = (self.address(), cause(&error));
        let cause = if cause.contains("UnknownIssuer") {
            format!("{cause}; if your own network signs the certificate, give it as `ca_file`")
        } else if cause.contains("CertificateRequired") {
            format!("{cause}; the server asks for a certificate of ours: `client_cert_file`")
        } else {
            cause
        };
        let message = if error.is_timeout() {
            format!("no answer from {address} within {} s: {cause}", self.config.timeout.as_secs())
        } else if error.is_connect() {
            format!("no connection to {address}: {cause}")
        } else {
            format!("the connection to {address} broke off: {cause}")
        };
        answer::cleaned(&self.without_secret(&message))
    }

    fn write_request(&self, bucket: &str) -> RequestBuilder {
        let post = |path, query: &[(&str, &str)]| self.request(Method::POST, path, query);
        match self.config.api {
            Api::V1 => match database_and_policy(bucket) {
                (db, Some(rp)) => post("/write", &[("db", db), ("rp", rp), ("precision", "ns")]),
                (db, None) => post("/write", &[("db", db), ("precision", "ns")]),
            },
            Api::V2 => post("/api/v2/write", &[self.organisation(), ("bucket", bucket), ("precision", "ns")]),
            Api::V3 => {
                post("/api/v3/write_lp", &[("db", bucket), ("precision", "nanosecond"), ("accept_partial", "false")])
            }
        }
    }

    /// Interprets the answer to a write.
    fn written(&self, bucket: &str, post: RequestBuilder) -> Answer {
        let target = answer::Target { api: self.config.api, bucket };
        match self.exchange(post, ANSWER_MAX) {
            Ok(reply) => answer::read(target, reply.status, &reply.headers, &reply.body),
            Err(message) => Answer::without_server(Outcome::Retry { after: None }, message),
        }
    }

    /// The version that the server states, such as `1.6.7`.
    pub(super) fn version(&self) -> Option<String> {
        let product = self.product.borrow();
        let version = product.as_deref()?.strip_prefix("InfluxDB ")?.trim_start_matches('v');
        Some(version.split(' ').next().unwrap_or_default().to_owned())
    }
}

impl Destination for Influx {
    fn name(&self) -> String {
        let api = match self.config.api {
            Api::V1 => "v1",
            Api::V2 => "v2",
            Api::V3 => "v3",
        };
        format!("{} (InfluxDB {api}), bucket {}", self.address(), self.config.bucket)
    }

    fn describe(&self, bucket: Option<&str>) -> String {
        let (api, org) = match self.config.api {
            Api::V1 => ("v1", String::new()),
            Api::V2 => ("v2", format!(", organisation {}", self.config.org)),
            Api::V3 => ("v3", String::new()),
        };
        format!("{} (InfluxDB {api}{org}), bucket {}", self.address(), self.bucket(bucket))
    }

    fn may_write(&mut self, bucket: Option<&str>) -> Result<Option<Answer>, DestinationError> {
        if self.config.api == Api::V3 {
            // A write would create a missing database, so only the login and the connection are tested.
            let list = self.request(Method::GET, "/api/v3/configure/database", &[("format", "json")]);
            let answer = self.written(self.bucket(bucket), list);
            let is_decided = answer.status.is_none_or(|status| status == 401 || status >= 500);
            return Ok(Some(answer).filter(|_| is_decided));
        }
        let bucket = self.bucket(bucket);
        let post = self.write_request(bucket).header(CONTENT_TYPE, "text/plain; charset=utf-8").body(Vec::new());
        let mut answer = self.written(bucket, post);
        // Cloud checks login, bucket and permission first, and then reports that there are no points
        // (docs/influx-answers.md#asking-whether-a-write-would-be-taken).
        let message = answer.message.to_lowercase();
        if answer.status == Some(400)
            && ["requires points", "points required"].iter().any(|part| message.contains(part))
        {
            answer.outcome = Outcome::Stored;
        }
        Ok(Some(answer))
    }

    fn write(&mut self, request: &Request<'_>) -> Result<Answer, DestinationError> {
        refuse_hollow(request)?;
        let mut post = self
            .write_request(self.bucket(request.bucket))
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .header(ACCEPT, "application/json");
        post = if request.gzip.is_empty() {
            post.body(request.lines.to_vec())
        } else {
            post.header(CONTENT_ENCODING, "gzip").body(request.gzip.to_vec())
        };
        Ok(self.written(self.bucket(request.bucket), post))
    }

    fn another(&self) -> Option<Box<dyn Destination>> {
        Some(Box::new(self.copy()))
    }

    fn wants_gzip(&self) -> bool {
        true
    }

    fn look(&mut self, bucket: Option<&str>) -> BucketLook {
        self.clock.set(None);
        let found = self.find(self.bucket(bucket));
        let is_answered = found.is_ok();
        let server_time = self.clock.get().filter(|_| is_answered);
        let (id, is_there, retention) = match found {
            Ok(Some(found)) => (found.id, Some(true), found.retention),
            // InfluxDB 1 and 2 leave out what the login may not read; InfluxDB 3 lists all or nothing.
            Ok(None) if self.config.api == Api::V3 => {
                (None, Some(false), Retention::Unknown("there is no such database".to_owned()))
            }
            Ok(None) => (None, None, Retention::Unknown("the login may not see the bucket".to_owned())),
            Err(error) => (None, None, Retention::Unknown(error.to_string())),
        };
        let retention = match (retention, self.config.retention) {
            (Retention::Unknown(_), Some(configured)) => Retention::For(configured),
            (found, _) => found,
        };
        let product = self.product.borrow().clone();
        // A login with write permission only gets the time from an empty write that is accepted.
        let server_time = if !is_answered && matches!(retention, Retention::For(_)) {
            let taken = self.may_write(bucket).ok().flatten().filter(|answer| answer.outcome == Outcome::Stored);
            taken.and_then(|answer| answer.server_time)
        } else {
            server_time
        };
        BucketLook { id, is_there, retention, server_time, product }
    }

    fn count(&mut self, ask: &CountAsk<'_>) -> Result<Counted, QueryError> {
        Influx::count(self, ask)
    }

    fn values(&mut self, ask: &ValuesAsk<'_>) -> Result<Vec<StoredValue>, QueryError> {
        Influx::values(self, ask)
    }

    fn removal(&self) -> Removal {
        self.removal_kind()
    }

    fn may_remove(&mut self, bucket: Option<&str>) -> Result<(), QueryError> {
        self.ask_whether_removal_works(bucket)
    }

    fn tag_sets(&mut self, ask: &SeriesAsk<'_>) -> Result<Vec<Tags>, QueryError> {
        self.tag_sets_in(ask)
    }

    fn beside(&mut self, ask: &SeriesAsk<'_>) -> Result<Beside, QueryError> {
        self.look_beside(ask)
    }

    fn remove(&mut self, ask: &SeriesAsk<'_>, tag_keys: &[String]) -> Result<(), QueryError> {
        self.remove_points(ask, tag_keys)
    }

    fn can_be_asked(&self) -> bool {
        true
    }
}

/// JSON can write a letter in several ways, and a secret must be found in any of them.
fn unescaped(body: &str) -> Cow<'_, str> {
    if body.contains('\\')
        && let Ok(json) = serde_json::from_str::<serde_json::Value>(body)
    {
        return Cow::Owned(json.to_string());
    }
    Cow::Borrowed(body)
}

fn login(config: &InfluxConfig, secret: Option<&str>) -> Result<Login, DestinationError> {
    let Some(secret) = secret else {
        return Ok(Login::Anonymous);
    };
    if let (Api::V1, Some(user)) = (config.api, &config.user) {
        return Ok(Login::Basic { user: user.clone(), password: secret.to_owned() });
    }
    let scheme = if config.api == Api::V3 { "Bearer" } else { "Token" };
    let mut value =
        HeaderValue::from_str(&format!("{scheme} {secret}")).map_err(|_| DestinationError::SecretUnusable)?;
    value.set_sensitive(true);
    Ok(Login::Header(value))
}

/// Splits `db` or `db/rp` into the v1 API's two parameters.
pub(super) fn database_and_policy(bucket: &str) -> (&str, Option<&str>) {
    match bucket.split_once('/') {
        Some((db, rp)) if !rp.is_empty() => (db, Some(rp)),
        Some((db, _)) => (db, None),
        None => (bucket, None),
    }
}

/// Reads a body until the deadline. The client's own timeout applies to each read, so a server that sends very slowly
/// is stopped here.
fn read_body(response: &mut impl Read, most: u64, deadline: Instant) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    let mut chunk = [0_u8; 8192];
    while body.len() as u64 <= most {
        match response.read(&mut chunk)? {
            0 => break,
            count => body.extend_from_slice(&chunk[..count]),
        }
        if Instant::now() > deadline {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
    }
    Ok(body)
}

/// The innermost cause: the outer ones only say "error sending request".
pub(crate) fn cause(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// Like [`cause`], for an I/O error; the client's own errors, which name the URL, may be nested in it.
fn io_cause(error: &std::io::Error) -> String {
    let mut deepest = match error.get_ref() {
        Some(inner) => inner as &dyn std::error::Error,
        None => return error.to_string(),
    };
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    match deepest.downcast_ref::<reqwest::Error>() {
        Some(error) if error.is_timeout() => "no more of it came in time".to_owned(),
        Some(_) => "the connection was lost".to_owned(),
        None => deepest.to_string(),
    }
}

#[cfg(test)]
#[path = "influx_tests.rs"]
mod tests;
