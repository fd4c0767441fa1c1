//! Sends mail about findings: one connection, with a separate mail for each receiver.
//!
//! If the configuration requires an encrypted connection, nothing is sent over an unencrypted one: neither password nor
//! mail. An address that the server refuses does not prevent mail to the others.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message as Mail};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;

use super::error::NotifyError;
use super::message::Message;
use crate::config::{MailConfig, MailSecurity};
use crate::text::visible;

/// The most characters of a server's answer that are kept.
const MOST_CHARS: usize = 300;

/// A server may have several addresses: the time is divided among at most this many of them.
const MOST_PARTS: u32 = 3;

/// A mail to be sent.
pub(super) struct Letter {
    pub(super) to: Mailbox,
    pub(super) message: Message,
}

/// The server, for messages.
pub(super) fn place(config: &MailConfig) -> String {
    format!("{}:{}", config.host, config.port)
}

/// Finds errors that would prevent sending, before the server is contacted.
pub(super) fn faults(config: &MailConfig) -> Result<(), NotifyError> {
    config.password.as_ref().map(crate::config::Secret::read).transpose()?;
    tls(config).map(drop)
}

/// Reads certificates in PEM.
pub(super) fn pem(path: &Path) -> Result<Vec<u8>, NotifyError> {
    let wrong = |problem: String| NotifyError::Certificates { path: path.to_owned(), problem };
    // Reading a pipe may never end.
    if !std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.is_file() {
        return Err(wrong("it is no regular file".to_owned()));
    }
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    match String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
        true => Ok(pem),
        false => Err(wrong("it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned())),
    }
}

fn tls(config: &MailConfig) -> Result<TlsParameters, NotifyError> {
    let mut tls = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca_file {
        let wrong = |problem: String| NotifyError::Certificates { path: path.clone(), problem };
        tls = tls.add_root_certificate(Certificate::from_pem(&pem(path)?).map_err(|error| wrong(deepest(&error)))?);
    }
    tls.build().map_err(|error| NotifyError::Client { place: place(config), problem: deepest(&error) })
}

/// Sends the mails over one connection, and reports the result of each to `said`, until the time is over or `said`
/// returns false. `limit` applies to each answer of the server. After a failure a receiver gets no further mail in this
/// call; a server that refuses the login is asked only once, so that no account is locked.
pub(super) fn send(
    config: &MailConfig,
    letters: &[Letter],
    (limit, until): (Duration, Instant),
    mut said: impl FnMut(usize, Result<(), Arc<NotifyError>>) -> bool,
) {
    let mut open = None;
    let mut failed = Vec::new();
    let mut shut: Option<Arc<NotifyError>> = None;
    for (number, letter) in letters.iter().enumerate() {
        if failed.contains(&&letter.to.email) {
            continue;
        }
        if Instant::now() >= until {
            break;
        }
        let result = match (&shut, open.take()) {
            (Some(error), _) => Err(Arc::clone(error)),
            (None, Some(connection)) => Ok(connection),
            (None, None) => {
                connect(config, limit).map_err(Arc::new).inspect_err(|error| shut = Some(Arc::clone(error)))
            }
        };
        let result = result.and_then(|mut connection| {
            // The client closes the connection after a refusal.
            deliver(config, &mut connection, letter).map_err(Arc::new)?;
            open = Some(connection);
            Ok(())
        });
        if result.is_err() {
            failed.push(&letter.to.email);
        }
        if !said(number, result) {
            break;
        }
    }
    if let Some(mut connection) = open {
        let _ = connection.quit();
    }
}

fn connect(config: &MailConfig, limit: Duration) -> Result<SmtpConnection, NotifyError> {
    let password = config.password.as_ref().map(crate::config::Secret::read).transpose()?;
    let hello = ClientId::default();
    let unresolved =
        |error: std::io::Error| NotifyError::Unreachable { place: place(config), problem: error.to_string() };
    let addresses: Vec<SocketAddr> =
        (config.host.as_str(), config.port).to_socket_addrs().map_err(unresolved)?.collect();
    let address = addresses.as_slice();
    // An address that does not answer must leave time for the next one, as in a network that does not support IPv6.
    let parts = u32::try_from(addresses.len()).unwrap_or(MOST_PARTS).clamp(1, MOST_PARTS);
    let part = Some(limit / parts);
    let failed = |error: &Error| of_connection(config, error);
    let mut open = match config.security {
        MailSecurity::None => SmtpConnection::connect(address, part, &hello, None, None),
        MailSecurity::Tls => SmtpConnection::connect(address, part, &hello, Some(&tls(config)?), None),
        MailSecurity::StartTls => SmtpConnection::connect(address, part, &hello, None, None),
    }
    .map_err(|error| failed(&error))?;
    let unready = |error: std::io::Error| NotifyError::Client { place: place(config), problem: error.to_string() };
    open.set_timeout(Some(limit)).map_err(unready)?;
    if config.security == MailSecurity::StartTls {
        if !open.can_starttls() {
            open.abort();
            return Err(NotifyError::Encryption {
                place: place(config),
                problem: "the mail server offers no encryption (STARTTLS)".to_owned(),
                fix: "write smtp_security = \"tls\" (port 465) if it has that, or \"none\" for a server of your own network \
                      that takes mail without a password; nothing was sent"
                    .to_owned(),
            });
        }
        open.starttls(&tls(config)?, &hello).map_err(|error| failed(&error))?;
    }
    if let (Some(user), Some(password)) = (&config.user, password) {
        let credentials = Credentials::new(user.clone(), password);
        if let Err(error) = open.auth(&[Mechanism::Plain, Mechanism::Login], &credentials) {
            open.abort();
            return Err(of_login(config, user, &error));
        }
    }
    Ok(open)
}

fn deliver(config: &MailConfig, open: &mut SmtpConnection, letter: &Letter) -> Result<(), NotifyError> {
    let mail = mail(config, letter)
        .map_err(|error| NotifyError::Client { place: place(config), problem: deepest(error.as_ref()) })?;
    match open.send(mail.envelope(), &mail.formatted()) {
        Ok(_) => Ok(()),
        Err(error) => Err(of_mail(config, &letter.to, &error)),
    }
}

fn mail(config: &MailConfig, letter: &Letter) -> Result<Mail, Box<dyn std::error::Error + Send + Sync>> {
    let message = &letter.message;
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    Ok(Mail::builder()
        .from(config.from.clone())
        .to(letter.to.clone())
        .subject(visible(&message.subject()).into_owned())
        // The id is the same at each attempt, so that a mail that arrives twice can be recognised.
        .message_id(Some(format!("<fluxtower.{}@{}>", message.name, config.from.email.domain())))
        .date(SystemTime::now())
        // This prevents automatic absence replies (RFC 3834).
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN)
        .body(format!("{}\n\n{}\n", message.title, message.text_below_title()))?)
}

/// The innermost cause of an error.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let text: String = deepest.to_string().chars().take(MOST_CHARS).collect();
    visible(&text).into_owned()
}

/// The server's answer, with its code.
fn answer(error: &Error) -> String {
    match error.status() {
        Some(code) => format!("{code} {}", deepest(error)),
        None => deepest(error),
    }
}

fn of_connection(config: &MailConfig, error: &Error) -> NotifyError {
    let place = place(config);
    let problem = deepest(error);
    if error.is_permanent() || error.is_transient() {
        let answer = answer(error);
        return match error.is_permanent() {
            true => NotifyError::Refused { place, answer, fix: "ask who runs the mail server".to_owned() },
            false => NotifyError::Busy { place, answer, asked: None },
        };
    }
    if problem.contains("certificate") {
        let fix = "check smtp_host and this computer's clock; if your own network signs certificates, give its authority as \
                   ca_file in [notify]; nothing was sent";
        return NotifyError::Encryption { place, problem, fix: fix.to_owned() };
    }
    if error.is_tls() || (config.security == MailSecurity::Tls && problem.contains("corrupt message")) {
        let fix = "smtp_security and smtp_port do not fit each other: \"tls\" is for port 465, \"starttls\" for port 587; \
                   nothing was sent";
        return NotifyError::Encryption { place, problem, fix: fix.to_owned() };
    }
    if error.is_response() {
        let fix = "check smtp_host and smtp_port: no mail server answers there";
        return NotifyError::Refused { place, answer: problem, fix: fix.to_owned() };
    }
    NotifyError::Unreachable { place, problem }
}

fn of_login(config: &MailConfig, user: &str, error: &Error) -> NotifyError {
    let place = place(config);
    if error.is_permanent() {
        let kept = config.password.as_ref().map(crate::config::Secret::describe).unwrap_or_default();
        let fix = format!(
            "it does not take user {user} with the password in {kept}: put the right one there; many providers want a \
             password of its own for a program (app password)"
        );
        return NotifyError::Refused { place, answer: answer(error), fix };
    }
    if error.is_client() {
        let fix = "the server asks for no password on this connection: check smtp_security and smtp_port, or take smtp_user \
                   out";
        return NotifyError::Refused { place, answer: deepest(error), fix: fix.to_owned() };
    }
    of_connection(config, error)
}

fn of_mail(config: &MailConfig, to: &Mailbox, error: &Error) -> NotifyError {
    let place = place(config);
    if !error.is_permanent() && !error.is_client() {
        return of_connection(config, error);
    }
    let answer = answer(error);
    let needs_login = error.status().is_some_and(|code| u16::from(code) == 530);
    let fix = match (needs_login, &config.user) {
        (true, _) => "the server wants a user: write smtp_user and smtp_password_env".to_owned(),
        (_, Some(_)) => format!("check smtp_from, which may have to be the user's own, and the address {}", to.email),
        (_, None) => format!("check smtp_from and the address {}, or whether the server wants smtp_user", to.email),
    };
    NotifyError::Refused { place, answer, fix }
}
