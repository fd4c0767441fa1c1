//! What a scheduler starts, and when; the same for every scheduler.

use std::path::Path;
use std::time::Duration;

use super::ScheduleError;
use crate::text::span;

/// The minutes between LoggerNet's collection, which is at full multiples of its interval, and the run.
const AFTER_COLLECTION: u32 = 2;

/// How the program is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// A single run at this interval in minutes, which divides an hour, or is a number of whole hours that divides a
    /// day.
    Every(u32),
    /// `run --watch`, at boot and after each end. If an interval is given, everything is read at least that often.
    AtBoot(Option<Duration>),
}

impl How {
    /// A single run at this interval.
    pub(super) fn every(every: Duration) -> Result<How, ScheduleError> {
        minutes(every).map(How::Every)
    }
}

/// What a scheduler starts.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) name: String,
    /// The program's absolute path.
    pub(super) program: String,
    /// The configuration's absolute path.
    pub(super) config: String,
    /// The configuration's folder.
    pub(super) folder: String,
    pub(super) how: How,
}

impl Job {
    pub(super) fn new(name: &str, program: &Path, config: &Path, how: How) -> Result<Job, ScheduleError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
            return Err(ScheduleError::Name { name: name.to_owned() });
        }
        let text = |path: &Path| match path.to_str() {
            Some(text) if !text.chars().any(char::is_control) => Ok(text.to_owned()),
            _ => Err(ScheduleError::Path { path: path.to_owned() }),
        };
        Ok(Job {
            name: name.to_owned(),
            program: text(program)?,
            config: text(config)?,
            folder: text(config.parent().unwrap_or(config))?,
            how,
        })
    }

    /// The arguments of the program, for every scheduler.
    pub(super) fn arguments(&self) -> String {
        match self.how {
            How::Every(minutes) => format!("run --quiet --scheduled {minutes}m"),
            How::AtBoot(None) => "run --quiet --watch".to_owned(),
            How::AtBoot(Some(every)) => format!("run --quiet --watch --every {}ms", every.as_millis()),
        }
    }

    /// A text about when it runs, to follow after "fluxtower" or a pronoun.
    pub(super) fn rhythm(&self) -> String {
        match self.how {
            How::Every(minutes) => format!("every {}", span(i64::from(minutes) * 60)),
            How::AtBoot(_) => "from boot on, and again when it has ended".to_owned(),
        }
    }
}

/// The second of the minute at which it starts: LoggerNet writes at the beginning of a minute.
pub(super) fn first_second(minutes: u32) -> u32 {
    if minutes == 1 { 30 } else { 0 }
}

/// The minute of the hour of the first start: after LoggerNet's collection, if the interval is long enough.
pub(super) fn first_minute(minutes: u32) -> u32 {
    AFTER_COLLECTION.min(minutes / 2)
}

fn minutes(every: Duration) -> Result<u32, ScheduleError> {
    let minutes = u32::try_from(every.as_secs() / 60).unwrap_or(u32::MAX);
    let is_whole = every == Duration::from_secs(60) * minutes;
    let is_even = match minutes {
        0 => false,
        1..=59 => 60 % minutes == 0,
        _ => minutes % 60 == 0 && minutes <= 1_440 && 1_440 % minutes == 0,
    };
    if is_whole && is_even {
        return Ok(minutes);
    }
    Err(ScheduleError::Every { minutes: every.as_secs_f64() / 60.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_do_not_divide_an_hour_or_a_day_are_refused() {
        for minutes in [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1_440] {
            let how = How::every(Duration::from_secs(60 * minutes)).unwrap();
            assert_eq!(how, How::Every(u32::try_from(minutes).unwrap()));
        }
        for seconds in [0, 1, 30, 90, 7 * 60, 45 * 60, 90 * 60, 5 * 3_600, 25 * 3_600, 48 * 3_600] {
            assert!(How::every(Duration::from_secs(seconds)).is_err(), "{seconds}");
        }
    }

    #[test]
    fn a_run_comes_after_the_collection_where_there_is_room() {
        assert_eq!([1, 2, 5, 60].map(first_minute), [0, 1, 2, 2]);
    }
}
