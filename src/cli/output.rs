//! Writes data to stdout and messages to stderr.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use serde::Serialize;

use super::error::CliError;
use crate::text::{Visible, visible_json, visible_lines};
pub(super) use crate::text::{bytes, count, grouped, span, span_of};

/// Where a command's results are written.
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

    /// Prints the result: one JSON object, or the text that `human` writes.
    pub(super) fn result<T: Serialize>(
        self,
        value: &T,
        human: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CliError> {
        if self.json {
            let mut stdout = io::stdout().lock();
            let text = serde_json::to_string(value).map_err(io::Error::from)?;
            writeln!(stdout, "{}", visible_json(&text))?;
            stdout.flush()?;
        } else if !self.quiet {
            // Removes colours where no user would see them: no terminal, NO_COLOR, TERM=dumb.
            let mut stdout = Visible::new(anstream::AutoStream::auto(io::stdout().lock()), Some(own_escape()));
            human(&mut stdout)?;
            stdout.flush()?;
        }
        Ok(())
    }
}

pub(super) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Prints an error and its causes to stderr, and writes it to the log.
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
    // If stderr is closed, only the exit code reports the error.
    let _ = writeln!(io::stderr(), "fluxtower: {}", visible_lines(&text));
}

/// The placeholder for ESC until [`Visible`] has made control characters in texts of files and servers visible: no file
/// can contain it.
fn own_escape() -> &'static str {
    static ESCAPE: OnceLock<String> = OnceLock::new();
    ESCAPE.get_or_init(|| {
        let number = RandomState::new().hash_one(std::process::id());
        format!("\u{e000}{number:016x}")
    })
}

/// The colour of a verdict or a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    /// All well.
    Green,
    /// A user should look.
    Yellow,
    /// Something does not work.
    Red,
}

/// The text in this colour, for [`Output::result`].
pub(super) fn coloured(colour: Colour, text: &str) -> String {
    let code = match colour {
        Colour::Green => 32,
        Colour::Yellow => 33,
        Colour::Red => 31,
    };
    let escape = own_escape();
    format!("{escape}[{code}m{text}{escape}[0m")
}
