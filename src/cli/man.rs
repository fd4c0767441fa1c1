//! `fluxtower man`: prints the manual page.

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_mangen::Man;
use serde::Serialize;

use super::output::{Output, count};
use super::whole_file::WholeFile;
use super::{Cli, CliError, Exit};

/// Print the manual page, or write one for each command
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  fluxtower man | man -l -\n  fluxtower man --output ~/.local/share/man/man1")]
pub(super) struct Args {
    /// Write fluxtower.1 and a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

#[derive(Serialize)]
struct Pages {
    pages: Vec<String>,
}

pub(super) fn run(output: Output, args: &Args) -> Result<Exit, CliError> {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = &args.output else {
        let page = page(&command)?;
        let shown = Pages { pages: vec![String::from_utf8_lossy(&page).into_owned()] };
        output.result(&shown, |out| out.write_all(&page))?;
        return Ok(Exit::Well);
    };
    std::fs::create_dir_all(folder).map_err(|source| CliError::File { path: folder.clone(), source })?;
    let mut pages = Vec::new();
    write_all(folder, &command, &mut pages)?;
    let written = Pages { pages };
    output.result(&written, |out| {
        writeln!(out, "wrote {} to {}", count(written.pages.len() as u64, "page"), folder.display())
    })?;
    Ok(Exit::Well)
}

fn write_all(folder: &Path, command: &clap::Command, pages: &mut Vec<String>) -> Result<(), CliError> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let path = folder.join(format!("{name}.1"));
    let whole = WholeFile::beside(&path)?;
    let text = page(command)?;
    std::fs::write(whole.part(), text).map_err(|source| whole.failed(source))?;
    whole.keep(true)?;
    pages.push(path.display().to_string());
    let inside = command.get_subcommands().filter(|inside| inside.get_name() != "help" && !inside.is_hide_set());
    inside.into_iter().try_for_each(|inside| write_all(folder, inside, pages))
}

fn page(command: &clap::Command) -> Result<Vec<u8>, CliError> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}
