-- What holds for the whole site: one row. Tokens may end, and may be allowed less than their role.
CREATE TABLE settings (
	id INTEGER PRIMARY KEY,
	version BIGINT NOT NULL,
	search TEXT NOT NULL,
	session_life_s BIGINT NOT NULL,
	session_idle_s BIGINT NOT NULL,
	lease_s BIGINT NOT NULL,
	multi_login TEXT NOT NULL
);
INSERT INTO settings (id, version, search, session_life_s, session_idle_s, lease_s, multi_login)
	VALUES (1, 1, '', 43200, 28800, 43200, 'allow');
INSERT INTO last_ids (kind, id) VALUES ('settings', 1);

ALTER TABLE tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT 'read write calls';
ALTER TABLE tokens ADD COLUMN expires_at BIGINT NOT NULL DEFAULT 0;
