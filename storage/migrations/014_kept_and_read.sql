-- What somebody is typing into a request beside its form, and has not sent yet: his alone. The row stays when the text was sent (text_sealed
-- NULL), so that its revision tells a second window that it shows something old.
CREATE TABLE text_drafts (
    user_id TEXT NOT NULL REFERENCES users (id),
    request_id TEXT NOT NULL REFERENCES requests (id),
    kind TEXT NOT NULL,                     -- record, opinion
    revision BIGINT NOT NULL,               -- goes up with every change
    text_sealed BLOB,                       -- NULL: nothing that was not sent
    updated_ms BIGINT NOT NULL,
    PRIMARY KEY (user_id, request_id, kind)
);

-- The version of an amended report that the referrer has not read yet; 0: he has read what is valid.
ALTER TABLE requests ADD COLUMN report_unread INTEGER NOT NULL DEFAULT 0;
CREATE INDEX requests_unread ON requests (referrer_id) WHERE report_unread > 0;

-- When it was asked for: first handed in; until then, begun. The list filters and sorts by it.
ALTER TABLE requests ADD COLUMN requested_ms BIGINT NOT NULL DEFAULT 0;
UPDATE requests SET requested_ms = COALESCE((SELECT MIN(h.at_ms) FROM request_history h WHERE h.request_id = requests.id
    AND h.action = 'submit'), created_ms);
DROP INDEX requests_list;
CREATE INDEX requests_list ON requests (state, requested_ms, urgent, id, scheduled_ms, scheduled_minutes, hospital_id,
    referrer_id, number, updated_ms);
