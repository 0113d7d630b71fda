-- Times are epoch ms (UTC); `*_fen` is 0.01 yuan, `*_e4` 0.0001 yuan, `*_e7` 0.0000001 yuan. SQLite and PostgreSQL have the same
-- tables, columns, keys and checks; a test compares them.

-- The place tree: site > building > unit (floor) > room. A group is any node.
CREATE TABLE places (
    id UUID PRIMARY KEY NOT NULL,
    parent_id UUID REFERENCES places (id),
    kind TEXT NOT NULL CHECK (kind IN ('site', 'building', 'unit', 'room')),
    name TEXT NOT NULL,
    sort BIGINT NOT NULL,
    UNIQUE (parent_id, name)
);
CREATE INDEX places_parent ON places (parent_id, sort);

-- Named sets of places across buildings; a place stands for everything below it.
CREATE TABLE place_groups (
    id UUID PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);
CREATE TABLE place_group_members (
    group_id UUID NOT NULL REFERENCES place_groups (id),
    place_id UUID NOT NULL REFERENCES places (id),
    PRIMARY KEY (group_id, place_id)
);
CREATE INDEX place_group_members_place ON place_group_members (place_id);

-- Default parameters of meters at a place and below it; NULL: those of the groups that name the place, else those of the next
-- place above that has them.
CREATE TABLE place_defaults (
    place_id UUID PRIMARY KEY NOT NULL REFERENCES places (id),
    alarm1_fen BIGINT CHECK (alarm1_fen >= 0),
    alarm2_fen BIGINT CHECK (alarm2_fen >= 0),
    overdraft_fen BIGINT CHECK (overdraft_fen >= 0),
    hoarding_fen BIGINT CHECK (hoarding_fen >= 0),
    overload_w BIGINT CHECK (overload_w BETWEEN 0 AND 65535),
    -- How often meters are read where neither they nor their gateway have an interval; NULL at all: the configuration's.
    sweep_interval_s BIGINT CHECK (sweep_interval_s BETWEEN 0 AND 86400)
);
-- The same for the places of a group; the place's own go before them.
CREATE TABLE group_defaults (
    group_id UUID PRIMARY KEY NOT NULL REFERENCES place_groups (id),
    alarm1_fen BIGINT CHECK (alarm1_fen >= 0),
    alarm2_fen BIGINT CHECK (alarm2_fen >= 0),
    overdraft_fen BIGINT CHECK (overdraft_fen >= 0),
    hoarding_fen BIGINT CHECK (hoarding_fen >= 0),
    overload_w BIGINT CHECK (overload_w BETWEEN 0 AND 65535),
    sweep_interval_s BIGINT CHECK (sweep_interval_s BETWEEN 0 AND 86400)
);

CREATE TABLE site_settings (
    one BIGINT PRIMARY KEY NOT NULL CHECK (one = 1),
    -- Account numbers run behind this prefix; NULL: the day and ten digits that nobody can guess.
    account_prefix TEXT,
    account_check_digit BOOLEAN NOT NULL DEFAULT FALSE,
    -- The last running number.
    account_running BIGINT NOT NULL DEFAULT 0 CHECK (account_running >= 0),
    -- When the first administrator was made on the set-up page.
    set_up_at BIGINT,
    -- When somebody hid the list of what a new site lacks.
    checklist_hidden_at BIGINT,
    -- Where gateways dial in, besides the addresses of the configuration.
    dial_in_port BIGINT CHECK (dial_in_port BETWEEN 1 AND 65535),
    -- Carbon dioxide of electricity, 0.0001 kg/kWh; NULL: the national average that the program knows.
    co2_factor BIGINT CHECK (co2_factor BETWEEN 0 AND 20000)
);
INSERT INTO site_settings (one) VALUES (1);

CREATE TABLE gateways (
    id UUID PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    -- Its number in the site's own lists.
    code TEXT,
    -- Where the server dials it; NULL for a gateway that dials in.
    host TEXT,
    port BIGINT CHECK (port BETWEEN 1 AND 65535),
    -- The bytes that name a gateway that dials in, its heartbeat, and what is answered to that: hexadecimal digits.
    registration TEXT,
    heartbeat TEXT,
    heartbeat_answer TEXT,
    created_at BIGINT NOT NULL,
    retired_at BIGINT,
    framing TEXT NOT NULL DEFAULT 'modbus-tcp' CHECK (framing IN ('modbus-tcp', 'modbus-tls', 'transparent')),
    -- NULL: the configuration's.
    baud BIGINT CHECK (baud BETWEEN 0 AND 115200),
    request_timeout_ms BIGINT CHECK (request_timeout_ms > 0),
    connect_timeout_ms BIGINT CHECK (connect_timeout_ms > 0),
    gap_ms BIGINT CHECK (gap_ms >= 0),
    -- NULL: what the default parameters of each meter's room say.
    sweep_interval_s BIGINT CHECK (sweep_interval_s >= 0),
    -- The name in its TLS certificate; NULL: its host.
    tls_name TEXT,
    -- SHA-256 of its certificate, 64 hex digits, where no known authority signed it; NULL: an authority must have.
    tls_pin TEXT,
    CHECK ((host IS NULL) = (port IS NULL)),
    CHECK ((host IS NULL) <> (registration IS NULL))
);
CREATE UNIQUE INDEX gateways_name ON gateways (name) WHERE retired_at IS NULL;
CREATE UNIQUE INDEX gateways_code ON gateways (code) WHERE retired_at IS NULL;
CREATE UNIQUE INDEX gateways_registration ON gateways (registration) WHERE retired_at IS NULL;

CREATE TABLE meters (
    id UUID PRIMARY KEY NOT NULL,
    place_id UUID NOT NULL REFERENCES places (id),
    gateway_id UUID NOT NULL REFERENCES gateways (id),
    unit BIGINT NOT NULL CHECK (unit BETWEEN 1 AND 247),
    serial TEXT NOT NULL,
    profile TEXT NOT NULL,
    -- Of secured frames, version 2: raised before every frame, so that a nonce is never used twice.
    frame_number BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    retired_at BIGINT,
    -- NULL: the gateway's interval.
    sweep_interval_s BIGINT CHECK (sweep_interval_s >= 0),
    -- Where the credit lives: in the meter, or in the ledger (the server trips the relay); none: an instrument.
    wallet TEXT NOT NULL DEFAULT 'meter' CHECK (wallet IN ('meter', 'server', 'none')),
    -- The newest record of its journal that was read; NULL before the first, or where the model does not number them.
    journal_read BIGINT,
    -- The control mode that the last command or, before any, the first reading gave; NULL: not known. Meter wallets only.
    mode TEXT CHECK (mode IN ('prepaid', 'guaranteed', 'forced_off'))
);
CREATE UNIQUE INDEX meters_address ON meters (gateway_id, unit) WHERE retired_at IS NULL;
CREATE UNIQUE INDEX meters_serial ON meters (serial) WHERE retired_at IS NULL;
CREATE INDEX meters_place ON meters (place_id);

-- The newest good reading of each meter, and since when the meter has been lost. NULL: the model does not measure it.
CREATE TABLE meter_latest (
    meter_id UUID PRIMARY KEY NOT NULL REFERENCES meters (id),
    observed_at BIGINT,
    lost_since BIGINT,
    -- It answered since then, and nothing of it could be read.
    unreadable BOOLEAN NOT NULL DEFAULT FALSE,
    status BIGINT NOT NULL,
    remaining_fen BIGINT NOT NULL,
    cumulative_fen BIGINT NOT NULL,
    count BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    total_wh BIGINT NOT NULL,
    reverse_wh BIGINT NOT NULL,
    power_w BIGINT,
    voltage_dv BIGINT,
    current_ca BIGINT,
    power_factor BIGINT,
    clock_offset_s BIGINT,
    -- The rate in force, consumption in the tier period, cover and bypass events, the newest journal record.
    rate BIGINT,
    tier_wh BIGINT,
    tamper BIGINT,
    journal BIGINT
);

CREATE TABLE meter_parameters (
    meter_id UUID PRIMARY KEY NOT NULL REFERENCES meters (id),
    -- The meter's own count of accepted parameter commands.
    version BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    -- Limits, prices, tiers, day tables, as JSON.
    parameters TEXT NOT NULL
);

-- The meter's own journal, each record once. `sequence` is 0 where the model does not number them, `at` 0 where its clock was
-- lost.
CREATE TABLE meter_journal (
    meter_id UUID NOT NULL REFERENCES meters (id),
    at BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    kind TEXT NOT NULL,
    cause BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL,
    count BIGINT,
    remaining_fen BIGINT,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (meter_id, at, sequence, kind)
);
