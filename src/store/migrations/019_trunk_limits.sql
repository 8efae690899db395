-- How many legs a trunk carries at once, and how many new ones a second it is given; 0: no limit.
ALTER TABLE trunks ADD COLUMN legs_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE trunks ADD COLUMN legs_per_s BIGINT NOT NULL DEFAULT 0;
