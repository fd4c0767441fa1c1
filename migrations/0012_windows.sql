-- Tables that are made of another table's rows, such as half hours of one-minute rows: which windows of time are to be made,
-- because a row in them came, changed, was judged otherwise or went (I11).
--
-- Why windows and not rows: a day of 10 Hz has 864,000 rows and 48 half hours, and a row that comes late costs the
-- reading of its own half hour. Why intervals of windows: an archive of years is one row here, until it is worked off.
-- Why no trigger: each write to a row passes one place already, which notes the slots of time that changed (migration 0003).

-- One row per table that another one is made of.
CREATE TABLE aggregation (
    source INTEGER PRIMARY KEY,                -- logger_table.id
    target INTEGER NOT NULL,                   -- logger_table.id of the table that is made
    every  INTEGER NOT NULL,                   -- nanoseconds from window to window
    phase  INTEGER NOT NULL,                   -- windows end at multiples of `every` since 1970, and so much later
    reach  INTEGER NOT NULL,                   -- 1: a window also depends on the last row before it, as of a counter
    inputs INTEGER NOT NULL                    -- fingerprint of what else decides its values: another one makes every window again
) STRICT;

-- The windows to be made, by their ends, which the interval includes. Intervals may overlap.
CREATE TABLE due_window (
    series    INTEGER NOT NULL,                -- of the rows that the windows are made of
    first_end INTEGER NOT NULL,                -- nanoseconds since 1970
    last_end  INTEGER NOT NULL,
    PRIMARY KEY (series, first_end, last_end)
) STRICT, WITHOUT ROWID;
