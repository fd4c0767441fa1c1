//! What the answer to a request meant, as its receipt says it.
//!
//! A destination's answer says what to do next; a receipt says what became of this request and of the rows in it. The text
//! in the database is written and read here and nowhere else, so that nothing compares texts.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};

/// What a request led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptOutcome {
    /// The rows of the request are stored: they are sent (I5).
    Stored,
    /// The server took a line that it was known to take, as one of the witnesses against a row (I6).
    KnownGood,
    /// The server took the agent's own health.
    Health,
    /// It did not take that.
    HealthRefused,
    /// The server took the band that is expected of values.
    Expected,
    /// It did not take that.
    ExpectedRefused,
    /// Refused, maybe for the fault of a row: its parts are sent apart.
    Split,
    /// The server failed, maybe for the fault of a row: sent again.
    Failing,
    /// The server or the network was not ready: sent again as it is.
    Retry,
    /// The destination refuses us: rows stay pending until a user has acted.
    Held,
    /// The rows were refused with proof, and are set aside.
    Rejected,
    /// The rows are older than the bucket keeps rows.
    Expired,
    /// A text that this version does not know: proves nothing.
    Unknown,
}

impl ReceiptOutcome {
    /// All of them; the text of each is another.
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

    /// As the database has it since its first version.
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

    /// Whether the server took the request, whatever lines were in it.
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

    /// Whether the server read the request, so that a quota counts its bytes. What no server took, no quota counts: an
    /// outage must not use up the budget of the run that ends it.
    pub const fn is_counted(self) -> bool {
        !matches!(self, ReceiptOutcome::Retry)
    }

    /// As a list of SQL strings: those that were taken.
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
