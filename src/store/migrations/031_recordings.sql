-- What was recorded for prompts: pieces ("en-digit-5"), and the names of users ("user-12"). `wav` is a whole file: 16-bit PCM, 8 kHz.
CREATE TABLE recordings (
	name TEXT PRIMARY KEY,
	user_id BIGINT REFERENCES users (id) ON DELETE CASCADE,
	at BIGINT NOT NULL,
	ms BIGINT NOT NULL,
	wav BLOB NOT NULL
);
CREATE INDEX recordings_by_user ON recordings (user_id);
