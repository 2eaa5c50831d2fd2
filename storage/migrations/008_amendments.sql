-- Why a version takes the place of the one before; '' in the first.
ALTER TABLE reports ADD COLUMN reason TEXT NOT NULL DEFAULT '';
-- Where the revisions of the report's drafts go on after an amendment was given up: a window that still shows the one
-- given up never saves over the next.
ALTER TABLE requests ADD COLUMN report_revision BIGINT NOT NULL DEFAULT 0;
