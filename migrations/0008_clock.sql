-- A logger's clock that was wrong for a period, and offsets from UTC that are put right later (I2, I3, I11): stored rows move to
-- the time that their stamps mean by the present configuration.
--
-- Why rows are taken out before they are put back: a shift by an hour gives nearly every row the key of another row that moves
-- too. A program that is killed between the two finds them in `moving` and goes on.

-- The periods in which the clock was wrong, as JSON, by which the rows were staged; NULL for none. Beside `clock`.
ALTER TABLE logger_table ADD COLUMN corrections TEXT;
-- Every row that has to move is in `moving`, and is put back by this clock; NULL otherwise.
ALTER TABLE logger_table ADD COLUMN moving_clock TEXT;
ALTER TABLE logger_table ADD COLUMN moving_corrections TEXT;

CREATE TABLE moving (
    place   INTEGER PRIMARY KEY,
    series  INTEGER NOT NULL,
    id      INTEGER NOT NULL,                  -- reading.id that it had
    nanos   INTEGER NOT NULL,
    stamp   INTEGER NOT NULL,                  -- what the logger wrote: nanoseconds since 1970 on its clock face
    record  INTEGER,
    vals    TEXT NOT NULL,
    ts_text TEXT,
    header  INTEGER                            -- reading.header
) STRICT;

CREATE INDEX moving_series ON moving (series, place);

-- 1: the point has no row any more, because its row has another time.
ALTER TABLE stale_point ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
-- RECORD and flags of such a point.
ALTER TABLE stale_point ADD COLUMN record INTEGER;
ALTER TABLE stale_point ADD COLUMN flags TEXT;
