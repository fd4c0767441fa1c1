//! Read-only queries of the commands and the page: status, lists, sizes, past runs.

pub(super) mod costs;
pub(super) mod evidence;
pub(super) mod gaps;
pub(super) mod headers;
pub(super) mod health;
pub(super) mod interval;
pub(super) mod listing;
pub(super) mod missing;
pub(super) mod runs;
pub(super) mod status;
pub(super) mod steps;
pub(super) mod window_interval;
