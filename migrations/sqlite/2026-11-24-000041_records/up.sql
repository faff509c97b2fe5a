-- What staff write down about a supporter.
CREATE TABLE supporter_notes (
    id BLOB NOT NULL PRIMARY KEY,
    supporter_number INTEGER NOT NULL REFERENCES supporters (number) ON DELETE CASCADE,
    author_id BLOB NOT NULL,
    text TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX supporter_notes_by_supporter ON supporter_notes (supporter_number, id);

-- A record that was merged into another. Links that carry its id, and its version where they have one, are the survivor's
-- for as long as the survivor's links are not voided.
CREATE TABLE supporter_aliases (
    id BLOB NOT NULL PRIMARY KEY,
    supporter_number INTEGER NOT NULL REFERENCES supporters (number) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    address_hash BLOB NOT NULL,
    link_version INTEGER NOT NULL,
    survivor_version INTEGER NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX supporter_aliases_by_supporter ON supporter_aliases (supporter_number);

-- Filters by name. `query` is a query string.
CREATE TABLE segments (
    id BLOB NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Fields that staff defined. `choices` is a JSON list.
CREATE TABLE fields (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    slug TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('text', 'number', 'choice', 'date', 'yes_no')),
    choices TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- A supporter's value of a field: as a text of one form for each value, and, where values have an order, as a number.
CREATE TABLE supporter_fields (
    field_number INTEGER NOT NULL REFERENCES fields (number) ON DELETE CASCADE,
    supporter_number INTEGER NOT NULL REFERENCES supporters (number) ON DELETE CASCADE,
    value TEXT NOT NULL,
    rank DOUBLE,
    PRIMARY KEY (supporter_number, field_number)
) WITHOUT ROWID;
CREATE INDEX supporter_fields_by_value ON supporter_fields (field_number, value, supporter_number);
CREATE INDEX supporter_fields_by_rank ON supporter_fields (field_number, rank, supporter_number) WHERE rank IS NOT NULL;

-- A tag being given to, or taken from, everybody whom a filter matched: how far it is. Any process may go on with it.
CREATE TABLE tag_operations (
    id BLOB NOT NULL PRIMARY KEY,
    tag_number INTEGER NOT NULL REFERENCES tags (number) ON DELETE CASCADE,
    adds BOOLEAN NOT NULL,
    query TEXT NOT NULL,
    staff_id BLOB,
    token_id BLOB,
    done_up_to BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    touched_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX tag_operations_open ON tag_operations (touched_at) WHERE finished_at IS NULL;
