//! The command line: one file per command, each with `Args` and `run`.
//!
//! Scripts can rely on this: stdout has only data and stderr only messages, `--json` prints one object, and the exit
//! code says whether a user must act ([`Exit`]). An error is printed once, here.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::agent::Agent;
use crate::config::{Config, TableConfig};
pub use crate::status::Exit;
use crate::store::Store;
use crate::time::{Clock, SystemClock, Timestamp};

mod archive;
mod backup;
mod bucket;
mod check;
mod completions;
mod conflicts;
mod dashboard;
mod decisions;
mod error;
mod export;
mod flag;
mod flags;
mod gaps;
mod ingest;
mod init;
mod log;
mod man;
mod output;
mod progress;
mod prune;
mod reflag;
mod rejected;
mod rekey;
mod replay;
mod report;
mod run;
mod salvage;
mod schedule;
mod serve;
mod signals;
mod status;
mod supervisor;
mod sync;
mod verify;
mod whole_file;

use error::CliError;
use output::Output;
use progress::Printer;

/// Carry a field station's data from LoggerNet's .DAT files to InfluxDB, and never lose a record
#[derive(Debug, Parser)]
#[command(
    name = "fluxtower",
    version,
    about,
    max_term_width = 100,
    after_help = "Examples:\n  fluxtower check\n  fluxtower run\n  fluxtower status"
)]
struct Cli {
    /// The configuration; without it, config.toml here, beside the program, or in /var/lib/fluxtower. `serve` takes several, or a folder of them
    #[arg(long, global = true, value_name = "FILE")]
    config: Vec<PathBuf>,
    /// Print one JSON object on stdout
    #[arg(long, global = true)]
    json: bool,
    /// Increase verbosity (repeatable)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Print errors only
    #[arg(short, long, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Ingest(ingest::Args),
    Sync(sync::Args),
    Run(run::Args),
    Status(status::Args),
    Check(check::Args),
    Replay(replay::Args),
    Verify(verify::Args),
    Bucket(bucket::Args),
    Rejected(rejected::Args),
    Conflicts(conflicts::Args),
    Decisions(decisions::Args),
    Gaps(gaps::Args),
    Flags(flags::Args),
    Flag(flag::Args),
    Reflag(reflag::Args),
    Rekey(rekey::Args),
    Prune(prune::Args),
    Archive(archive::Args),
    Schedule(schedule::Args),
    Serve(serve::Args),
    Report(report::Args),
    Export(export::Args),
    Dashboard(dashboard::Args),
    Backup(backup::Args),
    Salvage(salvage::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// The context of every command.
#[derive(Clone)]
struct Context {
    config: Config,
    clock: SystemClock,
    output: Output,
    /// Whether progress bars may be drawn.
    bars: bool,
}

impl Context {
    fn now(&self) -> Timestamp {
        Timestamp::from_utc(self.clock.now())
    }

    fn store(&self) -> Result<Store, CliError> {
        Ok(Store::open(&self.config.store_path)?)
    }

    /// An agent with this configuration, whose events are printed here.
    fn agent(&self) -> Agent {
        Agent {
            config: self.config.clone(),
            clock: self.clock,
            events: Arc::new(Printer { output: self.output, bars: self.bars, clock: self.config.station.clock }),
            shows_progress: true,
        }
    }

    /// The same context with another configuration.
    fn with(&self, config: Config) -> Context {
        Context { config, ..self.clone() }
    }

    /// Refuses an output file that is the database, one of the files beside it, or the configuration.
    fn refuse_own_file(&self, path: &Path) -> Result<(), CliError> {
        let beside = |ending: &str| {
            let mut name = self.config.store_path.clone().into_os_string();
            name.push(ending);
            PathBuf::from(name)
        };
        let own = [self.config.path.clone(), beside(""), beside("-wal"), beside("-shm")];
        match own.iter().any(|own| whole_file::is_same_file(own, path)) {
            true => Err(CliError::OntoItself { path: path.to_owned() }),
            false => Ok(()),
        }
    }

    /// Parses an instant that the user typed.
    fn instant(&self, option: &'static str, text: &str) -> Result<Timestamp, CliError> {
        crate::time::parse_instant(text, &self.config.station.clock)
            .ok_or_else(|| CliError::Instant { option, text: text.to_owned() })
    }

    /// The table's name, if the configuration or the store knows it.
    fn known_table(&self, store: &Store, name: &str) -> Result<(), CliError> {
        let known = store.table_status()?;
        if self.config.table(name).is_some() || known.iter().any(|table| table.table == name) {
            return Ok(());
        }
        Err(self.unknown_table(name))
    }

    /// The table's configuration.
    fn configured_table(&self, name: &str) -> Result<&TableConfig, CliError> {
        self.config.table(name).ok_or_else(|| self.unknown_table(name))
    }

    fn unknown_table(&self, name: &str) -> CliError {
        CliError::UnknownTable { name: name.to_owned(), fix: self.config.tables_like(name) }
    }
}

/// Refuses a window that ends before it begins, because an empty result is not what the user wants. `typed` are the
/// texts of `--since` and `--until`.
fn in_order(
    window: (Option<Timestamp>, Option<Timestamp>),
    typed: (&Option<String>, &Option<String>),
) -> Result<(), CliError> {
    match window {
        (Some(since), Some(until)) if until < since => {
            let (from, to) = (typed.0.clone().unwrap_or_default(), typed.1.clone().unwrap_or_default());
            Err(CliError::UpsideDown { begin: "--since", end: "--until", from, to })
        }
        _ => Ok(()),
    }
}

/// Parses the command line, runs the command, prints the error if there is one.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Well };
            // If the terminal is closed, a second error cannot be shown.
            let _ = error.print();
            return ExitCode::from(exit as u8);
        }
    };
    let exit = match run(cli) {
        Ok(exit) => exit,
        Err(error) => {
            let exit = error.exit();
            // A reader that closes the pipe early, such as `head`, is not an error.
            if exit != Exit::Well {
                output::say_error(&error);
            }
            exit
        }
    };
    ExitCode::from(exit as u8)
}

fn run(cli: Cli) -> Result<Exit, CliError> {
    let verbosity = if cli.quiet { -1 } else { i8::try_from(cli.verbose).unwrap_or(i8::MAX) };
    let mut paths = cli.config;
    let output = Output::new(cli.json, cli.quiet);
    if let Command::Serve(args) = &cli.command {
        paths = serve::configurations(paths)?;
        if paths.is_empty() {
            paths.push(default_config());
        }
        return serve::run(output, &paths, verbosity, args);
    }
    if let [_, _, ..] = paths[..] {
        return Err(CliError::OneConfiguration);
    }
    let path = paths.pop();
    // These need no configuration, or write the first one.
    match &cli.command {
        Command::Completions(args) => return completions::run(output, args),
        Command::Man(args) => return man::run(output, args),
        Command::Init(args) => {
            log::init(None, verbosity)?;
            return init::run(args, path, default_config(), output);
        }
        _ => {}
    }
    let path = path.unwrap_or_else(default_config);
    let config = Config::load(&path)?;
    log::init(Some(&config.log), verbosity)?;
    let context = Context { config, clock: SystemClock, bars: !cli.quiet && output::stderr_is_terminal(), output };
    match cli.command {
        // These were handled above.
        Command::Init(_) | Command::Serve(_) => Ok(Exit::Well),
        Command::Ingest(args) => ingest::run(&context, args),
        Command::Sync(args) => sync::run(&context, &args),
        Command::Run(args) => run::run(&context, &args),
        Command::Check(args) => check::run(&context, &args),
        Command::Status(args) => status::run(&context, &args),
        Command::Replay(args) => replay::run(&context, &args),
        Command::Verify(args) => verify::run(&context, &args),
        Command::Bucket(args) => bucket::run(&context, &args),
        Command::Prune(args) => prune::run(&context, &args),
        Command::Archive(args) => archive::run(&context, &args),
        Command::Schedule(args) => schedule::run(&context, &args),
        Command::Report(args) => report::run(&context, &args),
        Command::Rejected(args) => rejected::run(&context, &args),
        Command::Conflicts(args) => conflicts::run(&context, &args),
        Command::Decisions(args) => decisions::run(&context, &args),
        Command::Gaps(args) => gaps::run(&context, &args),
        Command::Flags(args) => flags::run(&context, &args),
        Command::Flag(args) => flag::run(&context, &args),
        Command::Reflag(args) => reflag::run(&context, &args),
        Command::Rekey(args) => rekey::run(&context, &args),
        Command::Export(args) => export::run(&context, &args),
        Command::Dashboard(args) => dashboard::run(&context, &args),
        Command::Backup(args) => backup::run(&context, &args),
        Command::Salvage(args) => salvage::run(&context, &args),
        Command::Completions(args) => completions::run(output, &args),
        Command::Man(args) => man::run(output, &args),
    }
}

/// The configuration of the Linux packages: `packaging/linux`.
const OF_PACKAGES: &str = "/var/lib/fluxtower/config.toml";

/// The path of the configuration without `--config`. Task Scheduler starts programs in a folder of its own choice, so
/// the program's folder is searched too. A packaged program is in a folder that must not contain a configuration.
fn default_config() -> PathBuf {
    let here = PathBuf::from("config.toml");
    if here.exists() {
        return here;
    }
    let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("config.toml")));
    let of_packages = cfg!(unix).then(|| PathBuf::from(OF_PACKAGES));
    beside.into_iter().chain(of_packages).find(|path| path.exists()).unwrap_or(here)
}
