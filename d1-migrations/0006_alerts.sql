-- What somebody should know now: budgets that run out, variants that were demoted, jobs that fail.

CREATE TABLE alerts (
  id         TEXT PRIMARY KEY,             -- names the occasion, so that it is raised once
  at_ms      INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  subject    TEXT NOT NULL,
  detail     TEXT NOT NULL CHECK (json_valid(detail))
) STRICT;
CREATE INDEX alerts_by_time ON alerts (at_ms);
