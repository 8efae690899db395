-- How the site dials. Empty: as usual in its country.
ALTER TABLE settings ADD COLUMN country TEXT NOT NULL DEFAULT 'GB';
ALTER TABLE settings ADD COLUMN area_code TEXT NOT NULL DEFAULT '';
ALTER TABLE settings ADD COLUMN international_prefix TEXT NOT NULL DEFAULT '';
ALTER TABLE settings ADD COLUMN national_prefix TEXT NOT NULL DEFAULT '';
ALTER TABLE settings ADD COLUMN outside_prefix TEXT NOT NULL DEFAULT '';
ALTER TABLE settings ADD COLUMN emergency TEXT NOT NULL DEFAULT '';
ALTER TABLE settings ADD COLUMN short_codes TEXT NOT NULL DEFAULT '';
