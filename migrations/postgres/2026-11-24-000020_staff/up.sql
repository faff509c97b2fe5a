-- Accounts. An empty password_hash: invited, and no password set yet. link_version is raised when the password changes;
-- links mailed before are then void. totp_nonce gives the secret together with a key that is not in the database.
ALTER TABLE staff ADD COLUMN link_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE staff ADD COLUMN invited_at BIGINT;
ALTER TABLE staff ADD COLUMN disabled_at BIGINT;
ALTER TABLE staff ADD COLUMN last_login_at BIGINT;
ALTER TABLE staff ADD COLUMN totp_nonce BYTEA;
ALTER TABLE staff ADD COLUMN totp_pending BYTEA;
ALTER TABLE staff ADD COLUMN totp_step BIGINT;

-- Codes for somebody who has lost their authenticator, by keyed hash; a used one is deleted.
CREATE TABLE staff_recovery_codes (
    staff_id BYTEA NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    code_hash BYTEA NOT NULL,
    PRIMARY KEY (staff_id, code_hash)
);

-- Sessions begin anew: everybody logs in once more.
DROP TABLE staff_sessions;
CREATE TABLE staff_sessions (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    id BYTEA NOT NULL,
    staff_id BYTEA NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    browser TEXT NOT NULL,
    renew BOOLEAN NOT NULL
);
CREATE INDEX staff_sessions_by_staff ON staff_sessions (staff_id);
CREATE INDEX staff_sessions_by_end ON staff_sessions (expires_at);

ALTER TABLE staff_tokens ADD COLUMN last_used_at BIGINT;

-- Failed logins in a row, by the keyed hash of an address, a client or a browser.
CREATE TABLE login_attempts (
    attempt_key BYTEA NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at BIGINT NOT NULL,
    refused_until BIGINT NOT NULL
);
CREATE INDEX login_attempts_by_time ON login_attempts (last_at);

-- What an owner chooses while the server runs, by name.
CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
