-- When the life of a login began, by the machine's monotonic clock as 005_session_clock.sql does it for being idle. Whoever is in a room when
-- it would end gets some minutes more; created_ms stays when the login was.
ALTER TABLE sessions ADD COLUMN life_boot TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN life_mono_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN life_ms BIGINT NOT NULL DEFAULT 0;
UPDATE sessions SET life_ms = created_ms;
