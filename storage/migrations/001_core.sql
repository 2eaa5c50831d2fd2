-- Keys, settings, and the two append-only logs. Conventions: storage/README.md.

CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Random keys wrapped by the master key, which is never in here. Purposes: seal (any number, the highest id seals), index, chain.
CREATE TABLE data_keys (
    id INTEGER NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL CHECK (purpose IN ('seal', 'index', 'chain')),
    wrapped BLOB NOT NULL,
    created_ms BIGINT NOT NULL
);

-- One chain per (node, boot); link = HMAC(chain key, previous link, canonical row). Identifiers only, never names.
CREATE TABLE audit_log (
    node TEXT NOT NULL,
    boot TEXT NOT NULL,
    counter BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    outcome TEXT NOT NULL,
    address TEXT NOT NULL,
    detail TEXT NOT NULL,
    link BLOB NOT NULL,
    PRIMARY KEY (node, boot, counter)
);
CREATE INDEX audit_log_at ON audit_log (at_ms);
CREATE INDEX audit_log_actor ON audit_log (actor, at_ms);
CREATE INDEX audit_log_object ON audit_log (object, at_ms);

CREATE TABLE minute_ledger (
    node TEXT NOT NULL,
    boot TEXT NOT NULL,
    counter BIGINT NOT NULL,
    room_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    participant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    hospital_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    start_ms BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    area_sum BIGINT NOT NULL,
    area_max BIGINT NOT NULL,
    tier_aggregate INTEGER NOT NULL,
    tier_max INTEGER NOT NULL,
    rule_version INTEGER NOT NULL,
    end_cause TEXT NOT NULL,
    link BLOB NOT NULL,
    PRIMARY KEY (node, boot, counter)
);
CREATE INDEX minute_ledger_start ON minute_ledger (start_ms);
CREATE INDEX minute_ledger_room ON minute_ledger (room_id, start_ms);
