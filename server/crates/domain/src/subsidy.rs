//! The monthly subsidy: which rule holds for a room, and how much it comes to.

use model::ids::PlaceId;
use model::money::Fen;
use model::subsidy::{Month, Per};

/// What rooms below a place get from a month on; nothing ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    pub place: PlaceId,
    pub from: Month,
    /// For each what.
    pub per: Per,
    pub amount: Fen,
}

/// The rule that holds in a month for a room, whose places are named from the room
/// upwards: that of the nearest place that has one.
#[must_use]
pub fn rule_for<'a>(rules: &'a [Rule], upwards: &[PlaceId], month: Month) -> Option<&'a Rule> {
    let newest =
        |place: &PlaceId| rules.iter().filter(|rule| rule.place == *place && rule.from <= month).max_by_key(|rule| rule.from);
    upwards.iter().find_map(newest)
}

impl Rule {
    /// What it comes to in a month for so many rooms and residents, all of it at most: a room that is empty now may fill.
    #[must_use]
    pub fn in_a_month(&self, rooms: i64, residents: i64) -> Fen {
        let times = match self.per {
            Per::Room => rooms,
            Per::Head => residents.max(rooms),
        };
        Fen(self.amount.0.saturating_mul(times.max(1)))
    }

    /// What a room with so many residents gets.
    #[must_use]
    pub fn comes_to(&self, heads: i64) -> Fen {
        match self.per {
            Per::Room => self.amount,
            Per::Head => Fen(self.amount.0.saturating_mul(heads.max(0))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_nearest_place_and_the_newest_month_decide() {
        let (room, building, site) = (PlaceId(Uuid::from_u128(1)), PlaceId(Uuid::from_u128(2)), PlaceId(Uuid::from_u128(3)));
        let rule = |place, from, amount| Rule { place, from: Month(from), per: Per::Room, amount: Fen(amount) };
        let rules = [rule(site, 10, 500), rule(building, 20, 800), rule(building, 30, 0)];
        let got = |month| rule_for(&rules, &[room, building, site], Month(month)).map(|rule| rule.amount.0);
        assert_eq!((got(9), got(10), got(19)), (None, Some(500), Some(500)));
        assert_eq!((got(20), got(29), got(30)), (Some(800), Some(800), Some(0)));
        assert_eq!(rule_for(&rules, &[room], Month(40)), None);
    }

    #[test]
    fn by_head_nobody_gets_nothing() {
        let rule = Rule { place: PlaceId(Uuid::nil()), from: Month(0), per: Per::Head, amount: Fen(700) };
        assert_eq!((rule.comes_to(0), rule.comes_to(4)), (Fen(0), Fen(2_800)));
        assert_eq!(Rule { per: Per::Room, ..rule }.comes_to(4), Fen(700));
        assert_eq!((rule.in_a_month(2, 5), rule.in_a_month(2, 0), rule.in_a_month(0, 0)), (Fen(3_500), Fen(1_400), Fen(700)));
        assert_eq!(Rule { per: Per::Room, ..rule }.in_a_month(2, 5), Fen(1_400));
    }
}
