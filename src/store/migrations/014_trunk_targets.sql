-- Where a trunk's calls are sent beside its host, and how often each of these is asked whether it is there.
ALTER TABLE trunks ADD COLUMN targets TEXT NOT NULL DEFAULT '';
ALTER TABLE trunks ADD COLUMN options_interval_s BIGINT NOT NULL DEFAULT 30;
