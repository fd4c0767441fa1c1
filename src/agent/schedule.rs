//! How often the program is started, as far as the store knows, and whether sending leaves room for the next start.
//!
//! A scheduler starts no second run while one is still sending. No row is lost by that, because a run reads files while
//! it sends. But users expect each scheduled start, so `check` and `schedule` say when starts are skipped.

use std::time::Duration;

use super::Agent;
use crate::config::SyncConfig;
use crate::status::STARTS_KEY;
use crate::store::{Store, StoreError};
use crate::text::span_of;

/// The stored text for a continuous agent and is not started by a scheduler.
const STAYS_UP: &str = "stays up";
/// The number of starts from which the interval is computed. A run by hand in between does not change the median.
const STARTS: usize = 13;
const LEAST_STARTS: usize = 5;
/// The shortest interval that is taken for a schedule. No scheduler starts a program more often; a user who tries
/// things does.
const LEAST_SEEN: Duration = Duration::from_secs(55);

/// How the program is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starts {
    /// By a scheduler's entry that states the interval (`run --scheduled`).
    Declared(Duration),
    /// By something that does not state the interval; this is the observed one.
    Seen(Duration),
    /// Once: it stays up.
    StaysUp,
}

/// Keeps how this run was started. If the store cannot be written now, a later run does it.
pub fn remember(agent: &Agent, starts: Starts) {
    let text = match starts {
        Starts::Declared(every) => every.as_millis().to_string(),
        Starts::StaysUp => STAYS_UP.to_owned(),
        Starts::Seen(_) => return,
    };
    let kept = agent.store().and_then(|store| store.remember(STARTS_KEY, &text));
    if let Err(error) = kept {
        tracing::debug!("how the program is started was not kept: {error}");
    }
}

/// For a run that does not state how it was started: the note that an agent stays up is deleted, because that agent may
/// have ended. If it is still up, it makes the note again with its next full pass.
pub fn forget_staying_up(agent: &Agent) {
    let forget = |store: Store| match store.recall(STARTS_KEY)?.as_deref() {
        Some(STAYS_UP) => store.forget(STARTS_KEY).map(drop),
        _ => Ok(()),
    };
    if let Err(error) = agent.store().and_then(forget) {
        tracing::debug!("how the program is started was not kept: {error}");
    }
}

/// How the program is started; None while too few starts are known.
///
/// # Errors
/// The store fails.
pub fn known(store: &Store) -> Result<Option<Starts>, StoreError> {
    match store.recall(STARTS_KEY)?.as_deref() {
        Some(STAYS_UP) => return Ok(Some(Starts::StaysUp)),
        Some(text) => {
            if let Ok(millis) = text.parse() {
                return Ok(Some(Starts::Declared(Duration::from_millis(millis))));
            }
        }
        None => {}
    }
    // The starts of `sync`: `ingest` may have a task of its own, which does not wait for the network.
    let starts: Vec<i64> = store.run_starts("sync", STARTS)?.iter().map(|start| start.nanos()).collect();
    Ok(apart(&starts).filter(|every| *every >= LEAST_SEEN).map(Starts::Seen))
}

/// The median of the times between these starts (nanoseconds, newest first).
fn apart(starts: &[i64]) -> Option<Duration> {
    if starts.len() < LEAST_STARTS {
        return None;
    }
    let apart = starts.windows(2).map(|pair| u64::try_from(pair[0].saturating_sub(pair[1])).unwrap_or(0));
    let mut apart: Vec<u64> = apart.collect();
    apart.sort_unstable();
    Some(Duration::from_nanos(apart[apart.len() / 2]))
}

/// What to change if a run that waits for the server would last beyond the next start.
pub fn advice(sync: &SyncConfig, starts: Starts) -> Option<String> {
    let (every, about) = match starts {
        Starts::Declared(every) => (every, "every"),
        Starts::Seen(every) => (every, "about every"),
        Starts::StaysUp => return None,
    };
    let is_declared = matches!(starts, Starts::Declared(_));
    let deadline = sync.deadline_by(is_declared.then_some(every));
    if deadline < every {
        return None;
    }
    let [every_text, deadline_text, fit] = [every, deadline, SyncConfig::deadline_for(every)].map(span_of);
    let fix = match (is_declared, sync.deadline_is_set) {
        (true, _) => format!("take deadline out of [sync], and it follows the schedule ({fit})"),
        (false, true) => "take deadline out of [sync], and set the task up again with `fluxtower schedule --install`, so that it follows the schedule".to_owned(),
        (false, false) => "set the task up again with `fluxtower schedule --install`, so that the deadline follows the schedule".to_owned(),
    };
    Some(format!(
        "a run starts {about} {every_text} and may send for {deadline_text}, so starts are skipped while the server cannot be reached; {fix}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::time::NANOS_PER_SECOND;

    fn sync(keys: &str) -> SyncConfig {
        let text = format!(
            "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n[destination]\nkind = \"files\"\n[sync]\n{keys}\n[[table]]\nname = \"met\"\nfiles = [\"met.dat\"]\n"
        );
        Config::parse(&text, std::path::Path::new("config.toml")).unwrap().sync
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_default_deadline_fits_every_schedule_and_a_configured_one_is_compared_with_it() {
        for minutes in [1, 2, 3, 5, 10, 60, 1_440] {
            let every = minutes * MINUTE;
            assert!(sync("").deadline_by(Some(every)) < every, "{minutes}");
            assert_eq!(advice(&sync(""), Starts::Declared(every)), None, "{minutes}");
        }
        assert_eq!(sync("").deadline_by(Some(MINUTE)), Duration::from_secs(48));
        assert_eq!(sync("").deadline_by(None), Duration::from_secs(240));
        let configured = sync("deadline = \"4m\"");
        assert_eq!(configured.deadline_by(Some(MINUTE)), Duration::from_secs(240));
        assert_eq!(advice(&configured, Starts::Declared(5 * MINUTE)), None);
        let said = advice(&configured, Starts::Declared(MINUTE)).unwrap();
        assert!(said.contains("every 60 s and may send for 4 min") && said.contains("(48 s)"), "{said}");
        assert_eq!(advice(&configured, Starts::StaysUp), None);
    }

    #[test]
    fn a_task_that_does_not_say_how_often_it_starts_is_judged_by_its_starts() {
        let minutes = |of: &[i64]| of.iter().map(|minute| minute * 60 * NANOS_PER_SECOND).collect::<Vec<_>>();
        assert_eq!(apart(&minutes(&[3, 2, 1, 0])), None);
        // One start by hand, and one that was skipped.
        assert_eq!(apart(&minutes(&[20, 15, 14, 10, 5, 0, -10])), Some(5 * MINUTE));
        let said = advice(&sync(""), Starts::Seen(MINUTE)).unwrap();
        assert!(said.contains("about every 60 s") && said.contains("schedule --install"), "{said}");
        assert_eq!(advice(&sync(""), Starts::Seen(5 * MINUTE)), None);
    }
}
