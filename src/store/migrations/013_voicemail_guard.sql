-- The voicemail guard of devices that leave theirs open (-1), which a new device does. Those there are keep what they have.
ALTER TABLE settings ADD COLUMN too_soon_ms BIGINT NOT NULL DEFAULT 1500;
ALTER TABLE settings ADD COLUMN too_late_ms BIGINT NOT NULL DEFAULT 19000;
