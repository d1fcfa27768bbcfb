-- Who has written is encrypted under their data key, and found by the term that follows from it. Nothing of the plain
-- addresses is left in the freed bytes.
PRAGMA secure_delete = ON;
CREATE TABLE inbound_sealed (
    tenant      BLOB    NOT NULL,
    mode        INTEGER NOT NULL, -- 0 live, 1 test
    id          BLOB    NOT NULL, -- 16 bytes, in order of arrival
    channel     TEXT    NOT NULL,
    data_key    INTEGER,          -- of who wrote
    term        INTEGER,          -- what that key makes them found by
    address     BLOB,             -- whose, sealed under that key
    plain       TEXT,             -- the address as earlier builds kept it: null but for the next start
    told_to     TEXT,             -- our number or address, if told
    kind        TEXT    NOT NULL, -- opt_out, opt_in, message
    connection  BLOB    NOT NULL,
    message     BLOB,             -- the newest message to that person
    digest      BLOB    NOT NULL, -- of callback and entry: what comes twice is kept once
    received_at INTEGER NOT NULL, -- Unix milliseconds
    PRIMARY KEY (tenant, mode, id)
) STRICT, WITHOUT ROWID;
INSERT INTO inbound_sealed (tenant, mode, id, channel, plain, told_to, kind, connection, message, digest, received_at)
SELECT tenant, mode, id, channel, address, told_to, kind, connection, message, digest, received_at FROM inbound;
DROP TABLE inbound;
ALTER TABLE inbound_sealed RENAME TO inbound;
CREATE UNIQUE INDEX inbound_once ON inbound (tenant, mode, digest);
CREATE INDEX inbound_term ON inbound (term, id);
CREATE INDEX inbound_plain ON inbound (id) WHERE plain IS NOT NULL;
CREATE INDEX inbound_age ON inbound (received_at);

-- Counted as before.
CREATE TRIGGER inbound_added AFTER INSERT ON inbound BEGIN
    INSERT INTO inbound_count (tenant, mode, kept) VALUES (new.tenant, new.mode, 1)
    ON CONFLICT (tenant, mode) DO UPDATE SET kept = kept + 1;
END;
CREATE TRIGGER inbound_removed AFTER DELETE ON inbound BEGIN
    UPDATE inbound_count SET kept = kept - 1 WHERE tenant = old.tenant AND mode = old.mode;
END;
PRAGMA secure_delete = OFF;
