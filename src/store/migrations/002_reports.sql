-- Call records: when each device was to ring by the plan, beside when it did; and indexes for reports about one user or device.
ALTER TABLE call_legs ADD COLUMN planned_start_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE call_legs ADD COLUMN planned_stop_ms BIGINT NOT NULL DEFAULT 0;
CREATE INDEX call_records_by_caller ON call_records (caller_user_id, started_at, id);
CREATE INDEX call_records_by_callee ON call_records (callee_user_id, started_at, id);
CREATE INDEX call_records_by_outcome ON call_records (outcome, started_at, id);
CREATE INDEX call_records_by_device ON call_records (caller_device_id, started_at, id);
CREATE INDEX call_legs_by_device ON call_legs (device_id, record_id);
