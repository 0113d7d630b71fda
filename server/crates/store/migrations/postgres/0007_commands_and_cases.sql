-- One decision for many meters, with one command for each.
CREATE TABLE batches (
    id UUID PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    -- The operation and its values, as JSON.
    issue TEXT NOT NULL,
    -- When standby prices come into force; afterwards each meter is read to confirm it.
    effective_at BIGINT,
    decided_by UUID NOT NULL REFERENCES users (id),
    decided_at BIGINT NOT NULL
);
CREATE INDEX batches_decided ON batches (decided_at);
CREATE INDEX batches_effective ON batches (effective_at);

-- The outbox: a command is stored in the transaction of the decision, sent later, and done only when read back.
CREATE TABLE commands (
    id UUID PRIMARY KEY NOT NULL,
    meter_id UUID NOT NULL REFERENCES meters (id),
    account_id UUID REFERENCES accounts (id),
    order_id UUID UNIQUE REFERENCES orders (id),
    -- open, credit, debit, close, mode, switch, ...: the operations of the profile.
    kind TEXT NOT NULL,
    -- What it asks for, with its values, as JSON.
    args TEXT NOT NULL,
    -- The position that a relay command wants; NULL for every other kind.
    relay_closed BOOLEAN,
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
    -- Why it waits, failed, or was given up.
    reason TEXT,
    batch_id UUID REFERENCES batches (id)
);
CREATE INDEX commands_due ON commands (state, next_at);
CREATE INDEX commands_meter ON commands (meter_id, decided_at);
-- A meter has at most one money command in flight: a second would have to guess the purchase count.
CREATE UNIQUE INDEX commands_one_money ON commands (meter_id) WHERE money AND state = 'sending';
CREATE INDEX commands_batch ON commands (batch_id, meter_id);

CREATE TABLE cases (
    id UUID PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    meter_id UUID REFERENCES meters (id),
    order_id UUID REFERENCES orders (id),
    detail TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    -- By when it should be closed.
    due_at BIGINT NOT NULL,
    -- Who works on it.
    owner UUID REFERENCES users (id),
    closed_at BIGINT,
    closed_by UUID REFERENCES users (id),
    resolution TEXT,
    -- What the case is about where that is neither a meter nor an order.
    subject TEXT
);
CREATE INDEX cases_open ON cases (closed_at, opened_at);
CREATE UNIQUE INDEX cases_meter_open ON cases (kind, meter_id) WHERE closed_at IS NULL AND order_id IS NULL;
CREATE INDEX cases_order ON cases (order_id) WHERE order_id IS NOT NULL;
CREATE UNIQUE INDEX cases_order_open ON cases (kind, order_id) WHERE closed_at IS NULL;
CREATE UNIQUE INDEX cases_subject_open ON cases (kind, subject) WHERE closed_at IS NULL AND subject IS NOT NULL;

-- What people did about a case before it was closed: one of the last three columns, or an owner of nobody.
CREATE TABLE case_notes (
    id UUID PRIMARY KEY NOT NULL,
    case_id UUID NOT NULL REFERENCES cases (id),
    at BIGINT NOT NULL,
    -- NULL: the command line.
    by_user UUID REFERENCES users (id),
    kind TEXT NOT NULL CHECK (kind IN ('comment', 'owner', 'due')),
    comment TEXT,
    owner UUID REFERENCES users (id),
    due_at BIGINT,
    CHECK ((kind = 'comment') = (comment IS NOT NULL)),
    CHECK ((kind = 'due') = (due_at IS NOT NULL)),
    CHECK (kind = 'owner' OR owner IS NULL)
);
CREATE INDEX case_notes_case ON case_notes (case_id, at);

-- What one operator asks for and another approves: subsidies, prices, write-offs, corrections of the books, foreign accounts. What
-- one person may do alone is here too, and counts in the sums of the day.
CREATE TABLE approval_requests (
    id UUID PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL
        CHECK (kind IN ('subsidy', 'prices', 'price_place', 'write_off', 'close_foreign', 'adjustment')),
    -- What it is about: one request of a kind about it waits at a time.
    subject TEXT NOT NULL,
    -- What is to be done, and the state that it was asked on, as JSON.
    args TEXT NOT NULL,
    basis TEXT NOT NULL,
    -- What it gives away or writes off; of a subsidy in a month.
    amount_fen BIGINT NOT NULL CHECK (amount_fen >= 0),
    -- Whose buildings it is in; NULL: of the whole site.
    place_id UUID REFERENCES places (id),
    meter_id UUID REFERENCES meters (id),
    -- The account that is open on the meter by the books, and the key epoch that the meter showed.
    account_id UUID REFERENCES accounts (id),
    epoch BIGINT,
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('alone', 'waiting', 'approved', 'rejected', 'withdrawn', 'expired')),
    asked_by UUID NOT NULL REFERENCES users (id),
    asked_at BIGINT NOT NULL,
    -- Until when a second person may approve it; NULL where none is needed.
    expires_at BIGINT,
    decided_by UUID REFERENCES users (id),
    decided_at BIGINT,
    -- Why it was rejected or withdrawn.
    note TEXT,
    CHECK ((state = 'alone') = (expires_at IS NULL)),
    CHECK ((state IN ('approved', 'rejected', 'withdrawn')) = (decided_by IS NOT NULL)),
    -- Nobody decides what they asked for, but they may withdraw it.
    CHECK (decided_by IS NULL OR (decided_by = asked_by) = (state = 'withdrawn'))
);
CREATE UNIQUE INDEX approval_requests_waiting ON approval_requests (kind, subject) WHERE state = 'waiting';
CREATE INDEX approval_requests_asked ON approval_requests (asked_at);
CREATE INDEX approval_requests_meter ON approval_requests (meter_id, asked_at);

-- What an operator decided about an energy counter that did not continue.
CREATE TABLE counter_decisions (
    case_id UUID PRIMARY KEY NOT NULL REFERENCES cases (id),
    meter_id UUID NOT NULL REFERENCES meters (id),
    -- The reading from which the counter is valid again.
    at BIGINT NOT NULL,
    choice TEXT NOT NULL CHECK (choice IN ('accept', 'count', 'replaced')),
    energy_wh BIGINT NOT NULL,
    decided_at BIGINT NOT NULL,
    -- How the energy of the gap was split into rates: by the meter's own registers, or all at the flat rate, an estimate.
    split TEXT NOT NULL DEFAULT 'none' CHECK (split IN ('none', 'registers', 'flat')),
    -- Where the gap starts, counted or not; NULL where nothing was read before.
    from_at BIGINT
);
CREATE INDEX counter_decisions_at ON counter_decisions (decided_at);

-- A condition of a meter or gateway, or of the server if it names neither, from when until when.
CREATE TABLE events (
    id UUID PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    meter_id UUID REFERENCES meters (id),
    gateway_id UUID REFERENCES gateways (id),
    since BIGINT NOT NULL,
    until_at BIGINT,
    detail TEXT NOT NULL,
    acknowledged_at BIGINT,
    acknowledged_by UUID REFERENCES users (id),
    CHECK (meter_id IS NULL OR gateway_id IS NULL)
);
CREATE UNIQUE INDEX events_meter_open ON events (kind, meter_id) WHERE until_at IS NULL AND meter_id IS NOT NULL;
CREATE UNIQUE INDEX events_gateway_open ON events (kind, gateway_id) WHERE until_at IS NULL AND gateway_id IS NOT NULL;
CREATE UNIQUE INDEX events_site_open ON events (kind) WHERE until_at IS NULL AND meter_id IS NULL AND gateway_id IS NULL;
CREATE INDEX events_since ON events (since);
CREATE INDEX events_meter ON events (meter_id, since);
