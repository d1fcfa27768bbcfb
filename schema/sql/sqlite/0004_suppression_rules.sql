-- Rules that an address must not be written to, with what they cover, for whom and until when.
CREATE TABLE suppression_rule (
    tenant     BLOB    NOT NULL,
    mode       INTEGER NOT NULL, -- 0 live, 1 test
    id         BLOB    NOT NULL, -- 16 bytes, in order of making
    covers     TEXT    NOT NULL, -- address, domain, prefix
    value      TEXT    NOT NULL, -- E.164 or its beginning, mail address or domain in lower case, push token
    channel    TEXT    NOT NULL, -- empty: all
    sender     TEXT    NOT NULL, -- empty: all
    reason     TEXT    NOT NULL, -- opt_out, complaint, hard_bounce, manual
    source     TEXT    NOT NULL, -- inbound, receipt, provider, api, import
    note       TEXT,
    created_at INTEGER NOT NULL, -- Unix milliseconds
    expires_at INTEGER,          -- Unix milliseconds; null: never
    version    INTEGER NOT NULL,
    PRIMARY KEY (tenant, mode, id)
) STRICT, WITHOUT ROWID;

-- Rules that say the same are one; and how the rules about an address are found.
CREATE UNIQUE INDEX suppression_rule_meaning
    ON suppression_rule (tenant, mode, value, covers, channel, sender, reason, source);

INSERT INTO suppression_rule
    SELECT tenant, mode, unhex(printf('%012X', since) || hex(randomblob(10))), 'address', address, channel, '',
           reason, CASE reason WHEN 'opt_out' THEN 'inbound' ELSE 'receipt' END, NULL, since, NULL, 1
    FROM suppression;

DROP TABLE suppression;

-- Which senders a STOP silences.
CREATE TABLE opt_out_scope (
    tenant BLOB    NOT NULL,
    mode   INTEGER NOT NULL,
    scope  TEXT    NOT NULL, -- sender, all
    PRIMARY KEY (tenant, mode)
) STRICT, WITHOUT ROWID;
