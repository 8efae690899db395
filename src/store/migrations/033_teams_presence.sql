-- The presence of Teams users by Microsoft Graph.
ALTER TABLE settings ADD COLUMN graph_presence BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE settings ADD COLUMN graph_tenant TEXT NOT NULL DEFAULT '';
ALTER TABLE settings ADD COLUMN graph_client_id TEXT NOT NULL DEFAULT '';
ALTER TABLE settings ADD COLUMN graph_client_secret TEXT NOT NULL DEFAULT '';
ALTER TABLE settings ADD COLUMN graph_poll_s BIGINT NOT NULL DEFAULT 30;
ALTER TABLE settings ADD COLUMN graph_login_url TEXT NOT NULL DEFAULT 'https://login.microsoftonline.com';
ALTER TABLE settings ADD COLUMN graph_url TEXT NOT NULL DEFAULT 'https://graph.microsoft.com';
