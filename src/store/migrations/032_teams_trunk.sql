-- What stands at the other end of a trunk, and what we are called there.
ALTER TABLE trunks ADD COLUMN profile TEXT NOT NULL DEFAULT 'carrier';
ALTER TABLE trunks ADD COLUMN own_host TEXT NOT NULL DEFAULT '';
