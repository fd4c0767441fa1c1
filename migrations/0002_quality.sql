-- QC beyond single values: findings of the tests, and flags by hand.
--
-- Why findings are in the row and not in their own table: a sensor that fails for a week gives a finding on every row, and a
-- longer row costs less than a second row. Rows without findings hold NULL, which costs nothing.

ALTER TABLE reading ADD COLUMN raised TEXT;     -- JSON array of [place, test, digit, detail]; NULL where nothing was raised

-- Flags by hand override the tests; later ones override earlier ones. Rows are never deleted: revoked flags are part of the history.
CREATE TABLE manual_flag (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    logger_table INTEGER NOT NULL REFERENCES logger_table (id),
    column_name  TEXT NOT NULL,
    from_ts      INTEGER NOT NULL,             -- closed interval
    to_ts        INTEGER NOT NULL,
    flag         INTEGER NOT NULL,             -- QARTOD digit
    reason       TEXT NOT NULL,
    made         INTEGER NOT NULL,
    revoked      INTEGER
) STRICT;

CREATE INDEX manual_flag_table ON manual_flag (logger_table, id);
