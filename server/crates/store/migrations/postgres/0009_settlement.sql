-- A channel's statement as it came: once by channel, day and digest.
CREATE TABLE statements (
    id UUID PRIMARY KEY NOT NULL,
    channel TEXT NOT NULL,
    -- The channel's day, counted from 1970-01-01, and what it covers: from (included) to (excluded).
    day BIGINT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL CHECK (to_at > from_at),
    -- SHA-256 of the file; empty where the channel reports a day without payments.
    digest BYTEA NOT NULL,
    imported_at BIGINT NOT NULL,
    UNIQUE (channel, day, digest)
);
CREATE TRIGGER statements_append_only BEFORE UPDATE OR DELETE ON statements
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER statements_no_truncate BEFORE TRUNCATE ON statements
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE statement_lines (
    statement_id UUID NOT NULL REFERENCES statements (id),
    line BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('paid', 'refunded')),
    out_trade_no TEXT NOT NULL,
    trade_no TEXT NOT NULL,
    refund_no TEXT,
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    -- The channel's fee; negative where it returns one.
    fee_e4 BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (statement_id, line)
);
CREATE INDEX statement_lines_trade ON statement_lines (trade_no, kind);
CREATE TRIGGER statement_lines_append_only BEFORE UPDATE OR DELETE ON statement_lines
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER statement_lines_no_truncate BEFORE TRUNCATE ON statement_lines
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- What other systems took and gave back under the same merchant number; in no total of ours.
CREATE TABLE foreign_statement_lines (
    statement_id UUID NOT NULL REFERENCES statements (id),
    line BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('paid', 'refunded')),
    out_trade_no TEXT NOT NULL,
    trade_no TEXT NOT NULL,
    refund_no TEXT,
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    at BIGINT NOT NULL,
    PRIMARY KEY (statement_id, line)
);
CREATE TRIGGER foreign_statement_lines_append_only BEFORE UPDATE OR DELETE ON foreign_statement_lines
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER foreign_statement_lines_no_truncate BEFORE TRUNCATE ON foreign_statement_lines
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- Which statement is the valid one of a day from an instant on, and what it adds to the fees; the ledger's posting refers to it.
CREATE TABLE settlement_statements (
    id UUID PRIMARY KEY NOT NULL,
    channel TEXT NOT NULL,
    day BIGINT NOT NULL,
    statement_id UUID NOT NULL REFERENCES statements (id),
    fee_e4 BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX settlement_statements_day ON settlement_statements (channel, day);
CREATE TRIGGER settlement_statements_append_only BEFORE UPDATE OR DELETE ON settlement_statements
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER settlement_statements_no_truncate BEFORE TRUNCATE ON settlement_statements
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- The progress of a channel's settlement day.
CREATE TABLE settlement_days (
    channel TEXT NOT NULL,
    day BIGINT NOT NULL,
    statement_id UUID REFERENCES statements (id),
    tried_at BIGINT NOT NULL,
    -- Why the last attempt brought no statement; NULL where it did.
    problem TEXT,
    -- The row and column of the file that could not be read.
    problem_row BIGINT,
    problem_column TEXT,
    -- When the channel first reported a day without payments.
    empty_since BIGINT,
    -- When statement, ledger and meters were last compared, with the result.
    compared_at BIGINT,
    statement_fen BIGINT NOT NULL DEFAULT 0,
    ledger_fen BIGINT NOT NULL DEFAULT 0,
    equal_lines BIGINT NOT NULL DEFAULT 0,
    purchases BIGINT NOT NULL DEFAULT 0,
    delivered BIGINT NOT NULL DEFAULT 0,
    in_journal BIGINT NOT NULL DEFAULT 0,
    closed_at BIGINT,
    closed_by UUID REFERENCES users (id),
    reason TEXT,
    -- Open where a closed day changed.
    case_id UUID REFERENCES cases (id),
    PRIMARY KEY (channel, day)
);

-- Each difference that reconciliation found; `gone_at` is set once it no longer exists.
CREATE TABLE settlement_differences (
    id UUID PRIMARY KEY NOT NULL,
    channel TEXT NOT NULL,
    day BIGINT NOT NULL,
    class TEXT NOT NULL CHECK (class IN ('channel-only', 'ledger-only', 'amount', 'state', 'edge', 'meter')),
    kind TEXT NOT NULL CHECK (kind IN ('paid', 'refunded')),
    out_trade_no TEXT NOT NULL,
    trade_no TEXT NOT NULL,
    refund_no TEXT NOT NULL,
    statement_fen BIGINT,
    ledger_fen BIGINT,
    -- By how much it raises the statement's total above the ledger's.
    gap_fen BIGINT NOT NULL,
    reason TEXT NOT NULL,
    order_id UUID REFERENCES orders (id),
    -- NULL where an operator has nothing to decide.
    case_id UUID REFERENCES cases (id),
    found_at BIGINT NOT NULL,
    gone_at BIGINT
);
CREATE INDEX settlement_differences_day ON settlement_differences (channel, day, gone_at);

-- What the bank received of a channel's day, as an operator reads it from the bank's statement.
CREATE TABLE settlement_receipts (
    id UUID PRIMARY KEY NOT NULL,
    key UUID NOT NULL UNIQUE,
    channel TEXT NOT NULL,
    day BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    noted_by UUID NOT NULL REFERENCES users (id),
    noted_at BIGINT NOT NULL,
    FOREIGN KEY (channel, day) REFERENCES settlement_days (channel, day)
);
CREATE INDEX settlement_receipts_day ON settlement_receipts (channel, day);
CREATE TRIGGER settlement_receipts_append_only BEFORE UPDATE OR DELETE ON settlement_receipts
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER settlement_receipts_no_truncate BEFORE TRUNCATE ON settlement_receipts
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
