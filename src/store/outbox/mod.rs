//! The outgoing side: pending rows, receipts of requests, and what a bucket holds of a row.
//!
//! A row leaves the pending state only through an answer that is stored in the same transaction (I5, I6).

pub(super) mod backlog;
pub(super) mod delivery;
pub(super) mod notices;
pub(super) mod outcome;
pub(super) mod pending;
pub(super) mod receipts;
pub(super) mod sent;
pub(super) mod sent_fields;
pub(super) mod stale;
