-- Whether the calls of a user follow a device that sends them elsewhere (302).
ALTER TABLE users ADD COLUMN obey_redirects BOOLEAN NOT NULL DEFAULT TRUE;
