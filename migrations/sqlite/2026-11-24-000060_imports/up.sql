-- A contact list that somebody brought: what was found in it, what is wished, and how far it has gone in.
-- `details`, `mapping`, `options` and `preview` are JSON; `preview` and the pieces hold personal data and go after 7 days.
CREATE TABLE imports (
    id BLOB NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('uploading', 'uploaded', 'previewed', 'running', 'done', 'cancelled', 'failed')),
    staff_id BLOB,
    file_name TEXT NOT NULL,
    file_bytes BIGINT NOT NULL,
    file_hash BLOB,
    is_stored BOOLEAN NOT NULL,
    layout TEXT NOT NULL,
    mapping TEXT NOT NULL,
    options TEXT NOT NULL,
    preview TEXT NOT NULL,
    notice_id BLOB,
    line BIGINT NOT NULL,
    byte_offset BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    invited BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    left_out BIGINT NOT NULL,
    next_invite_at BIGINT NOT NULL,
    lease BLOB,
    leased_until BIGINT NOT NULL,
    fault TEXT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    erased_at BIGINT
);

-- The upload, in pieces of one size but for the last.
CREATE TABLE import_chunks (
    import_id BLOB NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    piece INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (import_id, piece)
);

-- Rows that did not go in, or not with all their values, by the line where they begin; cells and reasons as JSON.
CREATE TABLE import_refusals (
    import_id BLOB NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    line BIGINT NOT NULL,
    is_refused BOOLEAN NOT NULL,
    reasons TEXT NOT NULL,
    cells TEXT NOT NULL,
    PRIMARY KEY (import_id, line)
);
