//! A station of the delivery tests: minutes as rows, a server as destination.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::server::Taken;
use super::station::{Ended, Station};

/// 2026-06-01T00:00:00Z; the station's clocks are on UTC.
const EPOCH_S: i64 = 1_780_272_000;
const TOKEN_VARIABLE: &str = "FLUXTOWER_TEST_TOKEN";

/// The time of a row: so many minutes after the first one.
pub fn ns(minute: i64) -> i64 {
    (EPOCH_S + minute * 60) * 1_000_000_000
}

/// The first value of the row of that minute.
#[allow(clippy::cast_precision_loss)]
pub fn value(minute: i64) -> f64 {
    (minute.rem_euclid(997)) as f64 / 4.0
}

fn stamp(minute: i64) -> String {
    chrono::DateTime::from_timestamp(EPOCH_S + minute * 60, 0).unwrap().format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A [`Station`] that sends a row a minute of each of its tables to a server.
pub struct Site {
    station: Station,
    tables: Vec<String>,
    pub token: String,
}

impl Site {
    /// One table, `met`.
    pub fn new(url: &str) -> Site {
        Site::with(url, &["met"], "", "")
    }

    /// `destination` and `sync` are further lines of those sections.
    pub fn with(url: &str, tables: &[&str], destination: &str, sync: &str) -> Site {
        let mut more = String::new();
        for table in tables {
            let _ = write!(more, "[[table]]\nname = \"{table}\"\nfiles = [\"{table}*.dat\"]\n");
            if table.starts_with("soil") {
                more.push_str("bucket = \"soil\"\n");
            }
        }
        // The first table is one of those, too.
        let table = more.split_off("[[table]]\n".len());
        let station = Station::new().clock("utc_offset = \"+00:00\"").table(&table).more("");
        let tables = tables.iter().map(|&table| table.to_owned()).collect();
        let mut site = Site { station, tables, token: "not-a-secret".to_owned() };
        site.configure(url, destination, sync);
        site
    }

    /// Writes the config anew.
    pub fn configure(&mut self, url: &str, destination: &str, sync: &str) {
        self.station.configure(|sections| {
            sections.destination = format!(
                "kind = \"influxdb\"\nurl = \"{url}\"\norg = \"umbs\"\nbucket = \"tower\"\n\
                 token_env = \"{TOKEN_VARIABLE}\"\n{destination}"
            );
            sections.sync = format!("health = false\n{sync}\n[log]\nfile = \"fluxtower.log\"");
        });
    }

    /// As [`Station::replace_in_config`].
    #[track_caller]
    pub fn replace_in_config(&self, from: &str, to: &str) {
        self.station.replace_in_config(from, to);
    }

    /// As [`Station::add_to_config`].
    pub fn add_to_config(&self, toml: &str) {
        self.station.add_to_config(toml);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.station.path(name)
    }

    pub fn folder(&self) -> &Path {
        self.station.folder()
    }

    /// A whole `.DAT` file with the rows of these minutes.
    pub fn text(table: &str, minutes: impl IntoIterator<Item = i64>) -> String {
        let mut text = format!(
            "\"TOA5\",\"UMB\",\"CR1000\",\"1\",\"CR1000.Std.32\",\"CPU:p.CR1\",\"1\",\"{table}\"\r\n\
             \"TIMESTAMP\",\"RECORD\",\"T_Avg\",\"P_Avg\"\r\n\"TS\",\"RN\",\"Deg C\",\"kPa\"\r\n\"\",\"\",\"Avg\",\"Avg\"\r\n"
        );
        for minute in minutes {
            let _ = write!(text, "\"{}\",{minute},{},98.5\r\n", stamp(minute), value(minute));
        }
        text
    }

    /// Writes a table's file anew, as LoggerNet does when it overwrites.
    pub fn write(&self, table: &str, minutes: impl IntoIterator<Item = i64>) {
        std::fs::write(self.path(&format!("{table}.dat")), Site::text(table, minutes)).unwrap();
    }

    /// Writes every table's file and reads them.
    pub fn stage(&self, minutes: std::ops::Range<i64>) {
        for table in &self.tables {
            self.write(table, minutes.clone());
        }
        self.run(&["ingest", "--json"]).expect(0);
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.station.command(arguments);
        command.env(TOKEN_VARIABLE, &self.token);
        command
    }

    #[must_use = "say with expect() how it must end"]
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&super::start(|| self.command(arguments).output()))
    }

    #[must_use = "say with expect() how it must end"]
    pub fn sync(&self) -> Ended {
        self.run(&["sync", "--json"])
    }

    /// Runs beside the test; nobody reads what it says.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        super::start(|| self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn())
    }

    /// Every staged row with its state, as someone with an SQLite browser sees it. A row that is there twice fails.
    pub fn states(&self) -> BTreeMap<Taken, String> {
        let store = rusqlite::Connection::open(self.path("store.db")).unwrap();
        let mut states = BTreeMap::new();
        for table in &self.tables {
            // A table that was never read has no view.
            let Ok(mut rows) = store.prepare(&format!("SELECT ts, state FROM \"t_{table}\"")) else { continue };
            let rows = rows.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))).unwrap();
            for row in rows {
                let (ts, state) = row.unwrap();
                assert_eq!(states.insert((table.clone(), ts), state), None, "{table} {ts} is there twice");
            }
        }
        states
    }

    /// How many rows are staged; cheaper than [`Site::states`].
    pub fn staged(&self) -> usize {
        let store = rusqlite::Connection::open(self.path("store.db")).unwrap();
        // Before the first run there is no such table.
        let count = store.query_row("SELECT count(*) FROM reading", [], |row| row.get::<_, i64>(0)).unwrap_or(0);
        usize::try_from(count).unwrap()
    }

    pub fn in_state(&self, state: &str) -> BTreeSet<Taken> {
        self.states().into_iter().filter(|(_, known)| known == state).map(|(row, _)| row).collect()
    }

    pub fn count(&self, state: &str) -> usize {
        self.in_state(state).len()
    }
}
