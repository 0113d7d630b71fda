-- Account life: meters that leave an account, and what becomes of what was left in them.

-- One operation that takes meters out of an account: it is closed, moved to another room, or one of its meters is replaced. A row
-- stands from the decision until the money is where it belongs, so whatever was interrupted is taken up from here.
CREATE TABLE closings (
    id BLOB PRIMARY KEY NOT NULL,
    key BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('close', 'move', 'replace')),
    account_id BLOB NOT NULL REFERENCES accounts (id),
    -- Where the money goes: over the counter, or into a meter of an account.
    tender TEXT CHECK (tender IN ('cash', 'card', 'transfer')),
    to_account_id BLOB REFERENCES accounts (id),
    -- The meter that it goes into: of the other account, or the new one in the place of the old.
    to_meter_id BLOB REFERENCES meters (id),
    reason TEXT NOT NULL,
    begun_by BLOB NOT NULL REFERENCES users (id),
    begun_at BIGINT NOT NULL,
    -- When the last of its meters was read.
    read_at BIGINT,
    -- When the money was paid out or carried; nothing more happens then.
    ended_at BIGINT,
    -- How it went: a return, or an order.
    return_id BLOB UNIQUE REFERENCES returns (id),
    order_id BLOB UNIQUE REFERENCES orders (id),
    CHECK ((tender IS NULL) OR (to_account_id IS NULL))
);
CREATE UNIQUE INDEX closings_account ON closings (account_id) WHERE read_at IS NULL OR (kind = 'replace' AND ended_at IS NULL);
CREATE INDEX closings_of ON closings (account_id, begun_at);
CREATE INDEX closings_open ON closings (ended_at, begun_at);

-- The meters that leave, and what was left in each. `written_off_e4` is what the site keeps of it (below 0.01 yuan), negative for what
-- it loses (overdrawn).
CREATE TABLE closing_meters (
    id BLOB PRIMARY KEY NOT NULL,
    closing_id BLOB NOT NULL REFERENCES closings (id),
    meter_id BLOB NOT NULL REFERENCES meters (id),
    -- The `close` of a meter with a wallet inside.
    command_id BLOB UNIQUE REFERENCES commands (id),
    final_at BIGINT,
    final_fen BIGINT CHECK (final_fen >= 0),
    written_off_e4 BIGINT,
    final_wh BIGINT,
    -- Who counted it where the meter could not be read, and why.
    counted_by BLOB REFERENCES users (id),
    reason TEXT,
    UNIQUE (closing_id, meter_id)
);
CREATE INDEX closing_meters_meter ON closing_meters (meter_id, final_at);

-- What a return gives back: what is taken out of a wallet for it, what a closing has taken, or a sale that did not reach its meter.
ALTER TABLE returns ADD COLUMN source TEXT NOT NULL DEFAULT 'wallet' CHECK (source IN ('wallet', 'closing', 'order'));
ALTER TABLE returns ADD COLUMN closing_id BLOB REFERENCES closings (id);

-- One more tender: what was carried from another meter. A CHECK says nothing about what is stored, so its text alone is changed, in
-- the way that SQLite documents: making the table anew would break what refers to it.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql, '''transfer'', ''alipay''', '''transfer'', ''alipay'', ''carried''')
WHERE type = 'table' AND name = 'orders';
PRAGMA writable_schema = RESET;
-- Also makes other connections read the schema anew.
CREATE INDEX account_residents_account ON account_residents (account_id, to_at);
