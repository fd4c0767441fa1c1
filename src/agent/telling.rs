//! Tells users what the findings are after a pass. It changes nothing of the pass.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::{Agent, AgentError};
use crate::notify;
use crate::status;

/// How long receivers are waited for: a pass of a schedule that starts one each minute sends rows for 48 s of it.
const LIMIT: Duration = Duration::from_secs(10);
/// How long an agent that stays up waits for receivers. It holds nothing up, and a slow link takes long to encrypt a connection.
const LIMIT_OF_STAYING_UP: Duration = Duration::from_secs(120);
/// The part of the time between two starts that it takes at most.
const PART: u32 = 10;

/// Tells what the findings are now, if the configuration says whom. `scheduled` is the time between two starts, where it is
/// known.
pub fn tell(agent: &Agent, scheduled: Option<Duration>) {
    tell_within(agent, scheduled.map_or(LIMIT, |every| (every / PART).min(LIMIT)));
}

fn tell_within(agent: &Agent, limit: Duration) {
    if agent.config.notify.is_none() {
        return;
    }
    let work = || -> Result<(), AgentError> {
        // Another process that writes is waited for no longer than a receiver.
        let store = agent.store()?.patient_for(limit.min(LIMIT))?;
        let findings = status::judge(&agent.config, &store, agent.now())?;
        if notify::tell(&agent.config, &store, &findings, agent.now(), limit)? == notify::Pass::LeftToAnother {
            tracing::debug!("another process is notifying");
        }
        Ok(())
    };
    // A database that cannot be read or written is what the passes themselves end with.
    if let Err(error) = work() {
        tracing::debug!("nothing was reported of findings: {error}");
    }
}

/// As [`tell`], after a pass that failed. A database that another program holds is not waited for a second time.
pub fn tell_after(agent: &Agent, scheduled: Option<Duration>, error: &AgentError) {
    if !error.is_locked() {
        tell(agent, scheduled);
    }
}

/// Of an agent that stays up: tells after each pass that is reported here, until none can be any more. A receiver that hangs
/// holds no sending up.
pub(super) fn run(agent: &Agent, passes: &Receiver<()>) {
    while passes.recv().is_ok() {
        // Those that came meanwhile are reported with this one.
        while passes.try_recv().is_ok() {}
        tell_within(agent, LIMIT_OF_STAYING_UP);
    }
}
