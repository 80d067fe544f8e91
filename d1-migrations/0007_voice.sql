-- What hearing and speaking a turn took; one row for each spoken turn, joined to turn_events by event_id.

CREATE TABLE voice_turns (
  event_id       TEXT PRIMARY KEY,         -- session:seq
  session_id     TEXT NOT NULL,
  person_id      TEXT NOT NULL,
  channel        TEXT NOT NULL,            -- http, live
  first_audio_ms INTEGER,                  -- from the end of speech to the first audio
  cost_micros    INTEGER NOT NULL,
  figures        TEXT NOT NULL CHECK (json_valid(figures)),
  at_ms          INTEGER NOT NULL
) STRICT;
CREATE INDEX voice_turns_by_time ON voice_turns (at_ms);
CREATE INDEX voice_turns_by_session ON voice_turns (session_id);
CREATE INDEX voice_turns_by_person ON voice_turns (person_id);
