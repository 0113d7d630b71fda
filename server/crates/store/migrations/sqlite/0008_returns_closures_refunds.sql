-- A return, or the correction of a sale or return. `number` is stored in the meter like an order's.
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
    -- Until when a second person may approve; NULL where no approval is needed.
    expires_at BIGINT,
    decided_by BLOB REFERENCES users (id),
    decided_at BIGINT,
    -- Why it was rejected, or the meter's answer.
    note TEXT,
    -- The debit of the meter; the sale that corrects a return.
    command_id BLOB UNIQUE REFERENCES commands (id),
    sale_id BLOB UNIQUE REFERENCES orders (id),
    taken_at BIGINT,
    -- As read back after the debit.
    count BIGINT,
    remaining_fen BIGINT,
    settled_by BLOB REFERENCES users (id),
    settled_at BIGINT,
    -- The shift that paid the money out.
    shift_id BLOB REFERENCES shifts (id),
    -- Where the money comes from: a debit of the wallet, an account closure, or a sale that did not reach its meter.
    source TEXT NOT NULL DEFAULT 'wallet' CHECK (source IN ('wallet', 'closing', 'order')),
    closure_id BLOB REFERENCES account_closures (id),
    CHECK ((kind = 'undo_sale') = (corrects_order IS NOT NULL)),
    CHECK ((kind = 'undo_return') = (corrects_return IS NOT NULL))
);
-- A sale or return is corrected once, and attempts that came to nothing do not count; a sale through a channel may be returned in
-- parts.
CREATE UNIQUE INDEX returns_order ON returns (corrects_order)
    WHERE state NOT IN ('refused', 'rejected', 'cancelled', 'expired') AND tender IN ('cash', 'card', 'transfer');
CREATE UNIQUE INDEX returns_return ON returns (corrects_return)
    WHERE state NOT IN ('refused', 'rejected', 'cancelled', 'expired');
CREATE INDEX returns_corrects ON returns (corrects_order);
CREATE INDEX returns_asked ON returns (asked_at);
CREATE INDEX returns_state ON returns (state, asked_at);
CREATE INDEX returns_meter ON returns (meter_id, asked_at);
CREATE INDEX returns_shift ON returns (shift_id);

-- An account closure, a move or a meter replacement: meters leave an account. The row is open from the decision until the balance
-- was paid out or transferred, so an interrupted one is continued from here.
CREATE TABLE account_closures (
    id BLOB PRIMARY KEY NOT NULL,
    key BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('close', 'move', 'replace')),
    account_id BLOB NOT NULL REFERENCES accounts (id),
    -- Where the balance goes: out at the cash desk, or to an account.
    tender TEXT CHECK (tender IN ('cash', 'card', 'transfer')),
    to_account_id BLOB REFERENCES accounts (id),
    -- The meter that gets the balance: one of the other account, or the replacement.
    to_meter_id BLOB REFERENCES meters (id),
    reason TEXT NOT NULL,
    begun_by BLOB NOT NULL REFERENCES users (id),
    begun_at BIGINT NOT NULL,
    -- When the last of its meters was read.
    read_at BIGINT,
    -- When the balance was paid out or transferred; nothing more happens then.
    ended_at BIGINT,
    -- How it was paid out or transferred: a return, or an order.
    return_id BLOB UNIQUE REFERENCES returns (id),
    order_id BLOB UNIQUE REFERENCES orders (id),
    -- Who withdrew it before anything had happened; `read_at` and `ended_at` are then that instant, and nothing was settled.
    withdrawn_by BLOB REFERENCES users (id),
    CHECK ((tender IS NULL) OR (to_account_id IS NULL))
);
CREATE UNIQUE INDEX account_closures_account ON account_closures (account_id)
    WHERE read_at IS NULL OR (kind = 'replace' AND ended_at IS NULL);
CREATE INDEX account_closures_of ON account_closures (account_id, begun_at);
CREATE INDEX account_closures_open ON account_closures (ended_at, begun_at);

-- The meters that leave, with the final settlement of each. `written_off_e4` is what the site keeps (below 0.01 yuan); negative:
-- what it loses (overdrawn).
CREATE TABLE account_closure_meters (
    id BLOB PRIMARY KEY NOT NULL,
    closure_id BLOB NOT NULL REFERENCES account_closures (id),
    meter_id BLOB NOT NULL REFERENCES meters (id),
    -- The `close` command of a meter wallet.
    command_id BLOB UNIQUE REFERENCES commands (id),
    final_at BIGINT,
    final_fen BIGINT CHECK (final_fen >= 0),
    written_off_e4 BIGINT,
    final_wh BIGINT,
    -- Who entered the final balance where the meter could not be read, and why.
    counted_by BLOB REFERENCES users (id),
    reason TEXT,
    UNIQUE (closure_id, meter_id)
);
CREATE INDEX account_closure_meters_meter ON account_closure_meters (meter_id, final_at);

-- Accounts that are opened or closed together. A row of a room waits until its turn, which is a transaction of its own.
CREATE TABLE account_batches (
    id BLOB PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('open', 'close')),
    -- How balances are paid out.
    tender TEXT CHECK (tender IN ('cash', 'card', 'transfer')),
    reason TEXT NOT NULL,
    decided_by BLOB NOT NULL REFERENCES users (id),
    ip TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    CHECK ((kind = 'close') = (tender IS NOT NULL))
);
CREATE INDEX account_batches_decided ON account_batches (decided_at);
-- `id` is the key of the closure, and of the order that carries an amount of an older system.
CREATE TABLE account_batch_rooms (
    id BLOB PRIMARY KEY NOT NULL,
    batch_id BLOB NOT NULL REFERENCES account_batches (id),
    place_id BLOB NOT NULL REFERENCES places (id),
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'refused', 'cancelled')),
    -- The account that is closed, or that was opened.
    account_id BLOB REFERENCES accounts (id),
    closure_id BLOB REFERENCES account_closures (id),
    resident TEXT,
    login TEXT,
    amount_fen BIGINT NOT NULL CHECK (amount_fen >= 0),
    -- The code of the error that refused it.
    refusal TEXT,
    done_at BIGINT,
    CHECK ((resident IS NULL) = (login IS NULL))
);
CREATE INDEX account_batch_rooms_batch ON account_batch_rooms (batch_id);
CREATE INDEX account_batch_rooms_waiting ON account_batch_rooms (state, id);

-- A refund: money of a verified payment that goes back to the payer.
CREATE TABLE refunds (
    id BLOB PRIMARY KEY NOT NULL,
    number BIGINT NOT NULL UNIQUE CHECK (number > 0),
    -- The number as the channel gets it, behind a letter: stored before the channel hears of it, the same on every attempt.
    refund_no TEXT NOT NULL UNIQUE,
    key BLOB NOT NULL UNIQUE,
    -- The verified payment that is refunded in whole or in part, with its attempt and order.
    event_id BLOB NOT NULL REFERENCES payment_events (id),
    attempt_id BLOB NOT NULL REFERENCES payment_attempts (id),
    order_id BLOB NOT NULL REFERENCES orders (id),
    -- What is refunded: money in suspense, an order that was not delivered, a return that was debited from a meter.
    source TEXT NOT NULL CHECK (source IN ('suspense', 'order', 'return')),
    return_id BLOB REFERENCES returns (id),
    -- The channel of the payment; cash, card or transfer where the channel does not refund it (any more).
    tender TEXT NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    reason TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('waiting', 'sending', 'payable', 'done', 'failed', 'rejected', 'cancelled', 'expired')),
    -- NULL: decided by the configuration.
    asked_by BLOB REFERENCES users (id),
    asked_at BIGINT NOT NULL,
    -- Until when a second person may approve; NULL where no approval is needed.
    expires_at BIGINT,
    decided_by BLOB REFERENCES users (id),
    decided_at BIGINT,
    -- Why it was rejected.
    note TEXT,
    tries BIGINT NOT NULL DEFAULT 0,
    -- When the channel is queried next; NULL: never.
    -- What holds it up while its channel is asked.
    obstacle TEXT CHECK (obstacle IN ('no-funds', 'no-merchant')),
    next_at BIGINT,
    settled_by BLOB REFERENCES users (id),
    settled_at BIGINT,
    -- The shift that paid it out at the cash desk.
    shift_id BLOB REFERENCES shifts (id),
    CHECK ((source = 'return') = (return_id IS NOT NULL))
);
CREATE INDEX refunds_event ON refunds (event_id);
CREATE INDEX refunds_attempt ON refunds (attempt_id);
CREATE INDEX refunds_order ON refunds (order_id);
CREATE INDEX refunds_return ON refunds (return_id);
CREATE INDEX refunds_due ON refunds (state, next_at);
CREATE INDEX refunds_asked ON refunds (asked_at);
CREATE INDEX refunds_shift ON refunds (shift_id);

-- Receipts: numbered without gaps within a series and year. `prints` counts paper copies: the second and later ones say so.
CREATE TABLE receipt_numbers (
    series TEXT NOT NULL CHECK (series IN ('cash_desk', 'opening', 'online')),
    year BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (series, year)
);
CREATE TABLE receipts (
    series TEXT NOT NULL CHECK (series IN ('cash_desk', 'opening', 'online')),
    year BIGINT NOT NULL,
    number BIGINT NOT NULL CHECK (number > 0),
    order_id BLOB UNIQUE REFERENCES orders (id),
    return_id BLOB UNIQUE REFERENCES returns (id),
    -- NULL: a channel reported it.
    issued_by BLOB REFERENCES users (id),
    issued_at BIGINT NOT NULL,
    prints BIGINT NOT NULL DEFAULT 0,
    -- When the last one was recorded: for some minutes it is the same print.
    printed_at BIGINT,
    refund_id BLOB REFERENCES refunds (id),
    -- The account that was opened.
    account_id BLOB UNIQUE REFERENCES accounts (id),
    PRIMARY KEY (series, year, number),
    -- Exactly one of the four.
    CHECK (CAST(order_id IS NOT NULL AS INTEGER) + CAST(return_id IS NOT NULL AS INTEGER)
        + CAST(refund_id IS NOT NULL AS INTEGER) + CAST(account_id IS NOT NULL AS INTEGER) = 1),
    CHECK ((series = 'opening') = (account_id IS NOT NULL)),
    CHECK ((series = 'online') = (issued_by IS NULL))
);
CREATE UNIQUE INDEX receipts_refund ON receipts (refund_id);
