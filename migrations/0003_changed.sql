-- Which slots of time changed, so that a cached summary of rows can tell whether it is still valid, without reading the rows.
--
-- Why slots of six hours and not rows: a mark per row would cost as much as the row. A transaction that writes, judges or
-- deletes rows gives each slot a new version, once. A row that is only sent keeps its version, because its content is the same.
-- Why a version is a time (microseconds since 1970, or one more than the newest, whichever is greater) and not a count: a
-- restored or new database must not reach a version that an older summary already has.

CREATE TABLE changed (
    series  INTEGER NOT NULL,                  -- 0: of the database as a whole, see below
    slot    INTEGER NOT NULL,                  -- six hours of UTC: seconds since 1970 / 21,600
    version INTEGER NOT NULL,
    PRIMARY KEY (series, slot)
) STRICT, WITHOUT ROWID;

-- Slot 0: the version of every slot without a mark. Slot 1: the newest version.
INSERT INTO changed (series, slot, version)
SELECT 0, slot, CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER) + abs(random() % 1000)
FROM (SELECT 0 AS slot UNION ALL SELECT 1);
