-- Stands for the contact's address, so that "that was not me" finds the application; the last question and the reason
-- of a refusal, as they were mailed.
ALTER TABLE groups ADD COLUMN contact_hash BLOB;
ALTER TABLE groups ADD COLUMN question TEXT;
ALTER TABLE groups ADD COLUMN reason TEXT;
CREATE INDEX groups_by_contact ON groups (contact_email_key);

-- A group's logo as it is served: re-encoded by us, of bounded size.
CREATE TABLE group_logos (
    group_id BLOB NOT NULL PRIMARY KEY REFERENCES groups (id) ON DELETE CASCADE,
    png BLOB NOT NULL,
    sha256 TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- The groups that a form offers, in this order.
CREATE TABLE form_groups (
    form TEXT NOT NULL REFERENCES forms (slug),
    position INTEGER NOT NULL,
    group_id BLOB NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (form, position)
);
