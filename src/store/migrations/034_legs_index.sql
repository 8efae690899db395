-- One index finds a device's calls and its answer times: each call is written once less.
DROP INDEX call_legs_by_device;
DROP INDEX call_legs_by_device_and_start;
CREATE INDEX call_legs_by_device ON call_legs (device_id, started_at, record_id);
