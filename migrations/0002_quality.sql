-- QC beyond a single value: which test raised a flag, and flags that a person sets.
--
-- Why the findings stand in the row and not in a table of their own: a sensor that fails for a week raises a flag on every
-- row, and a row that is written anyway costs less than a row more. Rows without a finding hold NULL, which is free.

ALTER TABLE reading ADD COLUMN raised TEXT;     -- JSON array of [place, test, digit, detail]; NULL where nothing was raised

-- Applied over whatever the tests say, newest last. Never deleted: what was revoked is part of the story.
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
