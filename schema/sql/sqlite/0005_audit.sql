-- Who did what. Append-only: each entry's hash covers the one before it, and the triggers refuse to change what is
-- there. The newest entry is also named by the record `meta`/`audit_head`, which is written with it.
CREATE TABLE audit (
    sequence   INTEGER PRIMARY KEY, -- from 1, without gaps
    at         INTEGER NOT NULL,    -- Unix milliseconds
    actor      TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    intent     INTEGER,             -- of an outcome: the entry that announced it
    status     INTEGER,             -- of an outcome
    hash       BLOB    NOT NULL     -- SHA-256
) STRICT;
CREATE TRIGGER audit_stays_as_it_is BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_grows BEFORE INSERT ON audit
WHEN new.sequence <= (SELECT coalesce(max(sequence), 0) FROM audit) BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
