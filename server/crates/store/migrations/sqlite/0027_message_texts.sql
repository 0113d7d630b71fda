-- Texts of messages that the site wrote, each version; the newest of a kind and language counts.
CREATE TABLE notification_texts (
    kind TEXT NOT NULL,
    language TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    -- NULL: the product's text again.
    text TEXT,
    changed_by BLOB NOT NULL REFERENCES users (id),
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (kind, language, version)
);

-- What an operator is told, and when; without a row nothing.
CREATE TABLE operator_alerts (
    user_id BLOB PRIMARY KEY NOT NULL REFERENCES users (id),
    language TEXT NOT NULL,
    gateway_lost TEXT NOT NULL CHECK (gateway_lost IN ('at-once', 'digest', 'off')),
    delivery_stuck TEXT NOT NULL CHECK (delivery_stuck IN ('at-once', 'digest', 'off')),
    payment_mismatch TEXT NOT NULL CHECK (payment_mismatch IN ('at-once', 'digest', 'off')),
    certificate_expiring TEXT NOT NULL CHECK (certificate_expiring IN ('at-once', 'digest', 'off')),
    alarm TEXT NOT NULL CHECK (alarm IN ('at-once', 'digest', 'off')),
    digest_hour BIGINT NOT NULL CHECK (digest_hour BETWEEN 0 AND 23),
    quiet_from BIGINT NOT NULL CHECK (quiet_from BETWEEN 0 AND 23),
    quiet_until BIGINT NOT NULL CHECK (quiet_until BETWEEN 0 AND 23)
);

-- The number that residents are told to call, and who signs text messages; NULL is inherited.
CREATE TABLE place_contacts (
    place_id BLOB PRIMARY KEY NOT NULL REFERENCES places (id),
    phone TEXT,
    signature TEXT
);
-- The same for the places of a group, between those of a place and what is above it.
CREATE TABLE group_contacts (
    group_id BLOB PRIMARY KEY NOT NULL REFERENCES place_groups (id),
    phone TEXT,
    signature TEXT
);

-- Log-ins by a code on a phone that are not complete, by the SHA-256 of their browser's token.
CREATE TABLE phone_log_ins (
    token_hash BLOB PRIMARY KEY NOT NULL,
    phone TEXT NOT NULL,
    -- Whose number it is. NULL: nobody's; the code was sent to nobody then.
    user_id BLOB REFERENCES users (id),
    code_hash BLOB NOT NULL,
    -- Codes that were tried.
    tries BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL
);
CREATE INDEX phone_log_ins_expires ON phone_log_ins (expires_at);
CREATE INDEX alert_addresses_address ON alert_addresses (channel, address);
