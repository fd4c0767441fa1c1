//! Tells users what the findings are after a pass. It changes nothing of the pass.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::{Agent, AgentError};
use crate::notify;
use crate::status;

/// How long receivers are waited for: a pass of a schedule that starts one each minute sends rows for 48 s of it.
const LIMIT: Duration = Duration::from_secs(10);
/// The part of the time between two starts that it takes at most.
const PART: u32 = 10;

/// Tells what the findings are now, if the configuration says whom. `scheduled` is the time between two starts, where it is
/// known.
pub fn tell(agent: &Agent, scheduled: Option<Duration>) {
    if agent.config.notify.is_none() {
        return;
    }
    let limit = scheduled.map_or(LIMIT, |every| (every / PART).min(LIMIT));
    let work = || -> Result<(), AgentError> {
        let store = agent.store()?;
        let findings = status::judge(&agent.config, &store, agent.now())?;
        Ok(notify::tell(&agent.config, &store, &findings, agent.now(), limit)?)
    };
    // A database that cannot be read or written is what the passes themselves end with.
    if let Err(error) = work() {
        tracing::debug!("nothing was reported of findings: {error}");
    }
}

/// As [`tell`], after a pass that failed. A database that another program holds is not waited for a second time.
pub fn tell_after(agent: &Agent, error: &AgentError) {
    if !error.is_locked() {
        tell(agent, None);
    }
}

/// Of an agent that stays up: tells after each pass that is reported here, until none can be any more. A receiver that hangs
/// holds no sending up.
pub(super) fn run(agent: &Agent, passes: &Receiver<()>) {
    while passes.recv().is_ok() {
        // Those that came meanwhile are reported with this one.
        while passes.try_recv().is_ok() {}
        tell(agent, None);
    }
}
