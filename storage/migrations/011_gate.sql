-- Wrong passwords of a name from an address; '' stands for all addresses together. A name is kept as a keyed hash only: what
-- was typed as one is a password often enough. Names that nobody has are counted like others.
CREATE TABLE login_failures (
    name_token TEXT NOT NULL,
    address TEXT NOT NULL,
    user_id TEXT NOT NULL,                  -- '' where nobody has the name
    failures BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,                  -- of the last one that was counted
    PRIMARY KEY (name_token, address)
);
CREATE INDEX login_failures_at ON login_failures (at_ms);
CREATE INDEX login_failures_user ON login_failures (user_id);

-- How many may use a token for WHIP or WHEP at once.
ALTER TABLE room_tokens ADD COLUMN max_sessions BIGINT NOT NULL DEFAULT 20;
