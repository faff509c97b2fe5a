DROP INDEX import_refusals_address;
ALTER TABLE import_refusals DROP COLUMN address_hash;
