-- How a trunk wants numbers written and callers named, and whether it is believed.
ALTER TABLE trunks ADD COLUMN called_format TEXT NOT NULL DEFAULT 'e164';
ALTER TABLE trunks ADD COLUMN caller_format TEXT NOT NULL DEFAULT 'e164';
ALTER TABLE trunks ADD COLUMN asserted_identity TEXT NOT NULL DEFAULT 'always';
ALTER TABLE trunks ADD COLUMN trusts_asserted_identity BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE trunks ADD COLUMN from_user TEXT NOT NULL DEFAULT 'caller';
ALTER TABLE trunks ADD COLUMN from_name BOOLEAN NOT NULL DEFAULT TRUE;
