-- Alerts that reach somebody, promotions that take days, and steps that are given up.

-- Named once they are queued for delivery: what nobody queued yet, the alerts of before included, goes out with the next one.
ALTER TABLE alerts ADD COLUMN message_id TEXT;
CREATE UNIQUE INDEX alerts_by_message ON alerts (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX alerts_unqueued ON alerts (at_ms) WHERE message_id IS NULL;

CREATE TABLE alert_deliveries (
  message_id      TEXT NOT NULL,           -- alr_ and a digest of the alert's id: the receiver's key against doubles
  channel         TEXT NOT NULL CHECK (channel IN ('slack', 'webhook')),
  state           TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
  attempts        INTEGER NOT NULL,        -- since it was last asked for
  next_at_ms      INTEGER NOT NULL,
  delivered_at_ms INTEGER,
  error           TEXT,
  PRIMARY KEY (message_id, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_deliveries_due ON alert_deliveries (next_at_ms) WHERE state = 'pending';

-- Which turn was confirmed as a missed crisis, for which variant: once. The digest names nobody.
CREATE TABLE crisis_misses (
  turn     TEXT NOT NULL,                  -- SHA-256 of the event's id
  category TEXT NOT NULL,
  variant  TEXT NOT NULL,
  at_ms    INTEGER NOT NULL,
  PRIMARY KEY (turn, category, variant)
) STRICT, WITHOUT ROWID;

-- The list of runs; each one's own object has the truth, and writes it down here.
CREATE TABLE workflows (
  id            TEXT PRIMARY KEY,
  kind          TEXT NOT NULL,
  subject       TEXT NOT NULL,             -- CATEGORY/id
  state         TEXT NOT NULL,
  seq           INTEGER NOT NULL,          -- of the run: an older state never replaces a newer one
  created_at_ms INTEGER NOT NULL,
  ended_at_ms   INTEGER,
  run           TEXT NOT NULL CHECK (json_valid(run))
) STRICT;
CREATE INDEX workflows_by_time ON workflows (created_at_ms);
CREATE UNIQUE INDEX workflows_open ON workflows (kind, subject) WHERE ended_at_ms IS NULL;

-- A step that failed too often is given up until somebody replays its dead letter.
ALTER TABLE jobs ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN dead_at_ms INTEGER;
