-- Whether a trunk's word for who calls is taken.
ALTER TABLE trunks ADD COLUMN trusts_caller_number BOOLEAN NOT NULL DEFAULT TRUE;
