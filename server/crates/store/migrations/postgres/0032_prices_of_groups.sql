-- Which tariff applies to the places of a group from an instant on, and to what is below them; NULL: none any more. A place's own
-- goes before those of its groups, and these before what is above the place.
CREATE TABLE price_groups (
    group_id UUID NOT NULL REFERENCES place_groups (id),
    plan_id UUID REFERENCES price_plans (id),
    from_at BIGINT NOT NULL,
    decided_by UUID REFERENCES users (id),
    PRIMARY KEY (group_id, from_at)
);

CREATE TRIGGER price_groups_noted AFTER INSERT OR UPDATE OR DELETE ON price_groups
    FOR EACH ROW EXECUTE FUNCTION note_change('group_id', 'from_at');
