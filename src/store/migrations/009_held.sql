-- Who holds a device is known from assignments and selections; looking there for each of 150,000 devices takes a list too long, so
-- the answer is kept beside the device as well, by the same transactions (entity_sql.c).
ALTER TABLE devices ADD COLUMN held TEXT NOT NULL DEFAULT 'nobody';
UPDATE devices SET held = CASE WHEN id IN (SELECT device_id FROM assignments) THEN 'assigned'
	WHEN id IN (SELECT device_id FROM selections) THEN 'selected' ELSE 'nobody' END;
CREATE INDEX devices_by_held ON devices (held, kind, id);
CREATE INDEX devices_by_description ON devices (lower(description), id);
CREATE INDEX devices_by_kind_and_description ON devices (kind, lower(description), id);
CREATE INDEX devices_by_call_limit ON devices (call_limit, id);
