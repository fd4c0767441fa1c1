-- A file of records (TOB1, CSIXML) may hold a second header: two files were joined, or a logger that streams wrote one in mid-file.
-- Where it begins is remembered, so that what is appended is read by it and not by the first one (I3).
--
-- Why not the header itself: header_version has the names, and not the types of the binary records.

-- Offset of the header that the resume point stands under; 0: that of the beginning.
ALTER TABLE file_seen ADD COLUMN headed_at INTEGER NOT NULL DEFAULT 0;
