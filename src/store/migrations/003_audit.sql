-- Who changed what from which value to which. `changes` holds a line per field, see audit_sql.c; `group_id` is the first entry
-- of those that one request made; `undoes` the entry that this one takes back.
INSERT INTO last_ids (kind, id) VALUES ('audit', 0);
CREATE TABLE audit (
	id INTEGER PRIMARY KEY,
	at BIGINT NOT NULL,
	group_id BIGINT NOT NULL,
	actor_id BIGINT,
	actor TEXT NOT NULL,
	via TEXT NOT NULL,
	token TEXT NOT NULL,
	address TEXT NOT NULL,
	action TEXT NOT NULL,
	entity TEXT NOT NULL,
	entity_id BIGINT,
	label TEXT NOT NULL,
	version BIGINT NOT NULL,
	undoes BIGINT,
	changes TEXT NOT NULL,
	search TEXT NOT NULL
);
CREATE INDEX audit_by_entity ON audit (entity, entity_id, id);
CREATE INDEX audit_by_actor ON audit (actor_id, id);
CREATE INDEX audit_by_action ON audit (action, id);
CREATE INDEX audit_by_time ON audit (at, id);
CREATE INDEX audit_by_group ON audit (group_id, id);
CREATE INDEX audit_by_undoes ON audit (undoes);
