-- The registry's write side: its version, the audit log, changes that wait, idempotency, API keys.

-- The audit log says what was published, by whom and why.
DROP TABLE registry_versions;

CREATE TABLE registry_state (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL,                -- of the snapshot
  killed  TEXT NOT NULL CHECK (json_valid(killed))
) STRICT;

CREATE TABLE audit_log (
  seq       INTEGER PRIMARY KEY,
  at        TEXT NOT NULL,                 -- RFC 3339
  actor     TEXT NOT NULL,
  action    TEXT NOT NULL,
  subject   TEXT NOT NULL,
  reason    TEXT NOT NULL,
  detail    TEXT NOT NULL CHECK (json_valid(detail)),
  prev_hash TEXT NOT NULL,
  hash      TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_subject ON audit_log (subject, seq);

-- Append-only and in one chain. Two writers that read the same end cannot both append: the slower one's whole batch
-- fails, so that this is the registry's optimistic lock as well.
CREATE TRIGGER audit_log_grows_at_its_end BEFORE INSERT ON audit_log
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit_log)
  OR NEW.prev_hash IS NOT coalesce((SELECT hash FROM audit_log ORDER BY seq DESC LIMIT 1), printf('%064d', 0))
BEGIN
  SELECT RAISE(ABORT, 'audit_log has moved on');
END;
CREATE TRIGGER audit_log_never_changes BEFORE UPDATE ON audit_log
BEGIN
  SELECT RAISE(ABORT, 'audit_log is append-only');
END;
CREATE TRIGGER audit_log_never_shrinks BEFORE DELETE ON audit_log
BEGIN
  SELECT RAISE(ABORT, 'audit_log is append-only');
END;

CREATE TABLE pending_changes (
  id            TEXT PRIMARY KEY,
  state         TEXT NOT NULL,
  due_at_ms     INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  change        TEXT NOT NULL CHECK (json_valid(change))
) STRICT;
CREATE INDEX pending_changes_by_due ON pending_changes (state, due_at_ms);

CREATE TABLE idempotency_keys (
  actor       TEXT NOT NULL,
  key         TEXT NOT NULL,
  fingerprint TEXT NOT NULL,               -- SHA-256 of method, path and body
  status      INTEGER NOT NULL,
  body        TEXT NOT NULL,
  at_ms       INTEGER NOT NULL,
  PRIMARY KEY (actor, key)
) STRICT;
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (at_ms);

CREATE TABLE api_keys (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL,
  hash          TEXT NOT NULL UNIQUE,      -- SHA-256 of the secret, which is stored nowhere
  scopes        TEXT NOT NULL CHECK (json_valid(scopes)),
  created_at_ms INTEGER NOT NULL,
  created_by    TEXT NOT NULL,
  revoked_at_ms INTEGER
) STRICT;
