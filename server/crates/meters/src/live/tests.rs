use model::ids::PlaceId;
use model::meter::StatusWord;
use model::money::Fen;
use model::time::Timestamp;
use model::wall::{Delta, Snapshot, Tile};
use uuid::Uuid;

use super::*;
use domain::clock::TestClock;
use domain::wall_layout::Belongs;

fn meter(n: u128) -> MeterId {
    MeterId(Uuid::from_u128(n))
}

fn building(n: u128) -> PlaceId {
    PlaceId(Uuid::from_u128(1_000 + n))
}

fn meter_place(n: u128, of: u128, floor: &str) -> MeterPlace {
    MeterPlace {
        meter: meter(n),
        building: building(of),
        building_name: format!("{of}号楼"),
        floor: floor.into(),
        room: format!("{n}"),
        belongs: Belongs { gateway: format!("网关{of}"), profile: "native".into(), groups: Vec::new() },
    }
}

fn layout() -> Layout {
    Layout::new(vec![meter_place(1, 1, "1"), meter_place(2, 1, "1"), meter_place(3, 1, "2"), meter_place(4, 2, "1")])
}

fn hub() -> Live {
    Live::new(TestClock::new(Timestamp(1_000_000)), layout(), [])
}

fn reading(n: u128, fen: i64) -> Latest {
    Latest { observed_at: Some(Timestamp(900_000)), status: StatusWord(0b11), remaining: Fen(fen), ..Latest::unseen(meter(n)) }
}

fn parse(bytes: &bytes::Bytes) -> (String, String) {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let line = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
    assert!(text.ends_with("\n\n"));
    (line("event: "), line("data: "))
}

fn delta(bytes: &bytes::Bytes) -> Delta {
    let (event, data) = parse(bytes);
    assert_eq!(event, "delta");
    serde_json::from_str(&data).unwrap()
}

fn snapshot(bytes: &bytes::Bytes) -> Snapshot {
    let (event, data) = parse(bytes);
    assert_eq!(event, "snapshot");
    serde_json::from_str(&data).unwrap()
}

fn all() -> WallScope {
    WallScope::new(Scope::All, "")
}

fn only(n: u128) -> Scope {
    Scope::Buildings([building(n)].into())
}

#[tokio::test]
async fn changes_are_sent_together_with_the_newest_value_only() {
    let live = hub();
    let mut watch = live.watch(&all());
    let first = snapshot(&watch.next().await);
    assert_eq!(first.buildings.len(), 2);
    assert_eq!(first.buildings[0].floors.len(), 2);
    assert_eq!(first.tiles.len(), 4 * Tile::WIDTH);

    live.publish(reading(2, 100));
    live.publish(reading(4, 7));
    live.publish(reading(2, 90));
    live.flush();
    let delta = delta(&watch.next().await);
    assert_eq!(delta.revision, first.revision + 1);
    let changed: Vec<_> = delta.tiles.chunks(Tile::WIDTH + 1).map(|one| (one[0], one[2])).collect();
    assert_eq!(changed, [(1, 90), (3, 7)]);
}

#[tokio::test]
async fn a_scope_receives_only_its_buildings() {
    let live = hub();
    let mut watch = live.watch(&WallScope::new(only(2), ""));
    let first = snapshot(&watch.next().await);
    assert_eq!(first.buildings.len(), 1);
    assert_eq!(first.buildings[0].floors[0].rooms, [("4".to_owned(), meter(4))]);
    live.publish(reading(1, 5));
    live.flush();
    live.publish(reading(4, 6));
    live.flush();
    let delta = delta(&watch.next().await);
    assert_eq!(delta.tiles[0], 0, "indices are those of the scope");
    assert_eq!(delta.tiles.len(), Tile::WIDTH + 1);
}

#[tokio::test]
async fn a_wall_of_a_profile_receives_only_its_meters() {
    let mut meter_places = layout().meter_places().to_vec();
    for place in meter_places.iter_mut().skip(2) {
        place.belongs.profile = "other".into();
    }
    let live = Live::new(TestClock::new(Timestamp(1_000_000)), Layout::new(meter_places), []);
    let mut watch = live.watch(&WallScope::new(Scope::All, " other "));
    let first = snapshot(&watch.next().await);
    let rooms = first.buildings.iter().flat_map(|building| &building.floors).flat_map(|floor| &floor.rooms);
    assert_eq!(rooms.map(|(_, id)| *id).collect::<Vec<_>>(), [meter(3), meter(4)]);
    assert_eq!(first.tiles.len(), 2 * Tile::WIDTH);
    live.publish(reading(1, 5));
    live.flush();
    live.publish(reading(4, 6));
    live.flush();
    let delta = delta(&watch.next().await);
    assert_eq!((delta.tiles[0], delta.tiles.len()), (1, Tile::WIDTH + 1), "nothing came of the first meter");
    for profile in ["none", "othe", &*"x".repeat(1_000)] {
        let unknown = snapshot(&live.watch(&WallScope::new(Scope::All, profile)).next().await);
        assert!(unknown.buildings.is_empty() && unknown.tiles.is_empty(), "{profile}");
    }
    assert_eq!(snapshot(&live.watch(&WallScope::new(only(1), "other")).next().await).tiles.len(), Tile::WIDTH);
}

#[tokio::test]
async fn unchanged_values_are_not_sent() {
    let live = hub();
    live.publish(reading(1, 5));
    live.flush();
    let mut changes = live.subscribe();
    live.publish(reading(1, 5));
    live.publish(reading(2, 5));
    assert_eq!(changes.recv().await.unwrap(), meter(2));
}

#[tokio::test]
async fn a_lagging_wall_gets_a_snapshot() {
    let live = hub();
    let mut watch = live.watch(&all());
    let _ = watch.next().await;
    for fen in 0..200 {
        live.publish(reading(1, fen));
        live.flush();
    }
    let again = snapshot(&watch.next().await);
    assert_eq!(again.tiles[1], 199);
    live.publish(reading(1, 500));
    live.flush();
    assert!(delta(&watch.next().await).revision > again.revision);
}

#[tokio::test]
async fn walls_of_one_scope_share_the_bytes() {
    let live = hub();
    let (mut one, mut two) = (live.watch(&all()), live.watch(&all()));
    let (first, second) = (one.next().await, two.next().await);
    assert_eq!(first.as_ptr(), second.as_ptr());
    live.publish(reading(1, 5));
    live.flush();
    assert_eq!(one.next().await.as_ptr(), two.next().await.as_ptr());
}

#[tokio::test]
async fn values_of_a_meter_without_a_place_are_kept() {
    let live = hub();
    live.publish(reading(9, 77));
    assert_eq!(live.get(meter(9)).unwrap().remaining, Fen(77));
    let mut meter_places = layout().meter_places().to_vec();
    meter_places.push(meter_place(9, 2, "1"));
    live.lock().set_layout(Layout::new(meter_places));
    assert_eq!(live.get(meter(9)).unwrap().remaining, Fen(77));
    assert_eq!(live.meter_places(&only(2)).len(), 2);
    assert_eq!(live.get(meter(10)), None);
}

#[tokio::test]
async fn unwatched_scopes_are_dropped() {
    let live = hub();
    let mut watch = live.watch(&WallScope::new(only(1), ""));
    let _ = watch.next().await;
    assert_eq!(live.lock().topics.len(), 1);
    drop(watch);
    let mut other = live.watch(&WallScope::new(only(1), "none"));
    let _ = other.next().await;
    assert_eq!(live.lock().topics.len(), 1, "also where no reading comes");
    drop(other);
    live.publish(reading(1, 5));
    live.flush();
    assert!(live.lock().topics.is_empty());
}
