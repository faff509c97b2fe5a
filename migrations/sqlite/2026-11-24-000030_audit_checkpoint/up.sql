-- Up to where retention has taken the audit trail away: what was the newest link of that part, sealed under a key that
-- is not in the database. One row; number 0 while nothing was taken away.
CREATE TABLE audit_checkpoint (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL,
    mac BLOB NOT NULL,
    made_at BIGINT NOT NULL,
    seal BLOB NOT NULL
);
INSERT INTO audit_checkpoint (id, number, mac, made_at, seal) VALUES (1, 0, x'', 0, x'');

-- Append-only, for whoever comes by mistake: entries are not changed, and deleted only up to the checkpoint.
CREATE TRIGGER audit_entries_unchanged BEFORE UPDATE ON audit_entries
BEGIN
    SELECT RAISE(ABORT, 'entries of the audit trail are not changed');
END;
CREATE TRIGGER audit_entries_kept BEFORE DELETE ON audit_entries
WHEN old.number > (SELECT number FROM audit_checkpoint WHERE id = 1)
BEGIN
    SELECT RAISE(ABORT, 'entries of the audit trail are not deleted');
END;
