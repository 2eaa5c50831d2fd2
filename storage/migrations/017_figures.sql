-- Pictures of places on slides that belong to a report: made by the server, kept as objects. What a version shows, in which order and under which
-- captions stands in its row, which a signature fixes.
CREATE TABLE report_figures (
    id TEXT NOT NULL PRIMARY KEY,
    request_id TEXT NOT NULL REFERENCES requests (id),
    file_id TEXT NOT NULL REFERENCES files (id),
    author_id TEXT NOT NULL REFERENCES users (id),
    sha256 TEXT NOT NULL,                   -- of the picture, a JPEG
    place TEXT NOT NULL,                    -- JSON: where on the slide, how large the picture is (consult/report/figures.h)
    created_ms BIGINT NOT NULL
);
CREATE INDEX report_figures_request ON report_figures (request_id, created_ms);
ALTER TABLE reports ADD COLUMN figures TEXT NOT NULL DEFAULT '[]'; -- JSON [{id, caption, sha256}, …]
