-- A conflict that was decided is open no more (I11): only open ones ask for a user.
--
-- Why a column beside `decided_conflict`: that table lists what a decision exchanged, which its reversal exchanges back. A decision
-- also holds for conflicts whose row was right already, and for every further content of a key.

-- The decision after which the row of this key is the right one; NULL: open.
ALTER TABLE conflict ADD COLUMN decided INTEGER;

CREATE INDEX conflict_decided ON conflict (decided, series) WHERE decided IS NOT NULL;

UPDATE conflict SET decided = (
    SELECT max(d.decision) FROM decided_conflict d JOIN decision ON decision.id = d.decision AND decision.reversed IS NULL
    WHERE d.conflict = conflict.id
) WHERE id IN (SELECT conflict FROM decided_conflict);
UPDATE conflict SET decided = (
    SELECT max(other.decided) FROM conflict other WHERE other.series = conflict.series AND other.ts = conflict.ts
) WHERE decided IS NULL AND EXISTS (SELECT 1 FROM decided_conflict);

-- Series whose rows all got other tags: `status` names their points from now on.
INSERT OR IGNORE INTO setting (key, value)
SELECT replace(key, 'left series: ', 'left points: '), value FROM setting WHERE key LIKE 'left series: %';
