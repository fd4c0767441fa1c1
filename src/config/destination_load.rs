//! The checks of `[destination]`; those of `[[bucket]]` are in [`super::bucket_load`].
//!
//! A key that has no effect in combination with the others is refused, because a user who writes it expects an effect.
//! No message repeats what may be a secret: a token written in a wrong place, the address, the values of headers.

use std::path::Path;

use toml::Spanned;
use url::Url;

use super::file::{DestinationSection, File, Given, Text};
use super::keys::Key;
use super::load::section;
use super::place::{Section, Source};
use super::{Api, ConfigError, DestinationConfig, Header, InfluxConfig, Secret, TableConfig, Tls, bucket_load, value};

/// Reads where rows are sent, and the settings of single buckets.
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
    no_secret(&at, &found.given())?;
    match &found.kind {
        Some(kind) if kind.get_ref() == "files" => match file.bucket.first() {
            Some(bucket) => {
                let at = section(source, "[[bucket]]", Some(bucket));
                Err(at.wrong(&bucket.span(), format!("the section {}", stranger("kind = \"influxdb\""))))
            }
            None => files(&at, found, folder),
        },
        Some(kind) if kind.get_ref() == "influxdb" => {
            let mut influx = influx(&at, found, folder)?;
            influx.buckets = bucket_load::buckets(source, &file.bucket, &influx, tables, folder)?;
            Ok(DestinationConfig::Influx(influx))
        }
        Some(kind) => Err(at.wrong(
            &kind.span(),
            format!("kind = \"{}\" is not known; write \"files\" or \"influxdb\"", kind.get_ref()),
        )),
        None => Err(at.lacks("kind is missing; write kind = \"files\" or kind = \"influxdb\"")),
    }
}

/// Refuses a secret that is written directly in the file.
pub(super) fn no_secret(at: &Section<'_>, given: &[Given]) -> Result<(), ConfigError> {
    let secrets = [DestinationSection::token.name, DestinationSection::password.name];
    let Some(Given { key, place }) = given.iter().find(|given| secrets.contains(&given.key)) else { return Ok(()) };
    let problem = format!(
        "{key} must not stand in this file; write {key}_env = \"INFLUX_{}\" and set that variable, or \
         {key}_file = \"{key}.txt\" and put it there alone",
        key.to_uppercase()
    );
    Err(at.wrong(place, problem))
}

/// The reason for refusing a key that has no effect here, because it belongs to another section.
pub(super) fn stranger(home: &str) -> String {
    format!("belongs to {home}; take it out or put # before it")
}

fn files(at: &Section<'_>, found: &DestinationSection, folder: &Path) -> Result<DestinationConfig, ConfigError> {
    let (kind, path) = (DestinationSection::kind.name, DestinationSection::path.name);
    at.refuse(&found.given(), |key| key != kind && key != path, stranger("kind = \"influxdb\""))?;
    let path = at.read_or_default(&DestinationSection::path, &found.path, value::path_text)?;
    Ok(DestinationConfig::Files { path: value::join(folder, &path) })
}

fn influx(at: &Section<'_>, found: &DestinationSection, folder: &Path) -> Result<InfluxConfig, ConfigError> {
    use DestinationSection as Keys;
    at.refuse(&found.given(), |key| key == Keys::path.name, stranger("kind = \"files\""))?;
    let api = at.read_or_default(&Keys::api, &found.api, api)?;
    let url = server(at, found)?;
    let refuse = |keys: &[Key], home: &str| {
        at.refuse(&found.given(), |key| keys.iter().any(|refused| refused.name == key), stranger(home))
    };
    let token = [Keys::token_env, Keys::token_file];
    let of_v1 = [Keys::user, Keys::password_env, Keys::password_file];
    match api {
        Api::V1 => {
            refuse(&token, "api = \"v2\" and \"v3\" (1.x knows user and password_env)")?;
            refuse(&[Keys::org], "api = \"v2\"")?;
        }
        Api::V2 => refuse(&of_v1, "api = \"v1\" (v2 knows token_env)")?,
        Api::V3 => {
            refuse(&of_v1, "api = \"v1\" (v3 knows token_env)")?;
            refuse(&[Keys::org], "api = \"v2\"")?;
        }
    }
    let org = at.read(DestinationSection::org, &found.org, value::plain_text)?;
    let bucket = at.read(DestinationSection::bucket, &found.bucket, value::plain_text)?;
    let bucket = bucket.ok_or_else(|| at.lacks(format!("bucket is missing; write {}", bucket_example(api))))?;
    let user = at.read(DestinationSection::user, &found.user, value::plain_text)?;
    let secret = match api {
        Api::V1 => secret(
            at,
            [(&Keys::password_env, &found.password_env), (&Keys::password_file, &found.password_file)],
            folder,
        )?,
        Api::V2 | Api::V3 => {
            secret(at, [(&Keys::token_env, &found.token_env), (&Keys::token_file, &found.token_file)], folder)?
        }
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
        retention: at.read(DestinationSection::retention, &found.retention, value::some_time)?,
        timeout: at.read_or_default(&Keys::timeout, &found.timeout, value::some_time)?,
    })
}

/// Reads the certificates. They have no effect on a connection that is not encrypted.
fn tls(at: &Section<'_>, found: &DestinationSection, url: &Url, folder: &Path) -> Result<Tls, ConfigError> {
    use DestinationSection as Keys;
    let files = [Keys::ca_file, Keys::client_cert_file, Keys::client_key_file].map(|key| key.name);
    if url.scheme() == "http" {
        at.refuse(&found.given(), |key| files.contains(&key), stranger("a url with https://"))?;
    }
    if let (None, Some(key)) = (&found.client_cert_file, &found.client_key_file) {
        return Err(at.wrong(
            &key.span(),
            "client_key_file is the key to a certificate; write client_cert_file = \"tower.pem\" too",
        ));
    }
    let path = |key: &Key, text: &Text| {
        let path = at.read_quietly(key, text, value::path_text)?;
        Ok::<_, ConfigError>(path.map(|path| value::join(folder, &path)))
    };
    Ok(Tls {
        ca_file: path(&Keys::ca_file, &found.ca_file)?,
        client_cert_file: path(&Keys::client_cert_file, &found.client_cert_file)?,
        client_key_file: path(&Keys::client_key_file, &found.client_key_file)?,
    })
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

fn server(at: &Section<'_>, found: &DestinationSection) -> Result<Url, ConfigError> {
    let url = at.read_quietly(DestinationSection::url, &found.url, value::server_url)?;
    let url = url.ok_or_else(|| {
        at.lacks("url is missing; write for example url = \"https://us-east-1-1.aws.cloud2.influxdata.com\"")
    })?;
    let open = url.scheme() == "http"
        && !value::is_loopback(&url)
        && !at.is_set(&DestinationSection::allow_http, &found.allow_http);
    match &found.url {
        Some(place) if open => Err(at.wrong(
            &place.span(),
            "url sends the token over the network for all to read; write https://, or allow_http = true \
             if the network is your own",
        )),
        _ => Ok(url),
    }
}

/// Reads a secret's place: an environment variable or a file.
pub(super) fn secret(
    at: &Section<'_>,
    [env, file]: [(&Key, &Text); 2],
    folder: &Path,
) -> Result<Option<Secret>, ConfigError> {
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
