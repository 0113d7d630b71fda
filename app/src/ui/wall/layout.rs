//! The layout of the tiles: sections, their rows, and the tiles in order.

use super::fit::{FLOOR_SIZE, ems};
use super::state::Block;

/// The zoom level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zoom {
    /// A colour and a shape per room.
    Heat,
    /// Room, amount, power.
    #[default]
    Tile,
    /// The same with more details.
    Card,
}

impl Zoom {
    /// All of them, from far to near.
    pub const ALL: [Self; 3] = [Self::Heat, Self::Tile, Self::Card];

    /// The word in addresses.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Heat => "heat",
            Self::Tile => "tiles",
            Self::Card => "cards",
        }
    }

    /// From that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|zoom| zoom.word() == word)
    }

    /// One zoom step in or out.
    #[must_use]
    pub const fn step(self, nearer: bool) -> Self {
        match (self, nearer) {
            (Self::Heat, true) | (Self::Card, false) => Self::Tile,
            (Self::Tile | Self::Card, true) => Self::Card,
            (Self::Heat | Self::Tile, false) => Self::Heat,
        }
    }

    /// Width and height of a tile, and the gap between two.
    #[must_use]
    pub const fn size(self) -> (f64, f64, f64) {
        match self {
            Self::Heat => (14.0, 14.0, 3.0),
            Self::Tile => (88.0, 56.0, 6.0),
            Self::Card => (184.0, 108.0, 8.0),
        }
    }

    /// The least width of the column of floors' names.
    #[must_use]
    pub const fn gutter(self) -> f64 {
        match self {
            Self::Heat => 34.0,
            Self::Tile | Self::Card => 44.0,
        }
    }
}

/// The line of a building's name, and the space between buildings.
const HEAD: f64 = 34.0;
const SPACE: f64 = 20.0;
/// Space around everything.
const MARGIN: f64 = 12.0;
/// How much wider than they need to be tiles may become to fill their line.
const STRETCH: f64 = 1.5;
/// The widest that a room's name may make all tiles.
const WIDEST: f64 = 184.0;
/// The widest that floors' names may make their column.
const WIDEST_FLOOR: f64 = 110.0;

/// A rectangle on the wall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub w: f64,
    pub h: f64,
}

impl Rect {
    /// Whether it holds a point.
    #[must_use]
    pub fn holds(&self, x: f64, y: f64) -> bool {
        x >= self.x && x < self.x + self.w && y >= self.y && y < self.y + self.h
    }

    /// Whether two have a part in common.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.x < other.x + other.w && other.x < self.x + self.w && self.y < other.y + other.h && other.y < self.y + self.h
    }

    /// Between two opposite corners.
    #[must_use]
    pub fn between((x, y): (f64, f64), (to_x, to_y): (f64, f64)) -> Self {
        Self { x: x.min(to_x), y: y.min(to_y), w: (x - to_x).abs(), h: (y - to_y).abs() }
    }
}

/// One line of tiles; a long floor has several.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The position of the first tile.
    pub x: f64,
    pub y: f64,
    /// Position of its first tile in [`Layout::order`].
    pub start: usize,
    /// The number of tiles.
    pub len: usize,
    /// The building and floor whose name precedes it; only on a floor's first line.
    pub label: Option<(usize, usize)>,
}

/// A building's name.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub block: usize,
    /// The position of the name.
    pub at: Rect,
    /// Position of its first tile in [`Layout::order`].
    pub start: usize,
    /// The number of shown tiles.
    pub shown: usize,
}

/// The layout of the whole wall.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    zoom: Zoom,
    /// Width of each tile.
    wide: f64,
    /// Width of the column of row names.
    gutter: f64,
    pub height: f64,
    pub heads: Vec<Head>,
    /// Lines, in the order of the wall.
    pub lines: Vec<Line>,
    /// Tiles that are shown, in the order of the wall.
    pub order: Vec<usize>,
    /// Position in `order` by tile.
    position: Vec<Option<usize>>,
}

/// Where one may go with the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The tile before.
    Left,
    /// The tile after.
    Right,
    /// The line above.
    Up,
    /// The line below.
    Down,
    /// The first tile.
    First,
    /// The last tile.
    Last,
}

/// The width of the column of floors' names, which are not cut up to [`WIDEST_FLOOR`]; none where no floor has a name.
fn gutter(blocks: &[Block], zoom: Zoom) -> f64 {
    let names = blocks.iter().flat_map(|block| &block.floors).map(|floor| ems(&floor.name));
    let longest = names.fold(0.0, f64::max);
    if longest > 0.0 { (longest * FLOOR_SIZE + 8.0).ceil().clamp(zoom.gutter(), WIDEST_FLOOR) } else { 0.0 }
}

impl Layout {
    /// The width of the column of floors' names.
    #[must_use]
    pub const fn gutter(&self) -> f64 {
        self.gutter
    }

    /// Lays out what `shows` lets through on a wall of that width. `tiles` is how many there are; `name` is the width that the
    /// longest name takes on a tile: no name is cut that fits on some tile. Tiles grow until their line is full.
    #[must_use]
    pub fn new(blocks: &[Block], tiles: usize, zoom: Zoom, width: f64, name: f64, shows: impl Fn(usize) -> bool) -> Self {
        let mut layout = Self { zoom, position: vec![None; tiles], ..Self::default() };
        let ((w, _, gap), gutter) = (zoom.size(), gutter(blocks, zoom));
        layout.gutter = gutter;
        let w = if zoom == Zoom::Heat { w } else { w.max(name.min(WIDEST)) };
        let kept: Vec<Vec<(usize, Vec<usize>)>> = blocks.iter().map(|block| kept(block, &shows)).collect();
        let longest = kept.iter().flatten().map(|(_, tiles)| tiles.len()).max().unwrap_or(0);
        let natural = gutter + longest as f64 * (w + gap);
        let inner = (width - 2.0 * MARGIN).max(gutter + w);
        let filled = kept.iter().filter(|floors| !floors.is_empty()).count();
        // Buildings stand side by side where they fit whole.
        let columns = (((inner + SPACE) / (natural + SPACE)).floor() as usize).clamp(1, filled.max(1));
        let column = (inner - SPACE * (columns - 1) as f64) / columns as f64;
        let a_line = (((column - gutter + gap) / (w + gap)).floor() as usize).max(1);
        let full = ((column - gutter + gap) / a_line.min(longest.max(1)) as f64 - gap).floor();
        layout.wide = if zoom == Zoom::Heat { w } else { full.clamp(w, w * STRETCH) };
        let mut heights = vec![MARGIN; columns];
        for (block, floors) in kept.into_iter().enumerate().filter(|(_, floors)| !floors.is_empty()) {
            let lowest = heights.iter().copied().enumerate().min_by(|one, other| one.1.total_cmp(&other.1));
            let (n, top) = lowest.unwrap_or((0, MARGIN));
            let x = MARGIN + n as f64 * (column + SPACE);
            let shown = floors.iter().map(|(_, tiles)| tiles.len()).sum();
            layout.heads.push(Head { block, at: Rect { x, y: top, w: column, h: HEAD }, start: layout.order.len(), shown });
            let bottom = layout.place(block, &floors, x + gutter, top + HEAD, a_line);
            if let Some(height) = heights.get_mut(n) {
                *height = bottom + SPACE;
            }
        }
        layout.height = heights.into_iter().fold(0.0, f64::max);
        layout
    }

    /// Places the floors of a building and gives the end of the last line.
    fn place(&mut self, block: usize, floors: &[(usize, Vec<usize>)], x: f64, top: f64, a_line: usize) -> f64 {
        let (_, h, gap) = self.zoom.size();
        let mut y = top;
        for (floor, tiles) in floors {
            let mut label = Some((block, *floor));
            for run in tiles.chunks(a_line) {
                self.lines.push(Line { x, y, start: self.order.len(), len: run.len(), label: label.take() });
                for &tile in run {
                    if let Some(position) = self.position.get_mut(tile) {
                        *position = Some(self.order.len());
                    }
                    self.order.push(tile);
                }
                y += h + gap;
            }
        }
        y
    }

    #[must_use]
    pub const fn zoom(&self) -> Zoom {
        self.zoom
    }

    /// Where a tile stands; `None` where it is not shown.
    #[must_use]
    pub fn rect(&self, tile: usize) -> Option<Rect> {
        let position = (*self.position.get(tile)?)?;
        let line = self.lines.get(self.line_of(position)?)?;
        Some(self.rect_in(line, position - line.start))
    }

    fn rect_in(&self, line: &Line, column: usize) -> Rect {
        let (_, h, gap) = self.zoom.size();
        Rect { x: line.x + column as f64 * (self.wide + gap), y: line.y, w: self.wide, h }
    }

    fn line_of(&self, position: usize) -> Option<usize> {
        self.lines.partition_point(|line| line.start <= position).checked_sub(1)
    }

    /// The lines that a window from `top` of that height shows.
    pub fn visible(&self, top: f64, height: f64) -> impl Iterator<Item = &Line> {
        let (_, h, _) = self.zoom.size();
        self.lines.iter().filter(move |line| line.y + h > top && line.y < top + height)
    }

    /// The tiles of a line and where they stand.
    pub fn tiles<'a>(&'a self, line: &'a Line) -> impl Iterator<Item = (usize, Rect)> + 'a {
        let tiles = self.order.get(line.start..line.start + line.len).unwrap_or_default();
        tiles.iter().enumerate().map(move |(column, &tile)| (tile, self.rect_in(line, column)))
    }

    /// The tile at a point.
    #[must_use]
    pub fn hit(&self, x: f64, y: f64) -> Option<usize> {
        let (_, h, _) = self.zoom.size();
        let lines = self.lines.iter().filter(|line| y >= line.y && y < line.y + h);
        lines.flat_map(|line| self.tiles(line)).find_map(|(tile, rect)| rect.holds(x, y).then_some(tile))
    }

    /// The tiles of the section or row whose name is at a point.
    #[must_use]
    pub fn named_at(&self, x: f64, y: f64) -> &[usize] {
        let (_, h, _) = self.zoom.size();
        let head = self.heads.iter().find(|head| head.at.holds(x, y)).map(|head| (head.start, head.start + head.shown));
        let row = || {
            let beside =
                |line: &Line| line.label.is_some() && x < line.x && x >= line.x - self.gutter && y >= line.y && y < line.y + h;
            let mut lines = self.lines.iter().skip_while(|line| !beside(line));
            let start = lines.next()?.start;
            Some((start, lines.find(|line| line.label.is_some()).map_or(self.order.len(), |line| line.start)))
        };
        head.or_else(row).and_then(|(start, end)| self.order.get(start..end)).unwrap_or_default()
    }

    /// The tiles of which a part is within a rectangle.
    #[must_use]
    pub fn within(&self, rect: &Rect) -> Vec<usize> {
        let tiles = self.visible(rect.y, rect.h).flat_map(|line| self.tiles(line));
        tiles.filter(|(_, at)| at.meets(rect)).map(|(tile, _)| tile).collect()
    }

    /// The tiles that are shown, each once.
    pub fn shown(&self) -> impl Iterator<Item = usize> + '_ {
        self.position.iter().enumerate().filter_map(|(tile, position)| position.map(|_| tile))
    }

    /// The tile a step from another; the first one from nowhere.
    #[must_use]
    pub fn step(&self, from: Option<usize>, step: Step) -> Option<usize> {
        let position = from.and_then(|tile| self.position.get(tile).copied().flatten());
        let Some(position) = position else { return self.order.first().copied() };
        let line = self.line_of(position)?;
        let to = match step {
            Step::Left => position.saturating_sub(1),
            Step::Right => (position + 1).min(self.order.len().saturating_sub(1)),
            Step::First => 0,
            Step::Last => self.order.len().saturating_sub(1),
            Step::Up => self.beside(position, line, line.checked_sub(1)?)?,
            Step::Down => self.beside(position, line, line + 1)?,
        };
        self.order.get(to).copied()
    }

    /// The position in another line that stands below or above one.
    fn beside(&self, position: usize, line: usize, other: usize) -> Option<usize> {
        let column = position - self.lines.get(line)?.start;
        let other = self.lines.get(other)?;
        Some(other.start + column.min(other.len.saturating_sub(1)))
    }
}

fn kept(block: &Block, shows: impl Fn(usize) -> bool) -> Vec<(usize, Vec<usize>)> {
    let floors = block.floors.iter().enumerate();
    let floors = floors.map(|(n, floor)| (n, floor.tiles.iter().copied().filter(|tile| shows(*tile)).collect::<Vec<_>>()));
    floors.filter(|(_, tiles)| !tiles.is_empty()).collect()
}

#[cfg(test)]
mod tests;
