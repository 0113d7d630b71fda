-- Whom to trust at a gateway that speaks Modbus inside TLS.

-- The name in its certificate; NULL: its host.
ALTER TABLE gateways ADD COLUMN tls_name TEXT;
-- SHA-256 of exactly its certificate, 64 hex digits: for one that no known authority signed; NULL: an authority must have.
ALTER TABLE gateways ADD COLUMN tls_pin TEXT;
