DROP TABLE settings;
DROP TABLE login_attempts;
ALTER TABLE staff_tokens DROP COLUMN last_used_at;
DROP TABLE staff_sessions;
CREATE TABLE staff_sessions (
    token_hash BLOB NOT NULL PRIMARY KEY,
    staff_id BLOB NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX staff_sessions_by_staff ON staff_sessions (staff_id);
DROP TABLE staff_recovery_codes;
ALTER TABLE staff DROP COLUMN totp_step;
ALTER TABLE staff DROP COLUMN totp_pending;
ALTER TABLE staff DROP COLUMN totp_nonce;
ALTER TABLE staff DROP COLUMN last_login_at;
ALTER TABLE staff DROP COLUMN disabled_at;
ALTER TABLE staff DROP COLUMN invited_at;
ALTER TABLE staff DROP COLUMN link_version;
