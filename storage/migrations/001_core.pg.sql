CREATE FUNCTION cn_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION cn_append_only();
CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION cn_append_only();
CREATE TRIGGER minute_ledger_no_change BEFORE UPDATE OR DELETE ON minute_ledger
    FOR EACH ROW EXECUTE FUNCTION cn_append_only();
CREATE TRIGGER minute_ledger_no_truncate BEFORE TRUNCATE ON minute_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION cn_append_only();

-- Fires in replication sessions as well: a restore by logical replication must not be a way round.
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_no_change;
ALTER TABLE minute_ledger ENABLE ALWAYS TRIGGER minute_ledger_no_change;
REVOKE UPDATE, DELETE, TRUNCATE ON audit_log, minute_ledger FROM PUBLIC;
