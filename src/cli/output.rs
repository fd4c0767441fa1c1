//! Stdout is data, stderr is talk.

use std::error::Error;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::error::CliError;
pub(super) use crate::text::{bytes, count, grouped, span};

/// Where a command's results go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    pub(super) fn new(json: bool, quiet: bool) -> Output {
        Output { json, quiet }
    }

    pub(super) fn is_json(self) -> bool {
        self.json
    }

    pub(super) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Prints the result: one JSON object, or what `human` writes.
    pub(super) fn result<T: Serialize>(
        self,
        value: &T,
        human: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CliError> {
        if self.json {
            let mut stdout = io::stdout().lock();
            let text = serde_json::to_string(value).map_err(io::Error::from)?;
            writeln!(stdout, "{text}")?;
            stdout.flush()?;
        } else if !self.quiet {
            // Takes colours out again where no user would see them: no terminal, NO_COLOR, TERM=dumb.
            let mut stdout = anstream::AutoStream::auto(io::stdout().lock());
            human(&mut stdout)?;
            stdout.flush()?;
        }
        Ok(())
    }
}

pub(super) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Prints an error and what caused it, on stderr and to the log.
pub(super) fn say_error(error: &dyn Error) {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let reason = cause.to_string();
        if !text.contains(&reason) {
            text = format!("{text}: {reason}");
        }
        source = cause.source();
    }
    super::log::error_to_file(&text);
    // A closed stderr leaves the exit code to say it.
    let _ = writeln!(io::stderr(), "fluxtower: {text}");
}

/// The colour of a verdict or a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    /// All well.
    Green,
    /// A user should look.
    Yellow,
    /// It does not work.
    Red,
}

/// The text in that colour, for what goes through [`Output::result`].
pub(super) fn coloured(colour: Colour, text: &str) -> String {
    let code = match colour {
        Colour::Green => 32,
        Colour::Yellow => 33,
        Colour::Red => 31,
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}
