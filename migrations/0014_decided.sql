-- A conflict that was decided is open no more (I11): only open ones ask for a user.
--
-- Why a column beside `decided_conflict`: that table lists what a decision exchanged, which its reversal exchanges back. A decision
-- also holds for conflicts whose row was right already, and for every further content of a key.

-- The decision after which the row of this key is the right one; NULL: open.
ALTER TABLE conflict ADD COLUMN decided INTEGER;

CREATE INDEX conflict_decided ON conflict (decided, series) WHERE decided IS NOT NULL;

-- Joined and not asked row by row: a database may have a million of them.
UPDATE conflict SET decided = d.decision FROM (
    SELECT x.conflict, max(x.decision) AS decision
    FROM decided_conflict x JOIN decision ON decision.id = x.decision AND decision.reversed IS NULL GROUP BY x.conflict
) d WHERE conflict.id = d.conflict;
UPDATE conflict SET decided = d.decided FROM (
    SELECT series, ts, max(decided) AS decided FROM conflict WHERE decided IS NOT NULL GROUP BY series, ts
) d WHERE conflict.series = d.series AND conflict.ts = d.ts AND conflict.decided IS NULL;

-- Series whose rows all got other tags: `status` names their points from now on.
INSERT OR IGNORE INTO setting (key, value)
SELECT replace(key, 'left series: ', 'left points: '), value FROM setting WHERE key LIKE 'left series: %';
