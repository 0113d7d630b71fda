//! Paints the wall: what the window shows, or single tiles that have changed.

use wasm_bindgen::JsValue;
use web_sys::CanvasRenderingContext2d as Context;

use super::fit::{FLOOR_SIZE, HEAD_SIZE, NAME_EDGES, NAME_SIZE, ems, fit};
use super::layout::{Layout, Rect, Zoom};
use super::shapes;
use super::state::{Block, Model};
use super::theme::{Theme, tint};
use crate::i18n::{Lang, common, wall};
use model::meter::{ControlMode, SupplyState};
use model::money::Fen;
use model::wall::Tile;

type Drawn = Result<(), JsValue>;

/// What the painter needs to know of the moment.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// First row of the window.
    pub top: f64,
    pub width: f64,
    pub height: f64,
    /// The server's time, epoch seconds.
    pub now_s: i64,
}

/// How a tile stands out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// The keyboard is here.
    pub focused: bool,
    /// It is selected.
    pub selected: bool,
}

/// A canvas and how to paint on it.
pub struct Painter {
    ctx: Context,
    theme: Theme,
    words: wall::WallTexts,
    lang: Lang,
    fonts: Fonts,
}

struct Fonts {
    name: String,
    figure: String,
    strong: String,
    small: String,
    head: String,
}

impl Painter {
    /// With these colours and words.
    #[must_use]
    pub fn new(ctx: Context, theme: Theme, lang: Lang) -> Self {
        let fonts = Fonts {
            name: theme.font(600, 13),
            figure: theme.font(400, 14),
            strong: theme.font(700, 14),
            small: theme.font(400, 11),
            head: theme.font(600, 14),
        };
        Self { ctx, theme, words: wall::texts(lang), lang, fonts }
    }

    /// Moves the canvas over the wall: from now on, everything is said in the wall's own units.
    ///
    /// # Errors
    /// Where the canvas refuses.
    pub fn look_at(&self, view: View, dpr: f64) -> Drawn {
        self.ctx.set_transform(dpr, 0.0, 0.0, dpr, 0.0, -view.top * dpr)
    }

    /// Paints all that the window shows.
    ///
    /// # Errors
    /// Where the canvas refuses.
    pub fn all(&self, (model, blocks): (&Model, &[Block]), layout: &Layout, view: View, look: impl Fn(usize) -> Look) -> Drawn {
        let zoom = layout.zoom();
        self.fill(&self.theme.paper, Rect { x: 0.0, y: view.top, w: view.width, h: view.height });
        for head in layout.heads.iter().filter(|head| head.at.y + head.at.h > view.top && head.at.y < view.top + view.height) {
            let Some(block) = blocks.get(head.block) else { continue };
            let count = format!("{} {}", head.shown, self.words.rooms);
            let name = fit(&block.name, HEAD_SIZE, head.at.w - ems(&count) * 11.0 - 12.0);
            self.text(&name, head.at.x, head.at.y + 21.0, &self.fonts.head, &self.theme.ink)?;
            self.text(&count, head.at.x + ems(&name) * HEAD_SIZE + 12.0, head.at.y + 21.0, &self.fonts.small, &self.theme.muted)?;
        }
        for line in layout.visible(view.top, view.height) {
            if let Some((block, floor)) = line.label
                && let Some(floor) = blocks.get(block).and_then(|block| block.floors.get(floor))
            {
                let y = line.y + if zoom == Zoom::Heat { 11.0 } else { 19.0 };
                self.text(
                    &fit(&floor.name, FLOOR_SIZE, layout.gutter() - 4.0),
                    line.x - layout.gutter(),
                    y,
                    &self.fonts.small,
                    &self.theme.muted,
                )?;
            }
            for (index, rect) in layout.tiles(line) {
                self.tile(model, index, rect, zoom, look(index), view.now_s)?;
            }
        }
        Ok(())
    }

    /// Paints one tile, over whatever was there.
    ///
    /// # Errors
    /// Where the canvas refuses.
    pub fn tile(&self, model: &Model, index: usize, rect: Rect, zoom: Zoom, look: Look, now_s: i64) -> Drawn {
        let (Some(&tile), Some(room)) = (model.tiles.get(index), model.rooms.get(index)) else { return Ok(()) };
        let state = tile.flags.state();
        let colour = self.theme.state(state);
        match zoom {
            Zoom::Heat => self.heat(tile, rect, state, colour)?,
            Zoom::Tile => {
                self.ground(rect, state, colour);
                self.first_row(&room.name, state, rect, colour)?;
                self.amount(tile, state, rect.x + 8.0, rect.y + 34.0)?;
                self.text(&self.last(tile, state, now_s), rect.x + 8.0, rect.y + 49.0, &self.fonts.small, &self.theme.muted)?;
                self.marks(tile, rect.x + rect.w - 12.0, rect.y + 45.0)?;
            }
            Zoom::Card => {
                self.ground(rect, state, colour);
                self.first_row(&room.name, state, rect, colour)?;
                self.amount(tile, state, rect.x + 8.0, rect.y + 40.0)?;
                self.text(&self.power(tile, state), rect.x + 8.0, rect.y + 60.0, &self.fonts.small, &self.theme.muted)?;
                self.text(&self.since(tile, now_s), rect.x + 8.0, rect.y + 77.0, &self.fonts.small, &self.theme.muted)?;
                let said = fit(&self.marks_text(tile), 11.0, rect.w - 60.0);
                self.text(&said, rect.x + 8.0, rect.y + 95.0, &self.fonts.small, &self.theme.ink)?;
                self.marks(tile, rect.x + rect.w - 12.0, rect.y + 92.0)?;
            }
        }
        self.outline(rect, look);
        Ok(())
    }

    fn heat(&self, tile: Tile, rect: Rect, state: SupplyState, colour: &str) -> Drawn {
        self.fill(&self.theme.paper, rect);
        let strength = match state {
            SupplyState::Open => 0.16,
            SupplyState::NotOpen => 0.06,
            SupplyState::Lost | SupplyState::Unreadable => 0.12,
            SupplyState::Alarm1 => 0.30,
            SupplyState::Alarm2 => 0.42,
            SupplyState::Arrears => 0.55,
        };
        self.ctx.set_global_alpha(strength);
        self.fill(colour, rect);
        self.ctx.set_global_alpha(1.0);
        shapes::state(&self.ctx, state, rect.x + rect.w / 2.0, rect.y + rect.h / 2.0, 3.6, colour)?;
        // At this distance a forced mode is a corner in its colour.
        match tile.flags.mode() {
            ControlMode::Prepaid => {}
            ControlMode::Guaranteed => self.fill(&self.theme.guaranteed, Rect { w: 5.0, h: 3.0, ..rect }),
            ControlMode::ForcedOff => self.fill(&self.theme.forced_off, Rect { w: 3.0, h: 5.0, ..rect }),
        }
        Ok(())
    }

    fn ground(&self, rect: Rect, state: SupplyState, colour: &str) {
        let ground = if state == SupplyState::NotOpen { &self.theme.paper } else { &self.theme.surface };
        self.fill(ground, rect);
        let strength = tint(state);
        if strength > 0.0 {
            self.ctx.set_global_alpha(strength);
            self.fill(colour, rect);
            self.ctx.set_global_alpha(1.0);
        }
        if state.is_unread() {
            self.ctx.set_global_alpha(0.22);
            shapes::hatch(&self.ctx, rect.x, rect.y, rect.w, rect.h, 7.0, colour);
            self.ctx.set_global_alpha(1.0);
        }
        self.ctx.set_stroke_style_str(&self.theme.line);
        self.ctx.set_line_width(1.0);
        self.ctx.stroke_rect(rect.x + 0.5, rect.y + 0.5, rect.w - 1.0, rect.h - 1.0);
        if state != SupplyState::NotOpen {
            self.fill(colour, Rect { w: 3.0, ..rect });
        }
    }

    /// Shape and room to the left, the word of the state to the right where there is room for it: the shape says the state too.
    fn first_row(&self, name: &str, state: SupplyState, rect: Rect, colour: &str) -> Drawn {
        let word = common::supply(state, self.lang);
        let right = rect.x + rect.w - 5.0;
        let name = fit(name, NAME_SIZE, rect.w - NAME_EDGES);
        if ems(&name) * NAME_SIZE + ems(word) * 11.0 + 30.0 <= rect.w {
            self.ctx.set_text_align("right");
            // The colour of "not open" is too faint for small text.
            let ink = if state == SupplyState::NotOpen { &self.theme.muted } else { colour };
            self.text(word, right, rect.y + 17.0, &self.fonts.small, ink)?;
            self.ctx.set_text_align("left");
        }
        shapes::state(&self.ctx, state, rect.x + 11.0, rect.y + 12.5, 4.0, colour)?;
        let ink = if state == SupplyState::NotOpen { &self.theme.muted } else { &self.theme.ink };
        self.text(&name, rect.x + 18.0, rect.y + 17.0, &self.fonts.name, ink)
    }

    fn amount(&self, tile: Tile, state: SupplyState, x: f64, y: f64) -> Drawn {
        let figure = if state == SupplyState::NotOpen || tile.observed_s == 0 {
            "—".to_owned()
        } else {
            Fen(tile.remaining.into()).to_string()
        };
        let (font, ink) = match state {
            SupplyState::Arrears => (&self.fonts.strong, self.theme.state(SupplyState::Arrears)),
            SupplyState::NotOpen | SupplyState::Lost | SupplyState::Unreadable => (&self.fonts.figure, self.theme.muted.as_str()),
            _ => (&self.fonts.figure, self.theme.ink.as_str()),
        };
        self.text(&figure, x, y, font, ink)
    }

    /// Power; for a lost meter the age of what is known.
    fn last(&self, tile: Tile, state: SupplyState, now_s: i64) -> String {
        match state {
            state if state.is_unread() && tile.since_s() == 0 => self.words.never.to_owned(),
            state if state.is_unread() => wall::age(now_s - i64::from(tile.since_s()), &self.words),
            _ => format!("{} W", tile.power_w),
        }
    }

    fn since(&self, tile: Tile, now_s: i64) -> String {
        if tile.since_s() == 0 {
            return self.words.never.to_owned();
        }
        let age = wall::age(now_s - i64::from(tile.since_s()), &self.words);
        wall::since(&age, tile.flags.state(), self.lang)
    }

    /// A lost meter's power is not known.
    fn power(&self, tile: Tile, state: SupplyState) -> String {
        if state.is_unread() { format!("{} —", self.words.power) } else { format!("{} {} W", self.words.power, tile.power_w) }
    }

    /// The marks of a tile in words.
    fn marks_text(&self, tile: Tile) -> String {
        super::marks(tile, &self.words, self.lang).join(" · ")
    }

    /// Marks from right to left.
    fn marks(&self, tile: Tile, mut x: f64, y: f64) -> Drawn {
        match tile.flags.mode() {
            ControlMode::Prepaid => {}
            ControlMode::Guaranteed => {
                shapes::shield(&self.ctx, x, y, 5.0, &self.theme.guaranteed)?;
                x -= 15.0;
            }
            ControlMode::ForcedOff => {
                shapes::power(&self.ctx, x, y, 5.0, &self.theme.forced_off)?;
                x -= 15.0;
            }
        }
        if tile.flags.relay_open() && tile.flags.state() != SupplyState::NotOpen {
            shapes::contact(&self.ctx, x, y, 5.0, &self.theme.muted)?;
            x -= 15.0;
        }
        if tile.flags.attention() {
            shapes::attention(&self.ctx, x, y, 5.0, self.theme.state(SupplyState::Alarm2))?;
        }
        Ok(())
    }

    /// Paints the rectangle that is being drawn around tiles.
    pub fn lasso(&self, rect: Rect) {
        self.ctx.set_global_alpha(0.12);
        self.fill(&self.theme.accent, rect);
        self.ctx.set_global_alpha(1.0);
        self.ctx.set_stroke_style_str(&self.theme.accent);
        self.ctx.set_line_width(1.0);
        self.ctx.stroke_rect(rect.x, rect.y, rect.w, rect.h);
    }

    fn outline(&self, rect: Rect, look: Look) {
        if !look.focused && !look.selected {
            return;
        }
        self.ctx.set_stroke_style_str(&self.theme.accent);
        self.ctx.set_line_width(if look.focused { 2.0 } else { 1.0 });
        self.ctx.stroke_rect(rect.x + 1.0, rect.y + 1.0, rect.w - 2.0, rect.h - 2.0);
        if look.selected {
            self.fill(&self.theme.accent, Rect { x: rect.x + rect.w - 6.0, y: rect.y, w: 6.0, h: 6.0 });
        }
    }

    fn fill(&self, colour: &str, rect: Rect) {
        self.ctx.set_fill_style_str(colour);
        self.ctx.fill_rect(rect.x, rect.y, rect.w, rect.h);
    }

    fn text(&self, text: &str, x: f64, y: f64, font: &str, colour: &str) -> Drawn {
        self.ctx.set_font(font);
        self.ctx.set_fill_style_str(colour);
        self.ctx.fill_text(text, x, y)
    }
}
