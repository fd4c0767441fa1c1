//! The service for systemd, with a timer or started at boot.
//!
//! With a timer the service is a single run, so the timer never starts a second one at the same time. Without a timer
//! it is `run --watch`: it is started at boot, restarted ten seconds after each end, without a limit of restarts, and
//! killed and restarted if systemd has received no message from it for [`WATCHDOG_S`]. Neither requires the network,
//! because reading must continue without it. Units of root belong to the system; those of another user run in that
//! user's own manager, which ends when the user logs out unless `loginctl enable-linger` is set.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::job::{How, Job, first_minute, first_second};
use super::tool::Tool;
use super::{FileText, ScheduleError};

/// In seconds. The program reports each look at the files and each piece of a file that is read. Judging millions of
/// stored rows again takes longer than any reading, without such a report.
const WATCHDOG_S: u32 = 1_800;

/// The text of all units, each after its path.
pub(super) fn text(units: &[FileText]) -> String {
    let texts: Vec<String> = units.iter().map(|(path, text)| format!("# {}\n{text}", path.display())).collect();
    texts.join("\n")
}

/// The service, and its timer if it has one.
pub(super) fn units(job: &Job) -> Result<Vec<FileText>, ScheduleError> {
    let folder = folder()?;
    let (kind, install) = match job.how {
        How::Every(_) => ("Type=oneshot\n".to_owned(), String::new()),
        How::AtBoot(_) => (
            // Migrating a large database takes minutes before the program reports that it is ready.
            format!("Type=notify\nTimeoutStartSec=infinity\nWatchdogSec={WATCHDOG_S}\nRestart=always\nRestartSec=10\n"),
            format!("\n[Install]\nWantedBy={}\n", if is_root() { "multi-user.target" } else { "default.target" }),
        ),
    };
    // There is no limit of restarts: the cause may be a full disk, and the next start may succeed.
    let limit = if install.is_empty() { "" } else { "StartLimitIntervalSec=0\n" };
    let service = format!(
        "[Unit]\nDescription=Carries LoggerNet's files to InfluxDB\n{limit}\n\
         [Service]\n{kind}ExecStart={} {} --config {}\nWorkingDirectory={}\n\
         # A token for token_env: a line INFLUX_TOKEN=... in this file, which may be missing.\n\
         EnvironmentFile=-{}\n{install}",
        program(&job.program),
        job.arguments(),
        argument(&job.config),
        percent(&job.folder),
        percent(&Path::new(&job.folder).join(format!("{}.env", job.name)).to_string_lossy()),
    );
    let mut units = vec![(service_in(&folder, job), service)];
    if let How::Every(minutes) = job.how {
        let timer = format!(
            "[Unit]\nDescription=fluxtower, {}\n\n[Timer]\nOnCalendar={}\nAccuracySec=1s\nPersistent=true\n\n\
             [Install]\nWantedBy=timers.target\n",
            job.rhythm(),
            calendar(minutes)
        );
        units.push((timer_in(&folder, job), timer));
    }
    Ok(units)
}

fn service_in(folder: &Path, job: &Job) -> PathBuf {
    folder.join(format!("{}.service", job.name))
}

fn timer_in(folder: &Path, job: &Job) -> PathBuf {
    folder.join(format!("{}.timer", job.name))
}

fn calendar(minutes: u32) -> String {
    let (first, second) = (first_minute(minutes), first_second(minutes));
    match minutes {
        1..=59 => format!("*-*-* *:{first:02}/{minutes}:{second:02}"),
        60 => format!("*-*-* *:{first:02}:00"),
        1_440 => format!("*-*-* 00:{first:02}:00"),
        _ => format!("*-*-* 00/{}:{first:02}:00", minutes / 60),
    }
}

/// Quotes an argument of a command line (systemd.service, "Command lines").
fn quoted(text: &str) -> String {
    format!("\"{}\"", percent(&text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// Quotes an argument other than the program: a dollar sign would begin a variable there.
fn argument(text: &str) -> String {
    quoted(text).replace('$', "$$")
}

/// Quotes the program's path. systemd refuses a unit whose program has a quote or a backslash in its path, but accepts
/// such an argument.
fn program(path: &str) -> String {
    if path.contains(['"', '\'', '\\']) { format!("/usr/bin/env {}", argument(path)) } else { quoted(path) }
}

/// Percent signs begin a specifier everywhere, so they are doubled.
fn percent(text: &str) -> String {
    text.replace('%', "%%")
}

fn is_root() -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
    }
    #[cfg(not(unix))]
    false
}

/// The folder for units: the first one of `SYSTEMD_UNIT_PATH` (systemd(1)), otherwise that of root or of the user.
fn folder() -> Result<PathBuf, ScheduleError> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(first) = variable("SYSTEMD_UNIT_PATH").and_then(|paths| std::env::split_paths(&paths).next()) {
        return Ok(first);
    }
    if is_root() {
        return Ok(PathBuf::from("/etc/systemd/system"));
    }
    let under = |home: OsString| PathBuf::from(home).join(".config");
    let config = variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| variable("HOME").map(under));
    Ok(config.ok_or(ScheduleError::NoHome)?.join("systemd").join("user"))
}

/// Calls systemctl, for the system or for this user.
fn systemctl(arguments: &[&str], by_hand: &str) -> Result<String, ScheduleError> {
    let own = if is_root() { &[][..] } else { &["--user"] };
    Tool { name: "systemctl", arguments: &[own, arguments].concat(), input: None, by_hand }.run()
}

/// The command that a user types to call systemctl.
fn by_name() -> &'static str {
    if is_root() { "systemctl" } else { "systemctl --user" }
}

/// Writes the units and starts them. They replace a service of the same name that is started in the other way.
pub(super) fn install(job: &Job, units: &[FileText]) -> Result<Vec<String>, ScheduleError> {
    let own = by_name();
    let folder = folder()?;
    // The other way of starting must not start it too.
    let (unit, other) = match job.how {
        How::Every(_) => ("timer", service_in(&folder, job)),
        How::AtBoot(_) => ("service", timer_in(&folder, job)),
    };
    let unit = format!("{}.{unit}", job.name);
    let is_other = match job.how {
        How::Every(_) => other.exists() && !timer_in(&folder, job).exists(),
        How::AtBoot(_) => other.exists(),
    };
    if is_other {
        take_away(job, &other)?;
    }
    for (path, text) in units {
        let write = || {
            std::fs::create_dir_all(path.parent().unwrap_or(path))?;
            std::fs::write(path, text)
        };
        let by_hand = "write there what `fluxtower schedule --systemd` prints".to_owned();
        write().map_err(|source| ScheduleError::File { path: path.clone(), source, by_hand })?;
    }
    let by_hand = format!("the units are written; type: {own} daemon-reload; {own} enable --now {unit}");
    systemctl(&["daemon-reload"], &by_hand)?;
    let look = match job.how {
        How::Every(_) => {
            systemctl(&["enable", "--now", &unit], &by_hand)?;
            format!("{own} list-timers {unit}")
        }
        How::AtBoot(_) => {
            systemctl(&["enable", &unit], &by_hand)?;
            // A running service still has the old unit and the old program.
            systemctl(&["restart", &unit], &format!("type: {own} restart {unit}"))?;
            format!("{own} status {unit}")
        }
    };
    let mut messages =
        vec![format!("installed: systemd runs fluxtower {}", job.rhythm()), format!("look at it with: {look}")];
    if !is_root() {
        messages.push("to run it while you are logged out, type: loginctl enable-linger".to_owned());
    }
    Ok(messages)
}

/// Stops the timer, or the service without a timer, and removes the units.
pub(super) fn remove(job: &Job) -> Result<Vec<String>, ScheduleError> {
    let own = by_name();
    let folder = folder()?;
    let (service, timer) = (service_in(&folder, job), timer_in(&folder, job));
    let unit = if service.exists() && !timer.exists() { &service } else { &timer };
    take_away(job, unit)?;
    for path in [&service, &timer] {
        delete(path)?;
    }
    systemctl(&["daemon-reload"], &format!("type: {own} daemon-reload"))?;
    Ok(vec![format!("removed: {}", unit.file_name().unwrap_or_default().to_string_lossy())])
}

/// Stops a unit, disables it, and deletes its file.
fn take_away(job: &Job, path: &Path) -> Result<(), ScheduleError> {
    let unit = format!("{}.{}", job.name, path.extension().unwrap_or_default().to_string_lossy());
    systemctl(&["disable", "--now", &unit], &format!("type: {} disable --now {unit}", by_name()))?;
    delete(path)
}

fn delete(path: &Path) -> Result<(), ScheduleError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            let by_hand = "delete it by hand".to_owned();
            Err(ScheduleError::File { path: path.to_owned(), source, by_hand })
        }
        _ => Ok(()),
    }
}
