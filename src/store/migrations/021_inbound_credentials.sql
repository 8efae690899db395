-- Trunks whose calls sign in: the name, and hashes of the password.
ALTER TABLE trunks ADD COLUMN inbound_username TEXT NOT NULL DEFAULT '';
ALTER TABLE trunks ADD COLUMN inbound_ha1_md5 TEXT NOT NULL DEFAULT '';
ALTER TABLE trunks ADD COLUMN inbound_ha1_sha256 TEXT NOT NULL DEFAULT '';
