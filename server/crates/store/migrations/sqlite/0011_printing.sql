-- How receipts look, where the site changed it.
CREATE TABLE receipt_templates (
    paper TEXT NOT NULL,
    language TEXT NOT NULL,
    template TEXT NOT NULL,
    changed_by BLOB NOT NULL REFERENCES users (id),
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (paper, language)
);

-- The logo on receipts: one PNG file, or none.
CREATE TABLE receipt_logo (
    one BIGINT PRIMARY KEY NOT NULL CHECK (one = 1),
    png BLOB NOT NULL,
    changed_by BLOB NOT NULL REFERENCES users (id),
    changed_at BIGINT NOT NULL
);

-- Receipt printers in the network.
CREATE TABLE printers (
    id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    port BIGINT NOT NULL CHECK (port BETWEEN 1 AND 65535),
    added_at BIGINT NOT NULL,
    retired_at BIGINT
);
CREATE UNIQUE INDEX printers_name ON printers (name) WHERE retired_at IS NULL;

-- Receipts on their way to a printer, and what became of them. `print` is which print of the receipt it is: the first is the
-- original. A job is sent at most once; what was sent and not confirmed waits for a person.
CREATE TABLE print_jobs (
    id BLOB PRIMARY KEY NOT NULL,
    key BLOB NOT NULL UNIQUE,
    printer_id BLOB NOT NULL REFERENCES printers (id),
    series TEXT NOT NULL,
    year BIGINT NOT NULL,
    number BIGINT NOT NULL,
    print BIGINT NOT NULL CHECK (print > 0),
    language TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('queued', 'sending', 'printed', 'unknown', 'seen', 'repeated', 'given_up', 'cancelled')),
    -- What kept it from being printed, the last time.
    trouble TEXT CHECK (trouble IN ('unreachable', 'silent', 'paper_out', 'cover_open', 'offline')),
    tries BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    asked_by BLOB NOT NULL REFERENCES users (id),
    asked_at BIGINT NOT NULL,
    finished_at BIGINT,
    FOREIGN KEY (series, year, number) REFERENCES receipts (series, year, number)
);
CREATE INDEX print_jobs_due ON print_jobs (state, next_at);
CREATE INDEX print_jobs_asked ON print_jobs (asked_by, asked_at);
