-- Which number a trunk shows where the device leaves it to the trunk, how it is told who has sent a call on, and by which statuses it
-- refuses a number.
ALTER TABLE trunks ADD COLUMN caller_id_policy TEXT NOT NULL DEFAULT 'original';
ALTER TABLE trunks ADD COLUMN diversion TEXT NOT NULL DEFAULT 'diversion';
ALTER TABLE trunks ADD COLUMN number_refusals TEXT NOT NULL DEFAULT '403 428 433 436 437 438 488 603 606 608';
