-- A connection from outside leaves recursive_triggers off, and then OR REPLACE deletes without asking the DELETE trigger.
CREATE TRIGGER audit_log_no_replace BEFORE INSERT ON audit_log
WHEN EXISTS (SELECT 1 FROM audit_log WHERE node = NEW.node AND boot = NEW.boot AND counter = NEW.counter)
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER minute_ledger_no_replace BEFORE INSERT ON minute_ledger
WHEN EXISTS (SELECT 1 FROM minute_ledger WHERE node = NEW.node AND boot = NEW.boot AND counter = NEW.counter)
BEGIN SELECT RAISE(ABORT, 'minute_ledger is append-only'); END;
