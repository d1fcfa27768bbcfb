-- Data keys, in a file of their own: a copy of hermes.db without this file is unreadable, and one that is made after a
-- key was destroyed here never becomes readable again.

-- The key that wraps all others, sealed under the credentials key.
CREATE TABLE vault (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    sealed BLOB NOT NULL
) STRICT;

-- Made in advance, many at once, and given to recipients by hermes.db. Rows are never deleted, so no id is used twice.
CREATE TABLE data_key (
    id        INTEGER PRIMARY KEY,
    wrapped   BLOB,   -- under the vault key; null once destroyed
    erased_at INTEGER -- Unix milliseconds
) STRICT;
