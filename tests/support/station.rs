//! A station in a temporary folder: its configuration, its logger's files, its store.
//!
//! Every test builds its own, so that tests share nothing and run side by side.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use fluxtower::config::Config;
use fluxtower::ingest::{self, IngestReport, Selection, Unseen};
use fluxtower::store::Store;
use fluxtower::time::SystemClock;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// The table that a [`Station`] has from the start; it reads [`DAT`].
pub const TABLE: &str = "46m_par";
/// The file of [`TABLE`].
pub const DAT: &str = "46m_PAR.dat";

/// Files are written as if this long ago, so that no ingest waits for the writer to settle or suspects the clock.
const WRITTEN_AGO: Duration = Duration::from_secs(5);

/// What the sections of the configuration hold.
#[derive(Clone)]
pub struct Sections {
    /// `name` of `[station]`.
    pub name: String,
    /// The other keys of `[station]`.
    pub clock: String,
    /// Keys of `[destination]`.
    pub destination: String,
    /// Keys of `[sync]`.
    pub sync: String,
    /// Name, files and other keys of the first `[[table]]`.
    pub table: String,
    /// More sections behind it.
    pub more: String,
}

/// A station. Each method that changes the configuration writes the file anew.
#[must_use]
pub struct Station {
    folder: TempDir,
    sections: Sections,
    variables: Vec<(String, String)>,
    is_judged_by_age: bool,
}

/// Room that must be free in memory for a station to lie there.
const ROOM: u64 = 2_000_000_000;

/// In memory where there is room: thousands of syncs to disk are not what these tests are about.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if cfg!(unix) && fs4::available_space(memory).is_ok_and(|room| room > ROOM) {
        return TempDir::new_in(memory).unwrap();
    }
    TempDir::new().unwrap()
}

/// With a `stale_after` of a century in each `[[table]]` that has none.
fn never_stale(text: &str) -> String {
    let table = |(place, part): (usize, &str)| {
        if place == 0 || part.contains("stale_after") {
            return part.to_owned();
        }
        part.replacen("files = [", "stale_after = \"36500d\"\nfiles = [", 1)
    };
    text.split("[[table]]").enumerate().map(table).collect::<Vec<_>>().join("[[table]]")
}

impl Station {
    /// US-UMB, five hours west of UTC, one TOA5 table, rows to a folder of line protocol.
    pub fn new() -> Station {
        let sections = Sections {
            name: "US-UMB".to_owned(),
            clock: "utc_offset = \"-05:00\"".to_owned(),
            destination: "kind = \"files\"\npath = \"outbox\"".to_owned(),
            sync: String::new(),
            table: format!("name = \"{TABLE}\"\nfiles = [\"{DAT}\"]"),
            more: String::new(),
        };
        Station { folder: folder(), sections, variables: Vec::new(), is_judged_by_age: false }.with(|_| {})
    }

    /// With other sections from now on.
    pub fn with(mut self, change: impl FnOnce(&mut Sections)) -> Station {
        self.configure(change);
        self
    }

    /// As [`Station::with`], for a station that has run.
    pub fn configure(&mut self, change: impl FnOnce(&mut Sections)) {
        change(&mut self.sections);
        let Sections { name, clock, destination, sync, table, more } = &self.sections;
        let text = format!(
            "[station]\nname = \"{name}\"\n{clock}\n[store]\npath = \"store.db\"\n[destination]\n{destination}\n[sync]\n{sync}\n\
             [[table]]\n{table}\n{more}\n"
        );
        let text = if self.is_judged_by_age { text } else { never_stale(&text) };
        fs::write(self.config_path(), text).unwrap();
    }

    /// Instead of `utc_offset = "-05:00"` in `[station]`.
    pub fn clock(self, toml: &str) -> Station {
        self.with(|sections| toml.clone_into(&mut sections.clock))
    }

    /// Instead of the keys of `[destination]`.
    pub fn destination(self, toml: &str) -> Station {
        self.with(|sections| toml.clone_into(&mut sections.destination))
    }

    /// Keys of `[sync]`.
    pub fn sync(self, toml: &str) -> Station {
        self.with(|sections| toml.clone_into(&mut sections.sync))
    }

    /// Instead of name and files of the one `[[table]]`.
    pub fn table(self, toml: &str) -> Station {
        self.with(|sections| toml.clone_into(&mut sections.table))
    }

    /// Keys of the one `[[table]]`, beside its name and files; may end with `[table.columns.…]` sections.
    pub fn table_keys(self, toml: &str) -> Station {
        self.with(|sections| sections.table = format!("{}\n{toml}", sections.table))
    }

    /// More sections behind the first table's.
    pub fn more(self, toml: &str) -> Station {
        self.with(|sections| toml.clone_into(&mut sections.more))
    }

    /// The age of rows is a finding, by their usual interval where the table has no `stale_after`. Otherwise rows may be as
    /// old as they like, because those of most tests lie in a summer that is over.
    pub fn judged_by_age(mut self) -> Station {
        self.is_judged_by_age = true;
        self.with(|_| {})
    }

    /// An environment variable of the program, from now on.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Edits the configuration file, as a user would; [`Station::configure`] writes it anew.
    #[track_caller]
    pub fn replace_in_config(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.config_path()).unwrap();
        assert!(text.contains(from), "the configuration lacks \"{from}\": {text}");
        fs::write(self.config_path(), text.replace(from, to)).unwrap();
    }

    /// Adds these lines at the end of the configuration file: to its last table, or sections of their own.
    pub fn add_to_config(&self, toml: &str) {
        let text = fs::read_to_string(self.config_path()).unwrap();
        fs::write(self.config_path(), format!("{text}\n{toml}")).unwrap();
    }

    pub fn config_path(&self) -> PathBuf {
        self.path("config.toml")
    }

    pub fn store_path(&self) -> PathBuf {
        self.path("store.db")
    }

    /// A path in the station's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the file in place, as LoggerNet's overwrite does.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
        self.age(name, WRITTEN_AGO);
    }

    /// Puts another file in its place.
    pub fn rename_over(&self, name: &str, content: impl AsRef<[u8]>) {
        self.write("being_written.tmp", content);
        fs::rename(self.path("being_written.tmp"), self.path(name)).unwrap();
    }

    /// Writes behind its end.
    pub fn append(&self, name: &str, content: impl AsRef<[u8]>) {
        let mut bytes = self.read(name);
        bytes.extend_from_slice(content.as_ref());
        self.write(name, bytes);
    }

    /// Cuts it to so many bytes.
    pub fn truncate(&self, name: &str, length: usize) {
        let mut bytes = self.read(name);
        bytes.truncate(length);
        self.write(name, bytes);
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// Sets its time of last change so far back.
    pub fn age(&self, name: &str, ago: Duration) {
        let file = File::options().write(true).open(self.path(name)).unwrap();
        file.set_modified(SystemTime::now() - ago).unwrap();
    }

    /// The program in the station's folder, with its configuration.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fluxtower"));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command.arg("--config").arg(self.config_path()).args(arguments);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the program to its end.
    #[must_use = "say with expect() how it must end"]
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&super::start(|| self.command(arguments).output()))
    }

    /// Runs it with `--json`.
    #[must_use = "say with expect() how it must end"]
    pub fn run_json(&self, args: &[&str]) -> Ended {
        self.run(&[args, &["--json"]].concat())
    }

    /// An ingest, of which every line of the first table is accounted for (I1). Gives the report of that table.
    pub fn ingest_accounted(&self) -> serde_json::Value {
        let ended = self.run_json(&["ingest"]);
        assert!(ended.code <= 1, "{ended:?}");
        let report = ended.json()["tables"][0].clone();
        let sum: u64 = ["header", "staged", "duplicates", "conflicts", "rejected", "held", "deferred", "blank"]
            .map(|key| report[key].as_u64().unwrap())
            .iter()
            .sum();
        assert_eq!(report["lines"], sum, "I1: {report}");
        report
    }

    /// The same work without a process of its own.
    pub fn in_process(&self) -> InProcess {
        InProcess {
            config: Config::load(&self.config_path()).unwrap(),
            store: Store::open(&self.store_path()).unwrap(),
        }
    }

    /// The rows of a table in the order of time.
    pub fn rows(&self, table: &str) -> Vec<Row> {
        let conn = self.database();
        let sql = format!(
            "SELECT v.ts, v.record, v.tags, r.vals, r.flags, v.state, r.ts_text
             FROM \"t_{table}\" v JOIN reading r ON r.id = v.row_id ORDER BY v.tags, v.ts"
        );
        // No file with a header was read yet, so there is no view.
        let Ok(mut statement) = conn.prepare(&sql) else { return Vec::new() };
        let rows = statement.query_map([], |row| {
            Ok(Row {
                ts: row.get(0)?,
                record: row.get(1)?,
                tags: row.get(2)?,
                vals: row.get(3)?,
                flags: row.get(4)?,
                state: row.get(5)?,
                ts_text: row.get(6)?,
            })
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Everything that the store holds of its files' lines, as text: what a second reading must leave alone.
    pub fn kept(&self) -> Vec<String> {
        let conn = self.database();
        let tables = ["logger_table", "column_list", "header_version", "series", "reading", "backlog"];
        let tables = tables.into_iter().chain(["rejected_line", "conflict", "record_run", "clock_event"]);
        let mut kept = Vec::new();
        for table in tables {
            let mut statement = conn.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2, 3")).unwrap();
            // By which configuration the keys of rows were judged is noted at the second reading.
            let names = statement.column_names().enumerate();
            let columns: Vec<usize> = names.filter(|(_, name)| *name != "tags_inputs").map(|(at, _)| at).collect();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let cells: Vec<_> =
                    columns.iter().map(|&at| row.get::<_, rusqlite::types::Value>(at).unwrap()).collect();
                kept.push(format!("{table} {cells:?}"));
            }
        }
        kept
    }

    /// One number from the store.
    pub fn count(&self, sql: &str) -> i64 {
        self.database().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// The store, for looking.
    pub fn database(&self) -> Connection {
        Connection::open_with_flags(self.store_path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    }
}

/// How many tables have a count in `logger_table` that is not what the tables hold.
pub const WRONG_COUNTS: &str = "SELECT count(*) FROM logger_table t WHERE
    rows <> (SELECT count(*) FROM series s JOIN reading r ON r.id >> 52 = s.id WHERE s.logger_table = t.id)
    OR pending <> (SELECT count(*) FROM series s JOIN reading r ON r.id >> 52 = s.id
                   WHERE s.logger_table = t.id AND r.state = 0)
    OR rows <> pending + sent + rejected + expired
    OR conflicts <> (SELECT count(*) FROM conflict c JOIN series s ON s.id = c.series WHERE s.logger_table = t.id)
    OR rejected_lines <> (SELECT count(*) FROM rejected_line l WHERE l.logger_table = t.id)";

/// A staged row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Nanoseconds since 1970, UTC.
    pub ts: i64,
    pub record: Option<i64>,
    pub tags: String,
    pub vals: String,
    pub flags: String,
    pub state: String,
    pub ts_text: Option<String>,
}

impl Row {
    /// RFC 3339, in UTC.
    pub fn time(&self) -> String {
        fluxtower::time::Timestamp::from_nanos(self.ts).to_string()
    }

    pub fn values(&self) -> Vec<serde_json::Value> {
        serde_json::from_str(&self.vals).unwrap()
    }
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn of(output: &Output) -> Ended {
        Ended {
            code: output.status.code().expect("the program was killed"),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// Stops the test if the exit code is another.
    #[track_caller]
    pub fn expect(self, code: i32) -> Ended {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Stops the test unless it did its work. Whether its findings ask for a user (1) is then no matter of the test.
    #[track_caller]
    pub fn works(self) -> Ended {
        assert!(self.code <= 1, "exit code {}, stdout: {}\nstderr: {}", self.code, self.stdout, self.stderr);
        self
    }

    /// The one object on stdout.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// A number of the object on stdout.
    #[track_caller]
    pub fn number(&self, key: &str) -> u64 {
        self.json()[key].as_u64().unwrap_or_else(|| panic!("no number {key}: {self:?}"))
    }

    /// The notes on stdout, as one text.
    pub fn notes(&self) -> String {
        self.json()["notes"].to_string()
    }

    /// Stops the test unless stderr says this.
    #[track_caller]
    pub fn says(self, words: &str) -> Ended {
        assert!(self.stderr.contains(words), "stderr lacks \"{words}\": {}", self.stderr);
        self
    }
}

/// An open store and the configuration it goes by.
pub struct InProcess {
    pub config: Config,
    pub store: Store,
}

impl InProcess {
    pub fn ingest(&self) -> IngestReport {
        self.ingest_selected(&Selection::default())
    }

    /// As `ingest FILE`: read whole, known or not.
    pub fn ingest_file(&self, path: &Path) -> IngestReport {
        self.ingest_selected(&Selection { table: None, files: vec![path.to_owned()] })
    }

    /// As `ingest --table T FILE`.
    pub fn ingest_file_of(&self, table: &str, path: &Path) -> IngestReport {
        self.ingest_selected(&Selection { table: Some(table.to_owned()), files: vec![path.to_owned()] })
    }

    /// Checks I1 for every file on the way.
    fn ingest_selected(&self, selection: &Selection) -> IngestReport {
        let report = ingest::run(&self.config, &self.store, &SystemClock, selection, &Unseen).unwrap();
        for source in report.tables.iter().flat_map(|table| &table.sources) {
            assert_eq!(source.counts.accounted(), source.counts.lines, "I1, {source:?}");
        }
        report
    }
}
