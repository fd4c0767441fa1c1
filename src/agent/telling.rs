//! Notifies users of the findings after a pass. It does not change the result of the pass.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::{Agent, AgentError};
use crate::notify;
use crate::status;

/// How long a run waits for receivers: of a schedule with one start each minute, 48 s are used for sending rows.
const LIMIT: Duration = Duration::from_secs(10);
/// How long a continuous agent waits for receivers. No other work waits for this, and a TLS handshake is slow on a
/// slow link.
const LIMIT_OF_STAYING_UP: Duration = Duration::from_secs(120);
/// At most one part in this many of the time between two starts is used for receivers.
const PART: u32 = 10;

/// Notifies the configured receivers of the present findings. `scheduled` is the time between two starts, if known.
pub fn tell(agent: &Agent, scheduled: Option<Duration>) {
    tell_within(agent, scheduled.map_or(LIMIT, |every| (every / PART).min(LIMIT)));
}

fn tell_within(agent: &Agent, limit: Duration) {
    if agent.config.notify.is_none() {
        return;
    }
    let work = || -> Result<(), AgentError> {
        // The wait for another process that writes is no longer than the wait for a receiver.
        let store = agent.store()?.patient_for(limit.min(LIMIT))?;
        let findings = status::judge(&agent.config, &store, agent.now())?;
        if notify::tell(&agent.config, &store, &findings, agent.now(), limit)? == notify::Pass::LeftToAnother {
            tracing::debug!("another process is notifying");
        }
        Ok(())
    };
    // If the database cannot be read or written, the passes themselves report that error.
    if let Err(error) = work() {
        tracing::debug!("nothing was reported of findings: {error}");
    }
}

/// Like [`tell`], after a failed pass. A database that another program holds is not waited for a second time.
pub fn tell_after(agent: &Agent, scheduled: Option<Duration>, error: &AgentError) {
    if !error.is_locked() {
        tell(agent, scheduled);
    }
}

/// For a continuous agent: notifies users after each pass that `passes` reports, until the channel is closed. A
/// receiver that does not answer does not delay the sending of rows.
pub(super) fn run(agent: &Agent, passes: &Receiver<()>) {
    while passes.recv().is_ok() {
        // Passes reported in the meantime are covered by this one notification.
        while passes.try_recv().is_ok() {}
        tell_within(agent, LIMIT_OF_STAYING_UP);
    }
}
