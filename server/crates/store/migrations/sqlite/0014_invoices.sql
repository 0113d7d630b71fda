-- Who sells, and how electricity is taxed, as invoices name it: one row, or none yet. Exports lock it.
CREATE TABLE invoice_settings (
    one BIGINT PRIMARY KEY NOT NULL CHECK (one = 1),
    seller TEXT NOT NULL,
    tax_number TEXT NOT NULL,
    bank TEXT NOT NULL,
    bank_account TEXT NOT NULL,
    item TEXT NOT NULL,
    tax_code TEXT NOT NULL,
    -- 0.01 %.
    rate BIGINT NOT NULL CHECK (rate BETWEEN 0 AND 3000),
    changed_by BLOB NOT NULL REFERENCES users (id),
    changed_at BIGINT NOT NULL
);

-- To whom the invoices of an account are made out, where it is not its resident.
CREATE TABLE invoice_buyers (
    account_id BLOB PRIMARY KEY NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    -- NULL: a person.
    tax_number TEXT,
    changed_by BLOB NOT NULL REFERENCES users (id),
    changed_at BIGINT NOT NULL
);

-- Rows that were exported together, with the settings of that time: the same file is made of it again.
CREATE TABLE invoice_batches (
    id BLOB PRIMARY KEY NOT NULL,
    number BIGINT NOT NULL UNIQUE CHECK (number > 0),
    -- Made with the form: sent twice, it is one batch.
    key BLOB NOT NULL UNIQUE,
    from_day BIGINT NOT NULL,
    until_day BIGINT NOT NULL,
    -- The names of the buildings that it is about; NULL: all of the site.
    buildings TEXT,
    seller TEXT NOT NULL,
    tax_number TEXT NOT NULL,
    bank TEXT NOT NULL,
    bank_account TEXT NOT NULL,
    item TEXT NOT NULL,
    tax_code TEXT NOT NULL,
    -- What its rows come to.
    row_count BIGINT NOT NULL CHECK (row_count > 0),
    blue_fen BIGINT NOT NULL CHECK (blue_fen >= 0),
    red_fen BIGINT NOT NULL CHECK (red_fen >= 0),
    made_by BLOB NOT NULL REFERENCES users (id),
    made_at BIGINT NOT NULL,
    cancelled_by BLOB REFERENCES users (id),
    cancelled_at BIGINT,
    CHECK ((cancelled_by IS NULL) = (cancelled_at IS NULL))
);
CREATE INDEX invoice_batches_made ON invoice_batches (made_at);

-- A row is an invoice of a receipt (blue), or the reversal of an earlier one, in whole or in part (red). Amounts are positive.
CREATE TABLE invoice_rows (
    id BLOB PRIMARY KEY NOT NULL,
    batch_id BLOB NOT NULL REFERENCES invoice_batches (id),
    line BIGINT NOT NULL CHECK (line > 0),
    kind TEXT NOT NULL CHECK (kind IN ('blue', 'red')),
    series TEXT NOT NULL,
    year BIGINT NOT NULL,
    number BIGINT NOT NULL,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    reverses_id BLOB REFERENCES invoice_rows (id),
    buyer TEXT NOT NULL,
    buyer_tax_number TEXT,
    -- Where one price applied.
    wh BIGINT,
    price_e4 BIGINT,
    rate BIGINT NOT NULL,
    net_fen BIGINT NOT NULL CHECK (net_fen >= 0),
    tax_fen BIGINT NOT NULL CHECK (tax_fen >= 0),
    -- With its batch.
    cancelled_at BIGINT,
    UNIQUE (batch_id, line),
    FOREIGN KEY (series, year, number) REFERENCES receipts (series, year, number),
    CHECK ((kind = 'red') = (reverses_id IS NOT NULL)),
    CHECK ((wh IS NULL) = (price_e4 IS NULL))
);
-- A receipt is exported once, until its batch is cancelled.
CREATE UNIQUE INDEX invoice_rows_blue ON invoice_rows (series, year, number) WHERE kind = 'blue' AND cancelled_at IS NULL;
CREATE UNIQUE INDEX invoice_rows_red ON invoice_rows (series, year, number, reverses_id)
    WHERE kind = 'red' AND cancelled_at IS NULL;
CREATE INDEX invoice_rows_receipt ON invoice_rows (series, year, number);
CREATE INDEX invoice_rows_account ON invoice_rows (account_id);
CREATE INDEX invoice_rows_reverses ON invoice_rows (reverses_id);

-- Receipts of returns that a person reverses in the tax platform, because there is no invoice of here to reverse.
CREATE TABLE invoice_manual_reversals (
    series TEXT NOT NULL,
    year BIGINT NOT NULL,
    number BIGINT NOT NULL,
    decided_by BLOB NOT NULL REFERENCES users (id),
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (series, year, number),
    FOREIGN KEY (series, year, number) REFERENCES receipts (series, year, number)
);

-- What waits is looked for by the day of its receipt.
CREATE INDEX receipts_issued ON receipts (issued_at);
