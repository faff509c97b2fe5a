-- Up to where retention has taken the audit trail away: what was the newest link of that part, sealed under a key that
-- is not in the database. One row; number 0 while nothing was taken away.
CREATE TABLE audit_checkpoint (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL,
    mac BYTEA NOT NULL,
    made_at BIGINT NOT NULL,
    seal BYTEA NOT NULL
);
INSERT INTO audit_checkpoint (id, number, mac, made_at, seal) VALUES (1, 0, '', 0, '');

-- Append-only, for whoever comes by mistake: entries are not changed, and deleted only up to the checkpoint.
CREATE FUNCTION audit_entries_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.number <= (SELECT number FROM audit_checkpoint WHERE id = 1) THEN
        RETURN OLD;
    END IF;
    -- A copy from SQLite empties the tables it fills; there is nothing in this one then.
    IF TG_OP = 'TRUNCATE' AND NOT EXISTS (SELECT FROM audit_entries) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'entries of the audit trail are not changed or deleted';
END $$;
CREATE TRIGGER audit_entries_unchanged BEFORE UPDATE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION audit_entries_append_only();
CREATE TRIGGER audit_entries_kept BEFORE DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION audit_entries_append_only();
CREATE TRIGGER audit_entries_whole BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_append_only();
