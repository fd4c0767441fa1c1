//! The lines about the destination: the problems that `run` would have, bucket by bucket, without sending a row.
//!
//! Each bucket is asked three questions: would a write be accepted (an empty write shows it), is it the bucket to which
//! rows were sent before, and may the login read, without which `verify`, `prune` and `keep` cannot work. The answers
//! determine the exit code that `run` would have, because both use the same interpretation of answers and the same
//! comparison.

use super::super::output::span_of;
use super::super::{CliError, Context, Exit};
use super::Report;
use crate::config::{Config, DestinationConfig};
use crate::destination::{Answer, BucketLook, Destination, DestinationError, Outcome, Retention};
use crate::store::Store;
use crate::sync::{Verdict, foresee};
use crate::time::Timestamp;

/// A clock that is off by more than this leads to wrong decisions about retention.
const CLOCK_OFF_S: i64 = 120;

/// Adds the lines, and returns the exit code for the destination alone.
pub(super) fn lines(context: &Context, store: &Store, report: &mut Report) -> Result<Exit, CliError> {
    let config = &context.config;
    let mut destination = match crate::destination::open(config) {
        Ok(destination) => destination,
        Err(error) => {
            let source = std::error::Error::source(&error).map(|source| format!(" ({source})")).unwrap_or_default();
            report.say("destination", "bad", format!("{error}{source}; {}", error.hint()));
            return Ok(match error {
                DestinationError::Secret(_)
                | DestinationError::SecretUnusable
                | DestinationError::Certificate { .. } => Exit::Usage,
                _ => Exit::Look,
            });
        }
    };
    if let DestinationConfig::Files { .. } = config.destination {
        report.say("destination", "ok", destination.name());
        return Ok(Exit::Well);
    }
    let mut exit = Exit::Well;
    let mut clock = None;
    for bucket in buckets(config) {
        exit = exit.max(bucket_line(destination.as_mut(), store, bucket, (report, &mut clock))?);
    }
    if let Some(theirs) = clock {
        let off = context.now().seconds_since(theirs);
        let verdict = if off.abs() > CLOCK_OFF_S { "look" } else { "ok" };
        let fix = if off.abs() > CLOCK_OFF_S { "; set this computer's clock by a time server" } else { "" };
        report.say("clock", verdict, format!("this computer and the server differ by {} s{fix}", off.abs()));
    }
    Ok(exit)
}

/// The buckets of the tables, and the destination's default bucket if the agent's health is sent there. A bucket that
/// is named both in a table and in `[destination]` is listed once.
fn buckets(config: &Config) -> Vec<Option<&str>> {
    let own = match &config.destination {
        DestinationConfig::Influx(influx) => influx.bucket.as_str(),
        DestinationConfig::Files { .. } => "",
    };
    let mut buckets: Vec<Option<&str>> = config.tables.iter().map(|table| table.bucket.as_deref()).collect();
    if config.sync.health {
        buckets.push(None);
    }
    buckets.sort_unstable();
    buckets.dedup();
    if buckets.contains(&None) {
        buckets.retain(|bucket| *bucket != Some(own));
    }
    buckets
}

fn bucket_line(
    destination: &mut dyn Destination,
    store: &Store,
    bucket: Option<&str>,
    (report, clock): (&mut Report, &mut Option<Timestamp>),
) -> Result<Exit, CliError> {
    let what = match bucket {
        Some(bucket) => format!("bucket {bucket}"),
        None => "bucket of [destination]".to_owned(),
    };
    let look = destination.look(bucket);
    let answer = destination.may_write(bucket).map_err(crate::sync::SyncError::from)?;
    let place = destination.describe(bucket);
    let place = look.product.as_ref().map_or_else(|| place.clone(), |product| format!("{place}, {product}"));
    // The time in an error page or in a proxy's answer is not evidence.
    if answer.as_ref().is_none_or(|answer| answer.outcome == Outcome::Stored) {
        *clock = clock.or(look.server_time.map(Timestamp::from_utc));
    }
    let is_writable = answer.is_some();
    if let Some(Answer { outcome, message, .. }) = answer.filter(|answer| answer.outcome != Outcome::Stored) {
        let reason = if message.is_empty() { String::new() } else { format!(" ({message})") };
        return Ok(match outcome {
            Outcome::Held { fix } => {
                report.say(&what, "bad", format!("{place}: a write would be refused: {fix}{reason}"));
                Exit::Refused
            }
            _ => {
                report.say(&what, "look", format!("{place}: it is unknown whether a write would be accepted{reason}"));
                Exit::Look
            }
        });
    }
    match foresee(store, &destination.name(), bucket, &look)? {
        Verdict::Hold(fix) => {
            report.say(&what, "bad", fix);
            return Ok(Exit::Refused);
        }
        Verdict::Note(note) => {
            report.say(&what, "look", note);
            return Ok(Exit::Look);
        }
        Verdict::Same => {}
    }
    let (verdict, found) = verdict_of(&look, is_writable);
    report.say(&what, verdict, format!("{place}, {found}"));
    Ok(Exit::Well)
}

/// The verdict on a bucket without faults, with what is known about it.
fn verdict_of(look: &BucketLook, is_writable: bool) -> (&'static str, String) {
    let writing =
        if is_writable { "may be written to" } else { "whether it may be written to shows with the first row" };
    let kept = match &look.retention {
        Retention::Forever => "keeps rows for ever".to_owned(),
        Retention::For(kept) => format!("keeps rows for {}", span_of(*kept)),
        Retention::Unknown(why) => format!("how long it keeps rows is unknown ({why})"),
    };
    let found = format!("{writing}, {kept}");
    match (look.is_there, &look.retention) {
        (Some(false), _) => (
            "note",
            format!(
                "{writing}; it is not there yet: the first row makes it, to keep rows for ever; `fluxtower bucket create` makes it \
                 with a retention"
            ),
        ),
        (None, _) => (
            "note",
            format!(
                "{found}; the login may not read it, so `verify`, `prune` and `keep` cannot work and a bucket made again is not \
                 noticed: give it read permission too"
            ),
        ),
        (Some(true), Retention::Unknown(_)) => {
            ("note", format!("{found}; set `retention`, so that rows too old are known before they are sent"))
        }
        (Some(true), _) => ("ok", found),
    }
}
