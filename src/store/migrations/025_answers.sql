-- Answers by idempotency key, a day long (answer_sql.c). status 0: what the request did is done, its answer not known.
CREATE TABLE request_answers (
	key TEXT PRIMARY KEY,
	request TEXT NOT NULL,
	at BIGINT NOT NULL,
	status INTEGER NOT NULL,
	type TEXT NOT NULL,
	etag TEXT NOT NULL,
	location TEXT NOT NULL,
	body TEXT NOT NULL
);
CREATE INDEX request_answers_by_time ON request_answers (at, key);
