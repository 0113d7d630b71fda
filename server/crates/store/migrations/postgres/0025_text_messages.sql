-- Parts of text messages that a modem handed to the network, which reports about each of them.
CREATE TABLE notification_parts (
    notification_id UUID NOT NULL REFERENCES notifications (id),
    part BIGINT NOT NULL CHECK (part > 0),
    parts BIGINT NOT NULL CHECK (parts > 0),
    -- A report names the number and this reference; the newest part with both is meant.
    address TEXT NOT NULL,
    reference BIGINT NOT NULL CHECK (reference BETWEEN 0 AND 255),
    sent_at BIGINT NOT NULL,
    receipt TEXT CHECK (receipt IN ('delivered', 'undelivered')),
    PRIMARY KEY (notification_id, part)
);
CREATE INDEX notification_parts_reference ON notification_parts (address, reference, sent_at);

-- What became of messages after their channel took them.
CREATE TABLE notification_receipts (
    notification_id UUID PRIMARY KEY NOT NULL REFERENCES notifications (id),
    receipt TEXT NOT NULL CHECK (receipt IN ('delivered', 'undelivered')),
    at BIGINT NOT NULL
);

-- Parts of long messages from residents, until all have come.
CREATE TABLE received_parts (
    sender TEXT NOT NULL,
    -- With its number of bits and of parts.
    reference TEXT NOT NULL,
    part BIGINT NOT NULL CHECK (part > 0),
    parts BIGINT NOT NULL CHECK (parts > 0),
    pdu TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (sender, reference, part)
);
CREATE INDEX received_parts_at ON received_parts (received_at);

-- What was asked for by text message.
CREATE TABLE text_requests (
    id UUID PRIMARY KEY NOT NULL,
    -- The SHA-256 of sender, time and text: what a modem hands over twice is answered once.
    key TEXT NOT NULL UNIQUE,
    request TEXT NOT NULL CHECK (request IN ('balance', 'stop', 'top-up', 'other')),
    outcome TEXT NOT NULL CHECK (outcome IN ('answered', 'not-understood', 'unknown-number', 'too-many', 'too-late')),
    -- NULL: an unknown number, which is not kept.
    user_id UUID REFERENCES users (id),
    received_at BIGINT NOT NULL
);
CREATE INDEX text_requests_received ON text_requests (received_at);
CREATE INDEX text_requests_person ON text_requests (user_id, received_at);
