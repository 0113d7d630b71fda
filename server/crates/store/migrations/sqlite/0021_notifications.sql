-- What a resident wants to be told, and when not.
CREATE TABLE alert_preferences (
    user_id BLOB PRIMARY KEY NOT NULL REFERENCES users (id),
    language TEXT NOT NULL,
    is_off BOOLEAN NOT NULL,
    alarm1 BOOLEAN NOT NULL,
    alarm2 BOOLEAN NOT NULL,
    tonight BOOLEAN NOT NULL,
    recharge BOOLEAN NOT NULL,
    quiet_from BIGINT NOT NULL CHECK (quiet_from BETWEEN 0 AND 23),
    quiet_until BIGINT NOT NULL CHECK (quiet_until BETWEEN 0 AND 23)
);

-- Where a resident is told: addresses that were proved by a code or by a sign-in, and devices.
CREATE TABLE alert_addresses (
    user_id BLOB NOT NULL REFERENCES users (id),
    channel TEXT NOT NULL CHECK (channel IN ('mail', 'sms', 'wechat', 'push')),
    -- Of a device: its endpoint, public key and secret, with a blank between.
    address TEXT NOT NULL,
    verified_at BIGINT NOT NULL,
    -- The session that a device was added in; whoever logs out there hears nothing more there.
    session_hash BLOB REFERENCES sessions (token_hash) ON DELETE CASCADE,
    PRIMARY KEY (user_id, channel, address)
);
CREATE UNIQUE INDEX alert_addresses_single ON alert_addresses (user_id, channel) WHERE channel <> 'push';
CREATE UNIQUE INDEX alert_addresses_device ON alert_addresses (address) WHERE channel = 'push';
CREATE INDEX alert_addresses_session ON alert_addresses (session_hash);

-- Codes on their way to an address, by their SHA-256; the newest of a person and channel counts. Of WeChat: the state of a sign-in.
CREATE TABLE address_codes (
    user_id BLOB NOT NULL REFERENCES users (id),
    channel TEXT NOT NULL CHECK (channel IN ('mail', 'sms', 'wechat')),
    address TEXT NOT NULL,
    code_hash BLOB NOT NULL,
    -- Codes that were tried.
    tries BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, channel)
);

-- Messages to people, each through one channel. Sent at least once; asked for once, by the key.
CREATE TABLE notifications (
    id BLOB PRIMARY KEY NOT NULL,
    -- Kind, channel, person, subject, and the period of the cool-down.
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN (
        'alarm-1', 'alarm-2', 'arrears', 'stays-on', 'restored', 'recharge', 'empty-tonight', 'address-code',
        'log-in-code', 'gateway-lost', 'delivery-stuck', 'payment-mismatch', 'certificate-expiring', 'digest', 'alarm',
        'test', 'reply-balance', 'reply-stop', 'reply-top-up', 'top-up')),
    channel TEXT NOT NULL CHECK (channel IN ('mail', 'sms', 'wecom', 'dingtalk', 'feishu', 'webhook', 'wechat', 'push')),
    -- NULL: a group of operators or another system, which the configuration names.
    user_id BLOB REFERENCES users (id),
    -- What it is about.
    account_id BLOB REFERENCES accounts (id),
    gateway_id BLOB REFERENCES gateways (id),
    order_id BLOB REFERENCES orders (id),
    event_id BLOB REFERENCES events (id),
    case_id BLOB REFERENCES cases (id),
    address TEXT NOT NULL,
    language TEXT NOT NULL,
    -- The values of its text, as JSON.
    contents TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'dropped', 'failed')),
    reason TEXT CHECK (reason IN ('unreachable', 'busy', 'refused', 'garbage', 'redirected', 'log-in', 'no-template',
        'stale', 'over', 'withdrawn', 'bad-number', 'too-long', 'gone')),
    tries BIGINT NOT NULL DEFAULT 0,
    -- When it may be tried; whoever tries it moves this on first, so that nobody else does meanwhile.
    next_at BIGINT NOT NULL,
    tried_at BIGINT,
    asked_at BIGINT NOT NULL,
    -- From when on it is of no use.
    stale_at BIGINT NOT NULL,
    finished_at BIGINT,
    cost_e4 BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX notifications_due ON notifications (channel, next_at) WHERE state = 'waiting';
CREATE INDEX notifications_tried ON notifications (channel, tried_at);
CREATE INDEX notifications_finished ON notifications (channel, finished_at);
CREATE INDEX notifications_asked ON notifications (asked_at);
CREATE INDEX notifications_person ON notifications (user_id, kind, asked_at);
CREATE INDEX notifications_gateway ON notifications (gateway_id, kind, asked_at);
