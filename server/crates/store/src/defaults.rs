//! The default parameters of meters that are set for places and groups.

use std::collections::{HashMap, HashSet};

use model::defaults::DefaultValues;
use model::ids::{PlaceGroupId, PlaceId};
use sqlx::FromRow;

use super::{Db, Result, StoreError, Tx, on, read};
use domain::defaults::{DefaultsTree, GroupSettings};

#[derive(FromRow)]
struct PlaceRow {
    id: PlaceId,
    parent_id: Option<PlaceId>,
    #[sqlx(flatten)]
    own: OwnRow,
}

#[derive(FromRow)]
struct GroupRow {
    group_id: PlaceGroupId,
    #[sqlx(flatten)]
    own: OwnRow,
}

#[derive(FromRow)]
struct OwnRow {
    alarm1_fen: Option<i64>,
    alarm2_fen: Option<i64>,
    overdraft_fen: Option<i64>,
    hoarding_fen: Option<i64>,
    overload_w: Option<i64>,
    sweep_interval_s: Option<i64>,
}

impl OwnRow {
    fn values(&self) -> Result<DefaultValues> {
        let values =
            [self.alarm1_fen, self.alarm2_fen, self.overdraft_fen, self.hoarding_fen, self.overload_w, self.sweep_interval_s];
        let value = |value: Option<i64>| value.map(u32::try_from).transpose();
        let own = values.into_iter().map(value).collect::<std::result::Result<DefaultValues, _>>();
        own.map_err(|_| StoreError::Inconsistent { table: "place_defaults", column: "alarm1_fen" })
    }
}

const PLACES: &str = "SELECT p.id, p.parent_id, d.alarm1_fen, d.alarm2_fen, d.overdraft_fen, d.hoarding_fen, d.overload_w,
                             d.sweep_interval_s
                      FROM places p LEFT JOIN place_defaults d ON d.place_id = p.id";
const GROUPS: &str =
    "SELECT d.group_id, d.alarm1_fen, d.alarm2_fen, d.overdraft_fen, d.hoarding_fen, d.overload_w, d.sweep_interval_s
                      FROM group_defaults d JOIN place_groups g ON g.id = d.group_id ORDER BY g.name, g.id";
const MEMBERS: &str = "SELECT m.group_id, m.place_id FROM place_group_members m JOIN group_defaults d ON d.group_id = m.group_id";

/// The default parameters that are set for places and groups, with the place tree.
pub async fn tree(db: &Db) -> Result<DefaultsTree> {
    let places = read!(db, |pool| sqlx::query_as(PLACES).fetch_all(pool).await)?;
    let groups = read!(db, |pool| sqlx::query_as(GROUPS).fetch_all(pool).await)?;
    let members = read!(db, |pool| sqlx::query_as(MEMBERS).fetch_all(pool).await)?;
    assembled(places, groups, members)
}

/// As [`tree`], within the caller's transaction.
pub async fn tree_within(tx: &mut Tx) -> Result<DefaultsTree> {
    let places = on!(tx, |c| sqlx::query_as(PLACES).fetch_all(c).await)?;
    let groups = on!(tx, |c| sqlx::query_as(GROUPS).fetch_all(c).await)?;
    let members = on!(tx, |c| sqlx::query_as(MEMBERS).fetch_all(c).await)?;
    assembled(places, groups, members)
}

fn assembled(places: Vec<PlaceRow>, groups: Vec<GroupRow>, members: Vec<(PlaceGroupId, PlaceId)>) -> Result<DefaultsTree> {
    let mut named: HashMap<PlaceGroupId, HashSet<PlaceId>> = HashMap::new();
    for (group, place) in members {
        named.entry(group).or_default().insert(place);
    }
    let places = places.into_iter().map(|row| Ok((row.id, (row.parent_id, row.own.values()?))));
    let groups = groups.into_iter().map(|row| {
        let places = named.remove(&row.group_id).unwrap_or_default();
        Ok(GroupSettings { id: row.group_id, own: row.own.values()?, places })
    });
    Ok(DefaultsTree { places: places.collect::<Result<_>>()?, groups: groups.collect::<Result<_>>()? })
}
