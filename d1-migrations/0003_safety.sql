-- Safety events, and how often help was shown. The counters hold no person and outlive an erasure.

CREATE TABLE safety_events (
  event_id   TEXT PRIMARY KEY,             -- the turn's
  session_id TEXT NOT NULL,
  person_id  TEXT NOT NULL,
  at_ms      INTEGER NOT NULL,
  level      INTEGER NOT NULL CHECK (level BETWEEN 2 AND 4),
  region     TEXT,
  rules      TEXT NOT NULL CHECK (json_valid(rules)),
  rules_version TEXT NOT NULL
) STRICT;
CREATE INDEX safety_events_by_session ON safety_events (session_id);
CREATE INDEX safety_events_by_time ON safety_events (at_ms);

CREATE TABLE safety_referrals (
  day    TEXT NOT NULL,                    -- ISO 8601, UTC
  region TEXT NOT NULL,                    -- ISO 3166-1 alpha-2, '??' where unknown
  level  INTEGER NOT NULL CHECK (level BETWEEN 1 AND 4),
  turns  INTEGER NOT NULL,
  PRIMARY KEY (day, region, level)
) STRICT;

-- A trigger counts with the insert itself: a turn that the queue delivers twice is counted once.
CREATE TRIGGER turn_events_refer AFTER INSERT ON turn_events
WHEN NEW.crisis_level >= 1
BEGIN
  INSERT INTO safety_referrals(day, region, level, turns)
  VALUES (date(NEW.accepted_at_ms / 1000, 'unixepoch'), coalesce(json_extract(NEW.event, '$.country'), '??'), NEW.crisis_level, 1)
  ON CONFLICT DO UPDATE SET turns = turns + 1;
END;
CREATE TRIGGER turn_events_safety AFTER INSERT ON turn_events
WHEN NEW.crisis_level >= 2
BEGIN
  INSERT INTO safety_events(event_id, session_id, person_id, at_ms, level, region, rules, rules_version)
  VALUES (NEW.event_id, NEW.session_id, NEW.person_id, NEW.accepted_at_ms, NEW.crisis_level, json_extract(NEW.event, '$.country'),
    json_extract(NEW.event, '$.safety_rules'), json_extract(NEW.event, '$.rules_version'));
END;
