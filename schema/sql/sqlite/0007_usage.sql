-- Counts of messages, attempts, segments and cost. Changed in the transaction of the commit that they follow from.
CREATE TABLE usage (
    day        INTEGER NOT NULL, -- days since 1970-01-01 UTC
    tenant     BLOB    NOT NULL,
    mode       INTEGER NOT NULL, -- 0 live, 1 test
    channel    TEXT    NOT NULL,
    connection TEXT    NOT NULL, -- name; empty where messages are counted
    country    TEXT    NOT NULL, -- ISO 3166-1 alpha-2; empty: unknown
    currency   TEXT    NOT NULL, -- ISO 4217; empty: nothing is known to have cost anything
    messages   INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    accepted   INTEGER NOT NULL, -- attempts that a provider took
    segments   INTEGER NOT NULL,
    delivered  INTEGER NOT NULL,
    cost       INTEGER NOT NULL, -- millionths of the currency
    PRIMARY KEY (day, tenant, mode, channel, connection, country, currency)
) STRICT, WITHOUT ROWID;
