//! The line for cron. It ends with a mark that identifies it.
//!
//! cron does not restart programs. For a program that runs continuously, the line starts it each minute, and `flock`
//! (util-linux, BusyBox) prevents a second one while it is running: the system releases the lock however the program
//! ends.

use super::ScheduleError;
use super::job::{How, Job, first_minute};
use super::tool::Tool;

/// The line, with a comment for the user above it.
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

/// The mark in every line of this program.
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

/// Quotes an argument for the shell; a percent sign would end the command for cron.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''").replace('%', "\\%"))
}

/// The user's crontab without the lines with this name. It is written back as a whole, so it must have been read as a
/// whole.
fn table_without(job: &Job, by_hand: &str) -> Result<String, ScheduleError> {
    let list = match (Tool { name: "crontab", arguments: &["-l"], input: None, by_hand }).run() {
        Ok(list) => list,
        // The user has no crontab yet: the messages of cron and of BusyBox.
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

/// Adds the line to the user's crontab, and replaces a line with the same name.
pub(super) fn install(job: &Job, text: &str) -> Result<Vec<String>, ScheduleError> {
    let by_hand = "type `crontab -e` and add the lines that `fluxtower schedule --cron` prints";
    write(&(table_without(job, by_hand)? + text), by_hand)?;
    Ok(vec![format!("installed: cron runs fluxtower {}", job.rhythm()), "look at it with: crontab -l".to_owned()])
}

/// Removes the line from the user's crontab.
pub(super) fn remove(job: &Job) -> Result<Vec<String>, ScheduleError> {
    let by_hand = format!("type `crontab -e` and delete the lines that end in \"{}\"", mark(job));
    write(&table_without(job, &by_hand)?, &by_hand)?;
    Ok(vec![format!("removed: the lines that end in \"{}\"", mark(job))])
}
