-- Lines of uploads are encrypted under a key of their batch, which is destroyed with its end. NULL: they are plain text,
-- as an earlier build has kept them, or there are none.
ALTER TABLE batch ADD COLUMN data_key INTEGER;
