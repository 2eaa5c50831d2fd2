-- What somebody is typing into the form of a request and has not sent yet: his alone, no step of the request's life. The row stays when the
-- form was sent (form_sealed NULL), so that its revision tells a second window that it shows something old.
CREATE TABLE form_drafts (
    user_id TEXT NOT NULL REFERENCES users (id),
    request_id TEXT NOT NULL,               -- '': a request that is not there yet
    revision BIGINT NOT NULL,               -- goes up with every change
    form_sealed BLOB,                       -- JSON as the page sends it; NULL: nothing that was not sent
    updated_ms BIGINT NOT NULL,
    PRIMARY KEY (user_id, request_id)
);
