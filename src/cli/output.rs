//! Stdout is data, stderr is talk.

use std::error::Error;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::error::CliError;

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
            // Takes colours out again where nobody would see them: no terminal, NO_COLOR, TERM=dumb.
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
pub(super) fn say_error(error: &CliError) {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = cause.source();
    }
    super::log::error_to_file(&text);
    // A closed stderr leaves the exit code to say it.
    let _ = writeln!(io::stderr(), "fluxtower: {text}");
}

/// How a verdict or a trouble is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    /// All well.
    Green,
    /// A person should look.
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

/// `12 rows`, `1 row`.
pub(super) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `4.2 MB`.
pub(super) fn bytes(number: u64) -> String {
    #[allow(clippy::cast_precision_loss)]
    let number_of = number as f64;
    match number {
        0..=9_999 => format!("{number} B"),
        10_000..=999_999 => format!("{:.0} kB", number_of / 1e3),
        1_000_000..=999_999_999 => format!("{:.1} MB", number_of / 1e6),
        _ => format!("{:.1} GB", number_of / 1e9),
    }
}

/// `5 s`, `3 min`, `2 h 10 min`, `4 d 3 h`.
pub(super) fn span(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match seconds {
        ..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h {minutes} min", seconds / 3_600),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(count(1, "row"), "1 row");
        assert_eq!(bytes(4_200_000), "4.2 MB");
        assert_eq!(
            (span(5), span(300), span(7_800), span(356_400)),
            ("5 s".into(), "5 min".into(), "2 h 10 min".into(), "4 d 3 h".into())
        );
    }
}
