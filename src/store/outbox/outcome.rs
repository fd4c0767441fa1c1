//! The outcome of a request, as its receipt stores it.
//!
//! A destination's answer says what to do next; a receipt says what happened to this request and to its rows. The
//! stored text is written and read only here, so that no other code compares texts.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};

/// What a request led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptOutcome {
    /// The rows of the request are stored: they are sent (I5).
    Stored,
    /// The server accepted a known-good line, which is a part of the evidence against a refused row (I6).
    KnownGood,
    /// The server accepted the agent's health report.
    Health,
    /// The server did not accept the health report.
    HealthRefused,
    /// The server accepted the expected range of values.
    Expected,
    /// The server did not accept the expected range of values.
    ExpectedRefused,
    /// Refused, perhaps because of one row: the parts of the request are sent separately.
    Split,
    /// The server failed, perhaps because of one row: the request is sent again.
    Failing,
    /// The server or the network was not ready: the request is sent again unchanged.
    Retry,
    /// The destination refuses this sender: rows remain pending until a user has acted.
    Held,
    /// The rows were refused with proof, and are rejected.
    Rejected,
    /// The rows are older than the bucket's retention.
    Expired,
    /// A text that this version does not know: it proves nothing.
    Unknown,
}

impl ReceiptOutcome {
    /// All variants; each has a text of its own.
    const ALL: [ReceiptOutcome; 13] = [
        ReceiptOutcome::Stored,
        ReceiptOutcome::KnownGood,
        ReceiptOutcome::Health,
        ReceiptOutcome::HealthRefused,
        ReceiptOutcome::Expected,
        ReceiptOutcome::ExpectedRefused,
        ReceiptOutcome::Split,
        ReceiptOutcome::Failing,
        ReceiptOutcome::Retry,
        ReceiptOutcome::Held,
        ReceiptOutcome::Rejected,
        ReceiptOutcome::Expired,
        ReceiptOutcome::Unknown,
    ];

    /// The text in the database. It has not changed since the first version.
    pub const fn text(self) -> &'static str {
        match self {
            ReceiptOutcome::Stored => "stored",
            ReceiptOutcome::KnownGood => "known good",
            ReceiptOutcome::Health => "health",
            ReceiptOutcome::HealthRefused => "health refused",
            ReceiptOutcome::Expected => "expected",
            ReceiptOutcome::ExpectedRefused => "expected refused",
            ReceiptOutcome::Split => "split",
            ReceiptOutcome::Failing => "failing",
            ReceiptOutcome::Retry => "retry",
            ReceiptOutcome::Held => "held",
            ReceiptOutcome::Rejected => "rejected",
            ReceiptOutcome::Expired => "expired",
            ReceiptOutcome::Unknown => "unknown",
        }
    }

    /// Reads [`ReceiptOutcome::text`].
    pub fn from_text(text: &str) -> ReceiptOutcome {
        ReceiptOutcome::ALL.into_iter().find(|outcome| outcome.text() == text).unwrap_or(ReceiptOutcome::Unknown)
    }

    /// Whether the server accepted the request, whatever lines were in it.
    pub const fn is_taken(self) -> bool {
        match self {
            ReceiptOutcome::Stored | ReceiptOutcome::KnownGood | ReceiptOutcome::Health | ReceiptOutcome::Expected => {
                true
            }
            ReceiptOutcome::HealthRefused
            | ReceiptOutcome::ExpectedRefused
            | ReceiptOutcome::Split
            | ReceiptOutcome::Failing
            | ReceiptOutcome::Retry
            | ReceiptOutcome::Held
            | ReceiptOutcome::Rejected
            | ReceiptOutcome::Expired
            | ReceiptOutcome::Unknown => false,
        }
    }

    /// Whether the server read the request, so that a quota counts its bytes. A request that no server accepted is
    /// counted by no quota: an outage must not use up the budget of the sync that ends it.
    pub const fn is_counted(self) -> bool {
        !matches!(self, ReceiptOutcome::Retry)
    }

    /// The texts of the accepted outcomes, as a list of SQL strings.
    pub(in crate::store) fn taken_in_sql() -> String {
        let taken = ReceiptOutcome::ALL.into_iter().filter(|outcome| outcome.is_taken());
        taken.map(|outcome| format!("'{}'", outcome.text())).collect::<Vec<_>>().join(", ")
    }
}

impl ToSql for ReceiptOutcome {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.text()))
    }
}

impl FromSql for ReceiptOutcome {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<ReceiptOutcome> {
        value.as_str().map(ReceiptOutcome::from_text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_that_a_database_can_hold_reads_back() {
        for outcome in ReceiptOutcome::ALL {
            assert_eq!(ReceiptOutcome::from_text(outcome.text()), outcome);
        }
        assert_eq!(ReceiptOutcome::from_text("of a later version"), ReceiptOutcome::Unknown);
        assert_eq!(ReceiptOutcome::taken_in_sql(), "'stored', 'known good', 'health', 'expected'");
    }
}
