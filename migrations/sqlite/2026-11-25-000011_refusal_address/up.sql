-- Whose address a row that is kept has, by its keyed hash, so that an erasure finds the row.
ALTER TABLE import_refusals ADD COLUMN address_hash BLOB;
CREATE INDEX import_refusals_address ON import_refusals (address_hash) WHERE address_hash IS NOT NULL;
