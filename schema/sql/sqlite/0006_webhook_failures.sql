-- Endpoints that have been failing since their last success. A row changes when a streak begins or ends, and at
-- most once an hour in between: never with every delivery.
--
-- From here on `outbox.message` is empty (zero bytes) for an event that is about no message.
CREATE TABLE webhook_failure (
    endpoint BLOB    NOT NULL PRIMARY KEY,
    since    INTEGER NOT NULL, -- the first failure
    seen     INTEGER NOT NULL  -- the last one, at most an hour too early
) STRICT, WITHOUT ROWID;
