-- What people draw and measure on a picture. A deleted mark's row stays: its author may take the deletion back, and the sum of the revisions
-- tells whoever watches a file whether anything changed.
CREATE TABLE marks (
    id TEXT NOT NULL PRIMARY KEY,
    file_id TEXT NOT NULL REFERENCES files (id),
    author_id TEXT NOT NULL REFERENCES users (id),
    client_id TEXT NOT NULL,                -- the writer's page's own: what is sent once more is there once
    kind TEXT NOT NULL,                     -- distance, polyline, area … (consult/mark/shape.h)
    points TEXT NOT NULL,                   -- JSON [[x, y], …] in pixels of the picture at full size
    colour TEXT NOT NULL,                   -- #rrggbb
    text_sealed BLOB,                       -- NULL: no words
    z INTEGER NOT NULL,                     -- plane
    revision BIGINT NOT NULL,               -- goes up with every change
    created_ms BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL,
    deleted_ms BIGINT NOT NULL              -- 0: there
);
CREATE UNIQUE INDEX marks_client ON marks (file_id, author_id, client_id);
CREATE INDEX marks_file ON marks (file_id, created_ms);
