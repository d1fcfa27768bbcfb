-- What tenants' keys do goes on record too.

ALTER TABLE audit ADD COLUMN tenant BLOB;    -- whose key it was; null for operators
ALTER TABLE audit ADD COLUMN mode   INTEGER; -- of that key: 0 live, 1 test
ALTER TABLE audit ADD COLUMN counts TEXT;    -- JSON object of numbers; null where nothing is counted
CREATE INDEX audit_of_tenant ON audit (tenant, mode, sequence) WHERE tenant IS NOT NULL;

-- Headers of a stored reply.
ALTER TABLE claim ADD COLUMN location TEXT;
ALTER TABLE claim ADD COLUMN etag     TEXT;
