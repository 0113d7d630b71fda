-- Double entry as transfers: a row debits one account and credits another with the same amount, so the sum over all accounts is
-- zero by construction. `operation` with `reference` happens once.
CREATE TABLE ledger_transfers (
    id BLOB PRIMARY KEY NOT NULL,
    operation TEXT NOT NULL,
    reference BLOB NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL CHECK (credit <> debit),
    amount_e4 BIGINT NOT NULL CHECK (amount_e4 > 0),
    at BIGINT NOT NULL,
    UNIQUE (operation, reference)
);
CREATE INDEX ledger_transfers_debit ON ledger_transfers (debit, at);
CREATE INDEX ledger_transfers_credit ON ledger_transfers (credit, at);
CREATE INDEX ledger_transfers_at ON ledger_transfers (at);
CREATE TRIGGER ledger_transfers_no_update BEFORE UPDATE ON ledger_transfers
BEGIN SELECT RAISE(ABORT, 'ledger_transfers is append-only'); END;
CREATE TRIGGER ledger_transfers_no_delete BEFORE DELETE ON ledger_transfers
BEGIN SELECT RAISE(ABORT, 'ledger_transfers is append-only'); END;

-- A projection of the transfers; `dormwatt verify` recomputes it.
CREATE TABLE ledger_balances (
    account TEXT PRIMARY KEY NOT NULL,
    debits_e4 BIGINT NOT NULL,
    credits_e4 BIGINT NOT NULL
);
-- The transfer itself moves both balances: one statement fewer in every transaction, and no transfer without it.
CREATE TRIGGER ledger_moves_balances AFTER INSERT ON ledger_transfers BEGIN
    INSERT INTO ledger_balances (account, debits_e4, credits_e4)
    VALUES (NEW.debit, NEW.amount_e4, 0), (NEW.credit, 0, NEW.amount_e4)
    ON CONFLICT (account)
        DO UPDATE SET debits_e4 = debits_e4 + excluded.debits_e4, credits_e4 = credits_e4 + excluded.credits_e4;
END;

-- Who did what, when, from where; each line's keyed hash covers the line before.
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    ip TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash BLOB NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, seq);
CREATE INDEX audit_at ON audit (at, seq);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

-- The last line, and what all seals make up; the server moves it on with each commit that writes either.
CREATE TABLE audit_head (
    one BIGINT PRIMARY KEY NOT NULL CHECK (one = 1),
    seq BIGINT NOT NULL,
    hash BLOB NOT NULL,
    -- How many rows have a seal, and the sum of the seals.
    sealed_rows BIGINT NOT NULL,
    seal_sum BLOB NOT NULL,
    -- Keyed hash over all of these.
    mac BLOB NOT NULL
);
INSERT INTO audit_head (one, seq, hash, sealed_rows, seal_sum, mac) VALUES (1, 0, x'', 0, x'', x'');

-- What was used from a meter wallet between two trusted observations, once a day; negative where it rose.
CREATE TABLE meter_consumption (
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
CREATE INDEX meter_consumption_account ON meter_consumption (account_id, meter_id, epoch, at);
CREATE TRIGGER meter_consumption_no_update BEFORE UPDATE ON meter_consumption
BEGIN SELECT RAISE(ABORT, 'meter_consumption is append-only'); END;
CREATE TRIGGER meter_consumption_no_delete BEFORE DELETE ON meter_consumption
BEGIN SELECT RAISE(ABORT, 'meter_consumption is append-only'); END;
