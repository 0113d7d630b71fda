-- When nobody is tripped for arrears, and the emergency credit: of a place or of a group, by whose id it goes.
CREATE TABLE friendly_hours (
    id UUID PRIMARY KEY NOT NULL,
    place_id UUID REFERENCES places (id),
    group_id UUID REFERENCES place_groups (id),
    -- Minutes from midnight; NULL: nights are not friendly.
    night_from BIGINT CHECK (night_from BETWEEN 0 AND 1439),
    night_until BIGINT CHECK (night_until BETWEEN 0 AND 1439),
    weekends BOOLEAN NOT NULL,
    holidays BOOLEAN NOT NULL,
    -- Ranges of days, as a JSON array.
    examinations TEXT NOT NULL,
    -- How far below zero meters with a wallet of their own may go meanwhile.
    overdraft_fen BIGINT NOT NULL CHECK (overdraft_fen >= 0),
    -- Emergency credit, once in a period; 0: none.
    emergency_fen BIGINT NOT NULL CHECK (emergency_fen >= 0),
    period TEXT NOT NULL CHECK (period IN ('week', 'month', 'term')),
    CHECK ((place_id IS NULL) <> (group_id IS NULL)),
    CHECK ((night_from IS NULL) = (night_until IS NULL))
);
CREATE UNIQUE INDEX friendly_hours_place ON friendly_hours (place_id);
CREATE UNIQUE INDEX friendly_hours_group ON friendly_hours (group_id);

-- Public holidays and the working days that make up for them, as they were imported.
CREATE TABLE calendar_days (
    day BIGINT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('day_off', 'working_day')),
    name TEXT NOT NULL
);

-- Meters with a wallet of their own whose overdraft limit the server raised; removed when they show the limit of before.
CREATE TABLE meter_overdrafts (
    meter_id UUID PRIMARY KEY NOT NULL REFERENCES meters (id),
    -- What it had before, and when that was read.
    before_fen BIGINT NOT NULL,
    before_at BIGINT NOT NULL,
    -- What it has when that is over: what a person issued since, or else the same.
    base_fen BIGINT NOT NULL,
    limit_fen BIGINT NOT NULL,
    -- Since when the limit should hold.
    since BIGINT NOT NULL,
    -- The residents were told that power stays on until then.
    told_until BIGINT
);

-- Looked at for each meter once a minute.
CREATE INDEX commands_limits ON commands (meter_id, finished_at) WHERE kind = 'limits';

-- Emergency credit that was taken. The next purchase that covers it repays it.
CREATE TABLE emergency_credits (
    id UUID PRIMARY KEY NOT NULL,
    account_id UUID NOT NULL REFERENCES accounts (id),
    meter_id UUID NOT NULL REFERENCES meters (id),
    -- The first day of the period.
    period_from BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    taken_by UUID NOT NULL REFERENCES users (id),
    taken_at BIGINT NOT NULL,
    repaid_at BIGINT,
    UNIQUE (account_id, period_from)
);
CREATE UNIQUE INDEX emergency_credits_outstanding ON emergency_credits (account_id) WHERE repaid_at IS NULL;
CREATE INDEX emergency_credits_meter ON emergency_credits (meter_id);

-- Until when a server wallet is not tripped for arrears; NULL: it is.
ALTER TABLE wallets ADD COLUMN friendly_until BIGINT;
-- Until when its power stays on although it is used up, as its residents were told.
ALTER TABLE wallets ADD COLUMN told_until BIGINT;

CREATE TRIGGER calendar_days_noted AFTER INSERT OR UPDATE OR DELETE ON calendar_days
    FOR EACH ROW EXECUTE FUNCTION note_change('day');
CREATE TRIGGER emergency_credits_noted AFTER INSERT OR UPDATE OR DELETE ON emergency_credits
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER friendly_hours_noted AFTER INSERT OR UPDATE OR DELETE ON friendly_hours
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER meter_overdrafts_noted AFTER INSERT OR UPDATE OR DELETE ON meter_overdrafts
    FOR EACH ROW EXECUTE FUNCTION note_change('meter_id');
