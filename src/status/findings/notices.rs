//! The finding that notifications fail. It is never notified itself.

use super::{Finding, Kind};
use crate::config::Config;
use crate::status::Facts;
use crate::text::count;

/// A link that is down for minutes is ordinary at a tower: a failure that may pass by itself is a finding from this attempt
/// on. Attempts are counted and not their time, which a clock that is set would change.
const ATTEMPTS: u32 = 3;

pub(super) fn findings(config: &Config, facts: &Facts) -> Vec<Finding> {
    if config.notify.is_none() {
        return Vec::new();
    }
    let failing =
        facts.receivers.iter().filter(|line| line.pending > 0 && (line.is_permanent || line.failures >= ATTEMPTS));
    failing
        .filter_map(|line| {
            let error = line.error.as_ref()?;
            let are = if line.pending == 1 { "is" } else { "are" };
            let message = format!(
                "{} to {} {are} pending; the last attempt failed: {error}",
                count(line.pending, "notification"),
                line.receiver
            );
            let fix = "`fluxtower check --notify` sends a test message";
            Some(Finding::new(Kind::NotifyFailed, message).about(line.receiver.as_str()).since(line.failed).fix(fix))
        })
        .collect()
}
