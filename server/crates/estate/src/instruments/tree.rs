//! The tree that the circuits in service make, checked as a whole after each change of circuits, instruments or places.

use std::collections::{HashMap, HashSet};
use std::iter::successors;

use model::error::AppError;
use model::ids::{CircuitId, PlaceId};
use model::instrument::DEEPEST;
use sqlx::FromRow;

use store::{Result, Tx, on};

#[derive(Clone, Copy, Debug, FromRow)]
struct CircuitPlace {
    id: CircuitId,
    parent_id: Option<CircuitId>,
    feeds_place_id: Option<PlaceId>,
    /// The building of its instrument; `None` at the site.
    building: Option<PlaceId>,
    /// The building of the place that it feeds.
    fed_building: Option<PlaceId>,
}

/// The building among a place and the two above it.
macro_rules! building {
    ($place:literal, $above:literal, $top:literal) => {
        concat!(
            " CASE WHEN ",
            $place,
            ".kind = 'building' THEN ",
            $place,
            ".id WHEN ",
            $above,
            ".kind = 'building' THEN ",
            $above,
            ".id WHEN ",
            $top,
            ".kind = 'building' THEN ",
            $top,
            ".id END "
        )
    };
}

/// Refuses circuits that do not make a tree within their buildings. The caller has locked the places.
///
/// # Errors
/// [`AppError::CircuitTree`] where one feeds itself, or something in another building than its own; one at the site may feed any.
/// [`AppError::PlaceFedTwice`] where two feed one place.
pub async fn check_tree(tx: &mut Tx) -> Result<()> {
    let circuits: Vec<CircuitPlace> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT c.id, c.parent_id, c.feeds_place_id,",
        building!("r", "b", "t"),
        "AS building,",
        building!("fr", "fb", "ft"),
        "AS fed_building
         FROM circuits c JOIN instruments i ON i.id = c.instrument_id
         JOIN places r ON r.id = i.place_id LEFT JOIN places b ON b.id = r.parent_id LEFT JOIN places t ON t.id = b.parent_id
         LEFT JOIN places fr ON fr.id = c.feeds_place_id
         LEFT JOIN places fb ON fb.id = fr.parent_id LEFT JOIN places ft ON ft.id = fb.parent_id
         WHERE i.retired_at IS NULL"
    ))
    .fetch_all(c)
    .await)?;
    Ok(check(&circuits)?)
}

fn check(circuits: &[CircuitPlace]) -> std::result::Result<(), AppError> {
    let by_id: HashMap<CircuitId, &CircuitPlace> = circuits.iter().map(|circuit| (circuit.id, circuit)).collect();
    let master = |circuit: &CircuitPlace| circuit.parent_id.and_then(|parent| by_id.get(&parent).copied());
    let is_within = |above: Option<PlaceId>, below: Option<PlaceId>| above.is_none() || above == below;
    let mut fed = HashSet::new();
    for circuit in circuits {
        if circuit.feeds_place_id.is_some_and(|place| !fed.insert(place)) {
            return Err(AppError::PlaceFedTwice);
        }
        let is_fed_within = master(circuit).is_none_or(|master| is_within(master.building, circuit.building));
        let feeds_within = circuit.feeds_place_id.is_none() || is_within(circuit.building, circuit.fed_building);
        let levels = successors(Some(circuit), |circuit| master(circuit)).take(DEEPEST + 1).count();
        if !is_fed_within || !feeds_within || levels > DEEPEST {
            return Err(AppError::CircuitTree);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::Uuid;

    fn place(number: u128) -> PlaceId {
        PlaceId(Uuid::from_u128(number))
    }

    fn circuit(number: u128, parent: Option<u128>, building: Option<u128>) -> CircuitPlace {
        let id = |number| CircuitId(Uuid::from_u128(number));
        let building = building.map(place);
        CircuitPlace { id: id(number), parent_id: parent.map(id), feeds_place_id: None, building, fed_building: None }
    }

    fn feeding(number: u128, feeds: u128, building: u128) -> CircuitPlace {
        let (feeds, fed_building) = (Some(place(feeds)), Some(place(building)));
        CircuitPlace { feeds_place_id: feeds, fed_building, ..circuit(number, None, Some(1)) }
    }

    #[test]
    fn circuits_are_a_tree_within_their_buildings() {
        assert_eq!(check(&[circuit(1, None, None), circuit(2, Some(1), Some(7)), circuit(3, Some(2), Some(7))]), Ok(()));
        assert_eq!(check(&[circuit(1, None, Some(7)), circuit(2, Some(1), Some(8))]), Err(AppError::CircuitTree));
        assert_eq!(check(&[circuit(1, None, Some(7)), circuit(2, Some(1), None)]), Err(AppError::CircuitTree));
        assert_eq!(check(&[circuit(1, Some(2), None), circuit(2, Some(1), None)]), Err(AppError::CircuitTree), "a ring");
        assert_eq!(check(&[circuit(2, Some(1), Some(7))]), Ok(()), "its master is out of service");
        let chain = |length: u128| (1..=length).map(|n| circuit(n, (n > 1).then(|| n - 1), None)).collect::<Vec<_>>();
        assert_eq!([check(&chain(16)), check(&chain(17))], [Ok(()), Err(AppError::CircuitTree)]);
    }

    #[test]
    fn a_place_is_fed_once_and_from_its_building() {
        assert_eq!(check(&[feeding(1, 5, 1), feeding(2, 6, 1)]), Ok(()));
        assert_eq!(check(&[feeding(1, 5, 1), feeding(2, 5, 1)]), Err(AppError::PlaceFedTwice));
        assert_eq!(check(&[feeding(1, 5, 2)]), Err(AppError::CircuitTree));
    }
}
