-- Whether residents see how their use stands beside that of similar rooms.
ALTER TABLE site_settings ADD COLUMN compare_rooms BOOLEAN NOT NULL DEFAULT TRUE;
-- Whether residents may pay for another room, whose resident they name.
ALTER TABLE site_settings ADD COLUMN pay_for_others BOOLEAN NOT NULL DEFAULT FALSE;

-- The balance below which a resident is reminded to top up.
CREATE TABLE top_up_reminders (
    user_id BLOB PRIMARY KEY NOT NULL REFERENCES users (id),
    below_fen BIGINT NOT NULL CHECK (below_fen > 0),
    -- Links to pay are valid while this is the newest choice.
    chosen_at BIGINT NOT NULL,
    -- The account about which they were told since its balance was last at or above that.
    told_account_id BLOB REFERENCES accounts (id)
);
CREATE INDEX top_up_reminders_account ON top_up_reminders (told_account_id);

-- When residents want their room switched off and on.
CREATE TABLE switch_schedules (
    id BLOB PRIMARY KEY NOT NULL,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    -- The days on which it goes off, a bit each; Monday is 1.
    weekdays BIGINT NOT NULL CHECK (weekdays BETWEEN 1 AND 127),
    -- Minutes after midnight; it comes on at the next such time after it went off.
    off_minute BIGINT NOT NULL CHECK (off_minute BETWEEN 0 AND 1439),
    on_minute BIGINT NOT NULL CHECK (on_minute BETWEEN 0 AND 1439),
    -- The next switching.
    next_at BIGINT NOT NULL,
    next_on BOOLEAN NOT NULL,
    -- The resident for whom it is carried out.
    created_by BLOB NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    -- What became of the last switching.
    last_at BIGINT,
    last_on BOOLEAN,
    last_outcome TEXT CHECK (last_outcome IN (
        'sent', 'already', 'missed', 'arrears', 'protection', 'operator', 'too-often', 'not-open')),
    last_command_id BLOB REFERENCES commands (id),
    CHECK (off_minute <> on_minute)
);
CREATE INDEX switch_schedules_due ON switch_schedules (next_at, id);
CREATE INDEX switch_schedules_account ON switch_schedules (account_id);
CREATE INDEX switch_schedules_command ON switch_schedules (last_command_id);

-- Query machines: shared touch screens that an operator registered.
CREATE TABLE kiosks (
    id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    -- The SHA-256 of the code in the one-time link that registers its browser, and of the token of that browser.
    link_hash BLOB,
    link_expires_at BIGINT NOT NULL,
    token_hash BLOB,
    created_by BLOB NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    registered_at BIGINT,
    retired_at BIGINT
);
CREATE UNIQUE INDEX kiosks_name ON kiosks (name) WHERE retired_at IS NULL;
CREATE UNIQUE INDEX kiosks_token ON kiosks (token_hash);
CREATE UNIQUE INDEX kiosks_link ON kiosks (link_hash);

-- Log-ins that a query machine shows as a QR code, until a resident's phone confirms them.
CREATE TABLE kiosk_log_ins (
    code_hash BLOB PRIMARY KEY NOT NULL,
    kiosk_id BLOB NOT NULL REFERENCES kiosks (id),
    expires_at BIGINT NOT NULL,
    -- The resident who confirmed it.
    user_id BLOB REFERENCES users (id)
);
CREATE INDEX kiosk_log_ins_kiosk ON kiosk_log_ins (kiosk_id);

-- Codes that residents type in at a query machine, by their SHA-256; the newest of a person counts.
CREATE TABLE kiosk_codes (
    user_id BLOB PRIMARY KEY NOT NULL REFERENCES users (id),
    code_hash BLOB NOT NULL,
    -- Codes that were tried.
    tries BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL
);

-- Of a session at a query machine, which is short and may do less.
ALTER TABLE sessions ADD COLUMN kiosk_id BLOB;
CREATE INDEX sessions_kiosk ON sessions (kiosk_id);
