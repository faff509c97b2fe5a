-- Which of the fields that staff defined a form shows, in this order.
CREATE TABLE form_fields (
    form TEXT NOT NULL REFERENCES forms (slug),
    position INTEGER NOT NULL,
    field_number BIGINT NOT NULL REFERENCES fields (number) ON DELETE CASCADE,
    PRIMARY KEY (form, position),
    UNIQUE (form, field_number)
);

-- The SHA-256 of the address that a merged record had, for recalls to groups that exported it. Unknown for older merges.
ALTER TABLE supporter_aliases ADD COLUMN address_sha256 BYTEA;
