-- Cases that are neither about a meter nor about an order: what they are about, one open of a kind at a time.
ALTER TABLE cases ADD COLUMN subject TEXT;
CREATE UNIQUE INDEX cases_subject_open ON cases (kind, subject) WHERE closed_at IS NULL AND subject IS NOT NULL;

-- Who a session's payer is to a channel that wants to know (WeChat's openid): asked at the channel with a state that is good once, and
-- forgotten with the session.
CREATE TABLE payers (
    session_hash BLOB PRIMARY KEY NOT NULL REFERENCES sessions (token_hash) ON DELETE CASCADE,
    app_id TEXT NOT NULL,
    -- The order that is to be paid afterwards.
    order_id BLOB NOT NULL REFERENCES orders (id),
    -- SHA-256 of the state; NULL once it came back.
    state_hash BLOB,
    asked_at BIGINT NOT NULL,
    payer_id TEXT
);
