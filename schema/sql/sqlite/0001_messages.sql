-- Messages. Keys are MessageId::storage_key(): integers that grow with arrival, so that new rows and
-- the rows that change soon afterwards share the last pages of each B-tree.

-- Written once, at acceptance.
CREATE TABLE message (
    key      INTEGER PRIMARY KEY,
    envelope BLOB NOT NULL -- JSON, versioned by its own `v`
) STRICT;

-- Updated in place by every commit.
CREATE TABLE state (
    key      INTEGER PRIMARY KEY,
    id       BLOB    NOT NULL, -- the 16 bytes of the message id
    revision INTEGER NOT NULL, -- 1 when created
    status   INTEGER NOT NULL, -- position in MessageStatus::ALL
    due      INTEGER,          -- Unix milliseconds; NULL once terminal
    owes     INTEGER NOT NULL, -- 1: owes an effect now
    live     INTEGER NOT NULL, -- 1 until terminal; not set by updates that leave it at 1
    state    BLOB    NOT NULL  -- cascade::encode
) STRICT;

-- What boot reads. Entries arrive in key order and leave once; a changed `due` does not touch them.
CREATE INDEX state_live ON state (key) WHERE live = 1;

-- Secondary index of messages, filled in sorted runs and not by each commit. `term` is a hash of
-- what is looked for (tenant's list, address, tag, provider id); readers verify what they find.
CREATE TABLE term (
    term INTEGER NOT NULL,
    key  INTEGER NOT NULL,
    PRIMARY KEY (term, key)
) STRICT, WITHOUT ROWID;

-- The terms of every message below `horizon` are in `term`; those from it on may be missing there.
CREATE TABLE term_horizon (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    horizon INTEGER NOT NULL
) STRICT;
INSERT INTO term_horizon (one, horizon) VALUES (1, 0);
