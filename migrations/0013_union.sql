-- Rows of one time under headers with different columns are united: a decision between two contents takes nothing away that only
-- one of them has (I3, I8, I11).
--
-- Why only conflicts: a row and a row that moves have the column already (migrations 0011 and 0008). From this version on it is
-- also set where the header lacks a column of the list, so that an absent value and a missing one differ.

-- The header whose columns `raw` has, where it is the JSON array of a row that gave way and that header says something else than
-- the column list.
ALTER TABLE conflict ADD COLUMN stated_by INTEGER REFERENCES header_version (id);
