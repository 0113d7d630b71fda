-- The register lists money at the time of its payment, and what is not paid yet at that of its request: as in queries/records.rs.
CREATE INDEX orders_at ON orders (COALESCE(paid_at, created_at));
CREATE INDEX returns_at ON returns (COALESCE(settled_at, asked_at));
CREATE INDEX refunds_at ON refunds (COALESCE(settled_at, asked_at));
