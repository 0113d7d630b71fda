-- Server wallets: what they warn of, loads that are forbidden, and consumption that no price plan could price yet.

-- A step up of so much power that takes its current in phase trips, W; 0: never.
ALTER TABLE wallets ADD COLUMN malignant_w BIGINT NOT NULL DEFAULT 0 CHECK (malignant_w >= 0);
-- The kinds of events that it has open, separated by spaces.
ALTER TABLE wallets ADD COLUMN warned TEXT NOT NULL DEFAULT '';
-- Since when its balance is below zero.
ALTER TABLE wallets ADD COLUMN negative_since BIGINT;
-- Energy that waits in `uncharged`.
ALTER TABLE wallets ADD COLUMN uncharged_wh BIGINT NOT NULL DEFAULT 0;

-- What passed between two readings while no price plan held at the meter: charged, and gone from here, when one does.
CREATE TABLE uncharged (
    meter_id UUID NOT NULL REFERENCES meters (id),
    account_id UUID NOT NULL REFERENCES accounts (id),
    from_at BIGINT NOT NULL,
    at BIGINT NOT NULL,
    wh BIGINT NOT NULL,
    -- Of it by rate, as JSON.
    rates TEXT NOT NULL,
    PRIMARY KEY (meter_id, at)
);
