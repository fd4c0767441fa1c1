//! Takes up a changed configuration in a continuous agent.
//!
//! [`crate::config::ConfigFile`] reports a change. A configuration that is wrong, or does not fit the store, is not
//! taken up: the one before stays in force, and the store keeps the reason, which is a finding of `status` until a
//! correct configuration was read.

use super::{Agent, AgentError};
use crate::status::{self, RefusedConfiguration};

/// Reports a configuration that is not taken up, and keeps the reason in the store of the configuration in force.
pub(super) fn refuse(in_force: &Agent, why: &(dyn std::error::Error + 'static)) {
    let why = why.to_string();
    in_force.events.failed(&AgentError::NotTakenUp { why: why.clone() });
    let refused = RefusedConfiguration { since: in_force.now(), why };
    keep(in_force, Some(&refused));
}

/// Notes that the configuration in force is that of the file: the reason kept by `refuse` is deleted.
pub(super) fn accept(in_force: &Agent) {
    keep(in_force, None);
}

fn keep(agent: &Agent, refused: Option<&RefusedConfiguration>) {
    let kept = agent.store().and_then(|store| status::keep_refused_configuration(&store, refused));
    if let Err(error) = kept {
        tracing::debug!("whether the configuration was taken up was not kept: {error}");
    }
}
