DROP TABLE export_members;
CREATE TABLE exports_old (
    id BLOB NOT NULL PRIMARY KEY,
    staff_id BLOB NOT NULL,
    format TEXT NOT NULL,
    purpose TEXT NOT NULL,
    filter TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    row_count BIGINT,
    outcome TEXT CHECK (outcome IN ('complete', 'cut_off')),
    group_id BLOB
);
INSERT INTO exports_old (id, staff_id, format, purpose, filter, started_at, finished_at, row_count, outcome, group_id)
SELECT id, coalesce(staff_id, x''), format, purpose, filter, started_at, finished_at, row_count, outcome, group_id
FROM exports;
DROP TABLE exports;
ALTER TABLE exports_old RENAME TO exports;
CREATE INDEX exports_by_group ON exports (group_id) WHERE group_id IS NOT NULL;
CREATE TABLE export_members (
    export_id BLOB NOT NULL REFERENCES exports (id) ON DELETE CASCADE,
    piece INTEGER NOT NULL,
    members BLOB NOT NULL,
    PRIMARY KEY (export_id, piece)
);
