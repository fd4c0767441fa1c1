//! A station: a folder with a configuration, .DAT files and the program.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rusqlite::Connection;
use serde_json::Value;

use crate::readings::Readings;
use crate::support;

pub struct Station(support::Station);

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Ended {
    pub exit: i32,
    pub json: Value,
    pub talk: String,
}

impl Station {
    /// `destination` is the body of `[destination]`, `sync` that of `[sync]`.
    pub fn new(destination: &str, sync: &str, tables: &[&Readings]) -> Station {
        let mut sections = String::new();
        for table in tables {
            sections += &format!(
                // The rows of these tests are old, which `check` would report.
                "[[table]]\nname = \"{0}\"\nfiles = [\"{0}.dat\"]\nstale_after = \"36500d\"\ntags = {{ site = \"US-UMB\" }}\n",
                table.name
            );
        }
        let first = sections.split_off("[[table]]\n".len());
        let mut station = support::Station::new().with(|sections| {
            "tower".clone_into(&mut sections.name);
            sections.destination = format!("kind = \"influxdb\"\n{destination}");
            sync.clone_into(&mut sections.sync);
            sections.table = first;
        });
        for table in tables {
            station.write(&format!("{}.dat", table.name), table.toa5());
        }
        station.set_variable("FLUXTOWER_TEST_RIGHT", "right");
        station.set_variable("FLUXTOWER_TEST_WRONG", "wrong");
        Station(station)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.0.command(&[&["--json"], arguments].concat())
    }

    /// Sets an environment variable for the commands that follow, for a token of this test's own.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.0.set_variable(name, value);
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().unwrap();
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        let json = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        Ended { exit: output.status.code().unwrap_or(-1), json, talk }
    }

    /// Runs a command that must end with this code.
    pub fn must(&self, exit: i32, arguments: &[&str]) -> Value {
        let ended = self.run(arguments);
        assert_eq!(ended.exit, exit, "{arguments:?}: {ended:?}");
        ended.json
    }

    /// Starts a command and does not wait for it.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let log = fs::File::create(self.path("started.log")).unwrap();
        self.command(arguments).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    fn store(&self) -> Connection {
        let store = self.0.database();
        store.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        store
    }

    /// The times of a table's rows in this state, in order, by the view that people read.
    pub fn times(&self, table: &str, state: &str) -> Vec<i64> {
        let store = self.store();
        let mut statement =
            store.prepare(&format!("SELECT ts FROM \"t_{table}\" WHERE state = ?1 ORDER BY ts")).unwrap();
        statement.query_map([state], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// How many rows are sent, cheaply.
    pub fn sent(&self) -> u64 {
        let sent: i64 =
            self.store().query_row("SELECT coalesce(sum(sent), 0) FROM logger_table", [], |row| row.get(0)).unwrap();
        u64::try_from(sent).unwrap()
    }
}
