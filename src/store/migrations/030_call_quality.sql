-- How each leg was heard: what the media relay saw of it, which may be known before the call record is written. Without one it goes
-- after a day or two; with one, with it.
CREATE TABLE call_quality (
	record_id TEXT NOT NULL,
	leg INTEGER NOT NULL, -- its number within the call; 0 is the caller
	kept_for TEXT REFERENCES call_records (id) ON DELETE CASCADE, -- record_id, once that is there
	noted_at BIGINT NOT NULL,
	relay TEXT NOT NULL,
	codec TEXT NOT NULL,
	packets BIGINT NOT NULL,
	lost BIGINT NOT NULL,
	jitter_ms INTEGER NOT NULL,
	mos_hundred INTEGER NOT NULL, -- 100 to 500; 0: not known
	PRIMARY KEY (record_id, leg)
);
CREATE INDEX call_quality_by_record ON call_quality (kept_for, noted_at);
ALTER TABLE call_legs ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE call_legs ADD COLUMN anchor_reason TEXT NOT NULL DEFAULT '';
