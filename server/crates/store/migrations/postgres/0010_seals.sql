-- The keyed hash of each row that the server wrote into the books (`store::seal`), by table and primary key.
CREATE TABLE seals (
    tbl TEXT NOT NULL,
    row_key TEXT NOT NULL,
    seal BYTEA NOT NULL,
    PRIMARY KEY (tbl, row_key)
);

-- Adds a changed row, as it was and as it is, to the setting that the server reads before it commits. Other connections have no
-- such setting. A setting is copied whole at each change, so one that is full is put aside as a page with a number.
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    noted TEXT := current_setting('dormwatt.changes', TRUE);
    old_row JSONB;
    new_row JSONB;
    key_text TEXT;
    pages INTEGER;
BEGIN
    IF noted IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        old_row := jsonb_strip_nulls(to_jsonb(OLD));
    END IF;
    IF TG_OP <> 'DELETE' THEN
        new_row := jsonb_strip_nulls(to_jsonb(NEW));
    END IF;
    SELECT string_agg(COALESCE(new_row, old_row) ->> part, '/' ORDER BY n) INTO key_text
    FROM unnest(TG_ARGV) WITH ORDINALITY AS parts (part, n);
    IF length(noted) > 8192 THEN
        pages := COALESCE(NULLIF(current_setting('dormwatt.pages', TRUE), ''), '0')::integer + 1;
        PERFORM set_config('dormwatt.page_' || pages, noted, TRUE), set_config('dormwatt.pages', pages::text, TRUE);
        noted := '';
    END IF;
    PERFORM set_config('dormwatt.changes', noted || jsonb_build_object('tbl', TG_TABLE_NAME, 'row_key', key_text,
        'before', old_row::text, 'after', new_row::text)::text || chr(10), TRUE);
    RETURN NULL;
END
$$;

-- Each names the columns of its table's primary key. On SQLite the server makes such triggers for its connection alone.
CREATE TRIGGER account_batch_rooms_noted AFTER INSERT OR UPDATE OR DELETE ON account_batch_rooms
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER account_batches_noted AFTER INSERT OR UPDATE OR DELETE ON account_batches
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER account_meters_noted AFTER INSERT OR UPDATE OR DELETE ON account_meters
    FOR EACH ROW EXECUTE FUNCTION note_change('account_id', 'meter_id', 'from_at');
CREATE TRIGGER account_residents_noted AFTER INSERT OR UPDATE OR DELETE ON account_residents
    FOR EACH ROW EXECUTE FUNCTION note_change('account_id', 'user_id', 'from_at');
CREATE TRIGGER accounts_noted AFTER INSERT OR UPDATE OR DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER approval_requests_noted AFTER INSERT OR UPDATE OR DELETE ON approval_requests
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER batches_noted AFTER INSERT OR UPDATE OR DELETE ON batches
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER case_notes_noted AFTER INSERT OR UPDATE OR DELETE ON case_notes
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER cases_noted AFTER INSERT OR UPDATE OR DELETE ON cases
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER charge_days_noted AFTER INSERT OR UPDATE OR DELETE ON charge_days
    FOR EACH ROW EXECUTE FUNCTION note_change('account_id', 'meter_id', 'day', 'version_id', 'rate', 'tier');
CREATE TRIGGER charges_noted AFTER INSERT OR UPDATE OR DELETE ON charges
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER account_closure_meters_noted AFTER INSERT OR UPDATE OR DELETE ON account_closure_meters
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER account_closures_noted AFTER INSERT OR UPDATE OR DELETE ON account_closures
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER commands_noted AFTER INSERT OR UPDATE OR DELETE ON commands
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER counter_decisions_noted AFTER INSERT OR UPDATE OR DELETE ON counter_decisions
    FOR EACH ROW EXECUTE FUNCTION note_change('case_id');
CREATE TRIGGER events_noted AFTER INSERT OR UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER gateways_noted AFTER INSERT OR UPDATE OR DELETE ON gateways
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER group_defaults_noted AFTER INSERT OR UPDATE OR DELETE ON group_defaults
    FOR EACH ROW EXECUTE FUNCTION note_change('group_id');
CREATE TRIGGER meter_parameters_noted AFTER INSERT OR UPDATE OR DELETE ON meter_parameters
    FOR EACH ROW EXECUTE FUNCTION note_change('meter_id');
CREATE TRIGGER place_group_members_noted AFTER INSERT OR UPDATE OR DELETE ON place_group_members
    FOR EACH ROW EXECUTE FUNCTION note_change('group_id', 'place_id');
CREATE TRIGGER place_groups_noted AFTER INSERT OR UPDATE OR DELETE ON place_groups
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER places_noted AFTER INSERT OR UPDATE OR DELETE ON places
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER invitations_noted AFTER INSERT OR UPDATE OR DELETE ON invitations
    FOR EACH ROW EXECUTE FUNCTION note_change('code_hash');
CREATE TRIGGER ledger_transfers_noted AFTER INSERT OR UPDATE OR DELETE ON ledger_transfers
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER meter_consumption_noted AFTER INSERT OR UPDATE OR DELETE ON meter_consumption
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER foreign_statement_lines_noted AFTER INSERT OR UPDATE OR DELETE ON foreign_statement_lines
    FOR EACH ROW EXECUTE FUNCTION note_change('statement_id', 'line');
CREATE TRIGGER meter_acceptances_noted AFTER INSERT OR UPDATE OR DELETE ON meter_acceptances
    FOR EACH ROW EXECUTE FUNCTION note_change('meter_id');
CREATE TRIGGER meter_journal_noted AFTER INSERT OR UPDATE OR DELETE ON meter_journal
    FOR EACH ROW EXECUTE FUNCTION note_change('meter_id', 'at', 'sequence', 'kind');
CREATE TRIGGER meters_noted AFTER INSERT OR UPDATE OR DELETE ON meters
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER operator_buildings_noted AFTER INSERT OR UPDATE OR DELETE ON operator_buildings
    FOR EACH ROW EXECUTE FUNCTION note_change('user_id', 'place_id');
CREATE TRIGGER orders_noted AFTER INSERT OR UPDATE OR DELETE ON orders
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER payment_attempts_noted AFTER INSERT OR UPDATE OR DELETE ON payment_attempts
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER payment_events_noted AFTER INSERT OR UPDATE OR DELETE ON payment_events
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER place_defaults_noted AFTER INSERT OR UPDATE OR DELETE ON place_defaults
    FOR EACH ROW EXECUTE FUNCTION note_change('place_id');
CREATE TRIGGER price_places_noted AFTER INSERT OR UPDATE OR DELETE ON price_places
    FOR EACH ROW EXECUTE FUNCTION note_change('place_id', 'from_at');
CREATE TRIGGER price_plans_noted AFTER INSERT OR UPDATE OR DELETE ON price_plans
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER price_versions_noted AFTER INSERT OR UPDATE OR DELETE ON price_versions
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER receipt_numbers_noted AFTER INSERT OR UPDATE OR DELETE ON receipt_numbers
    FOR EACH ROW EXECUTE FUNCTION note_change('series', 'year');
CREATE TRIGGER receipts_noted AFTER INSERT OR UPDATE OR DELETE ON receipts
    FOR EACH ROW EXECUTE FUNCTION note_change('series', 'year', 'number');
CREATE TRIGGER recovery_codes_noted AFTER INSERT OR UPDATE OR DELETE ON recovery_codes
    FOR EACH ROW EXECUTE FUNCTION note_change('user_id', 'code_hash');
CREATE TRIGGER refunds_noted AFTER INSERT OR UPDATE OR DELETE ON refunds
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER returns_noted AFTER INSERT OR UPDATE OR DELETE ON returns
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER role_permissions_noted AFTER INSERT OR UPDATE OR DELETE ON role_permissions
    FOR EACH ROW EXECUTE FUNCTION note_change('role_id', 'permission');
CREATE TRIGGER roles_noted AFTER INSERT OR UPDATE OR DELETE ON roles
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER second_factors_noted AFTER INSERT OR UPDATE OR DELETE ON second_factors
    FOR EACH ROW EXECUTE FUNCTION note_change('user_id');
CREATE TRIGGER settlement_days_noted AFTER INSERT OR UPDATE OR DELETE ON settlement_days
    FOR EACH ROW EXECUTE FUNCTION note_change('channel', 'day');
CREATE TRIGGER settlement_differences_noted AFTER INSERT OR UPDATE OR DELETE ON settlement_differences
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER settlement_receipts_noted AFTER INSERT OR UPDATE OR DELETE ON settlement_receipts
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER settlement_statements_noted AFTER INSERT OR UPDATE OR DELETE ON settlement_statements
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER shifts_noted AFTER INSERT OR UPDATE OR DELETE ON shifts
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER statement_lines_noted AFTER INSERT OR UPDATE OR DELETE ON statement_lines
    FOR EACH ROW EXECUTE FUNCTION note_change('statement_id', 'line');
CREATE TRIGGER statements_noted AFTER INSERT OR UPDATE OR DELETE ON statements
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER subsidies_noted AFTER INSERT OR UPDATE OR DELETE ON subsidies
    FOR EACH ROW EXECUTE FUNCTION note_change('place_id', 'month');
CREATE TRIGGER subsidy_rules_noted AFTER INSERT OR UPDATE OR DELETE ON subsidy_rules
    FOR EACH ROW EXECUTE FUNCTION note_change('place_id', 'from_month');
CREATE TRIGGER uncharged_noted AFTER INSERT OR UPDATE OR DELETE ON uncharged
    FOR EACH ROW EXECUTE FUNCTION note_change('meter_id', 'at');
CREATE TRIGGER users_noted AFTER INSERT OR UPDATE OR DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION note_change('id');
CREATE TRIGGER wallets_noted AFTER INSERT OR UPDATE OR DELETE ON wallets
    FOR EACH ROW EXECUTE FUNCTION note_change('meter_id');
