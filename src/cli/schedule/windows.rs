//! The task for Windows Task Scheduler, in the XML form that `schtasks /Create /XML` reads.
//!
//! - It runs under the account that installs it, whether that is logged on or not, without a stored password (S4U).
//!   Such a task has the account's own environment, so `token_env` finds what `setx` wrote. It can access the internet,
//!   but no network drive and no file share, because these require a password. SYSTEM is the other choice; it sees only
//!   what `setx /M` wrote.
//! - Defaults of Task Scheduler that do not suit an agent are turned off: the end after 72 hours, no start on
//!   batteries, the stop at a power failure, skipping a missed start.
//! - A program that runs continuously is started at boot. "Restart on failure" covers only a task that could not be started, and
//!   not one whose program ended, so a second trigger starts it each minute; `IgnoreNew` skips this start while the
//!   program is running.
//! - The file is UTF-16 with a byte-order mark: `schtasks` refuses a file that is declared as UTF-8. The text on stdout
//!   declares no encoding, so it is correct in whatever encoding a shell redirects it.

use std::fmt::Write as _;
use std::path::Path;

use super::ScheduleError;
use super::job::{How, Job, first_minute, first_second};
use super::tool::Tool;

/// The SID of the account SYSTEM, whose name differs between languages.
const SYSTEM: &str = "S-1-5-18";

/// The trigger of a task that starts with the computer.
const BOOT: &str = "
    <BootTrigger>
      <Enabled>true</Enabled>
    </BootTrigger>";
/// A start that failed in Windows is tried again.
const RESTART: &str = "    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>255</Count>
    </RestartOnFailure>
";

/// The account that runs the task: a name, or the SID of SYSTEM.
pub(super) fn account(asked: Option<&str>) -> Result<String, ScheduleError> {
    match asked {
        Some(system) if system.eq_ignore_ascii_case("system") => Ok(SYSTEM.to_owned()),
        Some(account) if !account.trim().is_empty() && !account.chars().any(char::is_control) => Ok(account.to_owned()),
        Some(_) => Err(ScheduleError::Account),
        None => {
            let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
            let name = variable("USERNAME").ok_or(ScheduleError::Account)?;
            let domain = variable("USERDOMAIN").ok_or(ScheduleError::Account)?;
            Ok(format!("{domain}\\{name}"))
        }
    }
}

/// The XML text of the task.
pub(super) fn task(job: &Job, account: &str) -> String {
    let logon = if account == SYSTEM { "" } else { "\n      <LogonType>S4U</LogonType>" };
    let (boot, restart, minutes) = match job.how {
        How::Every(minutes) => ("", "", minutes),
        How::AtBoot(_) => (BOOT, RESTART, 1),
    };
    let arguments = format!("{} --config \"{}\"", job.arguments(), job.config);
    let mut text = String::from("<?xml version=\"1.0\"?>\n");
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        r#"<!-- fluxtower, {rhythm}. Set up with: schtasks /Create /TN NAME /XML FILE
     S4U: runs whether the user is logged on or not, and stores no password. The task has the user's own environment
     variables (token_env: setx) and reaches the internet, but no network drives and no file shares. For those choose
     "Run whether user is logged on or not" with the password in the task's properties.
     SYSTEM ({system}) has the machine's variables only (token_env: setx /M, or token_file). -->
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Carries LoggerNet's files to InfluxDB: fluxtower run</Description>
    <URI>\{name}</URI>
  </RegistrationInfo>
  <Triggers>{boot}
    <TimeTrigger>
      <Repetition>
        <Interval>PT{minutes}M</Interval>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      <StartBoundary>2026-01-01T00:{first:02}:{second:02}</StartBoundary>
      <Enabled>true</Enabled>
    </TimeTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>{account}</UserId>{logon}
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <IdleSettings>
      <StopOnIdleEnd>false</StopOnIdleEnd>
      <RestartOnIdle>false</RestartOnIdle>
    </IdleSettings>
{restart}    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>7</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{command}</Command>
      <Arguments>{arguments}</Arguments>
      <WorkingDirectory>{folder}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"#,
        system = SYSTEM,
        name = job.name,
        rhythm = job.rhythm(),
        first = first_minute(minutes),
        second = first_second(minutes),
        account = escaped(account),
        command = escaped(&format!("\"{}\"", job.program)),
        arguments = escaped(&arguments),
        folder = escaped(&job.folder),
    );
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// UTF-16, little-endian, with a byte-order mark, and declared as such.
fn utf16(text: &str) -> Vec<u8> {
    let text = text.replacen("version=\"1.0\"?>", "version=\"1.0\" encoding=\"UTF-16\"?>", 1).replace('\n', "\r\n");
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// Installs the task, and replaces one of the same name. If that fails, the file is kept for use by hand.
pub(super) fn install(job: &Job, text: &str) -> Result<Vec<String>, ScheduleError> {
    let path = Path::new(&job.folder).join(format!("{}-task.xml", job.name));
    let by_hand = "write what `fluxtower schedule --windows` prints to a file that you may write to, and give it to \
                   schtasks /Create /XML";
    std::fs::write(&path, utf16(text)).map_err(|source| ScheduleError::File {
        path: path.clone(),
        source,
        by_hand: by_hand.to_owned(),
    })?;
    let file = path.to_string_lossy().into_owned();
    let by_hand = format!(
        "in a command window opened as administrator, type: schtasks /Create /TN {} /XML \"{file}\" /F",
        job.name
    );
    let arguments = ["/Create", "/TN", &job.name, "/XML", &file, "/F"];
    end(job);
    Tool { name: "schtasks", arguments: &arguments, input: None, by_hand: &by_hand }.run()?;
    // The file is no longer needed; if it cannot be removed, it does no harm.
    let _ = std::fs::remove_file(&path);
    Ok(vec![
        format!("installed: Task Scheduler runs fluxtower {}", job.rhythm()),
        format!("look at it with: schtasks /Query /TN {} /V /FO LIST", job.name),
    ])
}

/// Ends a running program of the task: Windows leaves it running when the task is replaced or deleted. The call fails
/// if there is no program or no task, which does not matter. Nothing is lost by it (I4).
fn end(job: &Job) {
    let _ = Tool { name: "schtasks", arguments: &["/End", "/TN", &job.name], input: None, by_hand: "" }.run();
}

/// Ends the program and deletes the task.
pub(super) fn remove(job: &Job) -> Result<Vec<String>, ScheduleError> {
    let by_hand = format!("in a command window opened as administrator, type: schtasks /Delete /TN {} /F", job.name);
    end(job);
    let arguments = ["/Delete", "/TN", &job.name, "/F"];
    Tool { name: "schtasks", arguments: &arguments, input: None, by_hand: &by_hand }.run()?;
    Ok(vec![format!("removed: the task {}", job.name)])
}
