-- Whose data key is which; the keys themselves are in keys.db.
CREATE TABLE recipient (
    recipient BLOB    NOT NULL PRIMARY KEY, -- keyed hash of tenant, mode and address
    data_key  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Keys that an erasure has given up and that are still to be destroyed in keys.db: empty but for milliseconds, or
-- after a crash until the next start.
CREATE TABLE key_to_destroy (
    data_key  INTEGER PRIMARY KEY,
    erased_at INTEGER NOT NULL -- Unix milliseconds
) STRICT;

-- Messages of earlier builds, in plain text: those with keys from `next` on and before `until` are still to be sealed.
CREATE TABLE plain_envelope (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    next  INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT;
INSERT INTO plain_envelope (one, next, until) SELECT 1, 0, coalesce(max(key) + 1, 0) FROM message;

-- How far each period of a tenant has let go of messages, in order of arrival.
CREATE TABLE retention (
    tenant  BLOB    NOT NULL,
    mode    INTEGER NOT NULL, -- 0 live, 1 test
    what    INTEGER NOT NULL, -- 0 content, 1 message
    days    INTEGER NOT NULL,
    done_to INTEGER NOT NULL, -- messages with smaller keys have been looked at
    PRIMARY KEY (tenant, mode, what, days)
) STRICT, WITHOUT ROWID;

-- Those that had not ended then.
CREATE TABLE retention_later (
    tenant BLOB    NOT NULL,
    mode   INTEGER NOT NULL,
    what   INTEGER NOT NULL,
    days   INTEGER NOT NULL,
    key    INTEGER NOT NULL,
    PRIMARY KEY (tenant, mode, what, days, key)
) STRICT, WITHOUT ROWID;
