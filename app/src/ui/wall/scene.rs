//! The wall in the browser: model, layout, window and canvas, painted at most once per frame.

mod selection;
mod signals;

pub use signals::{FocusedTile, Signals};

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlElement};

use super::arrange::{Arrangement, Sections, Sort};
use super::filter::{Filter, Selector};
use super::layout::{Layout, Rect, Step, Zoom};
use super::paint::{Look, Painter, View};
use super::state::{Block, Model};
use super::stream::StreamConsumer;
use super::theme::Theme;
use crate::i18n::{Lang, wall};
use model::ids::MeterId;
use model::wall::{Delta, Snapshot, Tile};

/// The scene, shared by all event handlers.
#[derive(Clone)]
pub struct Scene(Rc<Inner>);

struct Inner {
    state: RefCell<State>,
    asked: Cell<bool>,
    signals: Signals,
    view: HtmlElement,
    spacer: HtmlElement,
    canvas: HtmlCanvasElement,
    lang: Lang,
}

struct State {
    model: Model,
    filter: Selector,
    arrangement: Arrangement,
    /// The sections in that arrangement.
    blocks: Vec<Block>,
    layout: Layout,
    zoom: Zoom,
    /// The corner where a rectangle around tiles began, and the one opposite once it is one.
    lasso: Option<((f64, f64), Option<(f64, f64)>)>,
    painter: Option<Painter>,
    /// The size of the canvas, and the device pixel ratio.
    size: (f64, f64, f64),
    focus: Option<usize>,
    hover: Option<usize>,
    /// Which tiles are selected.
    selected: Vec<bool>,
    dirty: Vec<usize>,
    repaint: Repaint,
    /// The server's clock minus the browser's, ms.
    skew: f64,
}

/// What the next frame must do beyond the dirty tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Repaint {
    Nothing,
    Picture,
    Layout,
}

impl StreamConsumer for Scene {
    fn snapshot(&self, snapshot: Snapshot) {
        self.begin(snapshot);
    }

    fn delta(&self, delta: &Delta) {
        self.change(delta);
    }
}

impl Scene {
    /// Nothing is painted before the first snapshot.
    #[must_use]
    pub fn new(view: HtmlElement, spacer: HtmlElement, canvas: HtmlCanvasElement, signals: Signals, lang: Lang) -> Self {
        let state = State {
            model: Model::default(),
            filter: Selector::default(),
            arrangement: Arrangement::default(),
            blocks: Vec::new(),
            layout: Layout::default(),
            zoom: Zoom::default(),
            lasso: None,
            painter: None,
            size: (0.0, 0.0, 1.0),
            focus: None,
            hover: None,
            selected: Vec::new(),
            dirty: Vec::new(),
            repaint: Repaint::Layout,
            skew: 0.0,
        };
        Self(Rc::new(Inner { state: RefCell::new(state), asked: Cell::new(false), signals, view, spacer, canvas, lang }))
    }

    /// The scrolling element.
    #[must_use]
    pub fn view(&self) -> &HtmlElement {
        &self.0.view
    }

    fn begin(&self, snapshot: Snapshot) {
        let mut is_first = false;
        let focused = self.with(|state| state.focus.and_then(|index| Some(state.model.rooms.get(index)?.meter)));
        self.with(|state| {
            state.skew = snapshot.at as f64 - js_sys::Date::now();
            state.model = Model::new(snapshot);
            state.filter = state.filter.filter.clone().among(state.model.search_texts());
            // Indices may have changed; keep the focus on the same meter.
            state.focus = focused.and_then(|meter| state.model.rooms.iter().position(|room| room.meter == meter));
            state.hover = None;
            is_first = state.selected.is_empty();
            state.selected = vec![false; state.model.rooms.len()];
            state.mark(Repaint::Layout);
        });
        if is_first {
            self.restore_selection();
        }
        self.tell();
        self.ask();
    }

    fn change(&self, delta: &Delta) {
        self.with(|state| {
            state.skew = delta.at as f64 - js_sys::Date::now();
            let changed = state.model.apply(delta, &state.filter);
            if changed.moved {
                state.mark(Repaint::Layout);
            }
            state.dirty.extend(changed.tiles);
        });
        self.tell();
        self.ask();
    }

    /// Applies a filter.
    pub fn set_filter(&self, filter: Filter) {
        self.with(|state| {
            state.filter = filter.among(state.model.search_texts());
            state.mark(Repaint::Layout);
        });
        self.ask();
    }

    /// Applies sections and order.
    pub fn set_arrangement(&self, arrangement: Arrangement) {
        self.with(|state| {
            state.arrangement = arrangement;
            state.mark(Repaint::Layout);
        });
        self.ask();
    }

    /// Zooms; the focused tile stays in the window.
    pub fn set_zoom(&self, zoom: Zoom) {
        self.with(|state| {
            state.zoom = zoom;
            state.mark(Repaint::Layout);
        });
        self.frame_now();
        self.reveal();
    }

    /// Repaints after scrolling, or when the colours or the time have changed.
    pub fn repaint(&self) {
        self.with(|state| state.mark(Repaint::Picture));
        self.ask();
    }

    /// Applies a new window size.
    pub fn resize(&self) {
        self.with(|state| state.mark(Repaint::Layout));
        self.ask();
    }

    /// Applies a new theme.
    pub fn retheme(&self) {
        self.with(|state| state.painter = None);
        self.repaint();
    }

    /// Repaints the ages, and sorts by what the meters show now: not more often, or tiles would jump away under the pointer.
    pub fn tick(&self) {
        self.tell();
        self.with(
            |state| {
                if state.arrangement.sort == Sort::Place { state.mark(Repaint::Picture) } else { state.mark(Repaint::Layout) }
            },
        );
        self.ask();
    }

    /// Moves with the keyboard.
    pub fn step(&self, step: Step) {
        let to = self.with(|state| state.layout.step(state.focus, step));
        if let Some(to) = to {
            self.focus(Some(to));
            self.reveal();
        }
    }

    /// Focuses a tile.
    pub fn focus(&self, to: Option<usize>) {
        self.with(|state| {
            let from = std::mem::replace(&mut state.focus, to);
            state.dirty.extend([from, to].into_iter().flatten());
        });
        self.tell();
        self.ask();
    }

    /// The pointer is over a tile.
    pub fn hover(&self, at: Option<usize>) {
        if self.with(|state| std::mem::replace(&mut state.hover, at) != at) {
            self.tell();
        }
    }

    /// The meter of the focused tile.
    #[must_use]
    pub fn focused(&self) -> Option<MeterId> {
        self.with(|state| Some(state.model.rooms.get(state.focus?)?.meter))
    }

    /// The zoom level.
    #[must_use]
    pub fn zoom(&self) -> Zoom {
        self.with(|state| state.zoom)
    }

    /// The tile at a point of the window.
    #[must_use]
    pub fn hit(&self, x: f64, y: f64) -> Option<usize> {
        let top = f64::from(self.0.view.scroll_top());
        self.with(|state| state.layout.hit(x, y + top))
    }

    /// Scrolls so that the focused tile is in the window.
    fn reveal(&self) {
        let Some(rect) = self.with(|state| state.layout.rect(state.focus?)) else { return };
        let (top, height) = (f64::from(self.0.view.scroll_top()), f64::from(self.0.view.client_height()));
        if rect.y < top + 8.0 {
            self.0.view.set_scroll_top((rect.y - 48.0).max(0.0) as i32);
        } else if rect.y + rect.h > top + height - 8.0 {
            self.0.view.set_scroll_top((rect.y + rect.h - height + 24.0) as i32);
        }
    }

    /// Updates the signals of the focused tile and the counts.
    fn tell(&self) {
        let signals = self.0.signals;
        let (counts, seen, selected, totals, now_s) = self.with(|state| {
            let seen = state.hover.or(state.focus).and_then(|index| state.seen(index));
            let selected = Some(state.sums(state.selection())).filter(|(rooms, ..)| *rooms > 0);
            let totals = state.sums(state.layout.shown());
            (state.model.counts, seen, selected, totals, state.now_s())
        });
        set(signals.counts, counts);
        set(signals.focus, seen);
        // The page shows what can be done only where there is something to do it to.
        if signals.selected.with_untracked(Option::is_some) != selected.is_some()
            && let Some(bar) = document().get_element_by_id("wall-acts")
        {
            let _ = bar.toggle_attribute_with_force("hidden", selected.is_none());
        }
        if let (Some((rooms, ..)), Some(count)) = (selected, document().get_element_by_id("wall-selected")) {
            count.set_text_content(Some(&rooms.to_string()));
        }
        set(signals.selected, selected);
        set(signals.totals, totals);
        set(signals.now_s, now_s);
    }

    /// Requests a frame, unless one is pending.
    fn ask(&self) {
        if !self.0.asked.replace(true) {
            let scene = self.clone();
            request_animation_frame(move || {
                scene.0.asked.set(false);
                scene.frame_now();
            });
        }
    }

    fn frame_now(&self) {
        match self.frame() {
            // What is shown has changed, and so have its totals.
            Ok(true) => self.tell(),
            Ok(false) => {}
            Err(error) => leptos::logging::error!("wall: {error:?}"),
        }
    }

    /// Paints; gives whether it laid out the tiles anew.
    fn frame(&self) -> Result<bool, JsValue> {
        let inner = &*self.0;
        let mut state = inner.state.borrow_mut();
        if state.model.rooms.is_empty() {
            return Ok(false);
        }
        let lays_out = state.repaint == Repaint::Layout;
        if lays_out {
            let (width, height) = (f64::from(inner.view.client_width()), f64::from(inner.view.client_height()));
            let dpr = window().device_pixel_ratio();
            if state.size != (width, height, dpr) {
                inner.canvas.set_width((width * dpr) as u32);
                inner.canvas.set_height((height * dpr) as u32);
                state.size = (width, height, dpr);
            }
            let State { model, filter, zoom, arrangement, .. } = &*state;
            let shows = |index| model.shows(index, filter);
            let blocks = arrangement.blocks(model, wall::texts(inner.lang).others);
            let layout = Layout::new(&blocks, model.rooms.len(), *zoom, width, model.name_width, shows);
            inner.spacer.style().set_property("height", &format!("{}px", layout.height))?;
            set(inner.signals.shown, Some(layout.order.len()));
            state.layout = layout;
            state.blocks = blocks;
        }
        if state.painter.is_none() {
            let ctx = inner.canvas.get_context("2d")?.ok_or(JsValue::NULL)?.dyn_into::<CanvasRenderingContext2d>()?;
            state.painter = Some(Painter::new(ctx, Theme::read(&inner.view)?, inner.lang));
            state.mark(Repaint::Picture);
        }
        state.paint(f64::from(inner.view.scroll_top()))?;
        state.repaint = Repaint::Nothing;
        state.dirty.clear();
        Ok(lays_out)
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.0.state.borrow_mut())
    }
}

impl State {
    fn mark(&mut self, repaint: Repaint) {
        self.repaint = self.repaint.max(repaint);
    }

    /// The selected tiles.
    fn selection(&self) -> impl Iterator<Item = usize> + '_ {
        self.selected.iter().enumerate().filter_map(|(tile, is)| is.then_some(tile))
    }

    /// How many tiles, what is in their meters, and what they draw.
    fn sums(&self, tiles: impl Iterator<Item = usize>) -> (usize, i64, i64) {
        tiles.fold((0, 0, 0), |(rooms, credit, power), index| {
            let tile = self.model.tiles.get(index).copied().unwrap_or(Tile::UNSEEN);
            (rooms + 1, credit + i64::from(tile.remaining), power + i64::from(tile.power_w))
        })
    }

    fn now_s(&self) -> i64 {
        ((js_sys::Date::now() + self.skew) / 1_000.0) as i64
    }

    fn seen(&self, index: usize) -> Option<FocusedTile> {
        let (room, tile) = (self.model.rooms.get(index)?, self.model.tiles.get(index)?);
        Some(FocusedTile { place: room.place.clone(), meter: room.meter, tile: *tile })
    }

    fn paint(&self, top: f64) -> Result<(), JsValue> {
        let Some(painter) = &self.painter else { return Ok(()) };
        let (width, height, dpr) = self.size;
        let view = View { top, width, height, now_s: self.now_s() };
        let look = |index| Look { focused: self.focus == Some(index), selected: self.selected.get(index) == Some(&true) };
        painter.look_at(view, dpr)?;
        // A room may stand in several groups.
        if self.repaint > Repaint::Nothing || self.arrangement.sections == Sections::Groups {
            painter.all((&self.model, &self.blocks), &self.layout, view, look)?;
            if let Some((from, Some(to))) = self.lasso {
                painter.lasso(Rect::between(from, to));
            }
            return Ok(());
        }
        for &index in &self.dirty {
            let Some(rect) = self.layout.rect(index) else { continue };
            if rect.y + rect.h > top && rect.y < top + height {
                painter.tile(&self.model, index, rect, self.zoom, look(index), view.now_s)?;
            }
        }
        Ok(())
    }
}

/// Sets a signal only if the value changes, to avoid rendering its subscribers again.
fn set<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}
