-- Member organisations. Lists (regions, sectors) are separated by commas, with one before and one after each.
CREATE TABLE groups (
    id BLOB NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    website TEXT NOT NULL,
    regions TEXT NOT NULL,
    sectors TEXT NOT NULL,
    about TEXT NOT NULL,
    contact_name TEXT NOT NULL,
    contact_email TEXT NOT NULL,
    contact_email_key TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('applied', 'in_review', 'member', 'declined', 'left')),
    is_listed BOOLEAN NOT NULL,
    language TEXT NOT NULL,
    terms_id BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    decided_at BIGINT,
    left_at BIGINT,
    updated_at BIGINT NOT NULL
);
CREATE INDEX groups_by_status ON groups (status, id);

-- A supporter's consent that one named group may have their contact; given again, it is a further row.
CREATE TABLE shares (
    id BLOB NOT NULL PRIMARY KEY,
    supporter_number INTEGER NOT NULL REFERENCES supporters (number) ON DELETE CASCADE,
    group_id BLOB NOT NULL REFERENCES groups (id),
    notice_id BLOB NOT NULL,
    signup_id BLOB,
    given_at BIGINT NOT NULL,
    withdrawn_at BIGINT
);
CREATE UNIQUE INDEX shares_active_by_group ON shares (group_id, supporter_number) WHERE withdrawn_at IS NULL;
CREATE INDEX shares_by_supporter ON shares (supporter_number);

CREATE TABLE tags (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    slug TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE supporter_tags (
    tag_number INTEGER NOT NULL REFERENCES tags (number) ON DELETE CASCADE,
    supporter_number INTEGER NOT NULL REFERENCES supporters (number) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tag_number, supporter_number)
) WITHOUT ROWID;
CREATE INDEX supporter_tags_by_supporter ON supporter_tags (supporter_number, tag_number);

-- What was done by whom, append-only. Each mac covers the row and the mac before it.
CREATE TABLE audit_entries (
    number INTEGER NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id BLOB,
    token_id BLOB,
    action TEXT NOT NULL,
    subject_kind TEXT,
    subject_id BLOB,
    details TEXT NOT NULL,
    mac BLOB NOT NULL
);
CREATE INDEX audit_entries_by_action ON audit_entries (action, number);
CREATE INDEX audit_entries_by_actor ON audit_entries (actor_id, number);
CREATE INDEX audit_entries_by_subject ON audit_entries (subject_id, number);

-- The newest entry; one row. Whoever appends locks it, as the last thing before the commit.
CREATE TABLE audit_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL,
    mac BLOB NOT NULL
);
INSERT INTO audit_head (id, number, mac) VALUES (1, 0, x'');

-- Who was in an export: supporter numbers as a compressed set, a piece before the bytes of its rows leave.
CREATE TABLE export_members (
    export_id BLOB NOT NULL REFERENCES exports (id) ON DELETE CASCADE,
    piece INTEGER NOT NULL,
    members BLOB NOT NULL,
    PRIMARY KEY (export_id, piece)
);
-- For which group it was taken out, where it was.
ALTER TABLE exports ADD COLUMN group_id BLOB;
CREATE INDEX exports_by_group ON exports (group_id) WHERE group_id IS NOT NULL;

-- The one group of a group manager, and of a token that is bound to one.
ALTER TABLE staff ADD COLUMN group_id BLOB;
ALTER TABLE staff_tokens ADD COLUMN group_id BLOB;
