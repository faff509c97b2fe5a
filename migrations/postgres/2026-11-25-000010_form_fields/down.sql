ALTER TABLE supporter_aliases DROP COLUMN address_sha256;
DROP TABLE form_fields;
