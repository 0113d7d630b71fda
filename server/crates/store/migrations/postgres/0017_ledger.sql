-- The ledger follows what meters use, and subsidies.

-- What left a meter's own wallet from one trusted observation to the next, once a day; negative where it came back.
CREATE TABLE meter_uses (
    id UUID PRIMARY KEY NOT NULL,
    meter_id UUID NOT NULL REFERENCES meters (id),
    account_id UUID NOT NULL REFERENCES accounts (id),
    epoch BIGINT NOT NULL,
    -- The observation before; NULL for the first of an account.
    from_at BIGINT,
    at BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL,
    UNIQUE (meter_id, at)
);
CREATE INDEX meter_uses_account ON meter_uses (account_id, meter_id, epoch, at);

-- What rooms below a place get each month from a month on (year * 12 + month - 1); the nearest place decides, 0 ends it.
CREATE TABLE subsidy_rules (
    place_id UUID NOT NULL REFERENCES places (id),
    from_month BIGINT NOT NULL,
    per TEXT NOT NULL CHECK (per IN ('room', 'head')),
    amount_fen BIGINT NOT NULL CHECK (amount_fen >= 0),
    decided_by UUID NOT NULL REFERENCES users (id),
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (place_id, from_month)
);
-- What a room got in a month: once.
CREATE TABLE subsidies (
    place_id UUID NOT NULL REFERENCES places (id),
    month BIGINT NOT NULL,
    account_id UUID NOT NULL REFERENCES accounts (id),
    heads BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    order_id UUID UNIQUE REFERENCES orders (id),
    PRIMARY KEY (place_id, month)
);

CREATE TRIGGER meter_uses_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON meter_uses
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- One more tender.
ALTER TABLE orders DROP CONSTRAINT orders_tender_check;
ALTER TABLE orders ADD CONSTRAINT orders_tender_check
    CHECK (tender IN ('cash', 'card', 'transfer', 'alipay', 'wechat', 'unionpay', 'subsidy'));
CREATE INDEX subsidies_account ON subsidies (account_id, month);
