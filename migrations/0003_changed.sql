-- What changed since: so that a summary of rows (the page's) knows whether it still holds, without reading the rows.
--
-- Why pieces of six hours and not rows: a mark a row would cost as much as the row. A transaction that writes, judges or
-- deletes rows gives each piece that it touches a new version, once; a row that is merely sent keeps its version, because
-- what it says stays the same.
-- Why a version is a time (microseconds since 1970, or one more than the newest, whichever is greater) and not a count: a
-- database that was put back from a backup, or made anew, must not come to a version that an older summary already bears.

CREATE TABLE changed (
    series  INTEGER NOT NULL,                  -- 0: of the database as a whole, see below
    slot    INTEGER NOT NULL,                  -- six hours of UTC: seconds since 1970 / 21,600
    version INTEGER NOT NULL,
    PRIMARY KEY (series, slot)
) STRICT, WITHOUT ROWID;

-- Slot 0: the version of every piece without a mark. Slot 1: the newest version given.
INSERT INTO changed (series, slot, version)
SELECT 0, slot, CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER) + abs(random() % 1000)
FROM (SELECT 0 AS slot UNION ALL SELECT 1);
