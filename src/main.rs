//! The `fluxtower` program. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    fluxtower::cli::main()
}
