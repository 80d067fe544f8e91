-- The pipeline: which days changed, what was rolled up, what has to be rewritten, what could not be stored.

-- Who was there on a day: for return rates, and so that an erasure finds a person's sessions.
CREATE TABLE session_days (
  person_id  TEXT NOT NULL,
  day        TEXT NOT NULL,                -- ISO 8601, UTC, of the turns
  session_id TEXT NOT NULL,
  PRIMARY KEY (person_id, day, session_id)
) STRICT, WITHOUT ROWID;

-- Days whose layer is behind. A rebuild claims the mark (building = 1); what changes meanwhile marks the day again.
CREATE TABLE dirty_days (
  layer    TEXT NOT NULL CHECK (layer IN ('gold', 'returns', 'bronze', 'silver')),
  day      TEXT NOT NULL,
  building INTEGER NOT NULL CHECK (building IN (0, 1)),
  at_ms    INTEGER NOT NULL,               -- of the first change, or of the claim
  PRIMARY KEY (layer, day, building)
) STRICT, WITHOUT ROWID;

-- One row for each variant and day; category PRODUCT is a product's. Narrow, so that a dashboard reads few pages.
CREATE TABLE gold_daily (
  day                TEXT NOT NULL,
  category           TEXT NOT NULL,
  variant            TEXT NOT NULL,
  sessions           INTEGER NOT NULL,
  crisis_sessions    INTEGER NOT NULL,
  persons            INTEGER NOT NULL,
  new_persons        INTEGER NOT NULL,
  returned           INTEGER NOT NULL,
  turns              INTEGER NOT NULL,
  errors             INTEGER NOT NULL,
  tokens_in          INTEGER NOT NULL,
  tokens_out         INTEGER NOT NULL,
  cost_micros        INTEGER NOT NULL,
  priced_turns       INTEGER NOT NULL,
  ratings            INTEGER NOT NULL,
  satisfaction       REAL,                 -- mean over the sessions that rated, 0 to 1
  latency_p50_ms     REAL,
  latency_p95_ms     REAL,
  ttft_p50_ms        REAL,
  ttft_p95_ms        REAL,
  PRIMARY KEY (day, category, variant)
) STRICT, WITHOUT ROWID;

-- The sums and sketches that the figures are made of, for what spans days.
CREATE TABLE gold_sums (
  day      TEXT NOT NULL,
  category TEXT NOT NULL,
  variant  TEXT NOT NULL,
  sums     TEXT NOT NULL CHECK (json_valid(sums)),
  PRIMARY KEY (category, variant, day)
) STRICT, WITHOUT ROWID;

-- Hours whose bronze objects still hold somebody who was erased.
CREATE TABLE bronze_erasures (
  hour    INTEGER NOT NULL,                -- since 1970
  subject TEXT NOT NULL,
  at_ms   INTEGER NOT NULL,
  PRIMARY KEY (hour, subject)
) STRICT, WITHOUT ROWID;

-- Steps of jobs, each done once for its day, retried until it is.
CREATE TABLE jobs (
  job            TEXT NOT NULL,
  day            TEXT NOT NULL,
  step           TEXT NOT NULL,
  attempts       INTEGER NOT NULL,
  started_at_ms  INTEGER,
  finished_at_ms INTEGER,
  error          TEXT,
  PRIMARY KEY (job, day, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_to_do ON jobs (job, day) WHERE finished_at_ms IS NULL;

-- Messages that could not be stored. Bodies hold sealed text, if any.
CREATE TABLE dead_letters (
  id             TEXT PRIMARY KEY,         -- dlm_ and a digest of the body
  received_at_ms INTEGER NOT NULL,
  session_id     TEXT,                     -- where the body tells them, so that an erasure finds it
  person_id      TEXT,
  body           TEXT NOT NULL,
  error          TEXT NOT NULL,
  wanted_at_ms   INTEGER,                  -- an admin asked for a replay
  replayed_at_ms INTEGER
) STRICT;
CREATE INDEX dead_letters_by_time ON dead_letters (received_at_ms);
CREATE INDEX dead_letters_by_person ON dead_letters (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX dead_letters_by_session ON dead_letters (session_id) WHERE session_id IS NOT NULL;

INSERT INTO session_days(person_id, day, session_id)
SELECT DISTINCT person_id, date(accepted_at_ms / 1000, 'unixepoch'), session_id FROM turn_events;
INSERT INTO dirty_days(layer, day, building, at_ms) SELECT DISTINCT 'gold', day, 0, unixepoch() * 1000 FROM session_days;

CREATE TRIGGER turn_events_mark AFTER INSERT ON turn_events
BEGIN
  INSERT INTO session_days(person_id, day, session_id)
  VALUES (NEW.person_id, date(NEW.accepted_at_ms / 1000, 'unixepoch'), NEW.session_id) ON CONFLICT DO NOTHING;
  INSERT INTO dirty_days(layer, day, building, at_ms)
  VALUES ('gold', date(NEW.accepted_at_ms / 1000, 'unixepoch'), 0, unixepoch() * 1000) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER turn_events_mark_gone AFTER DELETE ON turn_events
BEGIN
  INSERT INTO dirty_days(layer, day, building, at_ms)
  VALUES ('gold', date(OLD.accepted_at_ms / 1000, 'unixepoch'), 0, unixepoch() * 1000) ON CONFLICT DO NOTHING;
END;

-- A rating belongs to the day of its turn.
CREATE TRIGGER feedback_mark AFTER INSERT ON feedback
BEGIN
  INSERT INTO dirty_days(layer, day, building, at_ms)
  SELECT 'gold', date(accepted_at_ms / 1000, 'unixepoch'), 0, unixepoch() * 1000 FROM turn_events WHERE event_id = NEW.event_id
  ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER feedback_mark_changed AFTER UPDATE ON feedback
BEGIN
  INSERT INTO dirty_days(layer, day, building, at_ms)
  SELECT 'gold', date(accepted_at_ms / 1000, 'unixepoch'), 0, unixepoch() * 1000 FROM turn_events WHERE event_id = NEW.event_id
  ON CONFLICT DO NOTHING;
END;

-- Whoever is there on a day has returned to the seven days before.
CREATE TRIGGER session_days_return AFTER INSERT ON session_days
BEGIN
  INSERT INTO dirty_days(layer, day, building, at_ms)
  SELECT DISTINCT 'returns', day, 0, unixepoch() * 1000 FROM session_days
  WHERE person_id = NEW.person_id AND day < NEW.day AND day >= date(NEW.day, '-7 days')
  ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER session_days_return_gone AFTER DELETE ON session_days
BEGIN
  INSERT INTO dirty_days(layer, day, building, at_ms)
  SELECT DISTINCT 'returns', day, 0, unixepoch() * 1000 FROM session_days
  WHERE person_id = OLD.person_id AND day < OLD.day AND day >= date(OLD.day, '-7 days')
  ON CONFLICT DO NOTHING;
END;
