//! The status light for whether rows still arrive, by the rule of [`crate::status::Rule`].

use serde::Serialize;

use crate::status::{Lateness, Rule, age_s};
use crate::text::span;
use crate::time::Timestamp;

/// A status light.
#[derive(Debug, Clone, Serialize)]
pub(in crate::view::serve) struct Alive {
    pub(super) state: &'static str,
    pub(super) why: String,
}

/// The light of a table with this newest row.
pub(super) fn of(rule: Rule, lateness: Lateness, newest: Option<Timestamp>, now: Timestamp) -> Alive {
    let Some(newest) = newest else { return Alive { state: "none", why: "no row was ever read".to_owned() } };
    let why = match lateness {
        Lateness::Ahead(ahead) => format!("newest row is {} in the future: look at the logger's clock", span(ahead)),
        _ => format!("newest row is {} old, {}", span(age_s(now, newest).max(0)), rule.text()),
    };
    let state = match lateness {
        Lateness::Fresh => "good",
        Lateness::Late | Lateness::Ahead(_) => "late",
        Lateness::Stale => "dead",
        // Neither good nor bad.
        Lateness::Unknown | Lateness::NoRow => "none",
    };
    Alive { state, why }
}
