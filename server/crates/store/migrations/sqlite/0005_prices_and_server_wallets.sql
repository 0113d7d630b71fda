-- A tariff. Its versions are never changed: a new one takes over at its instant.
CREATE TABLE price_plans (
    id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);
CREATE TABLE price_versions (
    id BLOB PRIMARY KEY NOT NULL,
    plan_id BLOB NOT NULL REFERENCES price_plans (id),
    number BIGINT NOT NULL CHECK (number > 0),
    effective_at BIGINT NOT NULL,
    -- Prices of rates, tiers, day tables and date plan, as JSON.
    prices TEXT NOT NULL,
    published_by BLOB REFERENCES users (id),
    published_at BIGINT NOT NULL,
    UNIQUE (plan_id, number),
    UNIQUE (plan_id, effective_at)
);
CREATE TRIGGER price_versions_no_update BEFORE UPDATE ON price_versions
BEGIN SELECT RAISE(ABORT, 'price_versions is append-only'); END;
CREATE TRIGGER price_versions_no_delete BEFORE DELETE ON price_versions
BEGIN SELECT RAISE(ABORT, 'price_versions is append-only'); END;

-- Which tariff holds at a place from an instant on; the nearest place above a meter decides.
CREATE TABLE price_places (
    place_id BLOB NOT NULL REFERENCES places (id),
    plan_id BLOB NOT NULL REFERENCES price_plans (id),
    from_at BIGINT NOT NULL,
    decided_by BLOB REFERENCES users (id),
    PRIMARY KEY (place_id, from_at)
);

-- A server wallet. The balance is the ledger's; this is everything else that decides about the relay.
CREATE TABLE wallets (
    meter_id BLOB PRIMARY KEY NOT NULL REFERENCES meters (id),
    account_id BLOB REFERENCES accounts (id),
    mode TEXT NOT NULL DEFAULT 'prepaid' CHECK (mode IN ('prepaid', 'guaranteed', 'forced_off')),
    user_off BOOLEAN NOT NULL DEFAULT FALSE,
    alarm1_fen BIGINT NOT NULL DEFAULT 2000 CHECK (alarm1_fen >= 0),
    alarm2_fen BIGINT NOT NULL DEFAULT 500 CHECK (alarm2_fen >= 0),
    overdraft_fen BIGINT NOT NULL DEFAULT 0 CHECK (overdraft_fen >= 0),
    -- The hoarding limit; 0: the site's.
    hoarding_fen BIGINT NOT NULL DEFAULT 0 CHECK (hoarding_fen >= 0),
    -- Power above which it trips; 0: never.
    overload_w BIGINT NOT NULL DEFAULT 0 CHECK (overload_w >= 0),
    trip TEXT CHECK (trip IN ('overload', 'malignant')),
    tripped_at BIGINT,
    -- Readings in a row above the overload power.
    over_readings BIGINT NOT NULL DEFAULT 0,
    -- The opening reading; NULL until it was taken.
    started_at BIGINT,
    started_wh BIGINT,
    -- The last reading that was charged.
    counted_at BIGINT,
    counted_wh BIGINT,
    -- Consumption in the tier period (year, or year and month), and what is charged but below 0.0001 yuan.
    tier_period BIGINT NOT NULL DEFAULT 0,
    tier_wh BIGINT NOT NULL DEFAULT 0,
    carry_e7 BIGINT NOT NULL DEFAULT 0,
    -- The desired state of the relay.
    closed BOOLEAN NOT NULL DEFAULT FALSE,
    changed_at BIGINT NOT NULL,
    -- Trips on a rise in power of this much by a resistive load; 0: never.
    malignant_w BIGINT NOT NULL DEFAULT 0 CHECK (malignant_w >= 0),
    -- The kinds of its open events, as a JSON array.
    warned TEXT NOT NULL DEFAULT '[]',
    -- Since when the balance is below zero.
    negative_since BIGINT,
    -- Sum of its rows in `uncharged`.
    uncharged_wh BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX wallets_changed ON wallets (changed_at);

-- The energy between two readings and its price, once for each instant and meter, so that a repetition changes nothing. A
-- correction is a row of its own that reverses another.
CREATE TABLE charges (
    id BLOB PRIMARY KEY NOT NULL,
    meter_id BLOB NOT NULL REFERENCES meters (id),
    account_id BLOB NOT NULL REFERENCES accounts (id),
    from_at BIGINT NOT NULL,
    at BIGINT NOT NULL,
    wh BIGINT NOT NULL,
    amount_e4 BIGINT NOT NULL,
    -- Energy by price, as JSON.
    lines TEXT NOT NULL,
    reverses BLOB UNIQUE REFERENCES charges (id)
);
CREATE UNIQUE INDEX charges_reading ON charges (meter_id, at) WHERE reverses IS NULL;
CREATE INDEX charges_account ON charges (account_id, at);
CREATE TRIGGER charges_no_update BEFORE UPDATE ON charges
BEGIN SELECT RAISE(ABORT, 'charges is append-only'); END;
CREATE TRIGGER charges_no_delete BEFORE DELETE ON charges
BEGIN SELECT RAISE(ABORT, 'charges is append-only'); END;

-- Charges by day and price, kept up as they arrive.
CREATE TABLE charge_days (
    account_id BLOB NOT NULL REFERENCES accounts (id),
    meter_id BLOB NOT NULL REFERENCES meters (id),
    day BIGINT NOT NULL,
    version_id BLOB NOT NULL REFERENCES price_versions (id),
    rate BIGINT NOT NULL CHECK (rate BETWEEN 1 AND 4),
    tier BIGINT NOT NULL CHECK (tier BETWEEN 1 AND 3),
    price_e4 BIGINT NOT NULL,
    wh BIGINT NOT NULL,
    cost_e7 BIGINT NOT NULL,
    PRIMARY KEY (account_id, meter_id, day, version_id, rate, tier)
);

-- Energy between two readings while no tariff held at the meter: charged, and deleted here, once one does.
CREATE TABLE uncharged (
    meter_id BLOB NOT NULL REFERENCES meters (id),
    account_id BLOB NOT NULL REFERENCES accounts (id),
    from_at BIGINT NOT NULL,
    at BIGINT NOT NULL,
    wh BIGINT NOT NULL,
    -- The energy by rate, as JSON.
    rates TEXT NOT NULL,
    PRIMARY KEY (meter_id, at)
);
