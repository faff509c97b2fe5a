-- Nothing has written these yet. A row holds the members of one block of 65,536 numbers, so that whoever asks for one
-- number decodes one row of each export at most.
DROP TABLE export_members;

-- Who took which list, why, and whether it was taken whole. Nobody's account where the command line took it. `taken_by`
-- is the role at that time, or command_line; `preset` says which columns.
CREATE TABLE exports_new (
    id BLOB NOT NULL PRIMARY KEY,
    staff_id BLOB,
    taken_by TEXT NOT NULL,
    group_id BLOB,
    format TEXT NOT NULL,
    preset TEXT NOT NULL,
    purpose TEXT NOT NULL,
    filter TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    row_count BIGINT,
    outcome TEXT CHECK (outcome IN ('complete', 'cut_off'))
);
INSERT INTO exports_new (id, staff_id, taken_by, group_id, format, preset, purpose, filter, started_at, finished_at,
                         row_count, outcome)
SELECT id, staff_id, coalesce((SELECT role FROM staff WHERE staff.id = exports.staff_id), 'organizer'), group_id, format,
       'default', purpose, filter, started_at, finished_at, row_count, outcome
FROM exports;
DROP TABLE exports;
ALTER TABLE exports_new RENAME TO exports;
CREATE INDEX exports_by_group ON exports (group_id) WHERE group_id IS NOT NULL;

CREATE TABLE export_members (
    export_id BLOB NOT NULL REFERENCES exports (id) ON DELETE CASCADE,
    piece INTEGER NOT NULL,
    block BIGINT NOT NULL,
    members BLOB NOT NULL,
    PRIMARY KEY (export_id, piece, block)
);
CREATE INDEX export_members_by_block ON export_members (block, export_id);
