DROP TRIGGER audit_entries_kept;
DROP TRIGGER audit_entries_unchanged;
DROP TABLE audit_checkpoint;
