-- Alarms: events by rules. `level` is that of the rule when it was raised; `subject` tells alarms of the server apart, such as
-- which payment channel or certificate.
ALTER TABLE events ADD COLUMN level BIGINT;
ALTER TABLE events ADD CONSTRAINT events_level_check CHECK (level IN (1, 2, 3));
ALTER TABLE events ADD COLUMN subject TEXT;
-- When it became an alarm: `since` is when its condition appeared, a delay or the loss of its gateway earlier.
ALTER TABLE events ADD COLUMN raised_at BIGINT;
ALTER TABLE events ADD COLUMN assigned_to UUID;
ALTER TABLE events ADD CONSTRAINT events_assigned_to_fkey FOREIGN KEY (assigned_to) REFERENCES users (id);
DROP INDEX events_site_open;
CREATE UNIQUE INDEX events_site_open ON events (kind, COALESCE(subject, ''))
    WHERE until_at IS NULL AND meter_id IS NULL AND gateway_id IS NULL AND instrument_id IS NULL;

-- What a place sets of the rule of a kind; NULL is inherited from its groups, then from above.
CREATE TABLE place_alarm_rules (
    place_id UUID NOT NULL REFERENCES places (id),
    kind TEXT NOT NULL,
    is_on BOOLEAN,
    level BIGINT CHECK (level IN (1, 2, 3)),
    raise_s BIGINT CHECK (raise_s BETWEEN 0 AND 86400),
    clear_s BIGINT CHECK (clear_s BETWEEN 0 AND 86400),
    threshold BIGINT CHECK (threshold BETWEEN 1 AND 100000),
    PRIMARY KEY (place_id, kind)
);

-- The same of a group.
CREATE TABLE group_alarm_rules (
    group_id UUID NOT NULL REFERENCES place_groups (id),
    kind TEXT NOT NULL,
    is_on BOOLEAN,
    level BIGINT CHECK (level IN (1, 2, 3)),
    raise_s BIGINT CHECK (raise_s BETWEEN 0 AND 86400),
    clear_s BIGINT CHECK (clear_s BETWEEN 0 AND 86400),
    threshold BIGINT CHECK (threshold BETWEEN 1 AND 100000),
    PRIMARY KEY (group_id, kind)
);

-- Conditions that differ from their alarm for the time of a delay, while the rule is off, or while the gateway is lost.
CREATE TABLE alarm_waits (
    -- Kind and what it is about.
    key TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    meter_id UUID REFERENCES meters (id),
    gateway_id UUID REFERENCES gateways (id),
    instrument_id UUID REFERENCES instruments (id),
    subject TEXT,
    -- Since when the condition holds, or is gone.
    since BIGINT NOT NULL,
    -- When it is looked at again.
    due_at BIGINT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX alarm_waits_due ON alarm_waits (due_at);
CREATE INDEX alarm_waits_meter ON alarm_waits (meter_id);

-- Maintenance: nobody gets messages about alarms of a place and what is below, of what is behind a gateway, or of a meter.
CREATE TABLE alarm_silences (
    id UUID PRIMARY KEY NOT NULL,
    place_id UUID REFERENCES places (id),
    gateway_id UUID REFERENCES gateways (id),
    meter_id UUID REFERENCES meters (id),
    reason TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    set_by UUID NOT NULL REFERENCES users (id),
    ended_at BIGINT,
    ended_by UUID REFERENCES users (id),
    CHECK (place_id IS NOT NULL OR gateway_id IS NOT NULL OR meter_id IS NOT NULL)
);
CREATE INDEX alarm_silences_until ON alarm_silences (until_at);

-- What people did about alarms.
CREATE TABLE alarm_actions (
    id UUID PRIMARY KEY NOT NULL,
    event_id UUID NOT NULL REFERENCES events (id),
    at BIGINT NOT NULL,
    by_user UUID NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL CHECK (kind IN ('acknowledge', 'assign')),
    -- To whom it was assigned; NULL: nobody.
    assigned_to UUID REFERENCES users (id)
);
CREATE INDEX alarm_actions_event ON alarm_actions (event_id, at);
