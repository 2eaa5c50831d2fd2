-- Idle time is measured on the machine's monotonic clock: setting the wall clock throws nobody out. seen_ms stays for
-- what was last seen before a boot, or by another machine.
ALTER TABLE sessions ADD COLUMN seen_boot TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN seen_mono_ms BIGINT NOT NULL DEFAULT 0;
