//! The `fluxtower` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    fluxtower::cli::main()
}
