-- What was decided can be decided again (I2, I11): lines that were taken without their line end, and decisions by hand.
--
-- Why provisional lines have a table of their own and no column in `reading`: there are a few per file, and a column would
-- cost every row.

-- Lines that stood at the end of a file without a line end and were taken after `last_line_after`. The finished line
-- replaces what was made of them.
CREATE TABLE provisional (
    logger_table INTEGER NOT NULL REFERENCES logger_table (id),
    kind         INTEGER NOT NULL,             -- 0 a row, 1 a conflict, 2 a rejected line, 3 a row of a line that may be glued
    id           INTEGER NOT NULL,             -- reading.id; of a rejected line its hash
    raw          TEXT NOT NULL,                -- the line as far as it had been written
    PRIMARY KEY (logger_table, kind, id)
) STRICT, WITHOUT ROWID;

-- 1: lines from resume_at on are held, because the file was being overwritten while it was read.
ALTER TABLE file_seen ADD COLUMN held INTEGER NOT NULL DEFAULT 0;

-- The header that the line stood under. NULL: `raw` is the JSON array of the values of the row that was replaced.
ALTER TABLE conflict ADD COLUMN header INTEGER REFERENCES header_version (id);
-- The logger's own text for the time, where it cannot be printed again from ts.
ALTER TABLE conflict ADD COLUMN ts_text TEXT;
-- Why the other form is the row, where the operator decided.
ALTER TABLE conflict ADD COLUMN reason TEXT;

-- Lines of earlier versions stood under the newest header of their time.
UPDATE conflict SET header = (
    SELECT h.id FROM header_version h JOIN series s ON s.logger_table = h.logger_table
    WHERE s.id = conflict.series AND h.first_seen <= conflict.seen ORDER BY h.first_seen DESC, h.id DESC LIMIT 1
) WHERE stays = 'first';

-- What the operator decided by hand, and whether the decision was reversed.
CREATE TABLE decision (
    id       INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,                 -- by this computer's clock
    command  TEXT NOT NULL,
    count    INTEGER NOT NULL,                 -- rows or lines that it changed
    reversed INTEGER                           -- when; NULL while it holds
) STRICT;

-- The conflicts that a decision exchanged with their rows.
CREATE TABLE decided_conflict (
    decision INTEGER NOT NULL REFERENCES decision (id),
    conflict INTEGER NOT NULL,
    PRIMARY KEY (decision, conflict)
) STRICT, WITHOUT ROWID;

-- Fingerprint of the configuration by whose tag columns the keys of the table's rows were judged last.
ALTER TABLE logger_table ADD COLUMN tags_inputs INTEGER;
