-- The device that the user selected last, offered again at the next sign-in; 0: none. No reference: it may be gone by then.
ALTER TABLE users ADD COLUMN last_device_id BIGINT NOT NULL DEFAULT 0;
