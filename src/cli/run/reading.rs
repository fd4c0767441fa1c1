//! The reading half of an agent that stays up: a full pass at its times, and the files that changed in between.

use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use super::sending::Order;
use super::told::Told;
use super::{CliError, Context, Exit, Pass, ingest};
use crate::ingest::{IngestError, IngestReport, Selection};
use crate::source::{TableFiles, Watched};
use crate::sync::{Halt, Waits};

/// While another ingest is at work. It may have read the file before the change that this one saw.
const BUSY_PAUSE: Duration = Duration::from_secs(1);
/// After a pass that failed: short, because what waits in an overwritten file waits for minutes only.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A pass that was like the one before is written down so often: `status` shows when the last one was.
pub(super) const WRITTEN_DOWN_EVERY: Duration = Duration::from_secs(60);

/// When it reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rhythm {
    /// Time from one full pass to the next.
    pub(super) every: Duration,
    /// Time from one look at the files to the next; none if they are not watched.
    pub(super) poll: Option<Duration>,
}

/// When the next full pass is due: on a grid that does not drift, or sooner to make up for one that failed.
#[derive(Debug)]
struct Due {
    every: Duration,
    next: Instant,
    sooner: Option<Instant>,
}

impl Due {
    /// Whether a pass of the grid is due; its next one is then the first that has not passed.
    fn is_on_time(&mut self, now: Instant) -> bool {
        if now < self.next {
            return false;
        }
        let late = now.duration_since(self.next);
        let missed = u32::try_from(late.as_nanos() / self.every.as_nanos().max(1)).unwrap_or(u32::MAX - 1);
        self.next += self.every.saturating_mul(missed + 1);
        true
    }

    fn is_to_be_made_up(&self, now: Instant) -> bool {
        self.sooner.is_some_and(|sooner| now >= sooner)
    }

    fn from(&self, now: Instant) -> Duration {
        self.sooner.map_or(self.next, |sooner| sooner.min(self.next)).saturating_duration_since(now)
    }
}

/// Reads until the end is asked for. An error is a configuration that does not fit the store.
pub(super) fn run(context: &Context, halt: &Halt, rhythm: Rhythm, order: &Sender<Order>) -> Result<(), CliError> {
    let mut watched = rhythm.poll.map(|_| Watched::new(&context.config.tables));
    let mut due = Due { every: rhythm.every, next: Instant::now(), sooner: None };
    let mut reader = Reader {
        context,
        told: Told::new("ingest"),
        waits: Waits::new(FIRST_PAUSE, LONGEST_PAUSE),
        before: Exit::Well,
        written_down: None,
    };
    loop {
        let changed = match &mut watched {
            Some(watched) => watched.look().map_err(IngestError::from)?,
            None => Vec::new(),
        };
        let now = Instant::now();
        let on_time = due.is_on_time(now);
        let is_full = on_time || due.is_to_be_made_up(now);
        if is_full || !changed.is_empty() {
            let done = reader.pass((!is_full).then_some(changed))?;
            due.sooner = match done {
                Done::Read { .. } if is_full => None,
                Done::Read { .. } => due.sooner,
                // What changed is known, and not read: everything is read when it can be.
                Done::Not { pause } => Instant::now().checked_add(pause),
            };
            let fresh = matches!(done, Done::Read { staged: true });
            if fresh {
                halt.fresh_rows();
            }
            if fresh || on_time {
                // The other half ends last.
                let _ = order.send(if on_time { Order::Full } else { Order::Fresh });
            }
        }
        let pause = due.from(Instant::now());
        if !halt.wait(rhythm.poll.map_or(pause, |poll| poll.min(pause))) {
            return Ok(());
        }
    }
}

/// How a pass went.
enum Done {
    Read {
        /// Whether there was a new row.
        staged: bool,
    },
    Not {
        /// When to try again.
        pause: Duration,
    },
}

struct Reader<'a> {
    context: &'a Context,
    told: Told,
    waits: Waits,
    /// How the last pass ended.
    before: Exit,
    written_down: Option<Instant>,
}

impl Reader<'_> {
    /// Reads these files, or all.
    fn pass(&mut self, files: Option<Vec<TableFiles<'_>>>) -> Result<Done, CliError> {
        let context = self.context;
        let is_full = files.is_none();
        let is_due = is_full && self.written_down.is_none_or(|then| then.elapsed() >= WRITTEN_DOWN_EVERY);
        let pass = Pass::OneOf { before: self.before, is_due };
        let result = ingest::pass(context, pass, |store, bars| match files {
            Some(files) => crate::ingest::run_files(files, &context.config, store, &context.clock, bars),
            None => crate::ingest::run(&context.config, store, &context.clock, &Selection::default(), bars),
        });
        match result {
            Ok(Some((report, exit))) => {
                self.waits.reset();
                self.before = exit;
                if is_due {
                    self.written_down = Some(Instant::now());
                }
                Ok(self.read(report, is_full))
            }
            Ok(None) => {
                tracing::debug!("another ingest is at work");
                Ok(Done::Not { pause: BUSY_PAUSE })
            }
            // The configuration is not read again, so this will not mend itself.
            Err(error) if error.exit() == Exit::Usage => Err(error),
            Err(error) => {
                self.before = error.exit();
                self.told.failed(&error);
                Ok(Done::Not { pause: self.waits.next_wait() })
            }
        }
    }

    fn read(&mut self, report: IngestReport, is_full: bool) -> Done {
        let staged = report.totals().staged > 0;
        self.told.ingested(self.context, report, is_full);
        Done::Read { staged }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_stay_on_the_grid_and_those_that_were_slept_through_are_left_out() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut due = Due { every: 300 * second, next: start, sooner: None };
        assert!(due.is_on_time(start + 2 * second));
        assert!(!due.is_on_time(start + 299 * second));
        assert_eq!(due.from(start + 299 * second), second);
        // A pass that took eleven minutes: the next is at fifteen, and only one.
        assert!(due.is_on_time(start + 660 * second));
        assert!(!due.is_on_time(start + 899 * second));
        assert!(due.is_on_time(start + 900 * second));
    }

    #[test]
    fn a_pass_that_failed_is_made_up_for_and_the_grid_stays() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut due = Due { every: 300 * second, next: start, sooner: None };
        assert!(due.is_on_time(start));
        due.sooner = Some(start + 2 * second);
        assert_eq!(due.from(start), 2 * second);
        assert!(due.is_to_be_made_up(start + 2 * second) && !due.is_on_time(start + 2 * second));
        due.sooner = None;
        assert_eq!(due.from(start + 2 * second), 298 * second);
    }
}
