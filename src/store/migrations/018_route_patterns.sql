-- A prefix is a pattern, too: digits alone take every number that begins with them.
ALTER TABLE routes RENAME COLUMN prefix TO pattern;
