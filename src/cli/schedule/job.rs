//! What is to be called, and when: the same for every scheduler.

use std::path::Path;
use std::time::Duration;

use super::ScheduleError;

/// LoggerNet collects on full multiples; its files are there a little later.
const AFTER_COLLECTION: u32 = 2;

/// A run that is called again and again.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) name: String,
    /// Absolute.
    pub(super) program: String,
    /// Absolute.
    pub(super) config: String,
    /// The configuration's folder.
    pub(super) folder: String,
    /// From one run to the next; divides an hour, or is of whole hours that divide a day.
    pub(super) minutes: u32,
}

impl Job {
    pub(super) fn new(name: &str, program: &Path, config: &Path, every: Duration) -> Result<Job, ScheduleError> {
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
            minutes: minutes(every)?,
        })
    }

    /// The arguments that say how often it is started, for every scheduler.
    pub(super) fn arguments(&self) -> String {
        format!("run --quiet --scheduled {}m", self.minutes)
    }

    /// The first second of the minute: LoggerNet writes at the beginning of one.
    pub(super) fn first_second(&self) -> u32 {
        if self.minutes == 1 { 30 } else { 0 }
    }

    /// The first minute of the hour: after LoggerNet's collection, where there is room for that.
    pub(super) fn first_minute(&self) -> u32 {
        AFTER_COLLECTION.min(self.minutes / 2)
    }
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

    fn job(every: Duration) -> Result<Job, ScheduleError> {
        Job::new("fluxtower", Path::new("/opt/fluxtower"), Path::new("/srv/config.toml"), every)
    }

    #[test]
    fn times_that_do_not_divide_an_hour_or_a_day_are_refused() {
        for minutes in [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1_440] {
            assert_eq!(job(Duration::from_secs(60 * minutes)).unwrap().minutes, u32::try_from(minutes).unwrap());
        }
        for seconds in [0, 1, 30, 90, 7 * 60, 45 * 60, 90 * 60, 5 * 3_600, 25 * 3_600, 48 * 3_600] {
            assert!(job(Duration::from_secs(seconds)).is_err(), "{seconds}");
        }
    }

    #[test]
    fn a_run_comes_after_the_collection_where_there_is_room() {
        let first = [1, 2, 5, 60].map(|minutes| job(Duration::from_secs(60 * minutes)).unwrap().first_minute());
        assert_eq!(first, [0, 1, 2, 2]);
    }
}
