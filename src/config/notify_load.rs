//! The checks of `[notify]`.
//!
//! A key that has no effect in combination with the others is refused, because a user who writes it expects an effect.
//! The address of a webhook may be a secret, so no message repeats it.

use std::path::Path;
use std::time::Duration;

use lettre::message::Mailbox;
use toml::Spanned;

use super::destination_load::{secret, stranger};
use super::file::NotifySection;
use super::load::{one_of, section};
use super::notify::{BodyFormat, MailConfig, MailSecurity, NotifyConfig, NotifyFrom, WebhookAddress, WebhookConfig};
use super::place::{Section, Source};
use super::{ConfigError, Secret, value};

use NotifySection as Keys;

/// The shortest `again`. A schedule starts passes minutes apart: with a shorter time, a reminder would be sent with
/// each pass.
const LEAST_AGAIN: Duration = Duration::from_secs(3_600);

/// Reads who is notified of findings.
pub(super) fn notify(
    source: &Source<'_>,
    found: Option<&Spanned<NotifySection>>,
    folder: &Path,
) -> Result<Option<NotifyConfig>, ConfigError> {
    let at = section(source, "[notify]", found);
    let Some(found) = found.map(Spanned::get_ref) else { return Ok(None) };
    for (key, example) in [(Keys::token, "NTFY_TOKEN"), (Keys::smtp_password, "SMTP_PASSWORD")] {
        let problem = format!(
            "must not stand in this file; write {key}_env = \"{example}\" and set that variable, or \
             {key}_file = \"{key}.txt\" and put it there alone"
        );
        at.refuse(&found.given(), |given| given == key.name, problem)?;
    }
    let webhook = webhook(&at, found, folder)?;
    let mail = mail(&at, found, folder)?;
    let event_log = at.is_set(&Keys::event_log, &found.event_log);
    if webhook.is_none() && mail.is_none() && !event_log {
        return Err(at.lacks(
            "names no receiver; write url (or url_env) of a webhook, smtp_host, smtp_from and smtp_to for mail, or event_log = true",
        ));
    }
    let severities = [("warning", NotifyFrom::Warning), ("problem", NotifyFrom::Problem)];
    Ok(Some(NotifyConfig {
        webhook,
        mail,
        event_log,
        from: at.read_or_default(&Keys::severity, &found.severity, |text| one_of(text, &severities))?,
        again: at.read_or_default(&Keys::again, &found.again, again)?,
    }))
}

fn again(text: &str) -> Result<Option<Duration>, String> {
    if text == "off" {
        return Ok(None);
    }
    match value::duration(text).map_err(|_| "is not a duration; write \"24h\", \"7d\" or \"off\"".to_owned())? {
        again if again < LEAST_AGAIN => Err("is too often; write \"1h\" or more, or \"off\"".to_owned()),
        again => Ok(Some(again)),
    }
}

fn webhook(at: &Section<'_>, found: &Keys, folder: &Path) -> Result<Option<WebhookConfig>, ConfigError> {
    let kept = secret(at, [(&Keys::url_env, &found.url_env), (&Keys::url_file, &found.url_file)], folder)?;
    let url = at.read_quietly(Keys::url, &found.url, value::web_url)?;
    let allow_http = at.is_set(&Keys::allow_http, &found.allow_http);
    let kept_at = [(Keys::url_env, &found.url_env), (Keys::url_file, &found.url_file)];
    if let (Some(_), Some((key, Some(place)))) = (&url, kept_at.iter().find(|(_, place)| place.is_some())) {
        return Err(at.wrong(&place.span(), format!("{key} stands beside url; keep one of them")));
    }
    let address = match (url, kept, &found.url) {
        (Some(url), _, Some(place)) => {
            if url.scheme() == "http" && !value::is_loopback(&url) && !allow_http {
                return Err(at.wrong(
                    &place.span(),
                    "url sends findings over the network for all to read; write https://, or allow_http = true if the \
                     network is your own",
                ));
            }
            WebhookAddress::Url(url)
        }
        (_, Some(kept), _) => WebhookAddress::Secret(kept),
        _ => {
            let of_webhook = [Keys::format, Keys::token_env, Keys::token_file, Keys::allow_http];
            let is_lost = |key: &str| of_webhook.iter().any(|lost| lost.name == key);
            at.refuse(&found.given(), is_lost, stranger("url, url_env or url_file"))?;
            return Ok(None);
        }
    };
    let formats = [
        ("json", BodyFormat::Json),
        ("text", BodyFormat::Text),
        ("slack", BodyFormat::Slack),
        ("teams", BodyFormat::Teams),
    ];
    Ok(Some(WebhookConfig {
        address,
        format: at.read_or_default(&Keys::format, &found.format, |text| one_of(text, &formats))?,
        token: secret(at, [(&Keys::token_env, &found.token_env), (&Keys::token_file, &found.token_file)], folder)?,
        allow_http,
        ca_file: ca_file(at, found, folder)?,
    }))
}

fn ca_file(at: &Section<'_>, found: &Keys, folder: &Path) -> Result<Option<std::path::PathBuf>, ConfigError> {
    Ok(at.read(Keys::ca_file, &found.ca_file, value::path_text)?.map(|path| value::join(folder, &path)))
}

fn mail(at: &Section<'_>, found: &Keys, folder: &Path) -> Result<Option<MailConfig>, ConfigError> {
    let Some(host) = at.read(Keys::smtp_host, &found.smtp_host, host)? else {
        at.refuse(&found.given(), |key| key.starts_with("smtp_"), stranger("smtp_host"))?;
        return Ok(None);
    };
    let securities = [("starttls", MailSecurity::StartTls), ("tls", MailSecurity::Tls), ("none", MailSecurity::None)];
    let security = at.read_or_default(&Keys::smtp_security, &found.smtp_security, |text| one_of(text, &securities))?;
    let usual = match security {
        MailSecurity::StartTls => 587,
        MailSecurity::Tls => 465,
        MailSecurity::None => 25,
    };
    let port = at.whole(&Keys::smtp_port, &found.smtp_port, "a port is a number of 16 bits")?;
    let password = secret(
        at,
        [(&Keys::smtp_password_env, &found.smtp_password_env), (&Keys::smtp_password_file, &found.smtp_password_file)],
        folder,
    )?;
    let user = at.read(Keys::smtp_user, &found.smtp_user, user)?;
    login(at, found, (&host, security), password.as_ref())?;
    let from = at.read(Keys::smtp_from, &found.smtp_from, mailbox)?;
    let from =
        from.ok_or_else(|| at.lacks("smtp_from is missing; write for example smtp_from = \"tower@example.edu\""))?;
    let to = found.smtp_to.iter().flat_map(|to| to.get_ref());
    let to = to.map(|to| at.read_one(Keys::smtp_to, to, mailbox)).collect::<Result<Vec<Mailbox>, _>>()?;
    if to.is_empty() {
        let problem = "smtp_to names no address; write for example smtp_to = [\"anna@example.edu\"]";
        return Err(found.smtp_to.as_ref().map_or_else(|| at.lacks(problem), |given| at.wrong(&given.span(), problem)));
    }
    for (place, address) in to.iter().enumerate() {
        if to[..place].iter().any(|earlier| earlier.email == address.email)
            && let Some(given) = &found.smtp_to
        {
            return Err(at.wrong(&given.span(), format!("smtp_to names {} twice; take it out once", address.email)));
        }
    }
    Ok(Some(MailConfig {
        host,
        port: port.and_then(|port| u16::try_from(port).ok()).unwrap_or(usual),
        security,
        user,
        password,
        from,
        to,
        ca_file: ca_file(at, found, folder)?,
    }))
}

/// Reads user and password. They must be given together, and are not sent over an unencrypted network connection.
fn login(
    at: &Section<'_>,
    found: &Keys,
    (host, security): (&str, MailSecurity),
    password: Option<&Secret>,
) -> Result<(), ConfigError> {
    match (&found.smtp_user, password) {
        (Some(user), None) => Err(at.wrong(
            &user.span(),
            "smtp_user has no password; write smtp_password_env = \"SMTP_PASSWORD\" and set that variable, or \
             smtp_password_file",
        )),
        (None, Some(_)) => Err(at.lacks("smtp_user is missing beside the password; write smtp_user = \"...\"")),
        (Some(user), Some(_)) if security == MailSecurity::None && !is_this_computer(host) => Err(at.wrong(
            &found.smtp_security.as_ref().unwrap_or(user).span(),
            "smtp_security = \"none\" sends the password of smtp_user over the network for all to read; write \"starttls\" or \
             \"tls\"",
        )),
        _ => Ok(()),
    }
}

fn is_this_computer(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn user(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err("is no name of a user; write one line".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads a computer's name or address, without scheme and port.
fn host(text: &str) -> Result<String, String> {
    let fix = "is no name of a server; write it without scheme and port, such as \"smtp.example.edu\"";
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    url::Host::parse(text).map(|host| host.to_string()).map_err(|_| fix.to_owned())
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| "is no mail address; write for example \"anna@example.edu\"".to_owned())
}
