-- How its person showed who they are when a session was opened; what was opened before this column is 'unknown'.
ALTER TABLE sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE sessions ADD CONSTRAINT sessions_method_check CHECK (method IN (
    'unknown', 'password', 'phone', 'wechat', 'kiosk_qr', 'kiosk_code', 'password_change', 'set_up'));
-- What was given as the second factor.
ALTER TABLE sessions ADD COLUMN second_factor TEXT;
ALTER TABLE sessions ADD CONSTRAINT sessions_second_factor_check CHECK (second_factor IN ('code', 'recovery_code'));
-- The first step of a log-in that waits for its second factor.
ALTER TABLE log_in_steps ADD COLUMN method TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE log_in_steps ADD CONSTRAINT log_in_steps_method_check
    CHECK (method IN ('unknown', 'password', 'phone', 'wechat'));
