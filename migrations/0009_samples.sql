-- Rows that share a time stamp (I3): a row whose place within its stamp is not proven yet is a held line, judged again when a
-- row of its stamp or of the next one comes.
--
-- Why three columns in `rejected_line` and no table of their own: such a line is held like one ahead of the clock, with its
-- text, its header and the inputs of the decision. Lines of other tables hold NULL, which costs nothing.

ALTER TABLE rejected_line ADD COLUMN series INTEGER;  -- of the row that it will be
ALTER TABLE rejected_line ADD COLUMN stamp INTEGER;   -- the time on the line, nanoseconds since 1970, UTC
ALTER TABLE rejected_line ADD COLUMN record INTEGER;
CREATE INDEX rejected_line_stamp ON rejected_line (series, stamp) WHERE stamp IS NOT NULL;

-- Rows of one stamp, and the interval between stamps in nanoseconds, by which the rows of the table have their places:
-- configured, or as the rows showed. NULL: no stamp is shared.
ALTER TABLE logger_table ADD COLUMN samples INTEGER;
ALTER TABLE logger_table ADD COLUMN stamp_interval INTEGER;
