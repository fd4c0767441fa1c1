//! Who is notified of findings, and how.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use url::Url;

use super::Secret;

/// Who is notified of findings.
#[derive(Debug, Clone)]
pub struct NotifyConfig {
    /// The webhook to which findings are posted.
    pub webhook: Option<WebhookConfig>,
    /// The mail server by which findings are sent.
    pub mail: Option<MailConfig>,
    /// Whether findings are written to the event log of Windows.
    pub event_log: bool,
    /// The least severity of a finding that is reported.
    pub from: NotifyFrom,
    /// After which time a finding that is still there is reported again; None never does.
    pub again: Option<Duration>,
}

/// The least severity of a finding that is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotifyFrom {
    /// Findings that a user should look at.
    Warning,
    /// Only findings that data is not read or not sent.
    Problem,
}

/// An address that findings are posted to.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// Its address, which may hold a secret.
    pub address: WebhookAddress,
    /// The format of the posted body.
    pub format: BodyFormat,
    /// A token that is sent as `Authorization: Bearer`.
    pub token: Option<Secret>,
    /// Whether `http://` to another computer is allowed.
    pub allow_http: bool,
    /// Certificates that are trusted in addition to the system's.
    pub ca_file: Option<PathBuf>,
}

/// The address of a webhook.
#[derive(Clone, PartialEq, Eq)]
pub enum WebhookAddress {
    /// The address as written in the configuration.
    Url(Url),
    /// The place of the address: an environment variable or a file.
    Secret(Secret),
}

/// Only the server of an address is shown, because the rest may be a secret (I10).
impl std::fmt::Debug for WebhookAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WebhookAddress::Url(url) => write!(f, "Url({}/...)", url.host_str().unwrap_or_default()),
            WebhookAddress::Secret(secret) => write!(f, "{secret:?}"),
        }
    }
}

/// The format of the posted body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFormat {
    /// One JSON object for each event.
    Json,
    /// Lines of text, with the headers that ntfy reads.
    Text,
    /// Slack's `{"text": ...}`, which Mattermost, Rocket.Chat and Discord's `/slack` accept too.
    Slack,
    /// An Adaptive Card, as the workflows of Microsoft Teams accept it.
    Teams,
}

/// How the connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// With the command STARTTLS, which is required.
    StartTls,
    /// From the first byte on.
    Tls,
    /// The connection is not encrypted.
    None,
}

/// A mail server, and the receivers of its mails.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: MailSecurity,
    /// The user, if the server requires a login.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The sender's address.
    pub from: Mailbox,
    /// The receivers; at least one.
    pub to: Vec<Mailbox>,
    /// Certificates that are trusted in addition to the system's.
    pub ca_file: Option<PathBuf>,
}

impl NotifyConfig {
    /// The names of all receivers in messages and in the store. They hold no secret.
    pub fn receivers(&self) -> Vec<String> {
        let webhook = self.webhook.iter().map(|_| NotifyConfig::WEBHOOK.to_owned());
        let mail = self.mail.iter().flat_map(|mail| mail.to.iter().map(MailConfig::receiver));
        let event_log = self.event_log.then(|| NotifyConfig::EVENT_LOG.to_owned());
        webhook.chain(mail).chain(event_log).collect()
    }

    /// The name of the webhook as a receiver.
    pub const WEBHOOK: &'static str = "the webhook";

    /// The name of the event log as a receiver.
    pub const EVENT_LOG: &'static str = "the event log";
}

impl MailConfig {
    /// The name of an address as a receiver.
    pub fn receiver(to: &Mailbox) -> String {
        to.email.to_string()
    }
}
