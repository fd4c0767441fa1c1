-- What was reported of the findings, and what is yet to be sent. A finding is reported when it appears and when it clears, so
-- those that stand are kept; a message is kept before it is sent, so that no kill loses one.

-- Findings that stand and were reported, or are to be, and those that cleared within the last day: one that comes and goes
-- all the time is known by it.
CREATE TABLE standing_finding (
    key      TEXT PRIMARY KEY,                 -- kind, table, and what else tells one finding from another
    body     TEXT NOT NULL,                    -- JSON: the finding as it was last seen
    appeared INTEGER NOT NULL,                 -- by this computer's clock
    reported INTEGER NOT NULL,                 -- when a message about it was last made
    gone     INTEGER,                          -- since when it does not stand; NULL while it does
    comings  INTEGER NOT NULL                  -- how often it appeared, each time within a day of the time before
) STRICT, WITHOUT ROWID;

-- Messages that not every receiver has got. AUTOINCREMENT: a receiver tells by the id whether it has a message already.
CREATE TABLE notice (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    key   TEXT NOT NULL,                       -- of the finding
    event INTEGER NOT NULL,                    -- 0 appeared, 1 stands, 2 cleared
    at    INTEGER NOT NULL,                    -- by this computer's clock
    body  TEXT NOT NULL                        -- JSON: the finding
) STRICT;

-- To whom they are yet to be sent.
CREATE TABLE notice_pending (
    receiver TEXT NOT NULL,                    -- 'the webhook', or the address that mail goes to
    notice   INTEGER NOT NULL REFERENCES notice (id),
    PRIMARY KEY (receiver, notice)
) STRICT, WITHOUT ROWID;

-- How sending to a receiver went.
CREATE TABLE receiver (
    receiver     TEXT PRIMARY KEY,
    inputs       INTEGER NOT NULL,             -- fingerprint of the configuration that the failures were met with
    failures     INTEGER NOT NULL DEFAULT 0,   -- since the last success
    is_permanent INTEGER NOT NULL DEFAULT 0,
    failed       INTEGER,                      -- when the last attempt failed
    not_before   INTEGER,                      -- no attempt until then
    error        TEXT,                         -- why it failed; no secret is in it
    sent         INTEGER,                      -- when the last message was taken
    dropped      INTEGER NOT NULL DEFAULT 0    -- messages given up because too many were pending, and not reported yet
) STRICT, WITHOUT ROWID;
