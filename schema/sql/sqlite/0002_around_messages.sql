-- Idempotency keys: a message or a stored reply.
CREATE TABLE claim (
    tenant      BLOB    NOT NULL,
    mode        INTEGER NOT NULL, -- 0 live, 1 test
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    message     BLOB,             -- either this
    status      INTEGER,          -- or these two
    body        TEXT,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, mode, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_expiry ON claim (expires_at);

-- Webhooks owed to tenants, and their log. Event ids grow, so an endpoint's rows lie together.
CREATE TABLE outbox (
    endpoint    BLOB    NOT NULL,
    event       BLOB    NOT NULL,
    message     BLOB    NOT NULL,
    event_type  TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    status      INTEGER NOT NULL, -- 0 pending, 1 delivered, 2 failed
    attempts    INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    last_status INTEGER,
    last_error  TEXT,
    PRIMARY KEY (endpoint, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_pending ON outbox (endpoint, next_at) WHERE status = 0;

-- Receipts that cannot be applied yet. AUTOINCREMENT: an id is never used again, so a late
-- `consumed` cannot hit another receipt.
CREATE TABLE parked (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        INTEGER NOT NULL, -- 0 orphan, 1 unverified, 2 quarantined
    connection  BLOB    NOT NULL,
    key         TEXT    NOT NULL,
    body        BLOB    NOT NULL,
    digest      BLOB    NOT NULL, -- SHA-256 of the body
    received_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX parked_once ON parked (connection, kind, key, digest);
CREATE INDEX parked_kind ON parked (kind, id);

-- Counted by triggers, because a full buffer must be noticed without counting it.
CREATE TABLE parked_count (
    connection BLOB    NOT NULL,
    kind       INTEGER NOT NULL,
    parked     INTEGER NOT NULL,
    PRIMARY KEY (connection, kind)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER parked_added AFTER INSERT ON parked BEGIN
    INSERT INTO parked_count (connection, kind, parked) VALUES (new.connection, new.kind, 1)
    ON CONFLICT (connection, kind) DO UPDATE SET parked = parked + 1;
END;
CREATE TRIGGER parked_removed AFTER DELETE ON parked BEGIN
    UPDATE parked_count SET parked = parked - 1 WHERE connection = old.connection AND kind = old.kind;
END;

-- Tenants, keys, connections and the like.
CREATE TABLE record (
    kind    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    body    BLOB    NOT NULL,
    secret  BLOB,             -- encrypted by the caller
    version INTEGER NOT NULL, -- 1 when new
    UNIQUE (kind, id)
) STRICT;
