//! `fluxtower serve`: shows the station's page, on this computer.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::Serialize;

use super::output::Output;
use super::{CliError, Exit, log, signals};
use crate::config::ConfigFile;
use crate::view::serve::{Given, Options, Server};

/// Show the station on a page of its own, in a browser on this computer
///
/// The page reads the database and nothing else; ingest and sync go on beside it. It asks no other computer for
/// anything. From elsewhere, come through ssh: `ssh -L 8642:localhost:8642 USER@STATION`, then open
/// http://localhost:8642/ there. Ends with Ctrl-C or SIGTERM.
///
/// Several stations: give --config several times, or a folder with a configuration for each (NAME.toml, or
/// NAME/config.toml). The page is then a list of them, the worst first, and each station has a path of its own. One with a
/// wrong configuration stands in the list with the error.
///
/// A configuration that changes is checked and taken up; one that is wrong is reported, and the one before stays in force.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower serve\n  fluxtower serve --open\n  fluxtower serve --port 9000\n  fluxtower serve --config C:\\fluxtower\\umb\\config.toml --config C:\\fluxtower\\umd\\config.toml"
)]
pub(super) struct Args {
    /// The port to listen on; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 8642)]
    port: u16,
    /// The address to listen on; any but this computer's own lets others look, without a password
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
    /// A name that browsers may ask this computer by, beside localhost; may be given several times
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// Open it in the browser
    #[arg(long)]
    open: bool,
}

#[derive(Serialize)]
struct Listening {
    url: String,
    address: String,
    port: u16,
}

/// The paths of all configurations: those that are named, and for a folder its own and those of its subfolders.
pub(super) fn configurations(named: Vec<PathBuf>) -> Result<Vec<PathBuf>, CliError> {
    let mut found = Vec::new();
    for path in named {
        if !path.is_dir() {
            found.push(path);
            continue;
        }
        let unreadable = |source| CliError::File { path: path.clone(), source };
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?.path();
            let nested = entry.join("config.toml");
            if nested.is_file() {
                inside.push(nested);
            } else if entry.is_file() && entry.extension().is_some_and(|ending| ending == "toml") {
                inside.push(entry);
            }
        }
        if inside.is_empty() {
            return Err(CliError::NoConfiguration { folder: path });
        }
        inside.sort();
        found.append(&mut inside);
    }
    Ok(found)
}

pub(super) fn run(output: Output, paths: &[PathBuf], verbosity: i8, args: &Args) -> Result<Exit, CliError> {
    let options = Options { bind: args.bind, port: args.port, hosts: args.host.clone() };
    let mut given: Vec<Given> = paths.iter().map(|path| ConfigFile::open(path)).collect();
    // There is no station to show.
    if let [(_, Err(_))] = given[..]
        && let Some((_, Err(error))) = given.pop()
    {
        return Err(error.into());
    }
    let first = given.iter().find_map(|(_, config)| config.as_ref().ok());
    log::init(first.map(|config| &config.log), verbosity)?;
    for (_, config) in &given {
        if let Err(error) = config {
            tracing::error!(
                "{error}; the other stations are shown, and this one as soon as its configuration is right"
            );
        }
    }
    let server = Server::listen(given, &options)?;
    let address = server.address();
    if !args.bind.is_loopback() {
        tracing::warn!(
            "each user who can reach {address} can read the data: the page has no password. Bind it to 127.0.0.1 and come \
             through ssh -L if that is not meant"
        );
    }
    let stop = server.stop();
    signals::listen(move || stop.stop()).map_err(CliError::Signals)?;
    let listening = Listening { url: url(address), address: address.ip().to_string(), port: address.port() };
    output.result(&listening, |out| writeln!(out, "{}", listening.url))?;
    if args.open {
        open(&listening.url);
    }
    server.run()?;
    Ok(Exit::Well)
}

/// The URL of the page. An address that listens on all interfaces is reached by this computer's own.
fn url(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => format!("http://127.0.0.1:{}/", address.port()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => format!("http://[::1]:{}/", address.port()),
        _ => format!("http://{address}/"),
    }
}

/// Opens the page in the desktop's browser. If that is not possible, the address is on stdout.
fn open(url: &str) {
    let (program, arguments): (&str, &[&str]) = if cfg!(windows) {
        // `start` is a shell command that takes its first quoted argument as a title; this is what it calls.
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else if cfg!(target_os = "macos") {
        ("open", &[])
    } else {
        ("xdg-open", &[])
    };
    let started = std::process::Command::new(program)
        .args(arguments)
        .arg(url)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    match started {
        // The process is waited for, so that it does not remain as a zombie while the server runs.
        Ok(mut child) => drop(std::thread::spawn(move || child.wait())),
        Err(error) => tracing::warn!("cannot open a browser ({error}); open {url} in one"),
    }
}
