-- Whether a session began at the provider of single sign-on: its user needs no password here, so none has to be changed.
ALTER TABLE sessions ADD COLUMN single_sign_on BOOLEAN NOT NULL DEFAULT FALSE;
