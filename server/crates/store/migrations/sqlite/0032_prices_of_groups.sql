-- Which tariff applies to the places of a group from an instant on, and to what is below them; NULL: none any more. A place's own
-- goes before those of its groups, and these before what is above the place.
CREATE TABLE price_groups (
    group_id BLOB NOT NULL REFERENCES place_groups (id),
    plan_id BLOB REFERENCES price_plans (id),
    from_at BIGINT NOT NULL,
    decided_by BLOB REFERENCES users (id),
    PRIMARY KEY (group_id, from_at)
);
