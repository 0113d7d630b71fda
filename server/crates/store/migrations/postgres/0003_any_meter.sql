-- Meters of any make: how a gateway frames, how often it is read, where the credit lives, and values that not every meter has.
ALTER TABLE gateways ADD COLUMN framing TEXT NOT NULL DEFAULT 'modbus-tcp'
    CHECK (framing IN ('modbus-tcp', 'modbus-tls', 'transparent'));
-- Seconds between two readings; NULL: as the next level up has it (meter, gateway, site).
ALTER TABLE gateways ADD COLUMN sweep_interval_s BIGINT CHECK (sweep_interval_s >= 0);
ALTER TABLE meters ADD COLUMN sweep_interval_s BIGINT CHECK (sweep_interval_s >= 0);
-- In the meter, on the ledger (the server trips the relay), or none: an instrument that only measures.
ALTER TABLE meters ADD COLUMN wallet TEXT NOT NULL DEFAULT 'meter' CHECK (wallet IN ('meter', 'server', 'none'));

ALTER TABLE readings ALTER COLUMN reverse_wh DROP NOT NULL;
ALTER TABLE readings ALTER COLUMN power_w DROP NOT NULL;
ALTER TABLE readings ALTER COLUMN voltage_dv DROP NOT NULL;
ALTER TABLE readings ALTER COLUMN current_ca DROP NOT NULL;
ALTER TABLE readings ALTER COLUMN power_factor DROP NOT NULL;
-- Energy counters by rate.
ALTER TABLE readings ADD COLUMN spike_wh BIGINT;
ALTER TABLE readings ADD COLUMN peak_wh BIGINT;
ALTER TABLE readings ADD COLUMN flat_wh BIGINT;
ALTER TABLE readings ADD COLUMN valley_wh BIGINT;

ALTER TABLE meter_latest ALTER COLUMN power_w DROP NOT NULL;
ALTER TABLE meter_latest ALTER COLUMN voltage_dv DROP NOT NULL;
ALTER TABLE meter_latest ALTER COLUMN current_ca DROP NOT NULL;
ALTER TABLE meter_latest ALTER COLUMN power_factor DROP NOT NULL;
