//! A service and a timer for systemd.
//!
//! The service is a single run, so a timer never starts a second one beside it. It does not ask for the network: reading
//! must go on without. Root's units are the system's; another user's run in that user's own manager, which ends when the
//! user logs out unless `loginctl enable-linger` says otherwise.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::job::Job;
use super::tool::Tool;
use super::{FileText, ScheduleError};

/// Both units.
pub(super) struct Units {
    service: FileText,
    timer: FileText,
}

impl Units {
    /// Both, each below its path.
    pub(super) fn text(&self) -> String {
        let unit = |(path, text): &FileText| format!("# {}\n{text}", path.display());
        format!("{}\n{}", unit(&self.service), unit(&self.timer))
    }

    pub(super) fn files(self) -> Vec<FileText> {
        vec![self.service, self.timer]
    }
}

pub(super) fn units(job: &Job) -> Result<Units, ScheduleError> {
    let folder = folder()?;
    let service = format!(
        "[Unit]\nDescription=Carries LoggerNet's files to InfluxDB\n\n\
         [Service]\nType=oneshot\nExecStart={} {} --config {}\nWorkingDirectory={}\n\
         # A token for token_env: a line INFLUX_TOKEN=... in this file, which may be missing.\n\
         EnvironmentFile=-{}\n",
        quoted(&job.program),
        job.arguments(),
        // A dollar sign begins a variable in every word but the first.
        quoted(&job.config).replace('$', "$$"),
        percent(&job.folder),
        percent(&Path::new(&job.folder).join(format!("{}.env", job.name)).to_string_lossy()),
    );
    let timer = format!(
        "[Unit]\nDescription=fluxtower, every {} minutes\n\n[Timer]\nOnCalendar={}\nAccuracySec=1s\nPersistent=true\n\n\
         [Install]\nWantedBy=timers.target\n",
        job.minutes,
        calendar(job)
    );
    Ok(Units {
        service: (folder.join(format!("{}.service", job.name)), service),
        timer: (folder.join(format!("{}.timer", job.name)), timer),
    })
}

fn calendar(job: &Job) -> String {
    let (first, second) = (job.first_minute(), job.first_second());
    match job.minutes {
        minutes @ 1..=59 => format!("*-*-* *:{first:02}/{minutes}:{second:02}"),
        60 => format!("*-*-* *:{first:02}:00"),
        1_440 => format!("*-*-* 00:{first:02}:00"),
        minutes => format!("*-*-* 00/{}:{first:02}:00", minutes / 60),
    }
}

/// A word of a command line (systemd.service, "Command lines").
fn quoted(text: &str) -> String {
    format!("\"{}\"", percent(&text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// Percent signs begin a specifier everywhere.
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

/// Where units are looked for: the first folder of `SYSTEMD_UNIT_PATH` (systemd(1)), else root's or the user's own.
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

/// Writes both units and starts the timer.
pub(super) fn install(job: &Job, files: &[FileText]) -> Result<Vec<String>, ScheduleError> {
    for (path, text) in files {
        let write = || {
            std::fs::create_dir_all(path.parent().unwrap_or(path))?;
            std::fs::write(path, text)
        };
        let by_hand = "write there what `fluxtower schedule --systemd` prints".to_owned();
        write().map_err(|source| ScheduleError::File { path: path.clone(), source, by_hand })?;
    }
    let timer = format!("{}.timer", job.name);
    let own = if is_root() { "systemctl" } else { "systemctl --user" };
    let by_hand = format!("the units are written; type: {own} daemon-reload; {own} enable --now {timer}");
    systemctl(&["daemon-reload"], &by_hand)?;
    systemctl(&["enable", "--now", &timer], &by_hand)?;
    let mut messages = vec![
        format!("installed: systemd runs fluxtower every {} minutes", job.minutes),
        format!("look at it with: {own} list-timers {timer}"),
    ];
    if !is_root() {
        messages.push("to run it while you are logged out, type: loginctl enable-linger".to_owned());
    }
    Ok(messages)
}

/// Stops the timer and takes both units away.
pub(super) fn remove(job: &Job, files: &[FileText]) -> Result<Vec<String>, ScheduleError> {
    let timer = format!("{}.timer", job.name);
    let own = if is_root() { "systemctl" } else { "systemctl --user" };
    let by_hand = format!("type: {own} disable --now {timer}");
    systemctl(&["disable", "--now", &timer], &by_hand)?;
    for (path, _) in files {
        let removed = std::fs::remove_file(path);
        if let Err(source) = removed.or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        }) {
            let by_hand = "delete it by hand".to_owned();
            return Err(ScheduleError::File { path: path.clone(), source, by_hand });
        }
    }
    systemctl(&["daemon-reload"], &format!("type: {own} daemon-reload"))?;
    Ok(vec![format!("removed: {timer}")])
}
