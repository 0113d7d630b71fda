-- The WeChat account by which a resident logs in: one a resident, and one resident an account.
CREATE TABLE wechat_bindings (
    user_id UUID PRIMARY KEY NOT NULL REFERENCES users (id),
    -- The person's id at the site's service account.
    openid TEXT NOT NULL,
    bound_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX wechat_bindings_openid ON wechat_bindings (openid);

-- Sign-ins at WeChat that have not come back, by the SHA-256 of their browser's token, with that of the state, which serves once.
CREATE TABLE wechat_sign_ins (
    token_hash BYTEA PRIMARY KEY NOT NULL,
    state_hash BYTEA NOT NULL,
    -- The resident who binds their account. NULL: somebody logs in.
    user_id UUID REFERENCES users (id),
    expires_at BIGINT NOT NULL
);
CREATE INDEX wechat_sign_ins_user ON wechat_sign_ins (user_id);
CREATE INDEX wechat_sign_ins_expires ON wechat_sign_ins (expires_at);
