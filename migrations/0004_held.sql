-- Lines that were not staged are judged again when what decided them changes (I11): a configuration, a clock.
--
-- Why the inputs are one number: an ingest asks "was any line decided by other inputs than today's?" for each table, and
-- one look-up in an index answers that. What the inputs are is written in ingest/again.rs.

-- The header that the line stood under; NULL where there was none, or it is of another table: such a line cannot be read.
ALTER TABLE rejected_line ADD COLUMN header INTEGER REFERENCES header_version (id);
-- Fingerprint of the table's reading configuration that decided.
ALTER TABLE rejected_line ADD COLUMN inputs INTEGER NOT NULL DEFAULT 0;
-- Held: ahead of this computer's clock, staged by itself from this instant on (nanoseconds since 1970). NULL: rejected.
-- logger_table.rejected_lines counts both kinds.
ALTER TABLE rejected_line ADD COLUMN not_before INTEGER;

-- Earlier versions rejected what was ahead of the clock for ever. Such lines stood under the newest header of their time.
UPDATE rejected_line SET header = (
    SELECT h.id FROM header_version h WHERE h.logger_table = rejected_line.logger_table AND h.first_seen <= rejected_line.seen
    ORDER BY h.first_seen DESC, h.id DESC LIMIT 1
) WHERE reason LIKE 'the logger''s clock is wrong:%';

CREATE INDEX rejected_line_inputs ON rejected_line (logger_table, inputs) WHERE header IS NOT NULL;
CREATE INDEX rejected_line_held ON rejected_line (logger_table, not_before) WHERE not_before IS NOT NULL;
