-- That an external number belongs to who has it: how that is known, who says so, and since when.
ALTER TABLE devices ADD COLUMN verified_how TEXT NOT NULL DEFAULT 'not';
ALTER TABLE devices ADD COLUMN verified_by TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN verified_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE settings ADD COLUMN require_verified_numbers BOOLEAN NOT NULL DEFAULT FALSE;

CREATE INDEX devices_by_verified_how ON devices (verified_how, id);
CREATE INDEX devices_by_verified_by ON devices (lower(verified_by), id);
CREATE INDEX devices_by_verified_at ON devices (verified_at, id);
DROP INDEX devices_by_rest;
CREATE INDEX devices_by_rest ON devices (kind, held, registered, available_for_selection, do_not_disturb, call_limit, nat,
	caller_id, too_soon_ms, too_late_ms, confirm, verified_how, verified_at, id);
