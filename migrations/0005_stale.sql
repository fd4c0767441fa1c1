-- Points in a bucket that may hold fields which their row no longer sends: a server merges fields, it never takes one away
-- because a later write of the point lacks it. The point is removed first, then the row is sent.
--
-- Why a mark a row, unlike `backlog`: an interval would take in rows that are as they should be, and a removal takes whole
-- points. Only rows that lose a field get one, so ordinary work writes none.

CREATE TABLE stale_point (
    id    INTEGER NOT NULL,                    -- reading.id
    nanos INTEGER NOT NULL,                    -- of the point, below the microsecond: a replaced reading may have had others
    PRIMARY KEY (id, nanos)
) STRICT, WITHOUT ROWID;

-- Time of the newest row that was ever in a plan to send: a later row is in no bucket, whatever became of a request.
ALTER TABLE series ADD COLUMN offered INTEGER;
UPDATE series SET offered = newest;
-- Time of the newest row that was pruned: at and before it the bucket may hold points that the store does not.
ALTER TABLE series ADD COLUMN pruned INTEGER;

-- What the lines of a table have carried. A field that is no longer sent stays in the points that were sent with it, until
-- `replay` or `reflag` has gone over them.
CREATE TABLE sent_field (
    logger_table INTEGER NOT NULL REFERENCES logger_table (id),
    kind         INTEGER NOT NULL,             -- 0 a value, 1 a value although it fails, 2 a flag
    name         TEXT NOT NULL,                -- of the column's value, as it is sent
    lost_to      INTEGER,                      -- no longer sent: points up to this time may hold it; NULL while it is sent
    PRIMARY KEY (logger_table, kind, name)
) STRICT, WITHOUT ROWID;
