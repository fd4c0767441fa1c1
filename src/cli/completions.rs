//! `fluxtower completions`: prints a shell's completions of commands and options.

use clap::{CommandFactory, ValueEnum};
use clap_complete::generate;
use serde::Serialize;

use super::output::Output;
use super::{Cli, CliError, Exit};

/// Print a shell's completions of commands and options
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower completions bash > ~/.local/share/bash-completion/completions/fluxtower\n  fluxtower completions powershell >> $PROFILE"
)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

#[derive(Serialize)]
struct Script {
    shell: String,
    script: String,
}

pub(super) fn run(output: Output, args: &Args) -> Result<Exit, CliError> {
    let shell = match args.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
        Shell::Powershell => clap_complete::Shell::PowerShell,
    };
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "fluxtower", &mut script);
    let script = Script { shell: shell.to_string(), script: String::from_utf8_lossy(&script).into_owned() };
    output.result(&script, |out| out.write_all(script.script.as_bytes()))?;
    Ok(Exit::Well)
}
