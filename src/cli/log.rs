//! Logging: messages to stderr for the user, and to a log file for later.
//!
//! - The log file is appended to, never overwritten: it still contains the run that explains yesterday's gap.
//! - It cannot fill the disk: a full file is renamed to `NAME.1`, older ones get higher numbers, and the oldest is
//!   deleted.
//! - Two runs may write at the same time. Each event is one write to a file opened for appending, and only the holder
//!   of `NAME.lock` renames files; a run whose file was renamed by the other continues in the new one.
//! - Logging never stops the work: a log that cannot be written is reported once on stderr.
//! - Other crates are logged from level warn on, at any verbosity: below that, an HTTP library may print headers (I10).

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogConfig, LogFormat};
use crate::text::Visible;

/// The target of events that are printed to stderr elsewhere.
const LAST_WORD: &str = "fluxtower::last_word";

/// Writes the error that ends the program to the log file only; the caller prints it to stderr, with or without
/// logging.
pub fn error_to_file(text: &str) {
    tracing::error!(target: LAST_WORD, "{text}");
}

/// Why logging cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Something in this process logs already.
    #[error("logging was begun twice in one process; call it once, at the start")]
    AlreadyBegun,
}

/// Begins logging for this process.
///
/// `verbosity` is the number of `-v` minus the number of `-q`: stderr shows warnings at 0, only errors below, and more
/// with each `-v`. The log file, if one is configured, gets at least level info.
///
/// # Errors
/// [`LogError`] if it was called before. A log file that cannot be opened is not an error: this is reported on stderr,
/// and the log is written there.
pub fn init(config: Option<&LogConfig>, verbosity: i8) -> Result<(), LogError> {
    let opened =
        config.and_then(|config| Some(RotatingFile::open(config.file.as_ref()?, config.max_bytes, config.keep)));
    let (file, problem) = match opened {
        Some(Ok(file)) => (Some(file), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    };
    let quiet = problem.is_none() || verbosity < 0;
    let on_stderr = if quiet { stderr_level(verbosity) } else { file_level(verbosity) };
    let stderr = tracing_subscriber::fmt::layer()
        // Messages contain names and texts of files, so control characters are made visible, and colours would be too.
        .with_writer(|| Visible::new(io::stderr(), None))
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .with_filter(ours(on_stderr).with_target(LAST_WORD, LevelFilter::OFF));
    let file = file.map(|file| {
        let plain =
            tracing_subscriber::fmt::layer().with_writer(file).with_ansi(false).with_timer(UtcTime).with_target(false);
        let layer = match config.map_or(LogFormat::Text, |config| config.format) {
            LogFormat::Text => plain.boxed(),
            LogFormat::Json => plain.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
        };
        layer.with_filter(ours(file_level(verbosity)))
    });
    tracing_subscriber::registry().with(stderr).with(file).try_init().map_err(|_| LogError::AlreadyBegun)?;
    if let (Some(error), Some(path)) = (problem, config.and_then(|config| config.file.as_ref())) {
        tracing::warn!("the log file {} cannot be opened ({error}); this run is logged here only", path.display());
    }
    Ok(())
}

fn stderr_level(verbosity: i8) -> LevelFilter {
    match verbosity {
        i8::MIN..=-1 => LevelFilter::ERROR,
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        3..=i8::MAX => LevelFilter::TRACE,
    }
}

fn file_level(verbosity: i8) -> LevelFilter {
    stderr_level(verbosity).max(LevelFilter::INFO)
}

fn ours(level: LevelFilter) -> Targets {
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        // It warns of watches that ended together with their folders, which is not a fault.
        .with_target("notify", LevelFilter::OFF)
        .with_target(env!("CARGO_CRATE_NAME"), level)
}

/// The stations of a network share a bucket but not a clock, so their logs are in UTC.
struct UtcTime;

impl FormatTime for UtcTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        write!(writer, "{}", chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ"))
    }
}

/// A file that is appended to, and renamed when it is full.
struct RotatingFile {
    path: PathBuf,
    max_bytes: u64,
    keep: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// None between closing and reopening, and after a failure until the next event.
    file: Option<File>,
    /// Whether a failure was reported on stderr.
    said: bool,
}

impl RotatingFile {
    fn open(path: &Path, max_bytes: u64, keep: usize) -> io::Result<RotatingFile> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = append(path)?;
        Ok(RotatingFile {
            path: path.to_owned(),
            max_bytes,
            keep,
            open: Mutex::new(Open { file: Some(file), said: false }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, open: &mut Open, event: &[u8]) -> io::Result<()> {
        let length = event.len() as u64;
        let file = match open.file.take() {
            Some(file) if !self.is_full(file.metadata()?.len(), length) => file,
            full => {
                // Windows cannot rename a file that this process has open.
                drop(full);
                self.make_room(length);
                append(&self.path)?
            }
        };
        let written = (&file).write_all(event);
        open.file = Some(file);
        written
    }

    fn is_full(&self, size: u64, more: u64) -> bool {
        size > 0 && size.saturating_add(more) > self.max_bytes
    }

    /// Renames the full file. If that is not possible (the other run is doing it, or an editor has the file open), the
    /// file grows beyond its limit, which is better than losing a line.
    fn make_room(&self, more: u64) {
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(self.aside("lock"));
        if lock.as_ref().is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock))) {
            return;
        }
        // Checked by name and under the lock, because the other run may have just renamed it.
        if !fs::metadata(&self.path).is_ok_and(|found| self.is_full(found.len(), more)) {
            return;
        }
        for number in (1..self.keep).rev() {
            let _ = fs::rename(self.aside(number), self.aside(number + 1));
        }
        let _ = fs::rename(&self.path, self.aside(1));
    }

    /// The path `NAME.suffix`.
    fn aside(&self, suffix: impl std::fmt::Display) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".{suffix}"));
        PathBuf::from(name)
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

impl<'a> MakeWriter<'a> for RotatingFile {
    type Writer = &'a RotatingFile;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &RotatingFile {
    /// Writes a whole event. A failure is reported once and then ignored, because tracing would report it for each
    /// event.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let mut open = self.lock();
        if let Err(error) = self.add(&mut open, event)
            && !open.said
        {
            open.said = true;
            let _ = writeln!(
                io::stderr(),
                "the log file {} cannot be written ({error}); the work goes on",
                self.path.display()
            );
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(folder: &Path, max_bytes: u64, keep: usize) -> RotatingFile {
        RotatingFile::open(&folder.join("logs").join("fluxtower.log"), max_bytes, keep).unwrap()
    }

    fn say(log: &RotatingFile, text: &str) {
        log.make_writer().write_all(format!("{text}\n").as_bytes()).unwrap();
    }

    fn read(log: &RotatingFile, suffix: &str) -> String {
        let path = if suffix.is_empty() { log.path.clone() } else { log.aside(suffix) };
        fs::read_to_string(path).unwrap_or_default()
    }

    #[test]
    fn a_second_run_adds_to_the_log_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        say(&log(folder.path(), 1_000, 3), "first run");
        let second = log(folder.path(), 1_000, 3);
        say(&second, "second run");
        assert_eq!(read(&second, ""), "first run\nsecond run\n");
    }

    #[test]
    fn a_full_file_is_set_aside_and_only_so_many_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(folder.path(), 10, 2);
        for text in ["event 1", "event 2", "event 3", "event 4"] {
            say(&log, text);
        }
        assert_eq!(["", "1", "2", "3"].map(|suffix| read(&log, suffix)), ["event 4\n", "event 3\n", "event 2\n", ""]);
    }

    #[test]
    fn an_event_longer_than_the_limit_is_written_whole() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(folder.path(), 10, 2);
        say(&log, "a very long event indeed");
        say(&log, "short");
        assert_eq!([read(&log, "1"), read(&log, "")], ["a very long event indeed\n", "short\n"]);
    }

    #[test]
    fn a_run_whose_file_was_set_aside_goes_on_in_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (log(folder.path(), 10, 3), log(folder.path(), 10, 3));
        say(&one, "event 1");
        say(&one, "event 2");
        say(&other, "event 3");
        say(&one, "event 4");
        let all: Vec<String> = ["", "1", "2", "3"].map(|suffix| read(&one, suffix)).to_vec();
        assert_eq!(all, ["event 4\n", "event 3\n", "event 2\n", "event 1\n"]);
    }

    #[test]
    fn two_runs_at_once_lose_no_event() {
        let folder = tempfile::tempdir().unwrap();
        let runs = [log(folder.path(), 500, 1_000), log(folder.path(), 500, 1_000)];
        std::thread::scope(|scope| {
            for (run, log) in runs.iter().enumerate() {
                scope.spawn(move || (0..500).for_each(|event| say(log, &format!("run {run} event {event}"))));
            }
        });
        let files = fs::read_dir(folder.path().join("logs"))
            .unwrap()
            .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
        let mut lines: Vec<String> =
            files.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        lines.sort();
        let mut expected: Vec<String> =
            (0..2).flat_map(|run| (0..500).map(move |event| format!("run {run} event {event}"))).collect();
        expected.sort();
        assert!(lines == expected, "{} lines of {}", lines.len(), expected.len());
    }

    #[test]
    fn a_file_that_cannot_be_set_aside_goes_on_growing() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(folder.path(), 10, 1);
        fs::create_dir_all(log.aside(1).join("in the way")).unwrap();
        say(&log, "event 1");
        say(&log, "event 2");
        assert_eq!(read(&log, ""), "event 1\nevent 2\n");
    }

    #[test]
    fn a_log_that_cannot_be_written_does_not_stop_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(folder.path(), 10, 1);
        say(&log, "event 1");
        log.lock().file = None;
        fs::remove_dir_all(folder.path().join("logs")).unwrap();
        say(&log, "event 2 does not fit");
        say(&log, "event 3 neither");
        assert!(!log.path.exists());
    }

    #[test]
    fn a_log_that_cannot_be_opened_is_no_error_and_the_second_start_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let config = LogConfig {
            file: Some(folder.path().join("file").join("fluxtower.log")),
            max_bytes: 10_000,
            keep: 3,
            format: LogFormat::Text,
        };
        assert!(init(Some(&config), -1).is_ok());
        assert!(matches!(init(None, 0), Err(LogError::AlreadyBegun)));
    }

    #[test]
    fn each_v_shows_more_and_q_shows_less() {
        let levels = [LevelFilter::ERROR, LevelFilter::WARN, LevelFilter::INFO, LevelFilter::DEBUG, LevelFilter::TRACE];
        assert_eq!([-1, 0, 1, 2, 3].map(stderr_level), levels);
        assert_eq!(file_level(-1), LevelFilter::INFO);
        assert_eq!(file_level(2), LevelFilter::DEBUG);
    }

    #[test]
    fn i10_other_crates_are_heard_from_warnings_up_only() {
        let targets = ours(LevelFilter::TRACE);
        assert!(targets.would_enable("hyper::client", &tracing::Level::WARN));
        assert!(!targets.would_enable("hyper::client", &tracing::Level::INFO));
        assert!(targets.would_enable("fluxtower::sync", &tracing::Level::TRACE));
    }
}
