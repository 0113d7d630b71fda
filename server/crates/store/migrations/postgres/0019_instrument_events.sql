-- Events of instruments: one is lost, or a counter of it is held.
ALTER TABLE events ADD COLUMN instrument_id UUID;
ALTER TABLE events ADD CONSTRAINT events_instrument_id_fkey FOREIGN KEY (instrument_id) REFERENCES instruments (id);
DROP INDEX events_site_open;
CREATE UNIQUE INDEX events_site_open ON events (kind)
    WHERE until_at IS NULL AND meter_id IS NULL AND gateway_id IS NULL AND instrument_id IS NULL;
CREATE UNIQUE INDEX events_instrument_open ON events (kind, instrument_id) WHERE until_at IS NULL AND instrument_id IS NOT NULL;
