-- The roles that the site made for itself; those that every site has are in the code.
CREATE TABLE roles (
    id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE role_permissions (
    role_id BLOB NOT NULL REFERENCES roles (id),
    permission TEXT NOT NULL,
    PRIMARY KEY (role_id, permission)
);

CREATE TABLE users (
    id BLOB PRIMARY KEY NOT NULL,
    role TEXT NOT NULL
        CHECK (role IN ('resident', 'admin', 'manager', 'cashier', 'technician', 'auditor', 'read_only', 'own')),
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    -- Somebody else chose the password: the person chooses another before anything else.
    password_due BOOLEAN NOT NULL DEFAULT FALSE,
    -- What an operator with the role `own` may do.
    own_role_id BLOB REFERENCES roles (id),
    -- An operator who sees every building, also those that are added later.
    all_buildings BOOLEAN NOT NULL DEFAULT FALSE,
    logged_in_at BIGINT,
    CHECK ((role = 'own') = (own_role_id IS NOT NULL))
);

-- The buildings that an operator may see and operate where `all_buildings` is not set; no row means none.
CREATE TABLE operator_buildings (
    user_id BLOB NOT NULL REFERENCES users (id),
    place_id BLOB NOT NULL REFERENCES places (id),
    PRIMARY KEY (user_id, place_id)
);

-- One-time links by which an operator chooses a password, by the SHA-256 of the code in the link.
CREATE TABLE invitations (
    code_hash BLOB PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('invite', 'reset')),
    user_id BLOB NOT NULL REFERENCES users (id),
    -- NULL: the command line.
    created_by BLOB REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    withdrawn_at BIGINT
);
CREATE INDEX invitations_user ON invitations (user_id);

CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ip TEXT NOT NULL,
    -- The browser's user agent, cut to 300 bytes.
    agent TEXT NOT NULL DEFAULT ''
);
CREATE INDEX sessions_user ON sessions (user_id);

-- A log-in whose password was right and whose second factor is still to come.
CREATE TABLE log_in_steps (
    token_hash BLOB PRIMARY KEY NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- Codes that were tried.
    tries BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX log_in_steps_user ON log_in_steps (user_id);

-- The second factor of a person (RFC 6238).
CREATE TABLE second_factors (
    user_id BLOB PRIMARY KEY NOT NULL REFERENCES users (id),
    -- Encrypted with a key that is derived from the audit key, where there is one.
    secret BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    -- NULL while it is being set up.
    confirmed_at BIGINT,
    -- The newest time step whose code was accepted: no code is accepted twice.
    last_step BIGINT NOT NULL DEFAULT 0
);

-- Codes that stand in for the second factor, each once.
CREATE TABLE recovery_codes (
    user_id BLOB NOT NULL REFERENCES users (id),
    code_hash BLOB NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (user_id, code_hash)
);

CREATE TABLE accounts (
    id BLOB PRIMARY KEY NOT NULL,
    number TEXT NOT NULL UNIQUE CHECK (length(number) = 16),
    place_id BLOB NOT NULL REFERENCES places (id),
    state TEXT NOT NULL CHECK (state IN ('opening', 'open', 'closing', 'closed')),
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    -- Opened in an older system: nothing here certifies its opening.
    taken_over BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE UNIQUE INDEX accounts_place ON accounts (place_id) WHERE closed_at IS NULL;

-- `key` is the account's id as it appears in the ledger's account codes.
CREATE VIEW account_keys AS SELECT id, number, LOWER(HEX(id)) AS key FROM accounts;

-- The meters of an account. `count` and `cumulative_fen` are what the ledger knows the meter to have applied in `epoch`.
CREATE TABLE account_meters (
    account_id BLOB NOT NULL REFERENCES accounts (id),
    meter_id BLOB NOT NULL REFERENCES meters (id),
    epoch BIGINT NOT NULL,
    count BIGINT NOT NULL,
    cumulative_fen BIGINT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT,
    PRIMARY KEY (account_id, meter_id, from_at)
);
CREATE UNIQUE INDEX account_meters_meter ON account_meters (meter_id) WHERE to_at IS NULL;

CREATE TABLE account_residents (
    account_id BLOB NOT NULL REFERENCES accounts (id),
    user_id BLOB NOT NULL REFERENCES users (id),
    from_at BIGINT NOT NULL,
    to_at BIGINT,
    PRIMARY KEY (account_id, user_id, from_at)
);
CREATE UNIQUE INDEX account_residents_user ON account_residents (user_id) WHERE to_at IS NULL;
CREATE INDEX account_residents_account ON account_residents (account_id, to_at);

-- Who accepted a meter after its installation, and when.
CREATE TABLE meter_acceptances (
    meter_id BLOB PRIMARY KEY NOT NULL REFERENCES meters (id),
    accepted_by BLOB NOT NULL REFERENCES users (id),
    accepted_at BIGINT NOT NULL,
    comment TEXT NOT NULL
);
