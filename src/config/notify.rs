//! Who is notified of findings, and by what way.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use url::Url;

use super::Secret;

/// Who is notified of findings.
#[derive(Debug, Clone)]
pub struct NotifyConfig {
    /// Where findings are posted.
    pub webhook: Option<WebhookConfig>,
    /// Where they go by mail.
    pub mail: Option<MailConfig>,
    /// Whether they go to the event log of Windows.
    pub event_log: bool,
    /// From which weight on a finding is reported.
    pub from: NotifyFrom,
    /// How long after it was reported a finding that stands is reported again; none never does.
    pub again: Option<Duration>,
}

/// From which weight on a finding is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotifyFrom {
    /// Something is to be looked at.
    Warning,
    /// Data does not come in or does not go out.
    Problem,
}

/// An address that findings are posted to.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// Where it is; it may hold a secret.
    pub address: WebhookAddress,
    /// What is posted.
    pub format: BodyFormat,
    /// Sent as `Authorization: Bearer`.
    pub token: Option<Secret>,
    /// Whether `http://` to another computer is allowed.
    pub allow_http: bool,
    /// Certificates that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// Where a webhook is.
#[derive(Clone, PartialEq, Eq)]
pub enum WebhookAddress {
    /// As it stands in the configuration.
    Url(Url),
    /// In a variable or a file.
    Secret(Secret),
}

/// Of an address only the server is shown: what comes behind it may be a secret (I10).
impl std::fmt::Debug for WebhookAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WebhookAddress::Url(url) => write!(f, "Url({}/...)", url.host_str().unwrap_or_default()),
            WebhookAddress::Secret(secret) => write!(f, "{secret:?}"),
        }
    }
}

/// What is posted to a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFormat {
    /// One JSON object for each event.
    Json,
    /// Lines of text, with the headers that ntfy reads.
    Text,
    /// Slack's `{"text": ...}`, which Mattermost, Rocket.Chat and Discord's `/slack` take too.
    Slack,
    /// An Adaptive Card, as the workflows of Microsoft Teams take it.
    Teams,
}

/// How the connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// From the command STARTTLS on, which is demanded.
    StartTls,
    /// From the first byte on.
    Tls,
    /// Not at all.
    None,
}

/// A mail server, and who gets mail from it.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: MailSecurity,
    /// The user, where the server asks for one.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// Where mail comes from.
    pub from: Mailbox,
    /// Who gets it; at least one.
    pub to: Vec<Mailbox>,
    /// Certificates that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
}

impl NotifyConfig {
    /// The names of all receivers, as messages and the store call them. They hold no secret.
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
