//! Decides how long to wait between attempts. Only this file uses the crate `backoff` (unmaintained; see deny.toml).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;

/// The first wait: a first failure is often one lost packet.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait. A run lasts minutes and the next one is minutes away, so longer waits would only end the run.
const LONGEST: Duration = Duration::from_secs(30);

/// Waits that double, with jitter, until an attempt succeeds.
#[derive(Debug)]
pub struct Waits {
    waits: ExponentialBackoff,
    longest: Duration,
}

impl Waits {
    /// The waits grow from about `first` to about `longest`.
    pub fn new(first: Duration, longest: Duration) -> Waits {
        let mut waits = ExponentialBackoff {
            initial_interval: first,
            multiplier: 2.0,
            max_interval: longest,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        waits.reset();
        Waits { waits, longest }
    }

    /// After a success: the next wait is a first one again.
    pub fn reset(&mut self) {
        self.waits.reset();
    }

    /// How long to wait before the next attempt.
    pub fn next_wait(&mut self) -> Duration {
        self.waits.next_backoff().unwrap_or(self.longest)
    }
}

/// A bucket that fails may wait for one part in this many of a run. The rest is for the other buckets.
const SHARE_OF_A_BUCKET: u32 = 4;

/// The waits of one run, separately for each bucket, and the end of the run.
#[derive(Debug)]
pub struct Pace {
    deadline: Instant,
    share: Duration,
    /// The buckets that failed since their last success.
    buckets: HashMap<Option<String>, Failing>,
}

/// A bucket that failed since its last success.
#[derive(Debug)]
struct Failing {
    waits: Waits,
    waited: Duration,
}

impl Pace {
    /// No attempt begins after `deadline` from now.
    pub fn new(deadline: Duration) -> Pace {
        Pace { deadline: Instant::now() + deadline, share: deadline / SHARE_OF_A_BUCKET, buckets: HashMap::new() }
    }

    /// Whether the run is over.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// After a success: the bucket's next wait is a first one again.
    pub fn succeeded(&mut self, bucket: Option<&str>) {
        if !self.buckets.is_empty() {
            self.buckets.remove(&bucket.map(str::to_owned));
        }
    }

    /// How long to wait before the next attempt, or what the server asked for if that is longer. None if the run would
    /// be over by then.
    pub fn next_wait(&mut self, bucket: Option<&str>, asked: Option<Duration>) -> Option<Duration> {
        let failing = self
            .buckets
            .entry(bucket.map(str::to_owned))
            .or_insert_with(|| Failing { waits: Waits::new(FIRST, LONGEST), waited: Duration::ZERO });
        let own = failing.waits.next_wait();
        let wait = asked.map_or(own, |asked| asked.max(own.min(FIRST)));
        failing.waited += wait;
        (Instant::now() + wait < self.deadline).then_some(wait)
    }

    /// Whether the bucket has used its share of the run for waiting since its last success.
    pub fn share_is_used(&self, bucket: Option<&str>) -> bool {
        self.buckets.get(&bucket.map(str::to_owned)).is_some_and(|failing| failing.waited >= self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_within_half_of_their_step() {
        let mut pace = Pace::new(Duration::from_secs(3600));
        let waits: Vec<f64> = (0..8).map(|_| pace.next_wait(None, None).unwrap().as_secs_f64()).collect();
        for (wait, step) in waits.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]) {
            assert!((step * 0.49..=step * 1.51).contains(wait), "{waits:?}");
        }
        assert!(pace.next_wait(Some("other"), None).unwrap() < Duration::from_secs(2));
        pace.succeeded(None);
        assert!(pace.next_wait(None, None).unwrap() < Duration::from_secs(2));
    }

    #[test]
    fn a_server_that_asks_for_time_gets_it_within_the_deadline() {
        let mut pace = Pace::new(Duration::from_secs(60));
        assert_eq!(pace.next_wait(None, Some(Duration::from_secs(20))), Some(Duration::from_secs(20)));
        assert_eq!(pace.next_wait(None, Some(Duration::from_secs(61))), None);
    }

    #[test]
    fn a_bucket_that_fails_has_a_part_of_the_run_for_itself() {
        let mut pace = Pace::new(Duration::from_secs(100));
        pace.next_wait(Some("bad"), Some(Duration::from_secs(24)));
        assert!(!pace.share_is_used(Some("bad")));
        pace.next_wait(Some("bad"), Some(Duration::from_secs(1)));
        assert!(pace.share_is_used(Some("bad")) && !pace.share_is_used(None));
        pace.succeeded(Some("bad"));
        assert!(!pace.share_is_used(Some("bad")));
    }
}
