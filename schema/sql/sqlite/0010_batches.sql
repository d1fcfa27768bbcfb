-- Batches of messages. `number` is small, so that keys of lines and items are integers that grow with arrival:
-- number * 2^20 + place in the batch.
CREATE TABLE batch (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         BLOB    NOT NULL UNIQUE, -- 16 bytes, in order of making
    tenant     BLOB    NOT NULL,
    mode       INTEGER NOT NULL, -- 0 live, 1 test
    state      TEXT    NOT NULL, -- receiving, running, paused, cancelling, cancelled, completed
    key        TEXT    NOT NULL, -- item i is taken under the idempotency key `<key>#<i>`
    request_id TEXT    NOT NULL,
    total      INTEGER NOT NULL,
    accepted   INTEGER NOT NULL,
    refused    INTEGER NOT NULL,
    cancelled  INTEGER NOT NULL,
    created_at INTEGER NOT NULL, -- Unix milliseconds
    updated_at INTEGER NOT NULL  -- Unix milliseconds
) STRICT;
CREATE INDEX batch_of_tenant ON batch (tenant, mode, id);
CREATE INDEX batch_under_way ON batch (state, id) WHERE state NOT IN ('cancelled', 'completed');

-- Lines that were not taken yet, as they were uploaded. Gone as soon as they are taken.
CREATE TABLE batch_line (
    key  INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

-- What became of the others.
CREATE TABLE batch_item (
    key     INTEGER PRIMARY KEY,
    message BLOB,    -- accepted: the 16 bytes of its id
    stored  INTEGER, -- accepted: its key in `state`
    problem TEXT     -- refused: the problem, as JSON; neither: it was dropped
) STRICT;
