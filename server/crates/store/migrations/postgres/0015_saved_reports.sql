-- Reports that somebody saved, and when they are sent.
CREATE TABLE saved_reports (
    id UUID PRIMARY KEY NOT NULL,
    owner_id UUID NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    days TEXT NOT NULL CHECK (days IN ('today', 'yesterday', 'last_week', 'last_30', 'this_month', 'last_month', 'last_year')),
    grain TEXT NOT NULL CHECK (grain IN ('hour', 'day', 'month', 'year')),
    -- A place or group by its id, and a room or account as it was written; empty for all.
    place TEXT NOT NULL,
    room TEXT NOT NULL,
    age BIGINT NOT NULL,
    language TEXT NOT NULL,
    file TEXT NOT NULL CHECK (file IN ('xlsx', 'csv')),
    every TEXT NOT NULL CHECK (every IN ('never', 'day', 'week', 'month')),
    hour BIGINT NOT NULL CHECK (hour BETWEEN 0 AND 23),
    next_at BIGINT,
    -- Why it was not made when it was due last.
    trouble TEXT CHECK (trouble IN ('not_allowed', 'no_such_place', 'too_many_meters', 'too_large', 'failed')),
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX saved_reports_name ON saved_reports (owner_id, name);
CREATE INDEX saved_reports_due ON saved_reports (next_at);

CREATE TABLE saved_report_recipients (
    report_id UUID NOT NULL REFERENCES saved_reports (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    PRIMARY KEY (report_id, address)
);

-- A file that e-mails bring; removed when none of them waits any more.
CREATE TABLE mail_files (
    id UUID PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    contents BYTEA NOT NULL
);

-- Letters, each to one address. One is stored in the transaction of what it is about, and sent at least once: its number is the
-- same in every try, so that whoever receives it twice can tell.
CREATE TABLE mails (
    id UUID PRIMARY KEY NOT NULL,
    report_id UUID REFERENCES saved_reports (id) ON DELETE SET NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    file_id UUID REFERENCES mail_files (id) ON DELETE SET NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'given_up')),
    trouble TEXT CHECK (trouble IN ('not_set_up', 'unreachable', 'tls', 'log_in', 'busy', 'refused')),
    tries BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX mails_due ON mails (state, next_at);
CREATE INDEX mails_report ON mails (report_id, asked_at);
CREATE INDEX mails_file ON mails (file_id);
