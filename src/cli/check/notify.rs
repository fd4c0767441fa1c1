//! The lines about `[notify]`: whether users can be notified of findings.

use std::time::Duration;

use super::super::{CliError, Context};
use super::Report;
use crate::notify;
use crate::store::Store;

/// A mail server may need a while, and the user waits for the answer.
const LIMIT: Duration = Duration::from_secs(30);

/// `sends` says whether a test message is sent.
pub(super) fn lines(context: &Context, store: &Store, sends: bool, report: &mut Report) -> Result<(), CliError> {
    let Some(config) = &context.config.notify else {
        if sends {
            report.say(
                "notify",
                "look",
                "no user is notified of findings: the configuration has no [notify]".to_owned(),
            );
        }
        return Ok(());
    };
    if !sends {
        let faults = notify::faults(config);
        for fault in &faults {
            report.say("notify", "bad", fault.to_string());
        }
        if faults.is_empty() {
            let places = notify::places(config).join(", and ");
            report.say("notify", "ok", format!("{places}; `fluxtower check --notify` sends a test message"));
        }
        return Ok(());
    }
    for tested in notify::test(&context.config, config, store, context.now(), LIMIT)? {
        match tested.result {
            Ok(()) => report.say("notify", "ok", format!("{} took a test message", tested.receiver)),
            Err(error) => report.say("notify", "bad", format!("{}: {error}", tested.receiver)),
        }
    }
    Ok(())
}
