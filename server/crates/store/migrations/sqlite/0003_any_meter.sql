-- Meters of any make: how a gateway frames, how often it is read, where the credit lives, and values that not every meter has.
ALTER TABLE gateways ADD COLUMN framing TEXT NOT NULL DEFAULT 'modbus-tcp'
    CHECK (framing IN ('modbus-tcp', 'modbus-tls', 'transparent'));
-- Seconds between two readings; NULL: as the next level up has it (meter, gateway, site).
ALTER TABLE gateways ADD COLUMN sweep_interval_s BIGINT CHECK (sweep_interval_s >= 0);
ALTER TABLE meters ADD COLUMN sweep_interval_s BIGINT CHECK (sweep_interval_s >= 0);
-- In the meter, on the ledger (the server trips the relay), or none: an instrument that only measures.
ALTER TABLE meters ADD COLUMN wallet TEXT NOT NULL DEFAULT 'meter' CHECK (wallet IN ('meter', 'server', 'none'));

-- SQLite cannot drop a NOT NULL: the tables are laid anew.
CREATE TABLE readings_new (
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
INSERT INTO readings_new (meter_id, at, quality, source, status, total_wh, reverse_wh, remaining_fen, power_w, voltage_dv, current_ca,
                          power_factor)
SELECT meter_id, at, quality, source, status, total_wh, reverse_wh, remaining_fen, power_w, voltage_dv, current_ca, power_factor
FROM readings;
DROP TABLE readings;
ALTER TABLE readings_new RENAME TO readings;

CREATE TABLE meter_latest_new (
    meter_id BLOB PRIMARY KEY NOT NULL REFERENCES meters (id),
    observed_at BIGINT,
    lost_since BIGINT,
    status BIGINT NOT NULL,
    remaining_fen BIGINT NOT NULL,
    cumulative_fen BIGINT NOT NULL,
    count BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    total_wh BIGINT NOT NULL,
    reverse_wh BIGINT NOT NULL,
    power_w BIGINT,
    voltage_dv BIGINT,
    current_ca BIGINT,
    power_factor BIGINT,
    clock_offset_s BIGINT
);
INSERT INTO meter_latest_new SELECT meter_id, observed_at, lost_since, status, remaining_fen, cumulative_fen, count, epoch, total_wh,
    reverse_wh, power_w, voltage_dv, current_ca, power_factor, clock_offset_s FROM meter_latest;
DROP TABLE meter_latest;
ALTER TABLE meter_latest_new RENAME TO meter_latest;
