-- The end of a consultation ends its room. Those whose end came before this was so are closed now, or they would be
-- open for ever.
UPDATE rooms SET closed_ms = (SELECT q.updated_ms FROM requests q WHERE q.id = rooms.request_id)
WHERE closed_ms = 0 AND request_id IN (SELECT id FROM requests WHERE state IN ('AWAITING_REPORT', 'WRITTEN', 'REPORTED'));
