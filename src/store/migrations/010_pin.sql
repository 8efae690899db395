-- What a user dials to select a phone; a hash, empty: no PIN.
ALTER TABLE users ADD COLUMN pin_hash TEXT NOT NULL DEFAULT '';
