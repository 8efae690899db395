-- Call records: who transferred the call; users: whose calls they may pick up.
ALTER TABLE call_records ADD COLUMN transferred_by TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN pickup_group TEXT NOT NULL DEFAULT '';
