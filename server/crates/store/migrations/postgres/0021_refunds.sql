-- Refunds: money of a verified payment that goes back to whoever paid it.
CREATE TABLE refunds (
    id UUID PRIMARY KEY NOT NULL,
    number BIGINT NOT NULL UNIQUE CHECK (number > 0),
    -- The same behind a letter: what the channel keeps, stored before it hears of it, the same on every try.
    refund_no TEXT NOT NULL UNIQUE,
    key UUID NOT NULL UNIQUE,
    -- The verified payment of which it is a part, with its attempt and order.
    event_id UUID NOT NULL REFERENCES payment_events (id),
    attempt_id UUID NOT NULL REFERENCES payment_attempts (id),
    order_id UUID NOT NULL REFERENCES orders (id),
    -- What is given back: money that credits nothing, an order that was not delivered, a return that was taken out of a meter.
    source TEXT NOT NULL CHECK (source IN ('suspense', 'order', 'return')),
    return_id UUID REFERENCES returns (id),
    -- The channel of the payment; a tender of the counter where the channel does not give it back (any more).
    tender TEXT NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    reason TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('waiting', 'sending', 'payable', 'done', 'failed', 'rejected', 'cancelled', 'expired')),
    -- NULL: decided by the configuration.
    asked_by UUID REFERENCES users (id),
    asked_at BIGINT NOT NULL,
    -- Until when a second person may approve; NULL where none is needed.
    expires_at BIGINT,
    decided_by UUID REFERENCES users (id),
    decided_at BIGINT,
    -- Why it was rejected.
    note TEXT,
    tries BIGINT NOT NULL DEFAULT 0,
    -- When the channel is asked next; NULL where it is not.
    next_at BIGINT,
    settled_by UUID REFERENCES users (id),
    settled_at BIGINT,
    -- In which shift it was paid over the counter.
    shift_id UUID REFERENCES shifts (id),
    CHECK ((source = 'return') = (return_id IS NOT NULL))
);
CREATE INDEX refunds_event ON refunds (event_id);
CREATE INDEX refunds_attempt ON refunds (attempt_id);
CREATE INDEX refunds_order ON refunds (order_id);
CREATE INDEX refunds_return ON refunds (return_id);
CREATE INDEX refunds_due ON refunds (state, next_at);
CREATE INDEX refunds_asked ON refunds (asked_at);
CREATE INDEX refunds_shift ON refunds (shift_id);
CREATE INDEX payment_events_attempt ON payment_events (attempt_id);

-- A sale through a channel may be taken back in parts.
DROP INDEX returns_order;
CREATE UNIQUE INDEX returns_order ON returns (corrects_order)
    WHERE state NOT IN ('refused', 'rejected', 'cancelled', 'expired') AND tender IN ('cash', 'card', 'transfer');

-- A refund over the counter has a receipt.
ALTER TABLE receipts ADD COLUMN refund_id UUID REFERENCES refunds (id);
ALTER TABLE receipts DROP CONSTRAINT receipts_check;
ALTER TABLE receipts ADD CONSTRAINT receipts_check CHECK (num_nonnulls(order_id, return_id, refund_id) = 1);
CREATE UNIQUE INDEX receipts_refund ON receipts (refund_id);
