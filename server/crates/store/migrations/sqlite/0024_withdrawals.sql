-- A closing that was taken back before anything had happened: who did. `read_at` and `ended_at` are that instant, of the closing and
-- of its meters, and nothing was left, written off or sent on.
ALTER TABLE closings ADD COLUMN withdrawn_by BLOB REFERENCES users (id);

-- What corrects a sale, whatever came of it.
CREATE INDEX returns_corrects ON returns (corrects_order);
