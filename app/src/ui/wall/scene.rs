//! The wall as it stands in the browser: model, layout, window and canvas, painted at most once a frame.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlElement};

use super::filter::{Counts, Filter};
use super::layout::{Layout, Step, Zoom};
use super::paint::{Look, Painter, View};
use super::state::Model;
use super::stream::{Link, Take};
use super::theme::Theme;
use crate::i18n::Lang;
use model::ids::MeterId;
use model::wall::{Delta, Snapshot, Tile};

/// What the scene tells the page around it.
#[derive(Clone, Copy)]
pub struct Signals {
    /// Tiles a chip.
    pub counts: RwSignal<Counts>,
    pub shown: RwSignal<Option<usize>>,
    /// The tile one looks at.
    pub focus: RwSignal<Option<Seen>>,
    /// What is selected: how many, their credit in fen, their power in W.
    pub selected: RwSignal<Option<(usize, i64, i64)>>,
    /// How the stream is doing.
    pub link: RwSignal<Link>,
    /// The server's time, epoch seconds.
    pub now_s: RwSignal<i64>,
}

/// A tile and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Building, floor and room.
    pub place: String,
    pub meter: MeterId,
    pub tile: Tile,
}

/// The scene, shared by everything that happens in the browser.
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
    filter: Filter,
    layout: Layout,
    zoom: Zoom,
    painter: Option<Painter>,
    /// Size of the canvas, and how many of its points make one of the page's.
    size: (f64, f64, f64),
    focus: Option<usize>,
    hover: Option<usize>,
    selected: BTreeSet<usize>,
    dirty: Vec<usize>,
    stale: Stale,
    /// The server's clock minus the browser's, ms.
    skew: f64,
}

/// What the next frame must do beyond the dirty tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stale {
    Nothing,
    Picture,
    Layout,
}

impl Take for Scene {
    fn snapshot(&self, snapshot: Snapshot) {
        self.begin(snapshot);
    }

    fn delta(&self, delta: &Delta) {
        self.change(delta);
    }
}

impl Scene {
    /// On these elements; nothing is painted before a snapshot has come.
    #[must_use]
    pub fn new(view: HtmlElement, spacer: HtmlElement, canvas: HtmlCanvasElement, signals: Signals, lang: Lang) -> Self {
        let state = State {
            model: Model::default(),
            filter: Filter::default(),
            layout: Layout::default(),
            zoom: Zoom::default(),
            painter: None,
            size: (0.0, 0.0, 1.0),
            focus: None,
            hover: None,
            selected: BTreeSet::new(),
            dirty: Vec::new(),
            stale: Stale::Layout,
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
        let focused = self.with(|state| state.focus.and_then(|index| Some(state.model.rooms.get(index)?.meter)));
        self.with(|state| {
            state.skew = snapshot.at as f64 - js_sys::Date::now();
            state.model = Model::new(snapshot);
            // Indices may have moved; the eye should not.
            state.focus = focused.and_then(|meter| state.model.rooms.iter().position(|room| room.meter == meter));
            state.hover = None;
            state.selected.clear();
            state.mark(Stale::Layout);
        });
        self.tell();
        self.ask();
    }

    fn change(&self, delta: &Delta) {
        self.with(|state| {
            state.skew = delta.at as f64 - js_sys::Date::now();
            let changed = state.model.apply(delta, &state.filter);
            if changed.moved {
                state.mark(Stale::Layout);
            }
            state.dirty.extend(changed.tiles);
        });
        self.tell();
        self.ask();
    }

    /// Shows something else.
    pub fn set_filter(&self, filter: Filter) {
        self.with(|state| {
            state.filter = filter;
            state.mark(Stale::Layout);
        });
        self.ask();
    }

    /// Looks nearer or further; what one looks at stays in the window.
    pub fn set_zoom(&self, zoom: Zoom) {
        self.with(|state| {
            state.zoom = zoom;
            state.mark(Stale::Layout);
        });
        self.frame_now();
        self.reveal();
    }

    /// The window moved, or its colours or the time have changed.
    pub fn repaint(&self) {
        self.with(|state| state.mark(Stale::Picture));
        self.ask();
    }

    /// The window's size has changed.
    pub fn resize(&self) {
        self.with(|state| state.mark(Stale::Layout));
        self.ask();
    }

    /// Colours have changed.
    pub fn retheme(&self) {
        self.with(|state| state.painter = None);
        self.repaint();
    }

    /// Ages grow by themselves.
    pub fn tick(&self) {
        self.tell();
        self.repaint();
    }

    /// Moves with the keyboard.
    pub fn step(&self, step: Step) {
        let to = self.with(|state| state.layout.step(state.focus, step));
        if let Some(to) = to {
            self.focus(Some(to));
            self.reveal();
        }
    }

    /// Puts the keyboard on a tile.
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

    /// Selects the tile, or not any more.
    pub fn toggle(&self, tile: Option<usize>) {
        self.with(|state| {
            let Some(tile) = tile.or(state.focus) else { return };
            if !state.selected.remove(&tile) {
                state.selected.insert(tile);
            }
            state.dirty.push(tile);
        });
        self.tell();
        self.ask();
    }

    /// Selects nothing any more.
    pub fn clear_selection(&self) {
        self.with(|state| state.selected.clear());
        self.tell();
        self.repaint();
    }

    /// The meter that the keyboard is on.
    #[must_use]
    pub fn focused(&self) -> Option<MeterId> {
        self.with(|state| Some(state.model.rooms.get(state.focus?)?.meter))
    }

    /// How near one looks.
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

    /// Says what one looks at, and how many there are of each.
    fn tell(&self) {
        let signals = self.0.signals;
        let (counts, seen, selected, now_s) = self.with(|state| {
            let seen = state.hover.or(state.focus).and_then(|index| state.seen(index));
            let sum = |(credit, power): (i64, i64), index: &usize| {
                let tile = state.model.tiles.get(*index).copied().unwrap_or(Tile::UNSEEN);
                (credit + i64::from(tile.remaining), power + i64::from(tile.power_w))
            };
            let (credit, power) = state.selected.iter().fold((0, 0), sum);
            let selected = (!state.selected.is_empty()).then_some((state.selected.len(), credit, power));
            (state.model.counts, seen, selected, state.now_s())
        });
        set(signals.counts, counts);
        set(signals.focus, seen);
        set(signals.selected, selected);
        set(signals.now_s, now_s);
    }

    /// Asks for a frame, unless one is coming.
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
        if let Err(error) = self.frame() {
            leptos::logging::error!("wall: {error:?}");
        }
    }

    fn frame(&self) -> Result<(), JsValue> {
        let inner = &*self.0;
        let mut state = inner.state.borrow_mut();
        if state.model.rooms.is_empty() {
            return Ok(());
        }
        if state.stale == Stale::Layout {
            let (width, height) = (f64::from(inner.view.client_width()), f64::from(inner.view.client_height()));
            let dpr = window().device_pixel_ratio();
            if state.size != (width, height, dpr) {
                inner.canvas.set_width((width * dpr) as u32);
                inner.canvas.set_height((height * dpr) as u32);
                state.size = (width, height, dpr);
            }
            let State { model, filter, zoom, .. } = &*state;
            let shows = |index| model.shows(index, filter);
            let layout = Layout::new(&model.blocks, model.rooms.len(), *zoom, width, shows);
            inner.spacer.style().set_property("height", &format!("{}px", layout.height))?;
            set(inner.signals.shown, Some(layout.order.len()));
            state.layout = layout;
        }
        if state.painter.is_none() {
            let ctx = inner.canvas.get_context("2d")?.ok_or(JsValue::NULL)?.dyn_into::<CanvasRenderingContext2d>()?;
            state.painter = Some(Painter::new(ctx, Theme::read(&inner.view)?, inner.lang));
            state.mark(Stale::Picture);
        }
        state.paint(f64::from(inner.view.scroll_top()))?;
        state.stale = Stale::Nothing;
        state.dirty.clear();
        Ok(())
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.0.state.borrow_mut())
    }
}

impl State {
    fn mark(&mut self, stale: Stale) {
        self.stale = self.stale.max(stale);
    }

    fn now_s(&self) -> i64 {
        ((js_sys::Date::now() + self.skew) / 1_000.0) as i64
    }

    fn seen(&self, index: usize) -> Option<Seen> {
        let (room, tile) = (self.model.rooms.get(index)?, self.model.tiles.get(index)?);
        let (building, floor) = self.model.place(index)?;
        let place = [building, floor, &room.name].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        Some(Seen { place, meter: room.meter, tile: *tile })
    }

    fn paint(&self, top: f64) -> Result<(), JsValue> {
        let Some(painter) = &self.painter else { return Ok(()) };
        let (width, height, dpr) = self.size;
        let view = View { top, width, height, now_s: self.now_s() };
        let look = |index| Look { focused: self.focus == Some(index), selected: self.selected.contains(&index) };
        painter.look_at(view, dpr)?;
        if self.stale > Stale::Nothing {
            return painter.all(&self.model, &self.layout, view, self.zoom, look);
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

/// Sets a signal only where it changes: what hangs on it is rendered again otherwise.
fn set<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}
