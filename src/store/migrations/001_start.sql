-- The first schema. One text for SQLite and PostgreSQL: INTEGER ids (given by last_ids, never used twice), BIGINT for
-- what can be large, times in milliseconds since 1970-01-01 UTC. The columns of what administrators manage are named by
-- the field tables in domain/; `search` holds every text field shown, in lower case.
-- A text is sorted by lower(); the indexes that serve sorted pages end with the id, which makes the order complete.

CREATE TABLE last_ids (
	kind TEXT PRIMARY KEY,
	id INTEGER NOT NULL
);
INSERT INTO last_ids (kind, id) VALUES ('user', 0), ('device', 0), ('trunk', 0), ('route', 0), ('did', 0),
	('selection', 0), ('session', 0), ('token', 0);

-- Written now and then to see whether writing works.
CREATE TABLE probes (
	id INTEGER PRIMARY KEY,
	probed_at BIGINT NOT NULL
);
INSERT INTO probes (id, probed_at) VALUES (1, 0);

CREATE TABLE users (
	id INTEGER PRIMARY KEY,
	version BIGINT NOT NULL,
	search TEXT NOT NULL,
	name TEXT NOT NULL UNIQUE,
	title TEXT NOT NULL,
	role TEXT NOT NULL,
	password_hash TEXT NOT NULL,
	extension TEXT NOT NULL UNIQUE,
	strategy TEXT NOT NULL,
	call_limit BIGINT NOT NULL,
	do_not_disturb BOOLEAN NOT NULL,
	decline_stops TEXT NOT NULL,
	six_hundred_stops_all BOOLEAN NOT NULL,
	unanswered TEXT NOT NULL,
	unanswered_target TEXT NOT NULL,
	caller_id TEXT NOT NULL,
	toll_class BIGINT NOT NULL,
	password_change_due BOOLEAN NOT NULL
);
CREATE INDEX users_by_name ON users (lower(name), id);
CREATE INDEX users_by_title ON users (lower(title), id);
CREATE INDEX users_by_extension ON users (lower(extension), id);
CREATE INDEX users_by_role ON users (role, id);
CREATE INDEX users_by_search ON users (search);

CREATE TABLE devices (
	id INTEGER PRIMARY KEY,
	version BIGINT NOT NULL,
	search TEXT NOT NULL,
	kind TEXT NOT NULL,
	number TEXT NOT NULL UNIQUE,
	canonical TEXT NOT NULL,
	title TEXT NOT NULL,
	description TEXT NOT NULL,
	available_for_selection BOOLEAN NOT NULL,
	do_not_disturb BOOLEAN NOT NULL,
	call_limit BIGINT NOT NULL,
	nat TEXT NOT NULL,
	ha1_md5 TEXT NOT NULL,
	ha1_sha256 TEXT NOT NULL,
	caller_id TEXT NOT NULL,
	caller_id_number TEXT NOT NULL,
	too_soon_ms BIGINT NOT NULL,
	too_late_ms BIGINT NOT NULL,
	confirm BOOLEAN NOT NULL,
	teams_user TEXT NOT NULL
);
CREATE INDEX devices_by_number ON devices (lower(number), id);
CREATE INDEX devices_by_title ON devices (lower(title), id);
CREATE INDEX devices_by_kind ON devices (kind, id);
CREATE INDEX devices_by_kind_and_number ON devices (kind, lower(number), id);
CREATE INDEX devices_by_kind_and_title ON devices (kind, lower(title), id);
CREATE INDEX devices_by_canonical ON devices (lower(canonical), id);
CREATE INDEX devices_by_available_for_selection ON devices (available_for_selection, id);
CREATE INDEX devices_by_search ON devices (kind, search);

-- A device given to a user, with its place on the ring plan.
CREATE TABLE assignments (
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	position INTEGER NOT NULL,
	device_id INTEGER NOT NULL REFERENCES devices (id),
	start_s BIGINT NOT NULL,
	ring_s BIGINT NOT NULL,
	PRIMARY KEY (user_id, position)
);
CREATE INDEX assignments_by_device ON assignments (device_id, user_id);

CREATE TABLE trunks (
	id INTEGER PRIMARY KEY,
	version BIGINT NOT NULL,
	search TEXT NOT NULL,
	title TEXT NOT NULL UNIQUE,
	host TEXT NOT NULL,
	port BIGINT NOT NULL,
	transport TEXT NOT NULL,
	username TEXT NOT NULL,
	password TEXT NOT NULL,
	realm TEXT NOT NULL,
	inbound TEXT NOT NULL,
	caller_id TEXT NOT NULL,
	enabled BOOLEAN NOT NULL
);

CREATE TABLE routes (
	id INTEGER PRIMARY KEY,
	version BIGINT NOT NULL,
	search TEXT NOT NULL,
	prefix TEXT NOT NULL,
	trunk_id INTEGER NOT NULL REFERENCES trunks (id),
	cost BIGINT NOT NULL,
	strip BIGINT NOT NULL,
	prepend TEXT NOT NULL,
	toll_class BIGINT NOT NULL
);
CREATE INDEX routes_by_trunk ON routes (trunk_id, id);

CREATE TABLE dids (
	id INTEGER PRIMARY KEY,
	version BIGINT NOT NULL,
	search TEXT NOT NULL,
	number TEXT NOT NULL,
	canonical TEXT NOT NULL UNIQUE,
	user_id INTEGER NOT NULL REFERENCES users (id),
	trunk_id INTEGER REFERENCES trunks (id)
);
CREATE INDEX dids_by_number ON dids (lower(number), id);
CREATE INDEX dids_by_canonical ON dids (lower(canonical), id);
CREATE INDEX dids_by_user ON dids (user_id, id);
CREATE INDEX dids_by_trunk ON dids (trunk_id, id);
CREATE INDEX dids_by_search ON dids (search);

CREATE TABLE selections (
	id INTEGER PRIMARY KEY,
	version BIGINT NOT NULL,
	search TEXT NOT NULL,
	user_id INTEGER NOT NULL UNIQUE REFERENCES users (id),
	device_id INTEGER NOT NULL UNIQUE REFERENCES devices (id),
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);

CREATE TABLE sessions (
	id INTEGER PRIMARY KEY,
	version BIGINT NOT NULL,
	search TEXT NOT NULL,
	user_id INTEGER NOT NULL REFERENCES users (id),
	secret_hash TEXT NOT NULL UNIQUE,
	csrf TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	client TEXT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id, expires_at);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE tokens (
	id INTEGER PRIMARY KEY,
	version BIGINT NOT NULL,
	search TEXT NOT NULL,
	title TEXT NOT NULL,
	secret_hash TEXT NOT NULL UNIQUE,
	role TEXT NOT NULL,
	user_id INTEGER REFERENCES users (id),
	created_at BIGINT NOT NULL
);
CREATE INDEX tokens_by_user ON tokens (user_id, id);

-- Where devices are. No index on the expiry: it would be rewritten by every REGISTER.
CREATE TABLE registrations (
	device_id INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
	contact TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	cseq BIGINT NOT NULL,
	q INTEGER NOT NULL,
	reg_id BIGINT NOT NULL,
	behind_nat BOOLEAN NOT NULL,
	transport TEXT NOT NULL,
	listener INTEGER NOT NULL,
	remote TEXT NOT NULL,
	instance TEXT NOT NULL,
	call_id TEXT NOT NULL,
	path TEXT NOT NULL,
	user_agent TEXT NOT NULL,
	PRIMARY KEY (device_id, contact)
);

CREATE TABLE call_records (
	id TEXT PRIMARY KEY,
	search TEXT NOT NULL,
	started_at BIGINT NOT NULL,
	answered_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL,
	caller_number TEXT NOT NULL,
	caller_name TEXT NOT NULL,
	caller_user_id BIGINT,
	caller_device_id BIGINT,
	caller_trunk_id BIGINT,
	caller_device_number TEXT NOT NULL,
	dialled TEXT NOT NULL,
	canonical TEXT NOT NULL,
	callee_user_id BIGINT,
	callee_title TEXT NOT NULL,
	outcome TEXT NOT NULL,
	err TEXT NOT NULL,
	sip_status INTEGER NOT NULL,
	ended_by TEXT NOT NULL,
	call_id TEXT NOT NULL,
	forwarded_from TEXT NOT NULL
);
CREATE INDEX call_records_by_start ON call_records (started_at, id);

CREATE TABLE call_legs (
	record_id TEXT NOT NULL REFERENCES call_records (id) ON DELETE CASCADE,
	position INTEGER NOT NULL,
	device_id BIGINT,
	device_number TEXT NOT NULL,
	device_title TEXT NOT NULL,
	device_kind TEXT NOT NULL,
	started_at BIGINT NOT NULL,
	ringing_at BIGINT NOT NULL,
	answered_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL,
	outcome TEXT NOT NULL,
	sip_status INTEGER NOT NULL,
	reason TEXT NOT NULL,
	PRIMARY KEY (record_id, position)
);
