-- What people have written to tenants: who, to whom and of what kind, never the text.
CREATE TABLE inbound (
    tenant      BLOB    NOT NULL,
    mode        INTEGER NOT NULL, -- 0 live, 1 test
    id          BLOB    NOT NULL, -- 16 bytes, in order of arrival
    channel     TEXT    NOT NULL,
    address     TEXT    NOT NULL, -- whose; mail in lower case
    told_to     TEXT,             -- our number or address, if told
    kind        TEXT    NOT NULL, -- opt_out, opt_in, message
    connection  BLOB    NOT NULL,
    message     BLOB,             -- the newest message to that person
    digest      BLOB    NOT NULL, -- of callback and entry: what comes twice is kept once
    received_at INTEGER NOT NULL, -- Unix milliseconds
    PRIMARY KEY (tenant, mode, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX inbound_once ON inbound (tenant, mode, digest);
CREATE INDEX inbound_address ON inbound (tenant, mode, address, id);
CREATE INDEX inbound_age ON inbound (received_at);

-- Counted by triggers, because a tenant with too many must be noticed without counting them.
CREATE TABLE inbound_count (
    tenant BLOB    NOT NULL,
    mode   INTEGER NOT NULL,
    kept   INTEGER NOT NULL,
    PRIMARY KEY (tenant, mode)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER inbound_added AFTER INSERT ON inbound BEGIN
    INSERT INTO inbound_count (tenant, mode, kept) VALUES (new.tenant, new.mode, 1)
    ON CONFLICT (tenant, mode) DO UPDATE SET kept = kept + 1;
END;
CREATE TRIGGER inbound_removed AFTER DELETE ON inbound BEGIN
    UPDATE inbound_count SET kept = kept - 1 WHERE tenant = old.tenant AND mode = old.mode;
END;
