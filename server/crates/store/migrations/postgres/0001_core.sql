-- Times are epoch ms (UTC), amounts of `*_fen` 0.01 yuan, of `*_e4` 0.0001 yuan, energy Wh. The SQLite set has the same
-- numbers, names and columns; a test compares them.

-- The place tree: site > building > unit (floor) > room. A group is any node.
CREATE TABLE places (
    id UUID PRIMARY KEY NOT NULL,
    parent_id UUID REFERENCES places (id),
    kind TEXT NOT NULL CHECK (kind IN ('site', 'building', 'unit', 'room')),
    name TEXT NOT NULL,
    sort BIGINT NOT NULL,
    UNIQUE (parent_id, name)
);
CREATE INDEX places_parent ON places (parent_id, sort);

CREATE TABLE gateways (
    id UUID PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    host TEXT NOT NULL,
    port BIGINT NOT NULL CHECK (port BETWEEN 1 AND 65535),
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);

CREATE TABLE meters (
    id UUID PRIMARY KEY NOT NULL,
    place_id UUID NOT NULL REFERENCES places (id),
    gateway_id UUID NOT NULL REFERENCES gateways (id),
    unit BIGINT NOT NULL CHECK (unit BETWEEN 1 AND 247),
    serial TEXT NOT NULL,
    profile TEXT NOT NULL,
    -- The frame number of version 2: raised before every frame, so that a nonce is never used twice.
    frame_number BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);
CREATE UNIQUE INDEX meters_address ON meters (gateway_id, unit) WHERE retired_at IS NULL;
CREATE UNIQUE INDEX meters_serial ON meters (serial) WHERE retired_at IS NULL;
CREATE INDEX meters_place ON meters (place_id);

-- The newest good reading of each meter, and since when it has been silent.
CREATE TABLE meter_latest (
    meter_id UUID PRIMARY KEY NOT NULL REFERENCES meters (id),
    observed_at BIGINT,
    lost_since BIGINT,
    status BIGINT NOT NULL,
    remaining_fen BIGINT NOT NULL,
    cumulative_fen BIGINT NOT NULL,
    count BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    total_wh BIGINT NOT NULL,
    reverse_wh BIGINT NOT NULL,
    power_w BIGINT NOT NULL,
    voltage_dv BIGINT NOT NULL,
    current_ca BIGINT NOT NULL,
    power_factor BIGINT NOT NULL,
    clock_offset_s BIGINT
);

-- Quality: 0 good, 1 rollover, 2 fell (reset, replaced or tampered), 3 jumped, 4 disordered; 2 to 4 are held and have a case.
-- Source: 0 sweep, 1 on demand, 2 read back after a command, 3 freeze.
CREATE TABLE readings (
    meter_id UUID NOT NULL,
    at BIGINT NOT NULL,
    quality BIGINT NOT NULL,
    source BIGINT NOT NULL,
    status BIGINT NOT NULL,
    total_wh BIGINT NOT NULL,
    reverse_wh BIGINT NOT NULL,
    remaining_fen BIGINT NOT NULL,
    power_w BIGINT NOT NULL,
    voltage_dv BIGINT NOT NULL,
    current_ca BIGINT NOT NULL,
    power_factor BIGINT NOT NULL,
    PRIMARY KEY (meter_id, at)
);

-- Energy by hour (hours since the epoch) and by day (Shanghai days since the epoch), kept up as readings arrive.
CREATE TABLE energy_hourly (
    meter_id UUID NOT NULL,
    hour BIGINT NOT NULL,
    wh BIGINT NOT NULL,
    PRIMARY KEY (meter_id, hour)
);
CREATE TABLE energy_daily (
    meter_id UUID NOT NULL,
    day BIGINT NOT NULL,
    wh BIGINT NOT NULL,
    PRIMARY KEY (meter_id, day)
);

CREATE TABLE users (
    id UUID PRIMARY KEY NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('resident', 'operator', 'admin')),
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    failed_logins BIGINT NOT NULL DEFAULT 0,
    locked_until BIGINT,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

-- Which buildings an operator may see and touch; none named means all.
CREATE TABLE operator_buildings (
    user_id UUID NOT NULL REFERENCES users (id),
    place_id UUID NOT NULL REFERENCES places (id),
    PRIMARY KEY (user_id, place_id)
);

CREATE TABLE sessions (
    token_hash BYTEA PRIMARY KEY NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ip TEXT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE accounts (
    id UUID PRIMARY KEY NOT NULL,
    number TEXT NOT NULL UNIQUE CHECK (length(number) = 16),
    place_id UUID NOT NULL REFERENCES places (id),
    state TEXT NOT NULL CHECK (state IN ('opening', 'open', 'closing', 'closed')),
    opened_at BIGINT NOT NULL,
    closed_at BIGINT
);
CREATE UNIQUE INDEX accounts_place ON accounts (place_id) WHERE closed_at IS NULL;

-- An account's id as the ledger's codes spell it.
CREATE VIEW account_keys AS SELECT id, number, REPLACE(CAST(id AS TEXT), '-', '') AS key FROM accounts;

-- The meters of an account. `count` and `cumulative_fen` are what the ledger knows the meter to have applied in `epoch`.
CREATE TABLE account_meters (
    account_id UUID NOT NULL REFERENCES accounts (id),
    meter_id UUID NOT NULL REFERENCES meters (id),
    epoch BIGINT NOT NULL,
    count BIGINT NOT NULL,
    cumulative_fen BIGINT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT,
    PRIMARY KEY (account_id, meter_id, from_at)
);
CREATE UNIQUE INDEX account_meters_meter ON account_meters (meter_id) WHERE to_at IS NULL;

CREATE TABLE account_residents (
    account_id UUID NOT NULL REFERENCES accounts (id),
    user_id UUID NOT NULL REFERENCES users (id),
    from_at BIGINT NOT NULL,
    to_at BIGINT,
    PRIMARY KEY (account_id, user_id, from_at)
);
CREATE UNIQUE INDEX account_residents_user ON account_residents (user_id) WHERE to_at IS NULL;

-- A sale. `number` is what the meter keeps (UINT64, below 2^63); `key` makes a doubled form harmless.
CREATE TABLE orders (
    id UUID PRIMARY KEY NOT NULL,
    number BIGINT NOT NULL UNIQUE CHECK (number > 0),
    key UUID NOT NULL UNIQUE,
    account_id UUID NOT NULL REFERENCES accounts (id),
    meter_id UUID NOT NULL REFERENCES meters (id),
    tender TEXT NOT NULL CHECK (tender IN ('cash', 'card', 'transfer', 'alipay')),
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    state TEXT NOT NULL CHECK (state IN ('pending', 'paid', 'credited', 'closed', 'refunding', 'refunded', 'case')),
    created_by UUID NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    paid_at BIGINT,
    credited_at BIGINT,
    -- As read back after the credit.
    count BIGINT,
    remaining_fen BIGINT
);
CREATE INDEX orders_account ON orders (account_id, created_at);
CREATE INDEX orders_created ON orders (created_at);
CREATE INDEX orders_state ON orders (state, created_at);

-- One try to pay an order through one channel, stored before the channel hears of it.
CREATE TABLE payment_attempts (
    id UUID PRIMARY KEY NOT NULL,
    order_id UUID NOT NULL REFERENCES orders (id),
    channel TEXT NOT NULL,
    out_trade_no TEXT NOT NULL UNIQUE,
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    app_id TEXT NOT NULL,
    seller_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'closing', 'paid', 'closed', 'held')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    queries BIGINT NOT NULL DEFAULT 0,
    next_query_at BIGINT NOT NULL,
    queried_at BIGINT,
    trade_no TEXT,
    paid_at BIGINT
);
CREATE INDEX payment_attempts_order ON payment_attempts (order_id);
CREATE INDEX payment_attempts_due ON payment_attempts (state, next_query_at);

-- Verified events only. The unique key is what makes a repeated notification harmless.
CREATE TABLE payment_events (
    id UUID PRIMARY KEY NOT NULL,
    channel TEXT NOT NULL,
    trade_no TEXT NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('notify', 'query')),
    attempt_id UUID REFERENCES payment_attempts (id),
    amount_fen BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    outcome TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    UNIQUE (channel, trade_no, kind)
);

-- The outbox: a command is stored in the transaction of the decision, sent later, and done only when read back.
CREATE TABLE commands (
    id UUID PRIMARY KEY NOT NULL,
    meter_id UUID NOT NULL REFERENCES meters (id),
    account_id UUID REFERENCES accounts (id),
    order_id UUID UNIQUE REFERENCES orders (id),
    -- open, credit, debit, close, mode, switch, ...: the operations of the profile.
    kind TEXT NOT NULL,
    -- The operation's fields as JSON; empty object where there are none.
    args TEXT NOT NULL,
    money BOOLEAN NOT NULL,
    priority BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'done', 'failed', 'case', 'superseded')),
    -- Set in the transaction that turns a money command to `sending`, before its first byte leaves.
    epoch BIGINT,
    count BIGINT,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    decided_by UUID REFERENCES users (id),
    decided_at BIGINT NOT NULL,
    sent_at BIGINT,
    finished_at BIGINT,
    result BIGINT,
    note TEXT
);
CREATE INDEX commands_due ON commands (state, next_at);
CREATE INDEX commands_meter ON commands (meter_id, decided_at);
-- One money command a meter may be under way: a second would guess at the purchase count.
CREATE UNIQUE INDEX commands_one_money ON commands (meter_id) WHERE money AND state = 'sending';

CREATE TABLE cases (
    id UUID PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    meter_id UUID REFERENCES meters (id),
    order_id UUID REFERENCES orders (id),
    detail TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    closed_by UUID REFERENCES users (id),
    resolution TEXT
);
CREATE INDEX cases_open ON cases (closed_at, opened_at);
CREATE UNIQUE INDEX cases_meter_open ON cases (kind, meter_id) WHERE closed_at IS NULL AND order_id IS NULL;
CREATE UNIQUE INDEX cases_order_open ON cases (kind, order_id) WHERE closed_at IS NULL;

-- Double entry in the form of transfers: every row takes from one account what it gives to another, so the whole sums to zero
-- by its form. `operation` with `reference` happens once.
CREATE TABLE ledger_transfers (
    id UUID PRIMARY KEY NOT NULL,
    operation TEXT NOT NULL,
    reference UUID NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL CHECK (credit <> debit),
    amount_e4 BIGINT NOT NULL CHECK (amount_e4 > 0),
    at BIGINT NOT NULL,
    UNIQUE (operation, reference)
);
CREATE INDEX ledger_transfers_debit ON ledger_transfers (debit, at);
CREATE INDEX ledger_transfers_credit ON ledger_transfers (credit, at);
-- A projection of the transfers, kept in the same transaction; `dormwatt verify` recomputes it.
CREATE TABLE ledger_balances (
    account TEXT PRIMARY KEY NOT NULL,
    debits_e4 BIGINT NOT NULL,
    credits_e4 BIGINT NOT NULL
);

-- Who did what, when, from where; each line's hash covers the one before.
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    ip TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash BYTEA NOT NULL
);
CREATE TABLE audit_head (
    one BIGINT PRIMARY KEY NOT NULL CHECK (one = 1),
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL
);
INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, '');
