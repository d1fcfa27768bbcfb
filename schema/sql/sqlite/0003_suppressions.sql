-- Addresses that a tenant must not write to.
CREATE TABLE suppression (
    tenant  BLOB    NOT NULL,
    mode    INTEGER NOT NULL, -- 0 live, 1 test
    channel TEXT    NOT NULL,
    address TEXT    NOT NULL, -- E.164, or mail address in lower case
    reason  TEXT    NOT NULL, -- opt_out, complaint, hard_bounce
    since   INTEGER NOT NULL, -- Unix milliseconds
    PRIMARY KEY (tenant, mode, channel, address)
) STRICT, WITHOUT ROWID;
