-- OR REPLACE deletes without asking the DELETE trigger unless recursive_triggers is on, which every connection of ours sets.
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER minute_ledger_no_update BEFORE UPDATE ON minute_ledger
BEGIN SELECT RAISE(ABORT, 'minute_ledger is append-only'); END;
CREATE TRIGGER minute_ledger_no_delete BEFORE DELETE ON minute_ledger
BEGIN SELECT RAISE(ABORT, 'minute_ledger is append-only'); END;
