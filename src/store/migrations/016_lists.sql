-- What lists need to stay quick with 150,000 devices. What follows from several tables is kept beside the row that a list shows, by
-- the same transactions (derived_sql.c): who holds a device, whether it is registered, and whether a user can be reached.
-- Each column that a list may be sorted by has an index that ends with the id; those for the usual orders carry what such lists are
-- most often filtered by. `..._by_rest` is for filters that have few values each: looking through it alone is much quicker than
-- looking through the rows.
ALTER TABLE devices ADD COLUMN holder TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN registered BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN reach TEXT NOT NULL DEFAULT 'nothing';

UPDATE devices SET holder = coalesce(
	(SELECT title FROM users JOIN assignments ON users.id = assignments.user_id
		WHERE assignments.device_id = devices.id ORDER BY users.id LIMIT 1),
	(SELECT title FROM users JOIN selections ON users.id = selections.user_id WHERE selections.device_id = devices.id))
	WHERE held <> 'nobody';
UPDATE devices SET registered = TRUE WHERE id IN (SELECT device_id FROM registrations);
UPDATE users SET reach = 'unreachable'
	WHERE id IN (SELECT user_id FROM assignments) OR id IN (SELECT user_id FROM selections);
UPDATE users SET reach = 'reachable' WHERE id IN (
	SELECT user_id FROM assignments JOIN devices ON devices.id = assignments.device_id
		WHERE registered OR kind IN ('external', 'teams')
	UNION ALL SELECT user_id FROM selections JOIN devices ON devices.id = selections.device_id
		WHERE (registered OR kind IN ('external', 'teams')) AND user_id NOT IN (SELECT user_id FROM assignments));

DROP INDEX devices_by_number;
DROP INDEX devices_by_title;
DROP INDEX devices_by_description;
DROP INDEX devices_by_held;
CREATE INDEX devices_by_number ON devices (lower(number), id, kind, held);
CREATE INDEX devices_by_title ON devices (lower(title), id, kind, held);
CREATE INDEX devices_by_description ON devices (lower(description), id, kind, held);
CREATE INDEX devices_by_holder ON devices (lower(holder), id, kind, held);
CREATE INDEX devices_by_held ON devices (held, id, kind);
CREATE INDEX devices_by_registered ON devices (registered, id, held, kind);
CREATE INDEX devices_by_caller_id_number ON devices (lower(caller_id_number), id);
CREATE INDEX devices_by_teams_user ON devices (lower(teams_user), id);
CREATE INDEX devices_by_do_not_disturb ON devices (do_not_disturb, id);
CREATE INDEX devices_by_nat ON devices (nat, id);
CREATE INDEX devices_by_caller_id ON devices (caller_id, id);
CREATE INDEX devices_by_too_soon_ms ON devices (too_soon_ms, id);
CREATE INDEX devices_by_too_late_ms ON devices (too_late_ms, id);
CREATE INDEX devices_by_confirm ON devices (confirm, id);
CREATE INDEX devices_by_rest ON devices (kind, held, registered, available_for_selection, do_not_disturb, call_limit, nat,
	caller_id, too_soon_ms, too_late_ms, confirm, id);

CREATE INDEX users_by_reach ON users (reach, id);
CREATE INDEX users_by_unanswered_target ON users (lower(unanswered_target), id);
CREATE INDEX users_by_caller_id ON users (lower(caller_id), id);
CREATE INDEX users_by_pickup_group ON users (lower(pickup_group), id);
CREATE INDEX users_by_strategy ON users (strategy, id);
CREATE INDEX users_by_call_limit ON users (call_limit, id);
CREATE INDEX users_by_do_not_disturb ON users (do_not_disturb, id);
CREATE INDEX users_by_decline_stops ON users (decline_stops, id);
CREATE INDEX users_by_six_hundred_stops_all ON users (six_hundred_stops_all, id);
CREATE INDEX users_by_obey_redirects ON users (obey_redirects, id);
CREATE INDEX users_by_unanswered ON users (unanswered, id);
CREATE INDEX users_by_toll_class ON users (toll_class, id);
CREATE INDEX users_by_password_change_due ON users (password_change_due, id);
CREATE INDEX users_by_rest ON users (role, reach, strategy, call_limit, do_not_disturb, decline_stops, six_hundred_stops_all,
	obey_redirects, unanswered, toll_class, password_change_due, id);

CREATE INDEX dids_by_user_or_none ON dids (coalesce(user_id, 0), id);
CREATE INDEX dids_by_trunk_or_none ON dids (coalesce(trunk_id, 0), id);
CREATE INDEX sessions_by_user_or_none ON sessions (coalesce(user_id, 0), id);
CREATE INDEX sessions_by_start ON sessions (created_at, id);
CREATE INDEX sessions_by_client ON sessions (lower(client), id);
CREATE INDEX sessions_by_single_sign_on ON sessions (single_sign_on, id);
CREATE INDEX selections_by_user_or_none ON selections (coalesce(user_id, 0), id);
CREATE INDEX selections_by_device_or_none ON selections (coalesce(device_id, 0), id);
CREATE INDEX selections_by_start ON selections (created_at, id);
CREATE INDEX selections_by_expiry ON selections (expires_at, id);
