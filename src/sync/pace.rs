//! How long to wait between attempts. The only file that knows the crate `backoff` (unmaintained; see deny.toml).

use std::time::{Duration, Instant};

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;

/// A first failure is often one dropped packet.
const FIRST: Duration = Duration::from_secs(1);
/// A run lasts minutes, and the next run is minutes away: longer waits would only make it end.
const LONGEST: Duration = Duration::from_secs(30);

/// Waits that double, with jitter, until something works.
#[derive(Debug)]
pub struct Waits {
    waits: ExponentialBackoff,
    longest: Duration,
}

impl Waits {
    /// From about `first` up to about `longest`.
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

    /// An attempt worked: the next failure is a first one again.
    pub fn reset(&mut self) {
        self.waits.reset();
    }

    /// How long to wait before the next attempt.
    pub fn next_wait(&mut self) -> Duration {
        self.waits.next_backoff().unwrap_or(self.longest)
    }
}

/// The waits of one run, and its end.
#[derive(Debug)]
pub struct Pace {
    deadline: Instant,
    waits: Waits,
}

impl Pace {
    /// Nothing is begun after `deadline` from now.
    pub fn new(deadline: Duration) -> Pace {
        Pace { deadline: Instant::now() + deadline, waits: Waits::new(FIRST, LONGEST) }
    }

    /// Whether the run is over.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// An attempt worked: the next failure is a first one again.
    pub fn succeeded(&mut self) {
        self.waits.reset();
    }

    /// How long to wait before the next attempt: what the server asked for, if that is longer. None when the run would be
    /// over by then.
    pub fn next_wait(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let own = self.waits.next_wait();
        let wait = asked.map_or(own, |asked| asked.max(own.min(FIRST)));
        (Instant::now() + wait < self.deadline).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_within_half_of_their_step() {
        let mut pace = Pace::new(Duration::from_secs(3600));
        let waits: Vec<f64> = (0..8).map(|_| pace.next_wait(None).unwrap().as_secs_f64()).collect();
        for (wait, step) in waits.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]) {
            assert!((step * 0.49..=step * 1.51).contains(wait), "{waits:?}");
        }
        pace.succeeded();
        assert!(pace.next_wait(None).unwrap() < Duration::from_secs(2));
    }

    #[test]
    fn a_server_that_asks_for_time_gets_it_within_the_deadline() {
        let mut pace = Pace::new(Duration::from_secs(60));
        assert_eq!(pace.next_wait(Some(Duration::from_secs(20))), Some(Duration::from_secs(20)));
        assert_eq!(pace.next_wait(Some(Duration::from_secs(61))), None);
    }
}
