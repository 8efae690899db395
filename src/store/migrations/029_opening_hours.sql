-- Toll protection at nights, weekends and on holidays.
ALTER TABLE settings ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
ALTER TABLE settings ADD COLUMN opening_hours TEXT NOT NULL DEFAULT '';
ALTER TABLE settings ADD COLUMN closed_days TEXT NOT NULL DEFAULT '';
ALTER TABLE settings ADD COLUMN closed_toll_class BIGINT NOT NULL DEFAULT 1;
ALTER TABLE users ADD COLUMN calls_any_time BOOLEAN NOT NULL DEFAULT FALSE;

DROP INDEX users_by_rest;
CREATE INDEX users_by_rest ON users (role, reach, strategy, call_limit, do_not_disturb, decline_stops, six_hundred_stops_all,
	obey_redirects, unanswered, toll_class, outside_legs_max, outside_legs_per_hour, international_legs_per_hour,
	password_change_due, calls_any_time, id);
CREATE INDEX users_by_calls_any_time ON users (calls_any_time, id);
