-- Nothing has written these yet. A row holds the members of one block of 65,536 numbers, so that whoever asks for one
-- number decodes one row of each export at most.
DROP TABLE export_members;
CREATE TABLE export_members (
    export_id BYTEA NOT NULL REFERENCES exports (id) ON DELETE CASCADE,
    piece INTEGER NOT NULL,
    block BIGINT NOT NULL,
    members BYTEA NOT NULL,
    PRIMARY KEY (export_id, piece, block)
);
CREATE INDEX export_members_by_block ON export_members (block, export_id);
-- Roaring bitmaps are compressed already.
ALTER TABLE export_members ALTER COLUMN members SET STORAGE EXTERNAL;

-- Nobody's account where the command line took it. `taken_by` is the role at that time, or command_line; `preset` says
-- which columns.
ALTER TABLE exports ALTER COLUMN staff_id DROP NOT NULL;
ALTER TABLE exports ADD COLUMN taken_by TEXT;
UPDATE exports SET taken_by = coalesce((SELECT role FROM staff WHERE staff.id = exports.staff_id), 'organizer');
ALTER TABLE exports ALTER COLUMN taken_by SET NOT NULL;
ALTER TABLE exports ADD COLUMN preset TEXT NOT NULL DEFAULT 'default';
ALTER TABLE exports ALTER COLUMN preset DROP DEFAULT;
