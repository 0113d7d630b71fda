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
