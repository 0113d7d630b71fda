//! Which room a text names.

use model::console::RoomName;
use model::error::AppError;
use model::ids::PlaceId;
use model::place::PlaceKind;
use model::search_text::{SearchText, Terms, without_suffix};
use model::typed;

use domain::place_tree::PlaceTree;
use domain::wall_layout::Scope;

/// The rooms that the text names: those whose whole name it is, otherwise those that it may mean. `3-101` is read as `3 101`
/// and `101室` as `101` where no room is called so.
pub(crate) fn rooms_named<'a, T>(text: &str, rooms: &'a [(T, RoomName)]) -> Vec<&'a (T, RoomName)> {
    let text = typed::name(text);
    let whole: Vec<_> = rooms.iter().filter(|(_, name)| is_whole_name(&text, name)).collect();
    if !whole.is_empty() {
        return whole;
    }
    let (named, bare) = (rooms_meant(&text, rooms), without_suffix(&text));
    if named.is_empty() && bare != text {
        return rooms_named(bare, rooms);
    }
    if named.is_empty() && text.contains('-') { rooms_meant(&text.replace('-', " "), rooms) } else { named }
}

/// The one room within a scope that the text names.
///
/// # Errors
/// [`AppError::NotFound`] where it names none or several.
pub(crate) fn room_named(tree: &PlaceTree, scope: &Scope, text: &str) -> Result<(PlaceId, RoomName), AppError> {
    let site = tree.site().map(|site| site.id).ok_or(AppError::NotFound)?;
    let rooms = tree.below(site).into_iter().filter(|place| place.kind == PlaceKind::Room && tree.is_within(scope, place.id));
    let names: Vec<_> = rooms.filter_map(|place| Some((place.id, tree.room_name(place.id)?))).collect();
    match rooms_named(text, &names)[..] {
        [(id, room)] => Ok((*id, room.clone())),
        _ => Err(AppError::NotFound),
    }
}

/// Whether the text is building, floor and room, with or without spaces between them.
fn is_whole_name(text: &str, name: &RoomName) -> bool {
    let rest = text.strip_prefix(&*name.building).map(str::trim_start);
    let rest = rest.and_then(|rest| rest.strip_prefix(&*name.floor)).map(str::trim_start);
    rest == Some(&*name.room)
}

/// The rooms with whose name the text ends, as far as its other words mean their building or floor. Of `7-2` and `2` the longer
/// name is meant.
fn rooms_meant<'a, T>(text: &str, rooms: &'a [(T, RoomName)]) -> Vec<&'a (T, RoomName)> {
    let mut ending: Vec<_> = rooms.iter().filter(|(_, name)| is_at_end(text, &name.room)).collect();
    let longest = ending.iter().map(|(_, name)| name.room.len()).max().unwrap_or_default();
    ending.retain(|(_, name)| name.room.len() == longest);
    let place = text.get(..text.len() - longest).unwrap_or_default();
    let texts: Vec<_> = ending.iter().map(|(_, name)| SearchText::of_floor(&name.floor, &name.building)).collect();
    let terms = Terms::of(place, texts.iter());
    ending.into_iter().zip(&texts).filter(|(_, text)| terms.mean(text)).map(|(room, _)| room).collect()
}

/// Whether the text ends with a room's name, which is not the end of another number.
fn is_at_end(text: &str, room: &str) -> bool {
    let split = text.len().checked_sub(room.len()).and_then(|at| text.split_at_checked(at));
    split.is_some_and(|(before, end)| {
        let is_latin = |sign: char| sign.is_ascii_alphanumeric();
        !end.is_empty() && end.eq_ignore_ascii_case(room) && !(before.ends_with(is_latin) && end.starts_with(is_latin))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_name_is_not_taken_for_a_part_of_another() {
        let name = |building: &str, floor: &str| RoomName { building: building.into(), floor: floor.into(), room: "101".into() };
        let rooms = [(1, name("1号楼", "1层")), (2, name("11号楼", "1层")), (3, name("11号楼", "11层"))];
        let found = |text: &str| rooms_named(text, &rooms).into_iter().map(|(n, _)| *n).collect::<Vec<_>>();
        assert_eq!(found("1号楼 1层 101"), [1]);
        assert_eq!(found("11号楼 1层 101"), [2]);
        assert_eq!((found("1号楼 101"), found("1层101"), found("11号楼101")), (vec![1], vec![1, 2], vec![2, 3]));
        assert_eq!((found("101"), found("11 101"), found("11-101")), (vec![1, 2, 3], vec![2, 3], vec![2, 3]));
    }

    #[test]
    fn text_names_a_room_by_its_whole_name() {
        let name = |building: &str, floor: &str, room: &str| RoomName {
            building: building.into(),
            floor: floor.into(),
            room: room.into(),
        };
        let rooms = [((), name("3号楼", "1层", "B101")), ((), name("Building 7", "", "7-2"))];
        let is_named = |text: &str, n: usize| rooms_named(text, &rooms) == [&rooms[n]];
        for text in ["b101", "3 B101", "3号楼 1层 B101", " 3号楼  b101 ", "3-b101", "3号楼B101", "３号楼　１层　Ｂ１０１"]
        {
            assert!(is_named(text, 0), "{text}");
        }
        assert!(is_named("7-2", 1) && is_named("building 7 7-2", 1), "a name with a hyphen");
        for text in ["B101室", "B101 室", "3号楼 1层 b101号", "3-B101房"] {
            assert!(is_named(text, 0), "{text}");
        }
        for text in ["", "101室", "101", "4号楼 B101", "B101 3号楼", "B1012", "2", "-"] {
            assert!(rooms_named(text, &rooms).is_empty(), "{text}");
        }
    }
}
