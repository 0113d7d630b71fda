-- Returns and corrections at the counter, the receipts of counter business, and who may approve for a second pair of eyes.

-- Beside administrators, who always may.
ALTER TABLE users ADD COLUMN may_approve BOOLEAN NOT NULL DEFAULT FALSE;

-- Money that goes back out of a wallet, or a return that is taken back. `number` is what the meter keeps, as of an order.
CREATE TABLE returns (
    id BLOB PRIMARY KEY NOT NULL,
    number BIGINT NOT NULL UNIQUE CHECK (number > 0),
    key BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('return', 'undo_sale', 'undo_return')),
    account_id BLOB NOT NULL REFERENCES accounts (id),
    meter_id BLOB NOT NULL REFERENCES meters (id),
    corrects_order BLOB REFERENCES orders (id),
    corrects_return BLOB REFERENCES returns (id),
    tender TEXT NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    reason TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('waiting', 'taking', 'taken', 'case', 'done', 'refused', 'rejected', 'cancelled', 'expired')),
    asked_by BLOB NOT NULL REFERENCES users (id),
    asked_at BIGINT NOT NULL,
    -- Until when a second person may approve; NULL where none is needed.
    expires_at BIGINT,
    decided_by BLOB REFERENCES users (id),
    decided_at BIGINT,
    -- Why it was rejected, or what the meter said.
    note TEXT,
    -- The debit that takes it out of a meter; the sale that brings a wrong return back.
    command_id BLOB UNIQUE REFERENCES commands (id),
    sale_id BLOB UNIQUE REFERENCES orders (id),
    taken_at BIGINT,
    -- As read back after the debit.
    count BIGINT,
    remaining_fen BIGINT,
    settled_by BLOB REFERENCES users (id),
    settled_at BIGINT,
    CHECK ((kind = 'undo_sale') = (corrects_order IS NOT NULL)),
    CHECK ((kind = 'undo_return') = (corrects_return IS NOT NULL))
);
-- Corrected once; what came to nothing does not count.
CREATE UNIQUE INDEX returns_order ON returns (corrects_order) WHERE state NOT IN ('refused', 'rejected', 'cancelled', 'expired');
CREATE UNIQUE INDEX returns_return ON returns (corrects_return) WHERE state NOT IN ('refused', 'rejected', 'cancelled', 'expired');
CREATE INDEX returns_asked ON returns (asked_at);
CREATE INDEX returns_state ON returns (state, asked_at);
CREATE INDEX returns_meter ON returns (meter_id, asked_at);

-- Receipts of counter business: numbers without a gap by site and year. `prints` counts paper: the second is a copy.
CREATE TABLE receipt_numbers (
    year BIGINT PRIMARY KEY NOT NULL,
    last BIGINT NOT NULL
);
CREATE TABLE receipts (
    year BIGINT NOT NULL,
    number BIGINT NOT NULL CHECK (number > 0),
    order_id BLOB UNIQUE REFERENCES orders (id),
    return_id BLOB UNIQUE REFERENCES returns (id),
    issued_by BLOB NOT NULL REFERENCES users (id),
    issued_at BIGINT NOT NULL,
    prints BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (year, number),
    CHECK ((order_id IS NULL) <> (return_id IS NULL))
);
