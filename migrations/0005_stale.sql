-- Points in a bucket that may hold fields that their row no longer sends. A server merges fields and keeps a field that a later
-- write of the point lacks. The point is removed first, then the row is sent.
--
-- Why one mark per row, unlike `backlog`: an interval would include unchanged rows, and a removal takes whole points. Only
-- rows that lose a field get a mark, so usual operation writes none.

CREATE TABLE stale_point (
    id    INTEGER NOT NULL,                    -- reading.id
    nanos INTEGER NOT NULL,                    -- of the point, below the microsecond: a replaced reading may have had others
    PRIMARY KEY (id, nanos)
) STRICT, WITHOUT ROWID;

-- Time of the newest row that was ever planned for sending: a later row is in no bucket, whatever the result of a request.
ALTER TABLE series ADD COLUMN offered INTEGER;
UPDATE series SET offered = newest;
-- Time of the newest pruned row: up to it the bucket may hold points that the store no longer has.
ALTER TABLE series ADD COLUMN pruned INTEGER;

-- The fields that a table has sent. A field that is no longer sent is kept in the points that were sent with it, until
-- `replay` or `reflag` has sent these again.
CREATE TABLE sent_field (
    logger_table INTEGER NOT NULL REFERENCES logger_table (id),
    kind         INTEGER NOT NULL,             -- 0 a value, 1 a value although it fails, 2 a flag
    name         TEXT NOT NULL,                -- of the column's value, as it is sent
    lost_to      INTEGER,                      -- no longer sent: points up to this time may hold it; NULL while it is sent
    PRIMARY KEY (logger_table, kind, name)
) STRICT, WITHOUT ROWID;
