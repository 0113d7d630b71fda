use super::*;
use crate::ui::wall::state::Floor;

fn block(first: usize, floors: usize, rooms: usize) -> Block {
    let floor = |n: usize| Floor { name: format!("{n}"), tiles: (first + n * rooms..first + (n + 1) * rooms).collect() };
    Block { name: "A".into(), floors: (0..floors).map(floor).collect() }
}

fn layout(zoom: Zoom, width: f64) -> Layout {
    Layout::new(&[block(0, 6, 29), block(174, 6, 29)], 348, zoom, width, 0.0, |_| true)
}

#[test]
fn tiles_do_not_overlap() {
    for zoom in Zoom::ALL {
        for width in [320.0, 1_200.0, 3_000.0] {
            let layout = layout(zoom, width);
            assert_eq!(layout.order.len(), 348);
            let mut seen = std::collections::HashSet::new();
            for tile in 0..348 {
                let rect = layout.rect(tile).unwrap();
                assert!(
                    rect.x >= 0.0 && rect.x + rect.w <= width.max(zoom.gutter() + 2.0 * MARGIN + rect.w),
                    "{zoom:?} {width} {rect:?}"
                );
                assert!(rect.y + rect.h <= layout.height);
                assert!(seen.insert((rect.x as i64, rect.y as i64)));
                assert_eq!(layout.hit(rect.x + 1.0, rect.y + 1.0), Some(tile));
            }
        }
    }
}

#[test]
fn tiles_fill_their_line_and_hold_the_longest_name() {
    for width in [800.0, 1_000.0, 1_200.0] {
        let layout = layout(Zoom::Tile, width);
        let first = layout.lines[0].clone();
        let (_, last) = layout.tiles(&first).last().unwrap();
        let left = width - MARGIN - last.x - last.w;
        assert!((0.0..first.len as f64 + 1.0).contains(&left), "{left} of {width} are empty");
    }
    let named = |name| Layout::new(&[block(0, 1, 29)], 29, Zoom::Tile, 1_200.0, name, |_| true).rect(0).unwrap().w;
    assert!(named(120.0) >= 120.0 && named(900.0) <= WIDEST * STRETCH);
}

#[test]
fn buildings_stand_side_by_side_where_they_fit_whole() {
    assert_eq!(layout(Zoom::Heat, 1_400.0).heads[1].at.y, layout(Zoom::Heat, 1_400.0).heads[0].at.y);
    assert!(layout(Zoom::Tile, 1_400.0).heads[1].at.y > layout(Zoom::Tile, 1_400.0).heads[0].at.y);
}

#[test]
fn a_filter_closes_the_gaps() {
    let layout =
        Layout::new(&[block(0, 6, 29), block(174, 6, 29)], 348, Zoom::Tile, 1_200.0, 0.0, |tile| tile == 30 || tile == 200);
    assert_eq!(layout.order, [30, 200]);
    assert_eq!((layout.heads.len(), layout.lines.len()), (2, 2));
    assert_eq!(layout.lines[0].label, Some((0, 1)));
    assert_eq!(layout.rect(31), None);
    let none = Layout::new(&[block(0, 1, 3)], 3, Zoom::Tile, 1_200.0, 0.0, |_| false);
    assert!(none.order.is_empty() && none.step(None, Step::Right).is_none());
}

#[test]
fn arrow_keys_move_to_the_neighbouring_tile() {
    let layout = layout(Zoom::Tile, 3_000.0);
    assert_eq!(layout.step(None, Step::Down), Some(0));
    assert_eq!(layout.step(Some(5), Step::Down), Some(34));
    assert_eq!(layout.step(Some(34), Step::Up), Some(5));
    assert_eq!(layout.step(Some(0), Step::Left), Some(0));
    assert_eq!(layout.step(Some(0), Step::Up), None);
    assert_eq!(layout.step(Some(0), Step::Last), Some(347));
    assert_eq!(layout.step(Some(347), Step::Right), Some(347));
    let filtered = Layout::new(&[block(0, 2, 3)], 6, Zoom::Tile, 900.0, 0.0, |tile| tile != 1);
    assert_eq!(filtered.step(Some(5), Step::Up), Some(2), "a shorter line is entered at its end");
    assert_eq!(filtered.step(Some(1), Step::Right), Some(0), "from what is hidden one begins anew");
}

#[test]
fn names_and_rectangles_select_tiles() {
    let layout = layout(Zoom::Tile, 1_200.0);
    let all: Vec<usize> = (174..348).collect();
    let head = &layout.heads[1].at;
    assert_eq!(layout.named_at(head.x + 5.0, head.y + 5.0), all);
    let floor = layout.lines.iter().find(|line| line.label == Some((0, 5))).unwrap();
    assert_eq!(layout.named_at(floor.x - 5.0, floor.y + 5.0), (145..174).collect::<Vec<_>>());
    assert!(layout.named_at(floor.x + 5.0, floor.y + 5.0).is_empty(), "a tile is no name");
    let (one, other) = (layout.rect(1).unwrap(), layout.rect(2).unwrap());
    let drawn = Rect::between((other.x + 3.0, other.y + 3.0), (one.x + one.w - 3.0, one.y + one.h - 3.0));
    assert_eq!(layout.within(&drawn), [1, 2]);
    assert_eq!(layout.within(&Rect::between((0.0, 0.0), (1_200.0, layout.height))).len(), 348);
    assert_eq!(layout.shown().count(), 348);
}

#[test]
fn only_visible_tiles_are_painted() {
    let layout = layout(Zoom::Tile, 1_200.0);
    let lines: Vec<_> = layout.visible(100.0, 200.0).collect();
    assert!(!lines.is_empty() && lines.len() <= 5, "{}", lines.len());
    assert!(layout.visible(layout.height + 1.0, 500.0).next().is_none());
}

#[test]
fn a_long_floor_name_is_not_cut() {
    let mut long = block(0, 1, 29);
    long.floors[0].name = "Ground floor".into();
    let of = |block| Layout::new(&[block], 29, Zoom::Tile, 1_200.0, 0.0, |_| true).gutter();
    assert_eq!(of(block(0, 1, 29)).to_bits(), Zoom::Tile.gutter().to_bits());
    assert!(of(long) >= ems("Ground floor") * FLOOR_SIZE + 4.0);
}
