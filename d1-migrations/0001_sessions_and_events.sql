-- Sessions and turn events, as the queue reports them. Text is sealed under its person's key.

CREATE TABLE sessions (
  session_id    TEXT PRIMARY KEY,
  person_id     TEXT NOT NULL,
  product       TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_person ON sessions (person_id);

-- What was erased, and when: late events of an erased session or person are dropped at the door.
CREATE TABLE erasures (
  subject      TEXT PRIMARY KEY,           -- a session's or a person's id
  erased_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE turn_events (
  event_id       TEXT PRIMARY KEY,         -- session:seq
  session_id     TEXT NOT NULL,
  person_id      TEXT NOT NULL,
  turn_id        TEXT NOT NULL,
  seq            INTEGER NOT NULL,
  product        TEXT NOT NULL,
  status         TEXT NOT NULL,
  accepted_at_ms INTEGER NOT NULL,
  ttft_ms        INTEGER,
  total_ms       INTEGER NOT NULL,
  provider       TEXT NOT NULL,
  model          TEXT NOT NULL,
  crisis_level   INTEGER NOT NULL CHECK (crisis_level BETWEEN 0 AND 4),
  cost_micros    INTEGER,
  event          TEXT NOT NULL CHECK (json_valid(event)),
  sealed_input   TEXT NOT NULL,
  sealed_output  TEXT NOT NULL
) STRICT;
CREATE INDEX turn_events_by_time ON turn_events (accepted_at_ms);
CREATE INDEX turn_events_by_session ON turn_events (session_id);

-- Append-only: an event never changes, and goes only when its session or person was erased.
CREATE TRIGGER turn_events_never_change BEFORE UPDATE ON turn_events
BEGIN
  SELECT RAISE(ABORT, 'turn_events is append-only');
END;
CREATE TRIGGER turn_events_go_only_by_erasure BEFORE DELETE ON turn_events
WHEN NOT EXISTS (SELECT 1 FROM erasures WHERE subject IN (OLD.session_id, OLD.person_id))
BEGIN
  SELECT RAISE(ABORT, 'turn_events is append-only');
END;

CREATE TABLE feedback (
  event_id           TEXT PRIMARY KEY,
  session_id         TEXT NOT NULL,
  person_id          TEXT NOT NULL,
  satisfaction_milli INTEGER NOT NULL CHECK (satisfaction_milli BETWEEN 0 AND 1000),
  at_ms              INTEGER NOT NULL
) STRICT;
CREATE INDEX feedback_by_session ON feedback (session_id);
