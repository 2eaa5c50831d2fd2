-- Who uses the platform: hospitals, departments, users, their roles, logins.

CREATE TABLE hospitals (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    city TEXT NOT NULL,
    active INTEGER NOT NULL,
    created_ms BIGINT NOT NULL
);

CREATE TABLE departments (
    id TEXT NOT NULL PRIMARY KEY,
    hospital_id TEXT NOT NULL REFERENCES hospitals (id),
    name TEXT NOT NULL,
    code TEXT NOT NULL,
    active INTEGER NOT NULL,
    UNIQUE (hospital_id, code)
);

-- A doctor's name is shown to every user (R5); phone numbers are sealed.
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,          -- lower case
    display_name TEXT NOT NULL,
    title TEXT NOT NULL,
    hospital_id TEXT NOT NULL REFERENCES hospitals (id),
    department_id TEXT NOT NULL REFERENCES departments (id),
    phone_sealed BLOB,
    password TEXT NOT NULL,                 -- Argon2id, encoded
    active INTEGER NOT NULL,
    failures INTEGER NOT NULL,              -- wrong passwords in a row
    locked_until_ms BIGINT NOT NULL,
    password_changed_ms BIGINT NOT NULL,
    last_login_ms BIGINT NOT NULL,
    created_ms BIGINT NOT NULL
);
CREATE INDEX users_department ON users (department_id);

CREATE TABLE user_roles (
    user_id TEXT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,                     -- a name of the table in consult/accounts.c
    PRIMARY KEY (user_id, role)
);

CREATE TABLE sessions (
    token_hash TEXT NOT NULL PRIMARY KEY,   -- SHA-256 of the cookie's token
    user_id TEXT NOT NULL REFERENCES users (id),
    csrf TEXT NOT NULL,
    address TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    seen_ms BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_seen ON sessions (seen_ms);

-- Bearer tokens for WHIP and WHEP.
CREATE TABLE room_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,   -- SHA-256 of the token
    room_id TEXT NOT NULL,
    may_publish INTEGER NOT NULL,
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL
);
