ALTER TABLE exports DROP COLUMN preset;
ALTER TABLE exports DROP COLUMN taken_by;
UPDATE exports SET staff_id = '' WHERE staff_id IS NULL;
ALTER TABLE exports ALTER COLUMN staff_id SET NOT NULL;
DROP TABLE export_members;
CREATE TABLE export_members (
    export_id BYTEA NOT NULL REFERENCES exports (id) ON DELETE CASCADE,
    piece INTEGER NOT NULL,
    members BYTEA NOT NULL,
    PRIMARY KEY (export_id, piece)
);
