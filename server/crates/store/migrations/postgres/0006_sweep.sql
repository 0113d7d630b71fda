-- How often the site reads its meters, where a gateway or a meter has no interval of its own; NULL: as the configuration has it.
CREATE TABLE site_settings (
    one BIGINT PRIMARY KEY NOT NULL CHECK (one = 1),
    sweep_interval_s BIGINT CHECK (sweep_interval_s >= 0)
);
INSERT INTO site_settings (one) VALUES (1);
