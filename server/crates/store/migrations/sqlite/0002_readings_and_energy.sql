-- Quality: 0 good, 1 rollover, 2 fell (replaced or tampered with), 3 jumped, 4 out of order, 5 reset to zero (2 to 5 are not
-- counted and open a case), 6 an operator let the counter start again here, 7 an operator entered the energy of the gap.
-- Source: 0 sweep, 1 on demand, 2 read back after a command, 3 freeze.
CREATE TABLE readings (
    meter_id BLOB NOT NULL,
    at BIGINT NOT NULL,
    quality BIGINT NOT NULL,
    source BIGINT NOT NULL,
    status BIGINT NOT NULL,
    total_wh BIGINT NOT NULL,
    reverse_wh BIGINT,
    remaining_fen BIGINT NOT NULL,
    power_w BIGINT,
    voltage_dv BIGINT,
    current_ca BIGINT,
    power_factor BIGINT,
    -- Energy counters by rate.
    spike_wh BIGINT,
    peak_wh BIGINT,
    flat_wh BIGINT,
    valley_wh BIGINT,
    PRIMARY KEY (meter_id, at)
) WITHOUT ROWID;

-- Energy by hour (hours since the epoch) and by day (Shanghai days since the epoch), kept up as readings arrive.
CREATE TABLE energy_hourly (
    meter_id BLOB NOT NULL,
    hour BIGINT NOT NULL,
    wh BIGINT NOT NULL,
    PRIMARY KEY (meter_id, hour)
) WITHOUT ROWID;
CREATE TABLE energy_daily (
    meter_id BLOB NOT NULL,
    day BIGINT NOT NULL,
    wh BIGINT NOT NULL,
    -- 0 where the meter does not measure it.
    reverse_wh BIGINT NOT NULL DEFAULT 0,
    spike_wh BIGINT NOT NULL DEFAULT 0,
    peak_wh BIGINT NOT NULL DEFAULT 0,
    flat_wh BIGINT NOT NULL DEFAULT 0,
    valley_wh BIGINT NOT NULL DEFAULT 0,
    -- When late readings changed the day.
    revised_at BIGINT,
    PRIMARY KEY (meter_id, day)
) WITHOUT ROWID;

-- The same by place above rooms (floor, building, site), of all meters but instruments, kept up by a task: days up to that of
-- `rolled_at`, and months before its month (year * 12 + month - 1). Places are as they are now.
CREATE TABLE place_energy_daily (
    place_id BLOB NOT NULL REFERENCES places (id),
    day BIGINT NOT NULL,
    wh BIGINT NOT NULL,
    reverse_wh BIGINT NOT NULL,
    spike_wh BIGINT NOT NULL,
    peak_wh BIGINT NOT NULL,
    flat_wh BIGINT NOT NULL,
    valley_wh BIGINT NOT NULL,
    -- When late readings last changed the day of one of its meters.
    revised_at BIGINT,
    PRIMARY KEY (place_id, day)
) WITHOUT ROWID;
CREATE TABLE place_energy_monthly (
    place_id BLOB NOT NULL REFERENCES places (id),
    month BIGINT NOT NULL,
    wh BIGINT NOT NULL,
    reverse_wh BIGINT NOT NULL,
    spike_wh BIGINT NOT NULL,
    peak_wh BIGINT NOT NULL,
    flat_wh BIGINT NOT NULL,
    valley_wh BIGINT NOT NULL,
    revised_at BIGINT,
    PRIMARY KEY (place_id, month)
) WITHOUT ROWID;
-- Days before yesterday that readings changed since: one row a batch and day, named by a meter of the batch, so that gateways
-- that store at the same time never wait for each other's row.
CREATE TABLE late_energy_days (
    meter_id BLOB NOT NULL,
    day BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (meter_id, day, at)
) WITHOUT ROWID;
CREATE TABLE place_energy_state (
    one BIGINT PRIMARY KEY NOT NULL CHECK (one = 1),
    -- Up to when energy by place was computed; NULL: never.
    rolled_at BIGINT,
    -- Since when a process computes it; NULL while none does.
    rolling_since BIGINT,
    -- Raised when a meter or place gets another place: then everything is computed again.
    changes BIGINT NOT NULL DEFAULT 0,
    -- What it was when that was last done.
    rolled_changes BIGINT NOT NULL DEFAULT 0
);
INSERT INTO place_energy_state (one) VALUES (1);
CREATE TRIGGER meters_change_place AFTER UPDATE OF place_id, wallet ON meters
WHEN OLD.place_id <> NEW.place_id OR OLD.wallet <> NEW.wallet
BEGIN UPDATE place_energy_state SET changes = changes + 1; END;
CREATE TRIGGER places_change_parent AFTER UPDATE OF parent_id ON places WHEN OLD.parent_id IS NOT NEW.parent_id
BEGIN UPDATE place_energy_state SET changes = changes + 1; END;
