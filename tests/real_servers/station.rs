//! A station: a folder with a configuration, .DAT files and the program.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

use crate::readings::Readings;

pub struct Station {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

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
        let folder = TempDir::new().unwrap();
        let mut config = format!(
            "[station]\nname = \"tower\"\nutc_offset = \"-05:00\"\n[store]\npath = \"s.db\"\n[destination]\nkind = \"influxdb\"\n\
             {destination}\n[sync]\n{sync}\n"
        );
        for table in tables {
            config += &format!(
                "[[table]]\nname = \"{0}\"\nfiles = [\"{0}.dat\"]\ntags = {{ site = \"US-UMB\" }}\n",
                table.name
            );
            fs::write(folder.path().join(format!("{}.dat", table.name)), table.toa5()).unwrap();
        }
        fs::write(folder.path().join("config.toml"), config).unwrap();
        let right_and_wrong = [("FLUXTOWER_TEST_RIGHT", "right"), ("FLUXTOWER_TEST_WRONG", "wrong")];
        let variables = right_and_wrong.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Station { folder, variables }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fluxtower"));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).arg("--json").args(arguments);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Sets an environment variable for the commands that follow, for a token of this test's own.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
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
        self.folder.path().join(name)
    }

    fn store(&self) -> Connection {
        let store = Connection::open_with_flags(self.path("s.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
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
