-- Trunks that register at their carrier (RFC 3261 section 10).
ALTER TABLE trunks ADD COLUMN registers BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE trunks ADD COLUMN registration_user TEXT NOT NULL DEFAULT '';
ALTER TABLE trunks ADD COLUMN registration_expires_s BIGINT NOT NULL DEFAULT 600;
