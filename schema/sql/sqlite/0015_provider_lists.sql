-- Lists of providers that are kept in step with a tenant's rules: one a connection.
CREATE TABLE provider_list (
    connection BLOB    NOT NULL PRIMARY KEY,
    tenant     BLOB    NOT NULL,
    mode       INTEGER NOT NULL, -- 0 live, 1 test
    channel    TEXT    NOT NULL,
    cursor     TEXT,             -- where reading goes on; null: at the start
    read_at    INTEGER NOT NULL  -- Unix milliseconds of the last reading; 0: never
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_list_of_tenant ON provider_list (tenant, mode);

-- Addresses that Hermes put on a list, or has yet to put there or to take off.
CREATE TABLE provider_list_entry (
    connection BLOB    NOT NULL,
    address    TEXT    NOT NULL,
    state      TEXT    NOT NULL, -- adding, removing, ours
    reason     TEXT    NOT NULL, -- opt_out, complaint, hard_bounce, manual
    attempts   INTEGER NOT NULL,
    since      INTEGER NOT NULL, -- Unix milliseconds
    due_at     INTEGER,          -- Unix milliseconds; null: nothing is to be done, or it was given up
    version    INTEGER NOT NULL,
    PRIMARY KEY (connection, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_list_entry_due ON provider_list_entry (connection, due_at) WHERE due_at IS NOT NULL;
