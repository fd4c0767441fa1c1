//! The checks of `[destination]` and of each `[[bucket]]`.
//!
//! A key that has no effect beside the others is refused, because whoever wrote it believes in its effect. No message
//! repeats what may be a secret: the token's place, the address, the values of headers.

use std::path::Path;
use std::time::Duration;

use toml::Spanned;
use url::Url;

use super::file::{BucketSection, DestinationSection, File, Text};
use super::load::section;
use super::place::{Section, Source};
use super::value;
use super::{Api, BucketConfig, ConfigError, DestinationConfig, Header, InfluxConfig, Secret, TableConfig, Tls};
use crate::text::{any_of, look_alikes};

const DEFAULT_OUTBOX: &str = "outbox";
/// A server's own limit for a write is 10 s; a cellular link adds to it.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// Where rows go, and what is special about single buckets.
pub(super) fn destination(
    source: &Source<'_>,
    file: &File,
    tables: &[TableConfig],
    folder: &Path,
) -> Result<DestinationConfig, ConfigError> {
    let found = file.destination.as_ref();
    let at = section(source, "[destination]", found);
    let Some(found) = found.map(Spanned::get_ref) else {
        return Err(
            at.lacks("is missing; write it with kind = \"files\" and path = \"outbox\", or with kind = \"influxdb\"")
        );
    };
    for (key, span) in [("token", &found.token), ("password", &found.password)] {
        if let Some(span) = span {
            return Err(at.wrong(&span.span(), secret_in_the_file(key)));
        }
    }
    match &found.kind {
        Some(kind) if kind.get_ref() == "files" => match file.bucket.first() {
            Some(bucket) => {
                let at = section(source, "[[bucket]]", Some(bucket));
                Err(at.wrong(&bucket.span(), stranger("the section", "kind = \"influxdb\"")))
            }
            None => files(&at, found, folder),
        },
        Some(kind) if kind.get_ref() == "influxdb" => {
            let mut influx = influx(&at, found, folder)?;
            influx.buckets = buckets(source, &file.bucket, &influx, tables, folder)?;
            Ok(DestinationConfig::Influx(influx))
        }
        Some(kind) => Err(at.wrong(
            &kind.span(),
            format!("kind = \"{}\" is not known; write \"files\" or \"influxdb\"", kind.get_ref()),
        )),
        None => Err(at.lacks("kind is missing; write kind = \"files\" or kind = \"influxdb\"")),
    }
}

fn secret_in_the_file(key: &str) -> String {
    format!(
        "{key} must not stand in this file; write {key}_env = \"INFLUX_{}\" and set that variable, or \
         {key}_file = \"{key}.txt\" and put it there alone",
        key.to_uppercase()
    )
}

fn files(at: &Section<'_>, found: &DestinationSection, folder: &Path) -> Result<DestinationConfig, ConfigError> {
    let strangers = [
        ("url", &found.url),
        ("api", &found.api),
        ("org", &found.org),
        ("bucket", &found.bucket),
        ("token_env", &found.token_env),
        ("token_file", &found.token_file),
        ("user", &found.user),
        ("password_env", &found.password_env),
        ("password_file", &found.password_file),
        ("retention", &found.retention),
        ("timeout", &found.timeout),
        ("ca_file", &found.ca_file),
        ("client_cert_file", &found.client_cert_file),
        ("client_key_file", &found.client_key_file),
    ];
    refuse(at, &strangers, "kind = \"influxdb\"")?;
    if let Some(headers) = &found.headers {
        return Err(at.wrong(&headers.span(), stranger("headers", "kind = \"influxdb\"")));
    }
    if let Some(allow_http) = &found.allow_http {
        return Err(at.wrong(&allow_http.span(), stranger("allow_http", "kind = \"influxdb\"")));
    }
    let path = at.read("path", &found.path, value::path_text)?;
    Ok(DestinationConfig::Files { path: value::join(folder, path.as_deref().unwrap_or(DEFAULT_OUTBOX)) })
}

fn influx(at: &Section<'_>, found: &DestinationSection, folder: &Path) -> Result<InfluxConfig, ConfigError> {
    refuse(at, &[("path", &found.path)], "kind = \"files\"")?;
    let api = at.read("api", &found.api, api)?.unwrap_or(Api::V2);
    let url = server(at, found)?;
    let token = [("token_env", &found.token_env), ("token_file", &found.token_file)];
    let password = [("password_env", &found.password_env), ("password_file", &found.password_file)];
    let user = [("user", &found.user)];
    let org = [("org", &found.org)];
    match api {
        Api::V1 => {
            refuse(at, &token, "api = \"v2\" and \"v3\" (1.x knows user and password_env)")?;
            refuse(at, &org, "api = \"v2\"")?;
        }
        Api::V2 => {
            refuse(at, &user, "api = \"v1\" (v2 knows token_env)")?;
            refuse(at, &password, "api = \"v1\" (v2 knows token_env)")?;
        }
        Api::V3 => {
            refuse(at, &user, "api = \"v1\" (v3 knows token_env)")?;
            refuse(at, &password, "api = \"v1\" (v3 knows token_env)")?;
            refuse(at, &org, "api = \"v2\"")?;
        }
    }
    let org = at.read("org", &found.org, value::plain_text)?;
    let bucket = at.read("bucket", &found.bucket, value::plain_text)?;
    let bucket = bucket.ok_or_else(|| at.lacks(format!("bucket is missing; write {}", bucket_example(api))))?;
    let user = at.read("user", &found.user, value::plain_text)?;
    let secret = match api {
        Api::V1 => secret(at, password, folder)?,
        Api::V2 | Api::V3 => secret(at, token, folder)?,
    };
    match (api, &user, &secret) {
        (Api::V1, Some(_), None) => {
            return Err(at.lacks(
                "password_env is missing beside user; write password_env = \"INFLUX_PASSWORD\", or take user out",
            ));
        }
        (Api::V1, None, Some(_)) => return Err(at.lacks("user is missing beside the password; write user = \"...\"")),
        (Api::V2, _, None) => {
            return Err(
                at.lacks("token_env is missing; write token_env = \"INFLUX_TOKEN\" or token_file = \"token.txt\"")
            );
        }
        _ => {}
    }
    if api == Api::V2 && org.is_none() {
        return Err(at.lacks(
            "org is missing; write org = \"...\", the organisation that your InfluxDB account shows, or api = \"v3\" for \
             InfluxDB 3, which has none",
        ));
    }
    Ok(InfluxConfig {
        tls: tls(at, found, &url, folder)?,
        headers: headers(at, found)?,
        buckets: Vec::new(),
        url,
        api,
        org: org.unwrap_or_default(),
        bucket,
        secret,
        user,
        retention: at.read("retention", &found.retention, value::some_time)?,
        timeout: at.read("timeout", &found.timeout, value::some_time)?.unwrap_or(DEFAULT_TIMEOUT),
    })
}

/// Certificates have no effect on a connection that is not encrypted.
fn tls(at: &Section<'_>, found: &DestinationSection, url: &Url, folder: &Path) -> Result<Tls, ConfigError> {
    let keys = [
        ("ca_file", &found.ca_file),
        ("client_cert_file", &found.client_cert_file),
        ("client_key_file", &found.client_key_file),
    ];
    if url.scheme() == "http" {
        refuse(at, &keys, "a url with https://")?;
    }
    if let (None, Some(key)) = (&found.client_cert_file, &found.client_key_file) {
        return Err(at.wrong(
            &key.span(),
            "client_key_file is the key to a certificate; write client_cert_file = \"tower.pem\" too",
        ));
    }
    let path = |(key, text): (&str, &Text)| {
        let path = at.read_quietly(key, text, value::path_text)?;
        Ok::<_, ConfigError>(path.map(|path| value::join(folder, &path)))
    };
    let [ca, cert, key] = keys;
    Ok(Tls { ca_file: path(ca)?, client_cert_file: path(cert)?, client_key_file: path(key)? })
}

/// Headers that fluxtower sets itself, or that belong to the connection.
const OWN_HEADERS: [&str; 10] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
];

fn headers(at: &Section<'_>, found: &DestinationSection) -> Result<Vec<Header>, ConfigError> {
    let mut headers = Vec::new();
    for (name, text) in found.headers.iter().flat_map(|headers| headers.get_ref()) {
        let wrong = |problem: &str| at.wrong(&text.span(), format!("headers: {name} {problem}"));
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(wrong("is no name of a header; write for example headers = { X-Site = \"umbs\" }"));
        }
        if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(wrong("is set by fluxtower itself; take it out"));
        }
        let value = text.get_ref().as_str();
        if value.trim().is_empty() || !value.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return Err(wrong(
                "has a value that HTTP cannot carry; write one line of letters, digits and signs of ASCII",
            ));
        }
        headers.push(Header::new(name, value));
    }
    Ok(headers)
}

/// Every `[[bucket]]`, in the order of the file; names are unique, and each is the bucket of something.
fn buckets(
    source: &Source<'_>,
    found: &[Spanned<BucketSection>],
    influx: &InfluxConfig,
    tables: &[TableConfig],
    folder: &Path,
) -> Result<Vec<BucketConfig>, ConfigError> {
    let mut used: Vec<&str> =
        tables.iter().filter_map(|table| table.bucket.as_deref()).chain([influx.bucket.as_str()]).collect();
    used.sort_unstable();
    used.dedup();
    let mut buckets: Vec<BucketConfig> = Vec::new();
    for section in found {
        let label = match &section.get_ref().name {
            Some(name) => format!("[[bucket]] \"{}\"", name.get_ref()),
            None => "[[bucket]]".to_owned(),
        };
        let at = Section::new(source, label, Some(section.span().start));
        let section = section.get_ref();
        for (key, span) in [("token", &section.token), ("password", &section.password)] {
            if let Some(span) = span {
                return Err(at.wrong(&span.span(), secret_in_the_file(key)));
            }
        }
        let name = at.read("name", &section.name, value::plain_text)?;
        let name = name.ok_or_else(|| at.lacks("name is missing; write for example name = \"ameriflux_soil\""))?;
        let name_at = section.name.as_ref().map_or(0..0, Spanned::span);
        if buckets.iter().any(|known| known.name == name) {
            return Err(at.wrong(&name_at, "name stands twice; put the keys of one bucket into one [[bucket]]"));
        }
        if !used.contains(&name.as_str()) {
            let alike = look_alikes(&name, used.iter().copied());
            let known = any_of(if alike.is_empty() { &used } else { &alike });
            return Err(at.wrong(
                &name_at,
                format!("name = \"{name}\" is the bucket of no table and not that of [destination]; write {known}"),
            ));
        }
        let token = [("token_env", &section.token_env), ("token_file", &section.token_file)];
        if influx.api == Api::V1 {
            refuse(&at, &token, "api = \"v2\" and \"v3\"")?;
        }
        if influx.api != Api::V2 {
            refuse(&at, &[("org", &section.org)], "api = \"v2\"")?;
        }
        buckets.push(BucketConfig {
            retention: at.read("retention", &section.retention, value::some_time)?,
            org: at.read("org", &section.org, value::plain_text)?,
            secret: secret(&at, token, folder)?,
            name,
        });
    }
    Ok(buckets)
}

/// A key that another choice brought along would be silently without effect, so it is refused.
fn refuse(at: &Section<'_>, strangers: &[(&str, &Text)], home: &str) -> Result<(), ConfigError> {
    match strangers.iter().find_map(|(key, text)| text.as_ref().map(|text| (key, text.span()))) {
        Some((key, span)) => Err(at.wrong(&span, stranger(key, home))),
        None => Ok(()),
    }
}

fn stranger(key: &str, home: &str) -> String {
    format!("{key} belongs to {home}; take it out or put # before it")
}

fn server(at: &Section<'_>, found: &DestinationSection) -> Result<Url, ConfigError> {
    let url = at.read_quietly("url", &found.url, value::server_url)?;
    let url = url.ok_or_else(|| {
        at.lacks("url is missing; write for example url = \"https://us-east-1-1.aws.cloud2.influxdata.com\"")
    })?;
    let open = url.scheme() == "http"
        && !value::is_loopback(&url)
        && !found.allow_http.as_ref().is_some_and(|allowed| *allowed.get_ref());
    match &found.url {
        Some(place) if open => Err(at.wrong(
            &place.span(),
            "url sends the token over the network for all to read; write https://, or allow_http = true \
             if the network is your own",
        )),
        _ => Ok(url),
    }
}

fn secret(at: &Section<'_>, [env, file]: [(&str, &Text); 2], folder: &Path) -> Result<Option<Secret>, ConfigError> {
    if let (Some(_), Some(second)) = (env.1, file.1) {
        return Err(at.wrong(&second.span(), format!("{} stands beside {}; keep one of them", file.0, env.0)));
    }
    let name = at.read_quietly(env.0, env.1, value::variable_name)?;
    let path = at.read_quietly(file.0, file.1, value::secret_file)?;
    Ok(name.map(Secret::Env).or(path.map(|path| Secret::File(value::join(folder, &path)))))
}

fn api(text: &str) -> Result<Api, String> {
    match text {
        "v1" => Ok(Api::V1),
        "v2" => Ok(Api::V2),
        "v3" => Ok(Api::V3),
        _ => Err("is not known; write \"v2\" (Cloud 2.0, OSS 2.x), \"v1\" (1.x) or \"v3\" (InfluxDB 3)".to_owned()),
    }
}

fn bucket_example(api: Api) -> &'static str {
    match api {
        Api::V1 => "bucket = \"database\" or \"database/retention_policy\"",
        Api::V2 => "bucket = \"ameriflux_atmospheric\"",
        Api::V3 => "bucket = \"...\", the name of the database",
    }
}
