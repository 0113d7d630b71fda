-- Shifts: an operator's cash drawer from opening to counting.
CREATE TABLE shifts (
    id UUID PRIMARY KEY NOT NULL,
    operator_id UUID NOT NULL REFERENCES users (id),
    opened_at BIGINT NOT NULL,
    -- Change that was in the drawer before the first sale.
    float_fen BIGINT NOT NULL CHECK (float_fen >= 0),
    closed_at BIGINT,
    closed_by UUID REFERENCES users (id),
    -- What should have been in the drawer by the ledger, what was counted, and why they differ.
    expected_fen BIGINT,
    counted_fen BIGINT CHECK (counted_fen >= 0),
    reason TEXT
);
CREATE UNIQUE INDEX shifts_open ON shifts (operator_id) WHERE closed_at IS NULL;
CREATE INDEX shifts_opened ON shifts (opened_at);
-- In which shift the money was taken, or paid out.
ALTER TABLE orders ADD COLUMN shift_id UUID REFERENCES shifts (id);
CREATE INDEX orders_shift ON orders (shift_id);
ALTER TABLE returns ADD COLUMN shift_id UUID REFERENCES shifts (id);
CREATE INDEX returns_shift ON returns (shift_id);
