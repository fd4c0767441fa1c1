//! The store: one SQLite file that holds every row, its state and the proof of its delivery.
//!
//! It uses WAL, so that sync reads while ingest writes, and `synchronous = FULL`, so that a commit survives a power cut
//! (I4). Pages have 16 KiB: rows of a table are appended side by side, and an ingest of 864,000 rows takes a quarter
//! less time than with 4 KiB. Each part of the schema is written by one file in this module.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use queries::health;
use schema::{beside, migrate};

mod care;
mod intake;
mod judge;
mod outbox;
mod queries;
mod schema;

pub use care::salvage::{SalvageReport, SalvagedTable};
pub use intake::changed::{SLOT_SECONDS, Versions, slot_of, slot_start};
pub use intake::clock::{MovingRow, StagedClock};
pub use intake::decisions::{ConflictChoice, DecisionLine, Keep, KeptContent};
pub use intake::deferred::DeferredLine;
pub use intake::files::FileSeen;
pub use intake::known::{KnownColumn, KnownTable};
pub use intake::logger_names::LoggerNames;
pub use intake::provisional::LineState;
pub use intake::record_gaps::gaps;
pub use intake::record_runs::{ClockEvent, EventKind, Gap, RecordRuns, Run};
pub use intake::records::Records;
pub use intake::rejected::{KeptLine, LineRefusal};
pub use intake::retag::{LeftSeries, OldRow, TaggedSeries, tags_inputs};
pub use intake::rows::{RowStream, StoredRow};
pub use intake::samples::{KnownStamp, MovedRow, SampleAt, Spreading, Waiting};
pub use intake::staging::{Incoming, LineAt, Outcome, Staging};
pub use intake::tables::{Column, Table};
pub use intake::windows::{MadeSeries, Making, Sample};
pub use judge::despiking::Despiked;
pub use judge::quality::{ManualFlagLine, NewFlag, RaisedRow};
pub use judge::scan::{ScannedRow, SeriesLine};
pub use outbox::delivery::{Refusal, SentBin};
pub use outbox::notices::{
    FindingsChange, NewNotice, Notice, NoticeEvent, NoticeFailure, ReceiverLine, StandingFinding,
};
pub use outbox::outcome::ReceiptOutcome;
pub use outbox::pending::{PendingRow, SeriesBacklog};
pub use outbox::receipts::{Mark, ReceiptDraft, State};
pub use outbox::sent::{Replay, SentRow};
pub use outbox::sent_fields::{FieldKind, LostFields, SentField};
pub use outbox::stale::{KnownSeries, StaleRun, StaleSeries};
pub use queries::costs::{ColumnCosts, TableCosts, TestCosts};
pub use queries::evidence::{FutureTimes, ReadFile};
pub use queries::gaps::{ClockLine, GapLine};
pub use queries::headers::LoggerFile;
pub use queries::health::StoreSize;
pub use queries::interval::{ROWS as ROWS_OF_AN_INTERVAL, Regularity, intervals, regularity, usual_interval};
pub use queries::listing::{ConflictLine, RejectedLine};
pub use queries::runs::RunLine;
pub use queries::status::TableStatus;
pub use queries::steps::{MissingSteps, Uncounted, WhyUncounted};
pub use queries::window_interval::WindowInterval;
pub use schema::beside::{folder_of, sync_folder_of};
pub use schema::error::StoreError;
pub use schema::lock::{Lock, LockKind};

/// How long a statement waits for another process's write to end. Writes here take milliseconds; a browser may hold
/// longer.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Page cache per connection, in KiB (SQLite wants KiB as a negative number): enough for the last pages of every table
/// of a large site.
const CACHE_KIB: i64 = -12_000;
/// Page cache of a connection that only reads: it reads each row once, and the system's cache has the pages too.
const READER_CACHE_KIB: i64 = -6_000;

/// An open store.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
    path: PathBuf,
    /// How long a statement waits for another process's write to end.
    patience: Duration,
}

/// The result of a store's work.
pub type Result<T> = std::result::Result<T, StoreError>;

impl Store {
    /// Opens the database for reading and writing. Creates it if it does not exist, and migrates an older one after
    /// copying it. Refuses a newer, a foreign and a damaged one without changing it.
    pub fn open(path: &Path) -> Result<Store> {
        Store::open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
    }

    fn open_with(path: &Path, flags: OpenFlags) -> Result<Store> {
        let at = |source| StoreError::at(path, source);
        beside::check(path)?;
        let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(at)?;
        conn.busy_timeout(BUSY_TIMEOUT).map_err(at)?;
        migrate::check(&conn, path)?;
        conn.pragma_update(None, "page_size", 16_384).map_err(at)?;
        use_wal(&conn).map_err(at)?;
        conn.pragma_update(None, "synchronous", "full").map_err(at)?;
        conn.pragma_update(None, "foreign_keys", false).map_err(at)?;
        conn.pragma_update(None, "cache_size", CACHE_KIB).map_err(at)?;
        conn.pragma_update(None, "journal_size_limit", health::LOG_KEPT).map_err(at)?;
        conn.set_prepared_statement_cache_capacity(64);
        let mut store = Store { conn, path: path.to_owned(), patience: BUSY_TIMEOUT };
        care::upgrade::run(&mut store.conn, path)?;
        Ok(store)
    }

    /// Opens an existing database for reading only.
    pub fn open_reader(path: &Path) -> Result<Store> {
        let at = |source| StoreError::at(path, source);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        beside::check(path)?;
        let conn = Connection::open_with_flags(path, flags).map_err(at)?;
        conn.busy_timeout(BUSY_TIMEOUT).map_err(at)?;
        migrate::check(&conn, path)?;
        conn.pragma_update(None, "query_only", true).map_err(at)?;
        conn.pragma_update(None, "cache_size", READER_CACHE_KIB).map_err(at)?;
        Ok(Store { conn, path: path.to_owned(), patience: BUSY_TIMEOUT })
    }

    /// The same store, whose statements wait `patience` for another process's write instead of [`BUSY_TIMEOUT`].
    pub fn patient_for(self, patience: Duration) -> Result<Store> {
        self.conn.busy_timeout(patience).map_err(|source| self.at(source))?;
        Ok(Store { patience, ..self })
    }

    /// The path of the database.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// SQLite's own check of every page and index. It reads the whole file.
    pub fn integrity(&self) -> Result<String> {
        self.conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(|source| self.at(source))
    }

    fn at(&self, source: rusqlite::Error) -> StoreError {
        match StoreError::at(&self.path, source) {
            StoreError::Busy { path, .. } => StoreError::Busy { path, waited: self.patience },
            other => other,
        }
    }
}

/// The pause between two attempts that SQLite refuses without waiting.
const NEXT_ATTEMPT: Duration = Duration::from_millis(20);

/// Sets the journal mode. Programs that start at the same time on a new database all do this. If each of two
/// connections would wait for the other one's lock, SQLite refuses at once, whatever the busy timeout.
fn use_wal(conn: &Connection) -> rusqlite::Result<()> {
    let until = Instant::now() + BUSY_TIMEOUT;
    loop {
        match conn.pragma_update(None, "journal_mode", "wal") {
            Err(error)
                if matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
                    && Instant::now() < until =>
            {
                std::thread::sleep(NEXT_ATTEMPT);
            }
            done => return done,
        }
    }
}
