-- The telephone network's own word for an ending (ITU-T Q.850), of a call and of each leg; 0: nobody gave one.
ALTER TABLE call_records ADD COLUMN q850 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE call_legs ADD COLUMN q850 INTEGER NOT NULL DEFAULT 0;
