DROP TABLE form_groups;
DROP TABLE group_logos;
DROP INDEX groups_by_contact;
ALTER TABLE groups DROP COLUMN reason;
ALTER TABLE groups DROP COLUMN question;
ALTER TABLE groups DROP COLUMN contact_hash;
