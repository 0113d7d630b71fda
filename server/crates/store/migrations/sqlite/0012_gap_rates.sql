-- How the energy that a person counted for a gap fell into rates: by the meter's own registers, or nobody knows and it stands at the
-- flat rate, an estimate. `from_at`: since when.
ALTER TABLE counter_decisions ADD COLUMN split TEXT NOT NULL DEFAULT 'none' CHECK (split IN ('none', 'registers', 'flat'));
ALTER TABLE counter_decisions ADD COLUMN from_at BIGINT;
