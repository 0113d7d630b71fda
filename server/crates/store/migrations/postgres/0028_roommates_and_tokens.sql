-- Tokens by which programs read a resident's own figures, by their SHA-256. They are revoked when the resident leaves the room.
CREATE TABLE api_tokens (
    id UUID PRIMARY KEY NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    user_id UUID NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    -- What it may read: balance and use; records.
    reads_use BOOLEAN NOT NULL,
    reads_records BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- Written at most every ten minutes.
    used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_tokens_user ON api_tokens (user_id);

-- Links by which a resident lets a roommate join their account, by the SHA-256 of the code in the link. Each is used once.
CREATE TABLE roommate_links (
    code_hash BYTEA PRIMARY KEY NOT NULL,
    account_id UUID NOT NULL REFERENCES accounts (id),
    created_by UUID NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_by UUID REFERENCES users (id),
    used_at BIGINT,
    withdrawn_at BIGINT,
    CHECK ((used_by IS NULL) = (used_at IS NULL))
);
CREATE INDEX roommate_links_account ON roommate_links (account_id, created_at);

-- Whether residents may invite roommates themselves.
ALTER TABLE site_settings ADD COLUMN roommate_links BOOLEAN NOT NULL DEFAULT TRUE;
