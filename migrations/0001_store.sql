-- The first schema: every row that a logger wrote, its state, and the proof of sending it.
--
-- Why the key of `reading` is one integer made of series and time: SQLite appends 864,000 rows of 16 values to a rowid table
-- in 0.5 s, and in 0.8 s with an additional unique index on (series, ts). The rowid is as unique as an index, and the rows of
-- a series are in the order of time.
-- Why pending rows have no partial index: it added 0.27 s for each 864,000 staged rows, half of the insert. The table
-- `backlog` replaces it: it holds time intervals outside which no row is pending, updated in the same transaction.

CREATE TABLE setting (
    key   TEXT PRIMARY KEY,
    value ANY
) STRICT, WITHOUT ROWID;

-- One row per [[table]] of the configuration. The counts are stored: `status` reads nothing else, so that it costs the same for
-- twenty million rows as for twenty thousand.
CREATE TABLE logger_table (
    id             INTEGER PRIMARY KEY,
    name           TEXT NOT NULL UNIQUE,
    clock          TEXT NOT NULL,              -- offset or zone its times were read by; a change is refused
    header_table   TEXT,                       -- table name in line 1 of the first file read
    rows           INTEGER NOT NULL DEFAULT 0,
    pending        INTEGER NOT NULL DEFAULT 0,
    sent           INTEGER NOT NULL DEFAULT 0,
    rejected       INTEGER NOT NULL DEFAULT 0,
    expired        INTEGER NOT NULL DEFAULT 0,
    conflicts      INTEGER NOT NULL DEFAULT 0,
    rejected_lines INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Names are only added, so that the arrays in `reading` are never rewritten: a new header adds names at the end, and a column
-- that no longer exists is null.
CREATE TABLE column_list (
    logger_table INTEGER NOT NULL REFERENCES logger_table (id),
    position     INTEGER NOT NULL,
    name         TEXT NOT NULL,
    units        TEXT NOT NULL,
    process      TEXT NOT NULL,
    PRIMARY KEY (logger_table, position),
    UNIQUE (logger_table, name)
) STRICT, WITHOUT ROWID;

-- Every distinct header. Line 1 becomes outdated when a logger's program changes, so it is metadata, never identity.
CREATE TABLE header_version (
    id           INTEGER PRIMARY KEY,
    logger_table INTEGER NOT NULL REFERENCES logger_table (id),
    hash         INTEGER NOT NULL,
    header       TEXT NOT NULL,                -- JSON: environment, table, names, units, process
    first_seen   INTEGER NOT NULL,
    UNIQUE (logger_table, hash)
) STRICT;

-- A table with the values of its tag columns, like a series of InfluxDB. One per table without tag columns.
CREATE TABLE series (
    id           INTEGER PRIMARY KEY,          -- 1 to 4095: twelve bits of reading.id
    logger_table INTEGER NOT NULL REFERENCES logger_table (id),
    tags         TEXT NOT NULL,                -- JSON array, in the order of the tag columns
    newest       INTEGER,                      -- ts of its newest row
    UNIQUE (logger_table, tags)
) STRICT;

CREATE TABLE reading (
    id      INTEGER PRIMARY KEY,               -- series << 52 | microseconds since 1970, UTC
    nanos   INTEGER NOT NULL,                  -- of the time, below the microsecond
    record  INTEGER,
    vals    TEXT NOT NULL,                     -- JSON array in the order of column_list; the numbers as the file spells them
    flags   TEXT NOT NULL,                     -- one QARTOD digit per value
    state   INTEGER NOT NULL,                  -- 0 pending, 1 sent, 2 rejected, 3 expired
    version INTEGER NOT NULL,                  -- how often its content was replaced, so that a request on its way cannot
                                               -- mark what it did not carry
    ts_text TEXT                               -- the logger's own text, where it cannot be printed again from ts
) STRICT;

-- Every pending row of a series is in one of these closed intervals, which do not overlap. Rows in an interval may have another
-- state: `reading.state` decides.
CREATE TABLE backlog (
    series  INTEGER NOT NULL,
    from_ts INTEGER NOT NULL,
    to_ts   INTEGER NOT NULL,
    PRIMARY KEY (series, from_ts)
) STRICT, WITHOUT ROWID;

-- Lines that are not rows, with their text and the reason. A line that is read again has one row here.
CREATE TABLE rejected_line (
    id           INTEGER PRIMARY KEY,
    logger_table INTEGER NOT NULL REFERENCES logger_table (id),
    path         TEXT NOT NULL,
    line         INTEGER NOT NULL,
    raw          TEXT NOT NULL,
    reason       TEXT NOT NULL,
    hash         INTEGER NOT NULL,
    seen         INTEGER NOT NULL,
    UNIQUE (logger_table, hash)
) STRICT;

-- The same key with other content: kept beside the row.
CREATE TABLE conflict (
    id     INTEGER PRIMARY KEY,
    series INTEGER NOT NULL,
    ts     INTEGER NOT NULL,
    record INTEGER,
    path   TEXT NOT NULL,
    line   INTEGER NOT NULL,
    raw    TEXT NOT NULL,
    stays  TEXT NOT NULL,                      -- 'first' or 'newer', by the table's on_conflict
    hash   INTEGER NOT NULL,
    seen   INTEGER NOT NULL,
    UNIQUE (series, ts, hash)
) STRICT;

-- Unbroken runs of RECORD. A logger counts from 0 until the table is reset; each reset opens an epoch. Between two runs of one
-- epoch, records are missing.
CREATE TABLE record_run (
    logger_table INTEGER NOT NULL REFERENCES logger_table (id),
    epoch        INTEGER NOT NULL,
    first_record INTEGER NOT NULL,
    last_record  INTEGER NOT NULL,
    first_ts     INTEGER NOT NULL,
    last_ts      INTEGER NOT NULL,
    PRIMARY KEY (logger_table, epoch, first_record)
) STRICT, WITHOUT ROWID;

-- Events of a logger's counter or clock. Neither kind means that a record is missing.
CREATE TABLE clock_event (
    id            INTEGER PRIMARY KEY,
    logger_table  INTEGER NOT NULL REFERENCES logger_table (id),
    kind          TEXT NOT NULL,               -- 'reset' of RECORD, or a 'step' back of the clock
    record_before INTEGER NOT NULL,
    ts_before     INTEGER NOT NULL,
    record_after  INTEGER NOT NULL,
    ts_after      INTEGER NOT NULL,
    seen          INTEGER NOT NULL,
    UNIQUE (logger_table, kind, record_after, ts_after)
) STRICT;

-- The state of each file at its last read, and the position where the next read resumes.
CREATE TABLE file_seen (
    logger_table INTEGER NOT NULL REFERENCES logger_table (id),
    path         TEXT NOT NULL,
    size         INTEGER NOT NULL,
    modified     INTEGER NOT NULL,             -- nanoseconds since 1970
    whole_hash   INTEGER NOT NULL,             -- fingerprint of bytes 0 .. size
    resume_at    INTEGER NOT NULL,             -- byte where the first line not yet accounted for begins
    resume_line  INTEGER NOT NULL,             -- lines before it
    prefix_hash  INTEGER NOT NULL,             -- fingerprint of bytes 0 .. resume_at
    header       INTEGER REFERENCES header_version (id),
    tail_taken   INTEGER NOT NULL,             -- 1: the last line, without a line end, was taken all the same
    note         TEXT,                         -- why nothing could be read, if so
    seen         INTEGER NOT NULL,
    PRIMARY KEY (logger_table, path)
) STRICT, WITHOUT ROWID;

-- One row per answered request, or per file that was synced to disk: the proof.
CREATE TABLE receipt (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    destination TEXT NOT NULL,
    bucket      TEXT,
    rows        INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,              -- line protocol, before compression: what a quota counts
    wire_bytes  INTEGER NOT NULL,
    status      INTEGER,
    outcome     TEXT NOT NULL,
    words       TEXT NOT NULL
) STRICT;

CREATE INDEX receipt_at ON receipt (at);

-- The rows of a receipt: ranges of reading.id, one or a few per series, with the number of rows of each in the request. The
-- receipt of a sent row is the newest one that covers it.
CREATE TABLE receipt_rows (
    receipt  INTEGER NOT NULL REFERENCES receipt (id),
    first_id INTEGER NOT NULL,
    last_id  INTEGER NOT NULL,
    rows     INTEGER NOT NULL,
    PRIMARY KEY (receipt, first_id)
) STRICT, WITHOUT ROWID;

-- Rows that the server refuses when they are sent alone, with its message.
CREATE TABLE refused_row (
    id      INTEGER PRIMARY KEY,               -- reading.id
    receipt INTEGER NOT NULL REFERENCES receipt (id),
    line    TEXT NOT NULL,
    words   TEXT NOT NULL
) STRICT;

CREATE TABLE run (
    id      INTEGER PRIMARY KEY,
    command TEXT NOT NULL,
    started INTEGER NOT NULL,
    ended   INTEGER NOT NULL,
    exit    INTEGER NOT NULL,
    summary TEXT NOT NULL
) STRICT;

CREATE INDEX run_command ON run (command, exit, ended);
