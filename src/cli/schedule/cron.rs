//! A line for cron. A mark at its end identifies it.
//!
//! cron restarts nothing. For a program that stays up the line starts it each minute, and `flock` (util-linux, BusyBox) starts
//! none beside one that is up: the system releases its lock however the program ends.

use super::ScheduleError;
use super::job::{How, Job, first_minute};
use super::tool::Tool;

/// The line, with what the user has to know above it.
pub(super) fn line(job: &Job) -> String {
    let only_one = match job.how {
        How::Every(_) => String::new(),
        How::AtBoot(_) => format!("flock -n {} ", quoted(&format!("{}.{}.lock", job.config, job.name))),
    };
    let command = format!(
        "cd {} && {only_one}{} {} --config {} {}",
        quoted(&job.folder),
        quoted(&job.program),
        job.arguments(),
        quoted(&job.config),
        mark(job)
    );
    format!(
        "# cron knows none of your shell's variables: use token_file, or a line INFLUX_TOKEN=... above. {}\n{} {command}\n",
        mark(job),
        times(job)
    )
}

/// Stands in every line of ours.
fn mark(job: &Job) -> String {
    format!("# fluxtower: {}", job.name)
}

fn times(job: &Job) -> String {
    let How::Every(minutes) = job.how else { return "* * * * *".to_owned() };
    let first = first_minute(minutes);
    match minutes {
        1 => "* * * * *".to_owned(),
        2..=59 => format!("{first}-59/{minutes} * * * *"),
        60 => format!("{first} * * * *"),
        1_440 => format!("{first} 0 * * *"),
        _ => format!("{first} */{} * * *", minutes / 60),
    }
}

/// A word of the shell; a percent sign ends the command for cron.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''").replace('%', "\\%"))
}

/// The user's table without the lines of this name. It is written back whole, so it must have been read whole.
fn table_without(job: &Job, by_hand: &str) -> Result<String, ScheduleError> {
    let list = match (Tool { name: "crontab", arguments: &["-l"], input: None, by_hand }).run() {
        Ok(list) => list,
        // A user who has no table yet: cron's message, and BusyBox's.
        Err(ScheduleError::Tool { message, .. })
            if message.contains("no crontab for") || message.contains("can't open") =>
        {
            String::new()
        }
        Err(error) => return Err(error),
    };
    let mark = mark(job);
    Ok(list.lines().filter(|line| !line.ends_with(&mark)).map(|line| format!("{line}\n")).collect())
}

fn write(table: &str, by_hand: &str) -> Result<(), ScheduleError> {
    Tool { name: "crontab", arguments: &["-"], input: Some(table), by_hand }.run().map(drop)
}

/// Puts the line into the user's table, in place of the one of the same name.
pub(super) fn install(job: &Job, text: &str) -> Result<Vec<String>, ScheduleError> {
    let by_hand = "type `crontab -e` and add the lines that `fluxtower schedule --cron` prints";
    write(&(table_without(job, by_hand)? + text), by_hand)?;
    Ok(vec![format!("installed: cron runs fluxtower {}", job.rhythm()), "look at it with: crontab -l".to_owned()])
}

/// Takes the line out of the user's table.
pub(super) fn remove(job: &Job) -> Result<Vec<String>, ScheduleError> {
    let by_hand = format!("type `crontab -e` and delete the lines that end in \"{}\"", mark(job));
    write(&table_without(job, &by_hand)?, &by_hand)?;
    Ok(vec![format!("removed: the lines that end in \"{}\"", mark(job))])
}
