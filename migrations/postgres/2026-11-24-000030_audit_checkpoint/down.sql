DROP TRIGGER audit_entries_whole ON audit_entries;
DROP TRIGGER audit_entries_kept ON audit_entries;
DROP TRIGGER audit_entries_unchanged ON audit_entries;
DROP FUNCTION audit_entries_append_only();
DROP TABLE audit_checkpoint;
