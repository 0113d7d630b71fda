//! Sums by building. Two buildings may have the same name on different sites, so they are told apart by their ids.

use model::ids::PlaceId;
use model::report::{Cell, Heading};
use sqlx::FromRow;

/// The building of a room `r`, beside the columns of its name.
macro_rules! building_id {
    () => {
        " CASE WHEN b.kind = 'unit' THEN t.id ELSE b.id END AS building_id "
    };
}

/// The columns of [`Building`].
macro_rules! building {
    () => {
        concat!(
            " COALESCE(CASE WHEN b.kind = 'unit' THEN t.name ELSE b.name END, '') AS building,",
            $crate::building::building_id!()
        )
    };
}

pub(crate) use {building, building_id};

/// A building in the order of the names; that of no room has neither a name nor an id.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub struct Building {
    #[sqlx(rename = "building")]
    pub name: String,
    #[sqlx(rename = "building_id")]
    pub id: Option<PlaceId>,
}

impl Building {
    pub fn cell(&self) -> Cell {
        if self.name.is_empty() { Cell::Word(Heading::NoBuilding) } else { Cell::Text(self.name.clone()) }
    }
}
