-- DIDs may be ranges, and lead elsewhere than to a user; what is called besides has an answer of its own.
CREATE TABLE new_dids (
	id INTEGER PRIMARY KEY,
	version BIGINT NOT NULL,
	search TEXT NOT NULL,
	number TEXT NOT NULL,
	last TEXT NOT NULL,
	canonical TEXT NOT NULL UNIQUE,
	target TEXT NOT NULL,
	user_id INTEGER REFERENCES users (id),
	extension_digits BIGINT NOT NULL,
	extension_prefix TEXT NOT NULL,
	trunk_id INTEGER REFERENCES trunks (id),
	first_value BIGINT NOT NULL,
	last_value BIGINT NOT NULL
);
INSERT INTO new_dids (id, version, search, number, last, canonical, target, user_id, extension_digits, extension_prefix,
		trunk_id, first_value, last_value)
	SELECT id, version, search, number, '', canonical, 'user', user_id, 0, '', trunk_id,
		CASE WHEN canonical LIKE '+%' THEN CAST(substr(canonical, 2) AS BIGINT)
			ELSE (1 + length(canonical)) * CAST('10000000000000000' AS BIGINT) + CAST(canonical AS BIGINT) END,
		CASE WHEN canonical LIKE '+%' THEN CAST(substr(canonical, 2) AS BIGINT)
			ELSE (1 + length(canonical)) * CAST('10000000000000000' AS BIGINT) + CAST(canonical AS BIGINT) END
	FROM dids;
DROP TABLE dids;
ALTER TABLE new_dids RENAME TO dids;
CREATE INDEX dids_by_number ON dids (lower(number), id);
CREATE INDEX dids_by_canonical ON dids (lower(canonical), id);
CREATE INDEX dids_by_user ON dids (user_id, id);
CREATE INDEX dids_by_trunk ON dids (trunk_id, id);
CREATE INDEX dids_by_search ON dids (search);
CREATE INDEX dids_by_user_or_none ON dids (coalesce(user_id, 0), id);
CREATE INDEX dids_by_trunk_or_none ON dids (coalesce(trunk_id, 0), id);
CREATE INDEX dids_by_last ON dids (lower(last), id);
CREATE INDEX dids_by_target ON dids (target, id);
CREATE INDEX dids_by_extension_digits ON dids (extension_digits, id);
CREATE INDEX dids_by_extension_prefix ON dids (lower(extension_prefix), id);
CREATE INDEX dids_by_value ON dids (first_value, id);

ALTER TABLE trunks ADD COLUMN unknown_did TEXT NOT NULL DEFAULT 'site';
ALTER TABLE trunks ADD COLUMN unknown_did_extension TEXT NOT NULL DEFAULT '';
ALTER TABLE settings ADD COLUMN unknown_did TEXT NOT NULL DEFAULT 'not_found';
ALTER TABLE settings ADD COLUMN unknown_did_extension TEXT NOT NULL DEFAULT '';
