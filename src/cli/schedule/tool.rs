//! Calls the system's own tools.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::ScheduleError;

/// The tool to call, and the advice if it fails.
pub(super) struct Tool<'a> {
    pub(super) name: &'static str,
    pub(super) arguments: &'a [&'a str],
    /// The text for its stdin; if None, stdin is closed, so that a tool that asks for a password ends.
    pub(super) input: Option<&'a str>,
    pub(super) by_hand: &'a str,
}

impl Tool<'_> {
    /// Runs the tool and returns its output.
    pub(super) fn run(&self) -> Result<String, ScheduleError> {
        let failed = |message: String| ScheduleError::Tool {
            tool: format!("{} {}", self.name, self.arguments.join(" ")),
            message,
            by_hand: self.by_hand.to_owned(),
        };
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut command = Command::new(place(self.name));
        command.args(self.arguments).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| failed(format!("it cannot be started ({error})")))?;
        if let (Some(input), Some(mut stdin)) = (self.input, child.stdin.take()) {
            stdin.write_all(input.as_bytes()).map_err(|error| failed(error.to_string()))?;
        }
        let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        let said = [text(&output.stderr), text(&output.stdout)].concat();
        let parts: Vec<&str> = said.split_whitespace().collect();
        Err(failed(if parts.is_empty() { output.status.to_string() } else { parts.join(" ") }))
    }
}

/// On Windows the system's own tool, even if the current folder has one of the same name.
fn place(name: &str) -> PathBuf {
    match std::env::var_os("SystemRoot") {
        Some(root) if cfg!(windows) => PathBuf::from(root).join("System32").join(format!("{name}.exe")),
        _ => PathBuf::from(name),
    }
}
