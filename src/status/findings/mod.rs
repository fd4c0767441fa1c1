//! The list of findings. Only this list decides whether a user must act.
//!
//! `status`, `check`, the page and the report print this list; the exit code, the headline and the status lights of a
//! table follow from it. "All well" is said only if the list is empty: every table was read, is fresh, agrees with its
//! clocks and is in the bucket (I12). What is not known yet is a finding too, of a kind that is neither good nor bad
//! ([`Kind::is_unknown`]).

use serde::{Serialize, Serializer};

use super::{Exit, Facts};
use crate::config::Config;
use crate::time::Timestamp;

mod clocks;
mod files;
mod kind;
mod lateness;
mod notices;
mod position;
mod rows;
mod runs;
mod share;
mod sunlight;

pub(super) use clocks::set_back;
pub use files::{Folders, TableFolders};
pub use kind::{Kind, Severity};
pub use lateness::{Lateness, Rule};
pub(super) use rows::RECENT_S;
pub use runs::{failure, not_taken_up, of_ingest, of_sync};
#[cfg(windows)]
pub use share::real_share;

/// A link that is down for hours is ordinary at a tower; no acknowledgement for longer than this is not.
pub(super) const SILENT_TOO_LONG_S: i64 = 24 * 3_600;
/// Rows are sent by the next sync; two of the usual ones take so long.
pub const SOON_S: i64 = 900;

/// One thing that a user should know or act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    #[serde(serialize_with = "by_name")]
    pub kind: Kind,
    /// How much it asks of a user.
    pub severity: Severity,
    /// The table, where it is about one.
    pub table: Option<String>,
    /// Since when it is so, RFC 3339 in UTC, where that is known.
    pub since: Option<Timestamp>,
    /// What happened, to which file, table or server.
    pub message: String,
    /// What to do; empty where the message says it or nothing is to be done.
    pub fix: String,
    /// Whether no pass could have met it otherwise: what a logger did not write, or rows that were old when this database
    /// began. `status` asks for a user; a pass has done its work and does not end with 1 for it.
    #[serde(skip)]
    pub is_history: bool,
    /// What it is about beside kind and table, where several can stand at a time: a file, a command, a clock. It is the same
    /// as long as the finding stands, which the message is not.
    #[serde(skip)]
    pub about: String,
}

impl Finding {
    fn new(kind: Kind, message: String) -> Finding {
        let is_history = kind.is_of_what_loggers_wrote();
        Finding {
            kind,
            severity: kind.severity(),
            table: None,
            since: None,
            message,
            fix: String::new(),
            is_history,
            about: String::new(),
        }
    }

    fn about(mut self, about: impl Into<String>) -> Finding {
        self.about = about.into();
        self
    }

    fn of_table(mut self, table: &str) -> Finding {
        self.table = Some(table.to_owned());
        self
    }

    fn since(mut self, since: Option<Timestamp>) -> Finding {
        self.since = since;
        self
    }

    /// To be known, and nothing is to be done.
    fn note(mut self) -> Finding {
        self.severity = Severity::Info;
        self
    }

    fn fix(mut self, fix: impl Into<String>) -> Finding {
        self.fix = fix.into();
        self
    }

    /// The database cannot be read, for the reason that `message` gives.
    pub fn store_unreadable(message: String) -> Finding {
        Finding::new(Kind::StoreUnreadable, message)
    }

    /// Message and fix in one line.
    pub fn text(&self) -> String {
        if self.fix.is_empty() { self.message.clone() } else { format!("{}: {}", self.message, self.fix) }
    }

    /// Whether a user must act on it.
    pub fn needs_a_user(&self) -> bool {
        self.severity > Severity::Info
    }
}

fn by_name<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

/// Everything that a user should know, the most pressing first. Ages are as of `now`, whenever the facts were read.
pub fn findings(config: &Config, facts: &Facts, now: Timestamp) -> Vec<Finding> {
    let mut found = rows::findings(config, facts, now);
    found.extend(runs::findings(facts, now));
    found.extend(files::findings(config, facts, now));
    found.extend(clocks::findings(config, facts, now));
    found.extend(position::findings(config, now));
    found.extend(sunlight::findings(config, facts));
    found.extend(notices::findings(config, facts));
    // Kinds stand in the order of their weight; of one kind the order of the configuration is kept.
    found.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.kind));
    found
}

/// What the list comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every table was read, is fresh, and is in the bucket.
    Well,
    /// Nothing is to be done, and something is to be known.
    Note,
    /// Nothing is to be done now, and not all is known.
    Unknown,
    /// A user must act.
    Look,
}

impl Verdict {
    /// Of a list.
    pub fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Verdict {
        let of = |finding: &Finding| match finding.kind {
            _ if finding.needs_a_user() => Verdict::Look,
            kind if kind.is_unknown() => Verdict::Unknown,
            _ => Verdict::Note,
        };
        findings.into_iter().map(of).max_by_key(|verdict| *verdict as u8).unwrap_or(Verdict::Well)
    }

    /// Of what a pass is to end with 1 for ([`Finding::is_history`]).
    pub fn of_a_pass(findings: &[Finding]) -> Verdict {
        Verdict::of(findings.iter().filter(|finding| !finding.is_history))
    }

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Well => "ok",
            Verdict::Note => "note",
            Verdict::Unknown => "unknown",
            Verdict::Look => "look",
        }
    }

    /// The exit code for it.
    pub fn exit(self) -> Exit {
        if self == Verdict::Look { Exit::Look } else { Exit::Well }
    }

    /// One line: `ok`, or a word and the messages that led to it.
    pub fn line(self, findings: &[Finding]) -> String {
        let texts = |is_of: fn(&Finding) -> bool| {
            findings.iter().filter(|finding| is_of(finding)).map(Finding::text).collect::<Vec<_>>().join("; ")
        };
        let texts = match self {
            Verdict::Well => return self.name().to_owned(),
            Verdict::Note => texts(|_| true),
            Verdict::Unknown => texts(|finding| finding.kind.is_unknown()),
            Verdict::Look => texts(Finding::needs_a_user),
        };
        format!("{}: {texts}", self.name())
    }
}
