use model::ids::Uuid;

use super::*;

fn id(n: u128) -> PlaceId {
    PlaceId(Uuid::from_u128(n))
}

fn place(n: u128, parent: u128, kind: PlaceKind, name: &str) -> Place {
    let parent = (parent > 0).then(|| id(parent));
    let sort = i64::try_from(n).unwrap();
    let name = name.into();
    Place { id: id(n), parent, kind, name, sort, meters: 0, accounts: 0, had_meter: false, had_account: false, in_batch: false }
}

/// Two buildings: 2 has floors 4 (rooms 6, 7) and 5; 3 has floor 8 (room 9) and the room 10 without a floor.
fn tree() -> PlaceTree {
    let room = |n, parent, name| Place { meters: 1, had_meter: true, ..place(n, parent, PlaceKind::Room, name) };
    PlaceTree::new(vec![
        place(1, 0, PlaceKind::Site, "园区"),
        place(2, 1, PlaceKind::Building, "1号楼"),
        place(3, 1, PlaceKind::Building, "2号楼"),
        place(4, 2, PlaceKind::Unit, "1层"),
        place(5, 2, PlaceKind::Unit, "2层"),
        room(6, 4, "101"),
        Place { accounts: 1, had_account: true, ..room(7, 4, "102") },
        place(8, 3, PlaceKind::Unit, "1层"),
        room(9, 8, "103"),
        place(10, 3, PlaceKind::Room, "值班室"),
    ])
}

#[test]
fn counts_are_of_everything_below() {
    let counts = tree().counts(id(1));
    assert_eq!(counts, PlaceCounts { buildings: 2, floors: 3, rooms: 4, meters: 3, accounts: 1 });
    assert_eq!(tree().full_name(id(7)), "1号楼 1层 102");
    assert_eq!(tree().room_name(id(10)).unwrap().to_string(), "2号楼 值班室");
    assert_eq!(tree().building(id(9)), Some(id(3)));
}

#[test]
fn scope_is_by_building_and_the_site_is_for_all() {
    let tree = tree();
    let first = Scope::Buildings([id(2)].into());
    assert!(tree.is_within(&first, id(7)) && tree.is_within(&first, id(2)));
    assert!(!tree.is_within(&first, id(9)) && !tree.is_within(&first, id(1)));
    assert!(tree.is_within(&Scope::All, id(1)) && !tree.is_within(&Scope::All, id(99)));
}

#[test]
fn places_are_added_only_where_they_fit() {
    let tree = tree();
    let add = |parent, kind, name: &str| tree.check_add(Some(id(parent)), kind, &[name.to_owned()]);
    assert_eq!(add(1, PlaceKind::Building, "3号楼"), Ok(()));
    assert_eq!(add(1, PlaceKind::Building, "1号楼"), Err(AppError::NameTaken));
    assert_eq!(add(1, PlaceKind::Room, "x"), Err(AppError::PlaceDoesNotFit));
    assert_eq!(add(2, PlaceKind::Room, "x"), Ok(()));
    assert_eq!(add(6, PlaceKind::Room, "x"), Err(AppError::PlaceDoesNotFit));
    assert_eq!(add(99, PlaceKind::Room, "x"), Err(AppError::NotFound));
    let twice = ["a".to_owned(), "a".to_owned()];
    assert_eq!(tree.check_add(Some(id(4)), PlaceKind::Room, &twice), Err(AppError::NameTaken));
    assert_eq!(tree.check_add(None, PlaceKind::Site, &["x".to_owned()]), Err(AppError::PlaceDoesNotFit), "there is one site");
    assert_eq!(PlaceTree::default().check_add(None, PlaceKind::Site, &["x".to_owned()]), Ok(()));
}

#[test]
fn floors_and_rooms_move_and_buildings_stay() {
    let tree = tree();
    assert_eq!(tree.check_move(id(5), id(3)), Ok(()));
    assert_eq!(tree.check_move(id(4), id(3)), Err(AppError::NameTaken), "there is a first floor already");
    assert_eq!(tree.check_move(id(6), id(8)), Ok(()));
    assert_eq!(tree.check_move(id(6), id(3)), Ok(()), "a building may have rooms without a floor");
    assert_eq!(tree.check_move(id(6), id(4)), Err(AppError::PlaceDoesNotFit), "it is there");
    assert_eq!(tree.check_move(id(2), id(1)), Err(AppError::PlaceDoesNotFit));
}

#[test]
fn merging_joins_floors_and_refuses_two_rooms_of_a_name() {
    let absorb = |from, into| MergeStep::Absorb { from: id(from), into: id(into) };
    let go = |place, parent| MergeStep::Place { place: id(place), parent: id(parent) };
    assert_eq!(tree().merge(id(3), id(2)), Ok(vec![go(9, 4), absorb(8, 4), go(10, 2), absorb(3, 2)]));
    assert_eq!(tree().merge(id(6), id(9)), Ok(vec![absorb(6, 9)]));
    assert_eq!(tree().merge(id(7), id(6)), Err(AppError::RoomHasAccount));
    assert_eq!(tree().merge(id(6), id(4)), Err(AppError::PlaceDoesNotFit));
    assert_eq!(tree().merge(id(6), id(6)), Err(AppError::PlaceDoesNotFit));
    let mut places: Vec<Place> = tree().below(id(1)).into_iter().cloned().collect();
    places.push(place(11, 8, PlaceKind::Room, "101"));
    let tree = PlaceTree::new(places);
    assert_eq!(tree.merge(id(3), id(2)), Err(AppError::NameTaken));
    assert_eq!(tree.clashes(id(3), id(2)), ["1层 101"]);
}

#[test]
fn only_what_was_never_used_is_removed() {
    assert_eq!(tree().check_remove(id(5)), Ok(()));
    assert_eq!(tree().check_remove(id(10)), Ok(()));
    for used in [4, 6, 7] {
        assert_eq!(tree().check_remove(id(used)), Err(AppError::PlaceNotEmpty));
    }
}

#[test]
fn names_are_bounded() {
    assert_eq!(checked_name(" 1号楼 "), Ok("1号楼".to_owned()));
    assert_eq!(checked_name("Ａ座　３０１"), Ok("A座 301".to_owned()), "as it is looked for");
    assert_eq!(checked_name(&"长".repeat(NAME_MAX)).map(|name| name.chars().count()), Ok(NAME_MAX));
    for bad in ["", "  ", "a\nb", &"长".repeat(NAME_MAX + 1)] {
        assert_eq!(checked_name(bad), Err(AppError::Invalid), "{bad:?}");
    }
}

#[test]
fn a_room_whose_account_waits_in_a_batch_stays() {
    let room = |n, in_batch| Place { in_batch, ..place(n, 2, PlaceKind::Room, &n.to_string()) };
    let site =
        vec![place(1, 0, PlaceKind::Site, "园区"), place(2, 1, PlaceKind::Building, "1号楼"), room(3, true), room(4, false)];
    let tree = PlaceTree::new(site);
    assert_eq!(tree.check_remove(id(3)), Err(AppError::RoomInBatch));
    assert_eq!(tree.merge(id(3), id(4)), Err(AppError::RoomInBatch));
    assert!(tree.check_remove(id(4)).is_ok() && tree.merge(id(4), id(3)).is_ok(), "the other room may end");
}
