-- How many calls to the outside there may be: each user's own limits (0: as the settings say), each trunk's, and the site's.
ALTER TABLE users ADD COLUMN outside_legs_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN outside_legs_per_hour BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN international_legs_per_hour BIGINT NOT NULL DEFAULT 0;
ALTER TABLE trunks ADD COLUMN outside_legs_per_hour BIGINT NOT NULL DEFAULT 0;
ALTER TABLE settings ADD COLUMN user_outside_legs_max BIGINT NOT NULL DEFAULT 10;
ALTER TABLE settings ADD COLUMN user_outside_legs_per_hour BIGINT NOT NULL DEFAULT 200;
ALTER TABLE settings ADD COLUMN user_international_legs_per_hour BIGINT NOT NULL DEFAULT 20;
ALTER TABLE settings ADD COLUMN outside_legs_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE settings ADD COLUMN outside_legs_per_hour BIGINT NOT NULL DEFAULT 0;

CREATE INDEX users_by_outside_legs_max ON users (outside_legs_max, id);
CREATE INDEX users_by_outside_legs_per_hour ON users (outside_legs_per_hour, id);
CREATE INDEX users_by_international_legs_per_hour ON users (international_legs_per_hour, id);
DROP INDEX users_by_rest;
CREATE INDEX users_by_rest ON users (role, reach, strategy, call_limit, do_not_disturb, decline_stops, six_hundred_stops_all,
	obey_redirects, unanswered, toll_class, outside_legs_max, outside_legs_per_hour, international_legs_per_hour,
	password_change_due, id);
