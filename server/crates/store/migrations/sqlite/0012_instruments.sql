-- Instruments: energy meters without prepayment, which have a counter for each of their circuits.
CREATE TABLE instruments (
    id BLOB PRIMARY KEY NOT NULL,
    -- A place of any kind: what it measures.
    place_id BLOB NOT NULL REFERENCES places (id),
    gateway_id BLOB NOT NULL REFERENCES gateways (id),
    unit BIGINT NOT NULL CHECK (unit BETWEEN 1 AND 247),
    -- Its own or the site's number; for DL/T 645 the address that it answers to.
    number TEXT NOT NULL,
    name TEXT NOT NULL,
    profile TEXT NOT NULL,
    -- The register of the first counter, and the energy of one count in 0.001 Wh; NULL: as the profile says.
    start_register BIGINT CHECK (start_register BETWEEN 0 AND 65535),
    step_mwh BIGINT CHECK (step_mwh > 0),
    -- Of its voltage transformer.
    pt_ratio BIGINT NOT NULL CHECK (pt_ratio BETWEEN 1 AND 10000),
    interval_s BIGINT NOT NULL CHECK (interval_s BETWEEN 1 AND 86400),
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);
CREATE UNIQUE INDEX instruments_address ON instruments (gateway_id, unit) WHERE retired_at IS NULL;
CREATE UNIQUE INDEX instruments_number ON instruments (number) WHERE retired_at IS NULL;
CREATE INDEX instruments_place ON instruments (place_id);

-- A circuit is below the circuit that feeds it. One that feeds a place has the prepaid meters of that place below it.
CREATE TABLE circuits (
    id BLOB PRIMARY KEY NOT NULL,
    instrument_id BLOB NOT NULL REFERENCES instruments (id),
    -- Which counter of the instrument, from 1.
    position BIGINT NOT NULL CHECK (position BETWEEN 1 AND 64),
    name TEXT NOT NULL,
    -- Of its current transformer.
    ct_ratio BIGINT NOT NULL CHECK (ct_ratio BETWEEN 1 AND 10000),
    parent_id BLOB REFERENCES circuits (id),
    feeds_place_id BLOB REFERENCES places (id),
    CHECK (parent_id <> id),
    UNIQUE (instrument_id, position)
);
CREATE INDEX circuits_parent ON circuits (parent_id);
CREATE INDEX circuits_feeds ON circuits (feeds_place_id);

-- When an instrument was last read, and since when and why it cannot be read.
CREATE TABLE instrument_state (
    instrument_id BLOB PRIMARY KEY NOT NULL REFERENCES instruments (id),
    read_at BIGINT,
    lost_since BIGINT,
    trouble TEXT CHECK (trouble IN ('silent', 'refused', 'unreadable', 'gateway', 'unusable')),
    CHECK ((lost_since IS NULL) = (trouble IS NULL))
);

-- The counters as read, before the transformers. `energy_wh` is what passed since the last reading that counts, with the ratios
-- of that time; 0 where the quality does not count. Quality as of `readings`.
CREATE TABLE circuit_readings (
    circuit_id BLOB NOT NULL,
    at BIGINT NOT NULL,
    quality BIGINT NOT NULL,
    counter_wh BIGINT NOT NULL,
    reverse_wh BIGINT,
    ratio BIGINT NOT NULL,
    energy_wh BIGINT NOT NULL,
    PRIMARY KEY (circuit_id, at)
) WITHOUT ROWID;
