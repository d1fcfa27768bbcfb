-- The metadata of messages is personal. From here on it is read from the message when a webhook is told, and null in what
-- is stored; nothing of it is left in the freed bytes.
PRAGMA secure_delete = ON;
UPDATE outbox SET body = json_replace(body, '$.data.metadata', NULL)
WHERE length(message) = 16
  AND CASE WHEN json_valid(body) THEN json_extract(body, '$.data.metadata') <> '{}' END;
PRAGMA secure_delete = OFF;
