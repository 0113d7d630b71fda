//! The selection: single tiles, what a name stands for, what a rectangle meets, or all that is shown.

use leptos::prelude::window;
use wasm_bindgen::JsValue;

use super::{Scene, State};
use crate::link;
use crate::ui::wall::layout::Rect;
use model::console::ROOM_LINES_MAX;

/// How far the pointer moves in a click, px.
const CLICK: f64 = 6.0;

impl Scene {
    /// Toggles the selection of a tile.
    pub fn toggle(&self, tile: Option<usize>) {
        self.with(|state| {
            let Some(tile) = tile.or(state.focus) else { return };
            if let Some(is) = state.selected.get_mut(tile) {
                *is = !*is;
            }
            state.dirty.push(tile);
        });
        self.tell();
        self.ask();
    }

    /// Clears the selection.
    pub fn clear_selection(&self) {
        self.with(|state| {
            state.selected.fill(false);
            state.lasso = None;
        });
        self.tell();
        self.repaint();
    }

    /// Selects everything that the filter shows.
    pub fn select_shown(&self) {
        self.with(|state| select(&mut state.selected, state.layout.shown(), true));
        self.tell();
        self.repaint();
    }

    /// Selects the tiles of the section or row whose name is at a point of the window; once they all are, none of them.
    /// Gives whether there is one.
    pub fn toggle_named(&self, x: f64, y: f64) -> bool {
        let top = f64::from(self.0.view.scroll_top());
        let named = self.with(|state| {
            let State { layout, selected, .. } = state;
            let tiles = layout.named_at(x, y + top);
            let all = tiles.iter().all(|tile| selected.get(*tile) == Some(&true));
            select(selected, tiles.iter().copied(), !all);
            !tiles.is_empty()
        });
        if named {
            self.tell();
            self.repaint();
        }
        named
    }

    /// Begins a rectangle around tiles at a point of the window.
    pub fn begin_lasso(&self, x: f64, y: f64) {
        let top = f64::from(self.0.view.scroll_top());
        self.with(|state| state.lasso = Some(((x, y + top), None)));
    }

    /// Draws it as far as a point, once the pointer has moved enough not to be a click.
    pub fn draw_lasso(&self, x: f64, y: f64) {
        let (y, mut drawn) = (y + f64::from(self.0.view.scroll_top()), false);
        self.with(|state| {
            if let Some((from, to)) = &mut state.lasso
                && (to.is_some() || (x - from.0).abs() + (y - from.1).abs() > CLICK)
            {
                *to = Some((x, y));
                drawn = true;
            }
        });
        if drawn {
            self.repaint();
        }
    }

    /// Selects what the rectangle meets, beside what is selected already if `more`. Gives whether one was drawn.
    pub fn end_lasso(&self, more: bool) -> bool {
        let drawn = self.with(|state| {
            let Some((from, Some(to))) = state.lasso.take() else { return false };
            if !more {
                state.selected.fill(false);
            }
            select(&mut state.selected, state.layout.within(&Rect::between(from, to)).into_iter(), true);
            true
        });
        if drawn {
            self.tell();
            self.repaint();
        }
        drawn
    }

    /// Forgets the rectangle: the pointer was taken away.
    pub fn drop_lasso(&self) {
        self.with(|state| state.lasso = None);
        self.repaint();
    }

    /// The address of `path` for the selection: whole buildings and floors by name, other rooms one a line; where that is longer
    /// than `longest` and just what the filter shows is selected, the filter. `None` where neither is short enough.
    #[must_use]
    pub fn selection_address(&self, path: &str, longest: usize) -> Option<String> {
        self.with(|state| {
            let (places, rooms) = state.model.described(&state.selected);
            let with_places = places.iter().fold(path.to_owned(), |path, place| link::with(&path, "place", place));
            let address = if rooms.is_empty() { with_places } else { link::with(&with_places, "rooms", &rooms.join("\n")) };
            if address.len() <= longest && rooms.len() <= ROOM_LINES_MAX {
                return Some(address);
            }
            let mut shown = vec![false; state.selected.len()];
            select(&mut shown, state.layout.shown(), true);
            (shown == state.selected).then(|| link::with(path, "place", &state.filter.filter.place()))
        })
    }

    /// Keeps the selection for the way back to this page.
    pub fn keep_selection(&self) {
        let kept = self.with(|state| ranges(&state.selected));
        if let Ok(history) = window().history() {
            let _ = history.replace_state(&JsValue::from_str(&kept), "");
        }
    }

    /// Selects again what was kept.
    pub fn restore_selection(&self) {
        let kept = window().history().ok().and_then(|history| history.state().ok()?.as_string());
        if let Some(kept) = kept {
            self.with(|state| {
                if let Some(selected) = from_ranges(&kept, state.selected.len()) {
                    state.selected = selected;
                }
            });
        }
    }
}

/// How many tiles there are, and the ranges of those that are selected: `711:0-9,12`.
fn ranges(selected: &[bool]) -> String {
    let mut text = format!("{}:", selected.len());
    let mut at = 0;
    for run in selected.chunk_by(|one, next| one == next) {
        if run.first() == Some(&true) {
            if !text.ends_with(':') {
                text.push(',');
            }
            text.push_str(&format!("{at}-{}", at + run.len() - 1));
        }
        at += run.len();
    }
    text
}

/// The selection of that text; `None` where there are other tiles now.
fn from_ranges(text: &str, tiles: usize) -> Option<Vec<bool>> {
    let (count, runs) = text.split_once(':')?;
    if count.parse() != Ok(tiles) {
        return None;
    }
    let mut selected = vec![false; tiles];
    for run in runs.split(',') {
        let Some((first, last)) = run.split_once('-') else { continue };
        let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
        selected.get_mut(first..=last)?.fill(true);
    }
    Some(selected)
}

fn select(selected: &mut [bool], tiles: impl Iterator<Item = usize>, is: bool) {
    for tile in tiles {
        if let Some(one) = selected.get_mut(tile) {
            *one = is;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selection_is_kept_as_ranges() {
        let selected = [true, true, false, true, false];
        assert_eq!(ranges(&selected), "5:0-1,3-3");
        assert_eq!(from_ranges("5:0-1,3-3", 5).as_deref(), Some(&selected[..]));
        assert_eq!(from_ranges(&ranges(&[false; 3]), 3).as_deref(), Some(&[false; 3][..]));
        for wrong in ["4:0-1", "5:0-9", "5:4-x", "", "x:1-2"] {
            assert_eq!(from_ranges(wrong, 5), None, "{wrong}");
        }
    }
}
