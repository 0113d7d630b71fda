-- Until when the certificate is valid that a gateway showed at its last connection inside TLS.
CREATE TABLE gateway_certificates (
    gateway_id BLOB PRIMARY KEY NOT NULL REFERENCES gateways (id),
    until_at BIGINT NOT NULL
);
