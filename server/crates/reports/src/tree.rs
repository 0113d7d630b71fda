//! The places above rooms, as far as an operator may see them.

use std::collections::HashMap;

use model::ids::{PlaceId, UserId};
use sqlx::FromRow;

use domain::wall_layout::Scope;
use store::{Db, Result, read};

/// Places above each other that are followed; ends the walk if the tree has a cycle.
const DEEPEST: usize = 16;

#[derive(Clone, Debug, FromRow)]
pub struct Node {
    pub id: PlaceId,
    pub parent_id: Option<PlaceId>,
    pub name: String,
    pub sort: i64,
}

/// Sites, buildings and floors.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: HashMap<PlaceId, Node>,
    scope: Scope,
}

impl Tree {
    pub async fn read(db: &Db, operator: UserId) -> Result<Self> {
        let nodes: Vec<Node> =
            read!(db, |pool| sqlx::query_as("SELECT id, parent_id, name, sort FROM places WHERE kind <> 'room'")
                .fetch_all(pool)
                .await)?;
        let nodes = nodes.into_iter().map(|node| (node.id, node)).collect();
        Ok(Self { nodes, scope: queries::scope(db, operator).await? })
    }

    /// A place that the operator may see.
    pub fn get(&self, place: PlaceId) -> Option<&Node> {
        self.nodes.get(&place).filter(|_| self.sees(place))
    }

    /// Whether a place is one of the operator's buildings, or below one.
    pub fn sees(&self, place: PlaceId) -> bool {
        match &self.scope {
            Scope::All => true,
            Scope::Buildings(buildings) => self.path(place).any(|above| buildings.contains(&above.id)),
        }
    }

    /// From a place up to the root.
    pub fn path(&self, place: PlaceId) -> impl Iterator<Item = &Node> {
        let up = |node: &&Node| node.parent_id.and_then(|parent| self.nodes.get(&parent));
        std::iter::successors(self.nodes.get(&place), up).take(DEEPEST)
    }

    /// The name of a place from the root on.
    pub fn full_name(&self, place: PlaceId) -> String {
        let mut names: Vec<&str> = self.path(place).map(|node| node.name.as_str()).collect();
        names.reverse();
        names.join(" ")
    }

    /// What the operator may see, in the order of the site.
    pub fn visible(&self) -> Vec<&Node> {
        let mut seen: Vec<&Node> = self.nodes.values().filter(|node| self.sees(node.id)).collect();
        seen.sort_by_cached_key(|node| self.order(node.id));
        seen
    }

    fn order(&self, place: PlaceId) -> Vec<(i64, &str)> {
        let mut order: Vec<_> = self.path(place).map(|node| (node.sort, node.name.as_str())).collect();
        order.reverse();
        order
    }

    /// Those of some visible places that none of the others is above.
    pub fn uppermost(&self, is_member: impl Fn(PlaceId) -> bool) -> Vec<PlaceId> {
        let members = self.visible().into_iter().filter(|node| is_member(node.id));
        let has_none_above = |node: &&Node| !self.path(node.id).skip(1).any(|above| is_member(above.id) && self.sees(above.id));
        members.filter(has_none_above).map(|node| node.id).collect()
    }
}
