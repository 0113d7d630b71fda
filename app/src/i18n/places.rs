//! Texts of the place tree and of groups.

use super::Lang;
pub use super::catalogue::places::*;
use model::console::PlaceCounts;
use model::place::PlaceKind;

/// What a place of a kind is called.
#[must_use]
pub const fn kind(kind: PlaceKind, lang: Lang) -> &'static str {
    let t = texts(lang);
    match kind {
        PlaceKind::Site => t.site,
        PlaceKind::Building => t.building,
        PlaceKind::Unit => t.floor,
        PlaceKind::Room => t.room,
    }
}

/// The numbers that are not zero: `房间 24 · 电表 25`.
#[must_use]
pub fn counts(counts: &PlaceCounts, lang: Lang) -> String {
    let t = texts(lang);
    let named = [(t.floors, counts.floors), (t.rooms, counts.rooms), (t.meters, counts.meters), (t.accounts, counts.accounts)];
    named.iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{word} {n}")).collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_there_is_counted() {
        let rooms = PlaceCounts { buildings: 1, floors: 0, rooms: 24, meters: 25, accounts: 0 };
        assert_eq!(counts(&rooms, Lang::Zh), "房间 24 · 电表 25");
        assert_eq!(counts(&PlaceCounts::default(), Lang::En), "");
    }
}
