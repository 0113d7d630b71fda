-- Files that people have made in the background. The files are on the disk of the process that made them, for a day.
CREATE TABLE exports (
    id BLOB PRIMARY KEY NOT NULL,
    owner_id BLOB NOT NULL REFERENCES users (id),
    -- What it is made of, such as reports/energy, and the choice in the address of that page.
    source TEXT NOT NULL,
    query TEXT NOT NULL,
    file TEXT NOT NULL CHECK (file IN ('xlsx', 'csv')),
    language TEXT NOT NULL,
    -- For people: the place, room, meter or text that it is about; empty for all.
    about TEXT NOT NULL,
    first_day BIGINT,
    last_day BIGINT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'ready', 'failed', 'cancelled', 'expired')),
    trouble TEXT CHECK (trouble IN ('not_allowed', 'no_such_place', 'too_large', 'too_many_rows', 'file_too_large', 'too_slow',
                                    'no_space', 'interrupted', 'failed')),
    -- The directory of the process that makes it and has its file.
    directory_id BLOB NOT NULL,
    -- How often it was begun.
    starts BIGINT NOT NULL DEFAULT 0,
    row_count BIGINT NOT NULL DEFAULT 0,
    bytes BIGINT NOT NULL DEFAULT 0,
    asked_at BIGINT NOT NULL,
    -- When its process said last that it goes on.
    seen_at BIGINT NOT NULL,
    finished_at BIGINT,
    offered_until BIGINT,
    -- Whether it is about every building; else those of export_buildings.
    all_buildings BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX exports_owner ON exports (owner_id, asked_at);
CREATE INDEX exports_state ON exports (state, asked_at);

-- The buildings that its owner could see when it was made.
CREATE TABLE export_buildings (
    export_id BLOB NOT NULL REFERENCES exports (id) ON DELETE CASCADE,
    place_id BLOB NOT NULL REFERENCES places (id) ON DELETE CASCADE,
    PRIMARY KEY (export_id, place_id)
);
CREATE INDEX export_buildings_place ON export_buildings (place_id);
