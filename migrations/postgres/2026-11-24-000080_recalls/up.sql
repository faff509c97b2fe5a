-- What a group must be told to forget: kept until it has said that it did, or 30 days.
CREATE TABLE recalls (
    group_id BYTEA NOT NULL REFERENCES groups (id),
    number BIGINT NOT NULL,
    supporter_id BYTEA NOT NULL,
    address_sha256 BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (group_id, number)
);
CREATE UNIQUE INDEX recalls_by_supporter ON recalls (supporter_id, group_id);
CREATE INDEX recalls_by_age ON recalls (created_at);

-- The newest number of each group; whoever owes a recall holds its row until the commit, so that numbers commit in
-- order. While a group leaves, departing_after is the last supporter number that was seen to.
CREATE TABLE recall_heads (
    group_id BYTEA NOT NULL PRIMARY KEY REFERENCES groups (id),
    number BIGINT NOT NULL,
    acknowledged BIGINT NOT NULL,
    expired BIGINT NOT NULL,
    acknowledged_at BIGINT,
    departing_after BIGINT
);

-- Where a group wants its recalls sent. Its secret is derived from the keys, the group and the version.
CREATE TABLE group_webhooks (
    group_id BYTEA NOT NULL PRIMARY KEY REFERENCES groups (id),
    url TEXT NOT NULL,
    secret_version INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    lease BYTEA,
    attempts INTEGER NOT NULL,
    failing_since BIGINT,
    last_error TEXT,
    given_up_at BIGINT
);

-- Until then the person is in no export.
ALTER TABLE supporters ADD COLUMN paused_until BIGINT;
