-- What a signed version says of its consultation beside its text, fixed by the signature: planned and real time, who took
-- part (JSON; consult/report/circumstances.h). '' for drafts, and for what was signed before.
ALTER TABLE reports ADD COLUMN circumstances TEXT NOT NULL DEFAULT '';
