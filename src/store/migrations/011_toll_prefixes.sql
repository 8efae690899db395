-- What may be dialled at all, and what counts as premium: beginnings of numbers, separated by spaces.
ALTER TABLE settings ADD COLUMN denied_prefixes TEXT NOT NULL DEFAULT '';
ALTER TABLE settings ADD COLUMN premium_prefixes TEXT NOT NULL DEFAULT '';
ALTER TABLE settings ADD COLUMN allowed_countries TEXT NOT NULL DEFAULT '';
