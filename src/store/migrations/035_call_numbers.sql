-- Each call record has a number, in the order in which calls end: legs and indexes have it in place of the text, so that there are
-- fewer pages to write for each call. A leg lies in its primary key alone (PostgreSQL needs nothing in place of WITHOUT ROWID).
DROP INDEX call_records_by_start;
DROP INDEX call_records_by_caller;
DROP INDEX call_records_by_callee;
DROP INDEX call_records_by_outcome;
DROP INDEX call_records_by_device;
DROP INDEX call_legs_by_device;
DROP INDEX call_quality_by_record;
ALTER TABLE call_quality RENAME TO former_call_quality;
ALTER TABLE call_legs RENAME TO former_call_legs;
ALTER TABLE call_records RENAME TO former_call_records;

CREATE TABLE call_records (
	number INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	search TEXT NOT NULL,
	started_at BIGINT NOT NULL,
	answered_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL,
	caller_number TEXT NOT NULL,
	caller_name TEXT NOT NULL,
	caller_user_id BIGINT,
	caller_device_id BIGINT,
	caller_trunk_id BIGINT,
	caller_device_number TEXT NOT NULL,
	dialled TEXT NOT NULL,
	canonical TEXT NOT NULL,
	callee_user_id BIGINT,
	callee_title TEXT NOT NULL,
	outcome TEXT NOT NULL,
	err TEXT NOT NULL,
	sip_status INTEGER NOT NULL,
	ended_by TEXT NOT NULL,
	call_id TEXT NOT NULL,
	forwarded_from TEXT NOT NULL,
	transferred_by TEXT NOT NULL,
	q850 INTEGER NOT NULL
);
INSERT INTO call_records (id, search, started_at, answered_at, ended_at, caller_number, caller_name, caller_user_id,
	caller_device_id, caller_trunk_id, caller_device_number, dialled, canonical, callee_user_id, callee_title, outcome, err,
	sip_status, ended_by, call_id, forwarded_from, transferred_by, q850)
	SELECT id, search, started_at, answered_at, ended_at, caller_number, caller_name, caller_user_id,
	caller_device_id, caller_trunk_id, caller_device_number, dialled, canonical, callee_user_id, callee_title, outcome, err,
	sip_status, ended_by, call_id, forwarded_from, transferred_by, q850 FROM former_call_records ORDER BY started_at, id;
-- Each index ends with the number by itself, which makes the order complete. Answered calls are found by their time: most are.
CREATE INDEX call_records_by_start ON call_records (started_at);
CREATE INDEX call_records_by_caller ON call_records (caller_user_id, started_at) WHERE caller_user_id IS NOT NULL;
CREATE INDEX call_records_by_callee ON call_records (callee_user_id, started_at) WHERE callee_user_id IS NOT NULL;
CREATE INDEX call_records_by_device ON call_records (caller_device_id, started_at) WHERE caller_device_id IS NOT NULL;
CREATE INDEX call_records_by_outcome ON call_records (outcome, started_at) WHERE outcome <> 'answered';

CREATE TABLE call_legs (
	record INTEGER NOT NULL REFERENCES call_records (number) ON DELETE CASCADE,
	position INTEGER NOT NULL,
	number INTEGER NOT NULL,
	device_id BIGINT,
	device_number TEXT NOT NULL,
	device_title TEXT NOT NULL,
	device_kind TEXT NOT NULL,
	planned_start_ms BIGINT NOT NULL,
	planned_stop_ms BIGINT NOT NULL,
	started_at BIGINT NOT NULL,
	ringing_at BIGINT NOT NULL,
	answered_at BIGINT NOT NULL,
	confirmed_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL,
	outcome TEXT NOT NULL,
	sip_status INTEGER NOT NULL,
	q850 INTEGER NOT NULL,
	reason TEXT NOT NULL,
	anchor_reason TEXT NOT NULL,
	PRIMARY KEY (record, position)
) WITHOUT ROWID;
INSERT INTO call_legs (record, position, number, device_id, device_number, device_title, device_kind, planned_start_ms,
	planned_stop_ms, started_at, ringing_at, answered_at, confirmed_at, ended_at, outcome, sip_status, q850, reason, anchor_reason)
	SELECT call_records.number, leg.position, leg.number, leg.device_id, leg.device_number, leg.device_title, leg.device_kind,
	leg.planned_start_ms, leg.planned_stop_ms, leg.started_at, leg.ringing_at, leg.answered_at, leg.confirmed_at, leg.ended_at,
	leg.outcome, leg.sip_status, leg.q850, leg.reason, leg.anchor_reason
	FROM call_records JOIN former_call_legs AS leg ON leg.record_id = call_records.id ORDER BY call_records.number, leg.position;
CREATE INDEX call_legs_by_device ON call_legs (device_id, started_at) WHERE device_id IS NOT NULL;

-- Without a record it goes after a day or two; with one, with it.
CREATE TABLE call_quality (
	record_id TEXT NOT NULL,
	leg INTEGER NOT NULL, -- its number within the call; 0 is the caller
	kept_for INTEGER REFERENCES call_records (number) ON DELETE CASCADE, -- once that is there
	noted_at BIGINT NOT NULL,
	relay TEXT NOT NULL,
	codec TEXT NOT NULL,
	packets BIGINT NOT NULL,
	lost BIGINT NOT NULL,
	jitter_ms INTEGER NOT NULL,
	mos_hundred INTEGER NOT NULL, -- 100 to 500; 0: not known
	PRIMARY KEY (record_id, leg)
);
INSERT INTO call_quality (record_id, leg, kept_for, noted_at, relay, codec, packets, lost, jitter_ms, mos_hundred)
	SELECT record_id, leg, (SELECT number FROM call_records WHERE id = kept_for), noted_at, relay, codec, packets, lost, jitter_ms,
	mos_hundred FROM former_call_quality;
CREATE INDEX call_quality_by_record ON call_quality (kept_for, noted_at);

DROP TABLE former_call_quality;
DROP TABLE former_call_legs;
DROP TABLE former_call_records;
