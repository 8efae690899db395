-- When the 1 was pressed that takes a call; what language people are asked in; and how long each device took to be answered,
-- which is found through its legs, the newest first.
ALTER TABLE call_legs ADD COLUMN confirmed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE settings ADD COLUMN prompt_language TEXT NOT NULL DEFAULT 'en';
CREATE INDEX call_legs_by_device_and_start ON call_legs (device_id, started_at);
