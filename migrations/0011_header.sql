-- The header that a row stands under, where it states a unit or a process other than the column list, which keeps what the first
-- header of each name stated: the row is judged by its own header. Null for all other rows, and for rows from before, so that
-- a table whose header never changes pays nothing.

ALTER TABLE reading ADD COLUMN header INTEGER REFERENCES header_version (id);
