-- The truth of readings: what a day is made of, what a person decided about a counter, what happened, what the meter wrote down.

-- Of the day's energy: backwards, and by rate; nothing where the meter does not say. `revised_at`: when late data changed the day.
ALTER TABLE energy_daily ADD COLUMN reverse_wh BIGINT NOT NULL DEFAULT 0;
ALTER TABLE energy_daily ADD COLUMN spike_wh BIGINT NOT NULL DEFAULT 0;
ALTER TABLE energy_daily ADD COLUMN peak_wh BIGINT NOT NULL DEFAULT 0;
ALTER TABLE energy_daily ADD COLUMN flat_wh BIGINT NOT NULL DEFAULT 0;
ALTER TABLE energy_daily ADD COLUMN valley_wh BIGINT NOT NULL DEFAULT 0;
ALTER TABLE energy_daily ADD COLUMN revised_at BIGINT;

-- Rate in force, use of the tier period, cover and bypass events, newest journal record.
ALTER TABLE meter_latest ADD COLUMN rate BIGINT;
ALTER TABLE meter_latest ADD COLUMN tier_wh BIGINT;
ALTER TABLE meter_latest ADD COLUMN tamper BIGINT;
ALTER TABLE meter_latest ADD COLUMN journal BIGINT;

-- readings.quality has more words: 5 reset to nothing (held), 6 a person let the counter begin anew here, 7 a person counted the gap.
-- This is what they decided.
CREATE TABLE counter_decisions (
    case_id BLOB PRIMARY KEY NOT NULL REFERENCES cases (id),
    meter_id BLOB NOT NULL REFERENCES meters (id),
    -- The reading from which on the counter counts again.
    at BIGINT NOT NULL,
    choice TEXT NOT NULL CHECK (choice IN ('accept', 'count', 'replaced')),
    energy_wh BIGINT NOT NULL,
    decided_at BIGINT NOT NULL
);
CREATE INDEX counter_decisions_at ON counter_decisions (decided_at);

-- What is or was the matter with a meter or gateway, since when and until when.
CREATE TABLE events (
    id BLOB PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    meter_id BLOB REFERENCES meters (id),
    gateway_id BLOB REFERENCES gateways (id),
    since BIGINT NOT NULL,
    until_at BIGINT,
    detail TEXT NOT NULL,
    acknowledged_at BIGINT,
    acknowledged_by BLOB REFERENCES users (id),
    CHECK ((meter_id IS NULL) <> (gateway_id IS NULL))
);
CREATE UNIQUE INDEX events_meter_open ON events (kind, meter_id) WHERE until_at IS NULL AND meter_id IS NOT NULL;
CREATE UNIQUE INDEX events_gateway_open ON events (kind, gateway_id) WHERE until_at IS NULL AND gateway_id IS NOT NULL;
CREATE INDEX events_since ON events (since);
CREATE INDEX events_meter ON events (meter_id, since);

-- The newest record of its journal that was read; NULL where none was, or where the model does not number them.
ALTER TABLE meters ADD COLUMN journal_read BIGINT;
-- The meter's own journal, each record once. `sequence` is 0 where the model does not number them, `at` 0 where its clock was lost.
CREATE TABLE meter_journal (
    meter_id BLOB NOT NULL REFERENCES meters (id),
    at BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    kind TEXT NOT NULL,
    cause BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL,
    count BIGINT,
    remaining_fen BIGINT,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (meter_id, at, sequence, kind)
);
