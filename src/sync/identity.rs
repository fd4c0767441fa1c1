//! Checks the bucket identity: the bucket is still the one that rows were sent to before.
//!
//! A bucket that was deleted and created again under its name is empty. A bucket whose retention was shortened has lost
//! rows that the store calls sent. InfluxDB 3 creates a missing database with the next write. So the id, the retention
//! and the existence are remembered at the first send. A change for the worse is reported, and the bucket is held until
//! a user confirms it (docs/influx-answers.md#retention-and-bucket-identity). `check` asks the same question by
//! [`foresee`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::SyncError;
use crate::destination::{BucketLook, Retention};
use crate::store::{Store, StoreError};

/// What is remembered about a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    id: Option<String>,
    /// Seconds; 0 means for ever, None if the server does not say it.
    retention_s: Option<u64>,
    /// Whether the server showed the bucket, now or before. Absent in what earlier versions stored.
    #[serde(default)]
    seen: bool,
}

/// The result of a look at the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The same bucket, or the first look at it.
    Same,
    /// A change for the better.
    Note(String),
    /// A change for the worse: nothing is sent until a user confirms it.
    Hold(String),
}

/// Compares a bucket with what is remembered about it, and remembers the new state.
pub(super) fn compare(
    store: &Store,
    destination: &str,
    bucket: Option<&str>,
    look: &BucketLook,
) -> Result<Verdict, SyncError> {
    let now = Identity::of(look);
    take_over(store, destination, bucket)?;
    let before = remembered(store, destination, bucket)?;
    let verdict = judged(before.as_ref(), &now, look, bucket.unwrap_or(destination));
    if !matches!(verdict, Verdict::Hold(_)) {
        // What the server does not say this time is kept from before.
        let identity = Identity {
            id: now.id.or(before.as_ref().and_then(|before| before.id.clone())),
            seen: now.seen || before.as_ref().is_some_and(|before| before.seen),
            retention_s: now.retention_s.or(before.and_then(|before| before.retention_s)),
        };
        store.remember(&key(destination, bucket), &serde_json::to_string(&identity).unwrap_or_default())?;
    }
    Ok(verdict)
}

/// What [`super::run`] would conclude from this look. It remembers nothing.
///
/// # Errors
/// The store cannot be read.
pub fn foresee(
    store: &Store,
    destination: &str,
    bucket: Option<&str>,
    look: &BucketLook,
) -> Result<Verdict, StoreError> {
    let before = remembered(store, destination, bucket)?;
    Ok(judged(before.as_ref(), &Identity::of(look), look, bucket.unwrap_or(destination)))
}

impl Identity {
    fn of(look: &BucketLook) -> Identity {
        let retention_s = match &look.retention {
            Retention::Forever => Some(0),
            Retention::For(retention) => Some(retention.as_secs()),
            Retention::Unknown(_) => None,
        };
        Identity { id: look.id.clone(), retention_s, seen: look.is_there == Some(true) }
    }

    /// Whether the server once showed the bucket. Earlier versions stored an id or a retention only if the server
    /// showed it.
    fn was_there(&self) -> bool {
        self.seen || self.id.is_some()
    }
}

/// The names as a JSON array, because a name may hold any character.
fn key(destination: &str, bucket: Option<&str>) -> String {
    format!("{}{}", Store::BUCKET_IDENTITY, serde_json::json!([destination, bucket]))
}

/// The key of versions up to 0.1.0, in which a bucket called `a | b` could not be distinguished from other names.
fn earlier_key(destination: &str, bucket: Option<&str>) -> String {
    format!("{}{destination} | {}", Store::BUCKET_IDENTITY, bucket.unwrap_or_default())
}

/// Moves what an earlier version remembered to the key of this version.
fn take_over(store: &Store, destination: &str, bucket: Option<&str>) -> Result<(), StoreError> {
    let earlier = earlier_key(destination, bucket);
    if store.recall(&earlier)?.is_some() {
        store.move_setting(&earlier, &key(destination, bucket))?;
    }
    Ok(())
}

/// The bucket of a key; `Some(None)` is the destination's default.
fn bucket_of(key: &str) -> Option<Option<String>> {
    let names = key.strip_prefix(Store::BUCKET_IDENTITY)?;
    if let Ok((_, bucket)) = serde_json::from_str::<(String, Option<String>)>(names) {
        return Some(bucket);
    }
    let (_, bucket) = names.rsplit_once(" | ")?;
    Some((!bucket.is_empty()).then(|| bucket.to_owned()))
}

/// Also reads the earlier key, because a reader cannot call [`take_over`].
fn remembered(store: &Store, destination: &str, bucket: Option<&str>) -> Result<Option<Identity>, StoreError> {
    let text = match store.recall(&earlier_key(destination, bucket))? {
        Some(text) => Some(text),
        None => store.recall(&key(destination, bucket))?,
    };
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

fn judged(before: Option<&Identity>, now: &Identity, look: &BucketLook, name: &str) -> Verdict {
    let Some(before) = before else { return Verdict::Same };
    if look.is_there == Some(false) && before.was_there() {
        return Verdict::Hold(format!(
            "{name} is no longer on the server, and rows sent earlier went with it; a write would create it again, empty. \
             If that is what you want, `fluxtower bucket confirm` goes on, then `fluxtower replay --since TIME` sends them again"
        ));
    }
    judge(before, now, name)
}

/// How long each bucket keeps rows, as last seen; None is the destination's default bucket. Buckets that keep rows for
/// ever are left out.
pub fn retentions(store: &Store) -> Result<Vec<(Option<String>, Duration)>, StoreError> {
    let kept = store.recall_all(Store::BUCKET_IDENTITY)?;
    Ok(kept
        .iter()
        .filter_map(|(key, text)| {
            let identity: Identity = serde_json::from_str(text).ok()?;
            let bucket = bucket_of(key)?;
            let seconds = identity.retention_s.filter(|&seconds| seconds > 0)?;
            Some((bucket, Duration::from_secs(seconds)))
        })
        .collect())
}

fn judge(before: &Identity, now: &Identity, name: &str) -> Verdict {
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
    let (number, unit) = match seconds {
        0 => return "for ever".to_owned(),
        seconds if seconds.is_multiple_of(86_400) => (seconds / 86_400, "day"),
        seconds if seconds.is_multiple_of(3_600) => (seconds / 3_600, "hour"),
        seconds => (seconds, "second"),
    };
    format!("for {number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(id: &str, retention_s: Option<u64>) -> Identity {
        Identity { id: Some(id.to_owned()), retention_s, seen: true }
    }

    #[test]
    fn a_bucket_made_again_or_keeping_less_is_held() {
        for (before, now) in [
            (identity("a", Some(0)), identity("b", Some(0))),
            (identity("a", Some(0)), identity("a", Some(86_400))),
            (identity("a", Some(86_400)), identity("a", Some(3_600))),
        ] {
            assert!(matches!(judge(&before, &now, "x"), Verdict::Hold(_)), "{before:?} {now:?}");
        }
    }

    #[test]
    fn a_bucket_that_keeps_more_is_noted_and_silence_changes_nothing() {
        assert!(matches!(judge(&identity("a", Some(3_600)), &identity("a", Some(0)), "x"), Verdict::Note(_)));
        assert_eq!(
            judge(&identity("a", Some(3_600)), &Identity { id: None, retention_s: None, seen: false }, "x"),
            Verdict::Same
        );
    }

    #[test]
    fn a_database_that_was_there_and_is_gone_is_held_and_one_never_seen_is_not() {
        let gone = BucketLook {
            id: None,
            is_there: Some(false),
            retention: Retention::Unknown("there is no such database".to_owned()),
            server_time: None,
            product: None,
        };
        let judged_after = |before: Option<&Identity>| judged(before, &Identity::of(&gone), &gone, "tower");
        let seen = Identity { id: None, retention_s: None, seen: true };
        let silent = BucketLook { is_there: None, ..gone.clone() };
        assert!(matches!(judged_after(Some(&seen)), Verdict::Hold(text) if text.contains("tower is no longer")));
        assert_eq!(judged_after(None), Verdict::Same);
        assert_eq!(judged_after(Some(&Identity { seen: false, ..seen.clone() })), Verdict::Same);
        assert_eq!(judged(Some(&seen), &Identity::of(&silent), &silent, "tower"), Verdict::Same);
        let stored: Identity = serde_json::from_str(r#"{"id":"a","retention_s":0}"#).unwrap();
        assert!(stored.was_there(), "what an earlier version stored");
    }

    fn look(id: &str) -> BucketLook {
        BucketLook {
            id: Some(id.to_owned()),
            is_there: Some(true),
            retention: Retention::For(Duration::from_secs(3_600)),
            server_time: None,
            product: None,
        }
    }

    #[test]
    fn names_that_hold_the_separator_of_earlier_versions_are_kept_apart() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("tower.db")).unwrap();
        for (destination, bucket, id) in [("a", Some("b | c"), "1"), ("a | b", Some("c"), "2"), ("a | b", None, "3")] {
            assert_eq!(compare(&store, destination, bucket, &look(id)).unwrap(), Verdict::Same);
            assert_eq!(foresee(&store, destination, bucket, &look(id)).unwrap(), Verdict::Same);
            assert!(matches!(foresee(&store, destination, bucket, &look("x")).unwrap(), Verdict::Hold(_)));
        }
        let mut buckets: Vec<_> = retentions(&store).unwrap().into_iter().map(|(bucket, _)| bucket).collect();
        buckets.sort();
        assert_eq!(buckets, [None, Some("b | c".to_owned()), Some("c".to_owned())]);
    }

    #[test]
    fn what_an_earlier_version_remembered_of_a_bucket_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("tower.db")).unwrap();
        for (key, id) in [("bucket: tower | ", "1"), ("bucket: tower | soil", "2")] {
            store.remember(key, &format!(r#"{{"id":"{id}","retention_s":3600}}"#)).unwrap();
        }
        let of = |names: &str| format!("bucket: {names}");
        assert_eq!(retentions(&store).unwrap().len(), 2);
        for (bucket, id) in [(None, "1"), (Some("soil"), "2")] {
            assert!(matches!(foresee(&store, "tower", bucket, &look("x")).unwrap(), Verdict::Hold(_)));
            assert!(matches!(compare(&store, "tower", bucket, &look("x")).unwrap(), Verdict::Hold(_)));
            assert_eq!(compare(&store, "tower", bucket, &look(id)).unwrap(), Verdict::Same);
        }
        let keys: Vec<_> = store.recall_all(Store::BUCKET_IDENTITY).unwrap().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, [of(r#"["tower","soil"]"#), of(r#"["tower",null]"#)]);
        assert_eq!(retentions(&store).unwrap().len(), 2);
    }
}
