-- Lines that were not staged are judged again when an input of the decision changes (I11): the configuration or the clock.
--
-- Why the inputs are one number: for each table an ingest asks whether other inputs than the present ones decided any line,
-- and one index look-up answers that. ingest/again.rs lists the inputs.

-- The header above the line; NULL where there was none, or another table's: such a line cannot be read again.
ALTER TABLE rejected_line ADD COLUMN header INTEGER REFERENCES header_version (id);
-- Fingerprint of the table's reading configuration at the decision.
ALTER TABLE rejected_line ADD COLUMN inputs INTEGER NOT NULL DEFAULT 0;
-- Held: ahead of this computer's clock, and staged from this instant on (nanoseconds since 1970). NULL: rejected.
-- logger_table.rejected_lines counts both kinds.
ALTER TABLE rejected_line ADD COLUMN not_before INTEGER;

-- Earlier versions rejected lines ahead of the clock for good. The header above such a line was the newest one at its time.
UPDATE rejected_line SET header = (
    SELECT h.id FROM header_version h WHERE h.logger_table = rejected_line.logger_table AND h.first_seen <= rejected_line.seen
    ORDER BY h.first_seen DESC, h.id DESC LIMIT 1
) WHERE reason LIKE 'the logger''s clock is wrong:%';

CREATE INDEX rejected_line_inputs ON rejected_line (logger_table, inputs) WHERE header IS NOT NULL;
CREATE INDEX rejected_line_held ON rejected_line (logger_table, not_before) WHERE not_before IS NOT NULL;
