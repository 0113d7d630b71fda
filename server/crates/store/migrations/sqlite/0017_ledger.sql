-- The ledger follows what meters use, and subsidies.

-- What left a meter's own wallet from one trusted observation to the next, once a day; negative where it came back.
CREATE TABLE meter_uses (
    id BLOB PRIMARY KEY NOT NULL,
    meter_id BLOB NOT NULL REFERENCES meters (id),
    account_id BLOB NOT NULL REFERENCES accounts (id),
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
    place_id BLOB NOT NULL REFERENCES places (id),
    from_month BIGINT NOT NULL,
    per TEXT NOT NULL CHECK (per IN ('room', 'head')),
    amount_fen BIGINT NOT NULL CHECK (amount_fen >= 0),
    decided_by BLOB NOT NULL REFERENCES users (id),
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (place_id, from_month)
);
-- What a room got in a month: once.
CREATE TABLE subsidies (
    place_id BLOB NOT NULL REFERENCES places (id),
    month BIGINT NOT NULL,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    heads BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    order_id BLOB UNIQUE REFERENCES orders (id),
    PRIMARY KEY (place_id, month)
);

CREATE TRIGGER meter_uses_no_update BEFORE UPDATE ON meter_uses
BEGIN
    SELECT RAISE(ABORT, 'meter_uses is append-only');
END;
CREATE TRIGGER meter_uses_no_delete BEFORE DELETE ON meter_uses
BEGIN
    SELECT RAISE(ABORT, 'meter_uses is append-only');
END;

-- One more tender. A CHECK says nothing about what is stored, so its text alone is changed, in the way that SQLite documents:
-- making the table anew would break what refers to it.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql, '''transfer'', ''alipay''', '''transfer'', ''alipay'', ''subsidy''')
WHERE type = 'table' AND name = 'orders';
PRAGMA writable_schema = RESET;
-- Also makes other connections read the schema anew.
CREATE INDEX subsidies_account ON subsidies (account_id, month);
