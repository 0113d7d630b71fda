//! The selection: single tiles, what a name stands for, what a rectangle meets, or all that is shown.

use super::{Scene, State};
use crate::ui::wall::layout::Rect;

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

    /// The rooms of the selection, one a line.
    #[must_use]
    pub fn selected_rooms(&self) -> String {
        self.with(|state| {
            let rooms = state.selection().filter_map(|tile| state.model.rooms.get(tile));
            rooms.map(|room| room.place.as_str()).collect::<Vec<_>>().join("\n")
        })
    }
}

fn select(selected: &mut [bool], tiles: impl Iterator<Item = usize>, is: bool) {
    for tile in tiles {
        if let Some(one) = selected.get_mut(tile) {
            *one = is;
        }
    }
}
