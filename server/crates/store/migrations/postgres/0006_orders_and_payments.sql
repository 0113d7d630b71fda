-- An operator's cash drawer from opening to closing.
CREATE TABLE shifts (
    id UUID PRIMARY KEY NOT NULL,
    operator_id UUID NOT NULL REFERENCES users (id),
    opened_at BIGINT NOT NULL,
    -- Change in the drawer before the first sale.
    float_fen BIGINT NOT NULL CHECK (float_fen >= 0),
    closed_at BIGINT,
    closed_by UUID REFERENCES users (id),
    -- What the ledger expected in the drawer, what was counted, and why they differ.
    expected_fen BIGINT,
    counted_fen BIGINT CHECK (counted_fen >= 0),
    reason TEXT
);
CREATE UNIQUE INDEX shifts_open ON shifts (operator_id) WHERE closed_at IS NULL;
CREATE INDEX shifts_opened ON shifts (opened_at);

-- A sale. `number` is stored in the meter (UINT64, below 2^63); `key` makes a form that is sent twice harmless.
CREATE TABLE orders (
    id UUID PRIMARY KEY NOT NULL,
    number BIGINT NOT NULL UNIQUE CHECK (number > 0),
    key UUID NOT NULL UNIQUE,
    account_id UUID NOT NULL REFERENCES accounts (id),
    meter_id UUID NOT NULL REFERENCES meters (id),
    -- `carried`: the balance of another meter, after a move or a meter replacement. `taken_over`: the balance in an older system.
    tender TEXT NOT NULL
        CHECK (tender IN ('cash', 'card', 'transfer', 'alipay', 'wechat', 'unionpay', 'subsidy', 'carried',
                          'taken_over')),
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    state TEXT NOT NULL CHECK (state IN ('pending', 'paid', 'credited', 'closed', 'refunding', 'refunded', 'case')),
    created_by UUID NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    paid_at BIGINT,
    credited_at BIGINT,
    -- As read back after the credit.
    count BIGINT,
    remaining_fen BIGINT,
    -- The shift that took the money.
    shift_id UUID REFERENCES shifts (id)
);
CREATE INDEX orders_account ON orders (account_id, created_at);
CREATE INDEX orders_created ON orders (created_at);
CREATE INDEX orders_state ON orders (state, created_at);
CREATE INDEX orders_shift ON orders (shift_id);
-- What residents paid themselves.
CREATE INDEX orders_payer ON orders (created_by, created_at) WHERE tender IN ('alipay', 'wechat', 'unionpay');
CREATE INDEX orders_pending ON orders (created_at) WHERE state = 'pending';

-- One attempt to pay an order through one channel, stored before the channel hears of it.
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
    paid_at BIGINT,
    -- By which way the payer reaches the cashier, and a digest of the payer's id where the way is of one payer.
    way TEXT NOT NULL DEFAULT 'form' CHECK (way IN ('form', 'h5', 'native', 'jsapi')),
    payer TEXT,
    -- When the channel said that it refunds nothing of it any more.
    finished_at BIGINT
);
CREATE INDEX payment_attempts_order ON payment_attempts (order_id);
CREATE INDEX payment_attempts_due ON payment_attempts (state, next_query_at);
CREATE INDEX payment_attempts_created ON payment_attempts (channel, created_at);

-- Verified events only. The unique constraint makes a repeated notification harmless.
CREATE TABLE payment_events (
    id UUID PRIMARY KEY NOT NULL,
    channel TEXT NOT NULL,
    trade_no TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('paid', 'paid-held', 'closed', 'refunded', 'refund-held', 'refund-failed', 'refund-total')),
    -- The refund's number; empty for an event that names no refund.
    refund_no TEXT NOT NULL,
    -- The total of all refunds of the trade for `refund-total`, otherwise 0.
    refund_total_fen BIGINT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('notify', 'query', 'statement')),
    attempt_id UUID REFERENCES payment_attempts (id),
    amount_fen BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    outcome TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    CONSTRAINT payment_events_once UNIQUE (channel, trade_no, kind, refund_no, refund_total_fen)
);
CREATE INDEX payment_events_attempt ON payment_events (attempt_id);
CREATE TRIGGER payment_events_append_only BEFORE UPDATE OR DELETE ON payment_events
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER payment_events_no_truncate BEFORE TRUNCATE ON payment_events
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- The payer's id at a channel that requires it (WeChat's openid), obtained by OAuth with a state that is valid once, and deleted
-- with the session.
CREATE TABLE payers (
    session_hash BYTEA PRIMARY KEY NOT NULL REFERENCES sessions (token_hash) ON DELETE CASCADE,
    app_id TEXT NOT NULL,
    -- The order to be paid afterwards.
    order_id UUID NOT NULL REFERENCES orders (id),
    -- SHA-256 of the state; NULL once it came back.
    state_hash BYTEA,
    asked_at BIGINT NOT NULL,
    payer_id TEXT
);

-- The monthly subsidy of the rooms below a place from a month on (year * 12 + month - 1); the nearest place decides, 0 ends it.
CREATE TABLE subsidy_rules (
    place_id UUID NOT NULL REFERENCES places (id),
    from_month BIGINT NOT NULL,
    per TEXT NOT NULL CHECK (per IN ('room', 'head')),
    amount_fen BIGINT NOT NULL CHECK (amount_fen >= 0),
    decided_by UUID NOT NULL REFERENCES users (id),
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (place_id, from_month)
);
-- The subsidy of a room in a month, paid once.
CREATE TABLE subsidies (
    place_id UUID NOT NULL REFERENCES places (id),
    month BIGINT NOT NULL,
    account_id UUID NOT NULL REFERENCES accounts (id),
    heads BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    order_id UUID UNIQUE REFERENCES orders (id),
    PRIMARY KEY (place_id, month)
);
CREATE INDEX subsidies_account ON subsidies (account_id, month);
