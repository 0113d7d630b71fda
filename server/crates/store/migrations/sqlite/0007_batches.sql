-- One decision for many meters, with one command a meter; and what each meter's parameters were when last read.
CREATE TABLE batches (
    id BLOB PRIMARY KEY NOT NULL,
    -- As in commands.
    kind TEXT NOT NULL,
    args TEXT NOT NULL,
    -- When standby prices come into force; later each meter is asked whether they did.
    effective_at BIGINT,
    decided_by BLOB NOT NULL REFERENCES users (id),
    decided_at BIGINT NOT NULL
);
CREATE INDEX batches_decided ON batches (decided_at);
CREATE INDEX batches_effective ON batches (effective_at);
ALTER TABLE commands ADD COLUMN batch_id BLOB REFERENCES batches (id);
CREATE INDEX commands_batch ON commands (batch_id, meter_id);

CREATE TABLE meter_parameters (
    meter_id BLOB PRIMARY KEY NOT NULL REFERENCES meters (id),
    -- The meter's own count of accepted parameter commands.
    version BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    -- Limits, prices, tiers, tables, as JSON.
    parameters TEXT NOT NULL
);
