//! Stores a server's request to wait (`Retry-After`), so that the next runs respect it too.
//!
//! A run ends at its deadline, and the next one begins minutes later and would send a request at once. So the instant
//! until which the server asked to wait is stored. An instant more than an hour ahead comes from a wrong clock and is
//! ignored, because no server is given more than an hour.

use std::time::Duration;

use super::SyncError;
use crate::store::Store;
use crate::time::{Timestamp, nanos};

const KEY: &str = "left alone until: ";
/// The longest wait that an answer can impose.
const LONGEST: Duration = Duration::from_secs(3_600);

/// How long to wait until the destination may be contacted again.
pub(super) fn still(store: &Store, destination: &str, now: Timestamp) -> Result<Option<Duration>, SyncError> {
    let until = store.recall(&format!("{KEY}{destination}"))?.and_then(|text| text.parse::<i64>().ok());
    Ok(until
        .map(|until| until.saturating_sub(now.nanos()))
        .filter(|left| (1..=nanos(LONGEST)).contains(left))
        .and_then(|left| u64::try_from(left).ok())
        .map(Duration::from_nanos))
}

/// Stores how long the destination asked to wait.
pub(super) fn remember(store: &Store, destination: &str, now: Timestamp, asked: Duration) -> Result<(), SyncError> {
    let until = now.nanos().saturating_add(nanos(asked.min(LONGEST)));
    Ok(store.remember(&format!("{KEY}{destination}"), &until.to_string())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_holds_until_its_time_and_an_instant_far_ahead_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("s.db")).unwrap();
        let (now, minute) = (Timestamp::from_nanos(1_780_272_000_000_000_000), Duration::from_secs(60));
        assert_eq!(still(&store, "a", now).unwrap(), None);
        remember(&store, "a", now, 10 * minute).unwrap();
        let later = |span: Duration| Timestamp::from_nanos(now.nanos() + nanos(span));
        assert_eq!(still(&store, "a", later(minute)).unwrap(), Some(9 * minute));
        assert_eq!(still(&store, "b", later(minute)).unwrap(), None, "another destination");
        assert_eq!(still(&store, "a", later(10 * minute)).unwrap(), None);
        assert_eq!(still(&store, "a", now.before(60 * minute)).unwrap(), None, "the clock was an hour ahead");
    }
}
