-- What was written in a request's room. Counted per room without gaps, so that whoever comes back knows what he lacks.
ALTER TABLE rooms ADD COLUMN messages BIGINT NOT NULL DEFAULT 0;      -- seq of the last one
CREATE TABLE room_messages (
    room_id TEXT NOT NULL REFERENCES rooms (id),
    seq BIGINT NOT NULL,                    -- 1, 2 …
    author_id TEXT NOT NULL REFERENCES users (id),
    client_id TEXT NOT NULL,                -- the writer's page's own: what is sent once more is there once
    at_ms BIGINT NOT NULL,
    text_sealed BLOB NOT NULL,
    file_id TEXT NOT NULL,                  -- a file of the room's request; '': none
    PRIMARY KEY (room_id, seq)
);
CREATE UNIQUE INDEX room_messages_client ON room_messages (room_id, author_id, client_id);
