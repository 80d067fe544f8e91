-- The registry of variants: D1 is the authority, KV carries the published snapshot.

CREATE TABLE variants (
  category             TEXT NOT NULL,
  id                   TEXT NOT NULL,
  description          TEXT NOT NULL,
  status               TEXT NOT NULL CHECK (status IN ('experimental', 'staged', 'production', 'retired')),
  rollout_basis_points INTEGER NOT NULL CHECK (rollout_basis_points BETWEEN 0 AND 10000),
  cohorts              TEXT NOT NULL CHECK (json_valid(cohorts)),
  slot                 TEXT NOT NULL DEFAULT 'low' CHECK (slot IN ('low', 'high')),
  config               TEXT NOT NULL CHECK (json_valid(config)),
  metrics              TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metrics)),
  created_at           TEXT NOT NULL,
  updated_at           TEXT NOT NULL,
  created_by           TEXT NOT NULL,
  version              INTEGER NOT NULL,   -- optimistic concurrency
  PRIMARY KEY (category, id)
) STRICT;

CREATE TABLE registry_versions (
  version         INTEGER PRIMARY KEY,
  published_at_ms INTEGER NOT NULL,
  snapshot_hash   TEXT NOT NULL,
  reason          TEXT NOT NULL,
  actor           TEXT NOT NULL
) STRICT;
