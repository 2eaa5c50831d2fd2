-- Consultation requests, their files, reports and rooms. Sealed columns end in _sealed: nothing sorts by them (DESIGN §6).

CREATE TABLE requests (
    id TEXT NOT NULL PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,            -- C20261120-0001: what people say on the telephone
    kind TEXT NOT NULL,                     -- C, later R P E
    urgent INTEGER NOT NULL,
    state TEXT NOT NULL,
    revision BIGINT NOT NULL,               -- goes up with every change
    referrer_id TEXT NOT NULL REFERENCES users (id),
    hospital_id TEXT NOT NULL REFERENCES hospitals (id),
    department_id TEXT NOT NULL,
    patient_name_sealed BLOB NOT NULL,
    patient_identity_sealed BLOB,
    patient_phone_sealed BLOB,
    patient_sex TEXT NOT NULL,              -- male, female, unknown
    patient_birth_date TEXT NOT NULL,       -- YYYY-MM-DD or ''
    patient_identity_token TEXT NOT NULL,   -- keyed index, '' without a number
    diagnosis TEXT NOT NULL,
    question TEXT NOT NULL,
    reason TEXT NOT NULL,                   -- of the last return, rejection or cancellation
    scheduled_ms BIGINT NOT NULL,           -- 0: not yet
    scheduled_minutes INTEGER NOT NULL,
    record TEXT NOT NULL,                   -- the referrer's consultation record
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL
);
CREATE INDEX requests_state ON requests (state, created_ms);
CREATE INDEX requests_referrer ON requests (referrer_id, state, created_ms);
CREATE INDEX requests_hospital ON requests (hospital_id, created_ms);
CREATE INDEX requests_identity ON requests (patient_identity_token);

-- Numbers handed out per day.
CREATE TABLE request_numbers (
    day TEXT NOT NULL PRIMARY KEY,
    used BIGINT NOT NULL
);

CREATE TABLE request_name_tokens (
    token TEXT NOT NULL,
    request_id TEXT NOT NULL REFERENCES requests (id),
    PRIMARY KEY (token, request_id)
);
CREATE INDEX request_name_tokens_request ON request_name_tokens (request_id);

CREATE TABLE request_experts (
    request_id TEXT NOT NULL REFERENCES requests (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    lead INTEGER NOT NULL,
    PRIMARY KEY (request_id, user_id)
);
CREATE INDEX request_experts_user ON request_experts (user_id);

CREATE TABLE request_history (
    request_id TEXT NOT NULL REFERENCES requests (id),
    step BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    actor_id TEXT NOT NULL,
    action TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (request_id, step)
);

CREATE TABLE uploads (
    id TEXT NOT NULL PRIMARY KEY,
    request_id TEXT NOT NULL REFERENCES requests (id),
    user_id TEXT NOT NULL,
    category TEXT NOT NULL,
    name_sealed BLOB NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,                   -- announced by the client, '' if not
    created_ms BIGINT NOT NULL,
    file_id TEXT NOT NULL                   -- '' until the last byte was accepted
);
CREATE INDEX uploads_created ON uploads (created_ms);

CREATE TABLE files (
    id TEXT NOT NULL PRIMARY KEY,
    request_id TEXT NOT NULL REFERENCES requests (id),
    category TEXT NOT NULL,
    name_sealed BLOB NOT NULL,
    type TEXT NOT NULL,                     -- MIME type that the content showed
    kind TEXT NOT NULL,                     -- slide, document, image, other
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL,                    -- ready, converting, failed
    pdf_sha256 TEXT NOT NULL,               -- the document as PDF, '' when there is none
    pages INTEGER NOT NULL,
    uploaded_by TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    deleted_ms BIGINT NOT NULL              -- 0: there
);
CREATE INDEX files_request ON files (request_id, created_ms);
CREATE INDEX files_state ON files (state);

-- Signed versions are never changed; the draft is the row with signed_ms = 0.
CREATE TABLE reports (
    request_id TEXT NOT NULL REFERENCES requests (id),
    version INTEGER NOT NULL,               -- 1, 2 … (amendments)
    revision BIGINT NOT NULL,               -- of the draft, for optimistic locking
    findings TEXT NOT NULL,
    conclusion TEXT NOT NULL,
    advice TEXT NOT NULL,
    author_id TEXT NOT NULL REFERENCES users (id),
    updated_ms BIGINT NOT NULL,
    signed_ms BIGINT NOT NULL,
    PRIMARY KEY (request_id, version)
);

CREATE TABLE opinions (
    id TEXT NOT NULL PRIMARY KEY,
    request_id TEXT NOT NULL REFERENCES requests (id),
    author_id TEXT NOT NULL REFERENCES users (id),
    opinion TEXT NOT NULL,
    signed_ms BIGINT NOT NULL
);
CREATE INDEX opinions_request ON opinions (request_id, signed_ms);

CREATE TABLE rooms (
    id TEXT NOT NULL PRIMARY KEY,
    request_id TEXT NOT NULL,               -- '' for a room made on the command line
    title TEXT NOT NULL,                    -- the request's number or a word of the administrator
    opened_ms BIGINT NOT NULL,
    closed_ms BIGINT NOT NULL               -- 0: open
);
CREATE UNIQUE INDEX rooms_request ON rooms (request_id) WHERE request_id <> '';
