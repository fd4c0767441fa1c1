//! The bucket that rows went to is the bucket that rows go to.
//!
//! A bucket that was deleted and made again under its name is empty, and one whose retention was lowered has lost rows
//! that the store calls sent. Id and retention are remembered at the first send; a change for the worse is said and
//! everything is held until a person confirms it (facts: influx-write-contract 7.15).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::SyncError;
use crate::destination::{BucketLook, Retention};
use crate::store::{Store, StoreError};

/// What is remembered of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pin {
    id: Option<String>,
    /// Seconds; 0 means for ever, none that the server does not say.
    retention_s: Option<u64>,
}

/// What follows from a look at the bucket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Same,
    /// A change for the better.
    Note(String),
    Hold(String),
}

/// Compares a bucket with what is remembered of it, and remembers it.
pub(super) fn compare(
    store: &Store,
    destination: &str,
    bucket: Option<&str>,
    look: &BucketLook,
) -> Result<Verdict, SyncError> {
    let key = format!("{}{destination} | {}", Store::PIN, bucket.unwrap_or_default());
    let retention_s = match &look.retention {
        Retention::Forever => Some(0),
        Retention::For(retention) => Some(retention.as_secs()),
        Retention::Unknown(_) => None,
    };
    let now = Pin { id: look.id.clone(), retention_s };
    let before: Option<Pin> = store.recall(&key)?.and_then(|text| serde_json::from_str(&text).ok());
    let verdict = before.as_ref().map_or(Verdict::Same, |before| judge(before, &now, bucket.unwrap_or(destination)));
    if !matches!(verdict, Verdict::Hold(_)) {
        // What the server does not say this time stays remembered.
        let pin = Pin {
            id: now.id.or(before.as_ref().and_then(|before| before.id.clone())),
            retention_s: now.retention_s.or(before.and_then(|before| before.retention_s)),
        };
        store.remember(&key, &serde_json::to_string(&pin).unwrap_or_default())?;
    }
    Ok(verdict)
}

/// How long each bucket keeps rows, as last seen; none means the destination's own. Only those that forget.
pub fn retentions(store: &Store) -> Result<Vec<(Option<String>, Duration)>, StoreError> {
    let pins = store.recall_all(Store::PIN)?;
    Ok(pins
        .iter()
        .filter_map(|(key, text)| {
            let pin: Pin = serde_json::from_str(text).ok()?;
            let bucket = key.rsplit_once(" | ")?.1;
            let seconds = pin.retention_s.filter(|&seconds| seconds > 0)?;
            Some(((!bucket.is_empty()).then(|| bucket.to_owned()), Duration::from_secs(seconds)))
        })
        .collect())
}

fn judge(before: &Pin, now: &Pin, name: &str) -> Verdict {
    if let (Some(old), Some(new)) = (&before.id, &now.id)
        && old != new
    {
        return Verdict::Hold(format!(
            "{name} is another bucket than before (id {old}, now {new}), so rows sent earlier are not in it; \
             `fluxtower bucket confirm` goes on with it, then `fluxtower replay --since TIME` sends them again"
        ));
    }
    match (before.retention_s, now.retention_s) {
        (Some(old), Some(new)) if new != old => {
            let (was, is) = (span(old), span(new));
            if new != 0 && (old == 0 || new < old) {
                Verdict::Hold(format!(
                    "{name} keeps rows {is}, it kept them {was}: older rows are lost there; set it back, or go on with \
                     `fluxtower bucket confirm`"
                ))
            } else {
                Verdict::Note(format!(
                    "{name} now keeps rows {is}; `fluxtower replay --expired` sends what was too old before"
                ))
            }
        }
        _ => Verdict::Same,
    }
}

fn span(seconds: u64) -> String {
    match Duration::from_secs(seconds).as_secs() {
        0 => "for ever".to_owned(),
        seconds if seconds.is_multiple_of(86_400) => format!("for {} days", seconds / 86_400),
        seconds => format!("for {} hours", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(id: &str, retention_s: Option<u64>) -> Pin {
        Pin { id: Some(id.to_owned()), retention_s }
    }

    #[test]
    fn a_bucket_made_again_or_keeping_less_is_held() {
        for (before, now) in [
            (pin("a", Some(0)), pin("b", Some(0))),
            (pin("a", Some(0)), pin("a", Some(86_400))),
            (pin("a", Some(86_400)), pin("a", Some(3_600))),
        ] {
            assert!(matches!(judge(&before, &now, "x"), Verdict::Hold(_)), "{before:?} {now:?}");
        }
    }

    #[test]
    fn a_bucket_that_keeps_more_is_noted_and_silence_changes_nothing() {
        assert!(matches!(judge(&pin("a", Some(3_600)), &pin("a", Some(0)), "x"), Verdict::Note(_)));
        assert_eq!(judge(&pin("a", Some(3_600)), &Pin { id: None, retention_s: None }, "x"), Verdict::Same);
    }
}
