//! The filter of the wall: states, marks and search words, as in the query.

use crate::link;
use model::console::ShownOnWall;
use model::meter::{ControlMode, SupplyState};
use model::search_text::{SearchText, Terms};
use model::wall::{Attention, Tile};

/// What a chip counts and filters by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chip {
    /// One of the seven states.
    State(SupplyState),
    Guaranteed,
    ForcedOff,
    /// The relay was observed open.
    RelayOpen,
    /// Something other than the credit needs attention.
    Attention,
    /// This needs attention.
    Reason(Attention),
}

impl Chip {
    /// All chips but the reasons, in their order on the screen.
    pub const ALL: [Self; 11] = [
        Self::State(SupplyState::Open),
        Self::State(SupplyState::Alarm1),
        Self::State(SupplyState::Alarm2),
        Self::State(SupplyState::Arrears),
        Self::State(SupplyState::NotOpen),
        Self::State(SupplyState::Lost),
        Self::State(SupplyState::Unreadable),
        Self::Guaranteed,
        Self::ForcedOff,
        Self::RelayOpen,
        Self::Attention,
    ];

    /// The word in addresses.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::State(SupplyState::Open) => "open",
            Self::State(SupplyState::Alarm1) => "alarm1",
            Self::State(SupplyState::Alarm2) => "alarm2",
            Self::State(SupplyState::Arrears) => "arrears",
            Self::State(SupplyState::NotOpen) => "not-open",
            Self::State(SupplyState::Lost) => "lost",
            Self::State(SupplyState::Unreadable) => "unreadable",
            Self::Guaranteed => "guaranteed",
            Self::ForcedOff => "forced-off",
            Self::RelayOpen => "relay-open",
            Self::Attention => "attention",
            Self::Reason(Attention::Overload) => "overload",
            Self::Reason(Attention::Malignant) => "malignant",
            Self::Reason(Attention::CoverOpen) => "cover",
            Self::Reason(Attention::RelayFault) => "relay-fault",
            Self::Reason(Attention::Reverse) => "reverse",
        }
    }

    /// Whether a tile is counted here.
    #[must_use]
    pub fn holds(self, tile: Tile) -> bool {
        match self {
            Self::State(state) => tile.flags.state() == state,
            Self::Guaranteed => tile.flags.mode() == ControlMode::Guaranteed,
            Self::ForcedOff => tile.flags.mode() == ControlMode::ForcedOff,
            // Without an account the relay is always open.
            Self::RelayOpen => tile.flags.relay_open() && tile.flags.state() != SupplyState::NotOpen,
            Self::Attention => tile.flags.attention(),
            Self::Reason(reason) => tile.flags.has(reason),
        }
    }

    const fn is_state(self) -> bool {
        matches!(self, Self::State(_))
    }
}

/// The number of tiles per chip.
pub type Counts = [u32; Chip::ALL.len()];

#[must_use]
pub fn count(tiles: impl IntoIterator<Item = Tile>) -> Counts {
    let mut counts = Counts::default();
    for tile in tiles {
        add(&mut counts, tile, 1);
    }
    counts
}

/// Adds a tile to the counts, or removes it.
pub fn add(counts: &mut Counts, tile: Tile, by: i32) {
    for (count, chip) in counts.iter_mut().zip(Chip::ALL) {
        if chip.holds(tile) {
            *count = count.saturating_add_signed(by);
        }
    }
}

/// Chosen chips and a search text: any of the states, any of the marks, and all that the text names. What it names depends on the
/// rooms that there are: see [`Filter::among`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    chips: Vec<Chip>,
    text: String,
}

/// A filter for certain rooms.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    pub filter: Filter,
    terms: Terms,
}

impl Selector {
    /// Whether a tile is shown.
    #[must_use]
    pub fn shows(&self, tile: Tile, room: &SearchText) -> bool {
        self.filter.admits(tile, Chip::is_state) && self.filter.admits(tile, |chip| !chip.is_state()) && self.terms.mean(room)
    }
}

impl Filter {
    /// From the query: `show=arrears,lost` and `q=301`. Unknown chips are ignored.
    #[must_use]
    pub fn parse(show: &str, text: &str) -> Self {
        let chips = Self::choices().filter(|chip| show.split(',').any(|word| word == chip.word())).collect();
        Self { chips, text: text.trim().to_owned() }
    }

    /// Everything that can be chosen.
    fn choices() -> impl Iterator<Item = Chip> {
        Chip::ALL.into_iter().chain(Attention::ALL.map(Chip::Reason))
    }

    /// The same with only the reason of that word, or with none for any other word.
    #[must_use]
    pub fn with_reason(mut self, word: &str) -> Self {
        self.chips.retain(|chip| !matches!(chip, Chip::Reason(_)));
        self.chips.extend(Attention::ALL.map(Chip::Reason).into_iter().find(|chip| chip.word() == word));
        self
    }

    /// The same with other words.
    #[must_use]
    pub fn with_text(self, text: &str) -> Self {
        Self { text: text.trim().to_owned(), ..self }
    }

    /// The same for these rooms, whose names decide what its text means.
    #[must_use]
    pub fn among<'a>(self, rooms: impl Iterator<Item = &'a SearchText> + Clone) -> Selector {
        let terms = Terms::of(&self.text, rooms);
        Selector { filter: self, terms }
    }

    /// The same with a chip toggled.
    #[must_use]
    pub fn toggled(&self, chip: Chip) -> Self {
        let has = self.has(chip);
        let chips = Self::choices().filter(|one| if *one == chip { !has } else { self.has(*one) }).collect();
        Self { chips, ..self.clone() }
    }

    /// Whether a chip is chosen.
    #[must_use]
    pub fn has(&self, chip: Chip) -> bool {
        self.chips.contains(&chip)
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether every tile passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chips.is_empty() && self.text.is_empty()
    }

    fn admits(&self, tile: Tile, kind: impl Fn(Chip) -> bool) -> bool {
        let mut of_kind = self.chips.iter().filter(|chip| kind(**chip)).peekable();
        of_kind.peek().is_none() || of_kind.any(|chip| chip.holds(tile))
    }

    /// What the wall shows under this filter, as a place that commands are issued to.
    #[must_use]
    pub fn place(&self) -> String {
        let show: Vec<&str> = self.chips.iter().map(|chip| chip.word()).collect();
        ShownOnWall { show: show.join("."), text: self.text.clone() }.to_string()
    }

    /// The filter of such a place.
    #[must_use]
    pub fn of(shown: &ShownOnWall) -> Self {
        Self::parse(&shown.show.replace('.', ","), &shown.text)
    }

    /// Its choices in words, for a page.
    pub fn chips(&self) -> impl Iterator<Item = Chip> + '_ {
        self.chips.iter().copied()
    }

    /// The address of `path` with this filter.
    #[must_use]
    pub fn address(&self, path: &str) -> String {
        let mut address = path.to_owned();
        if !self.chips.is_empty() {
            // Commas are harmless in a query and keep the address readable.
            let words: Vec<&str> = self.chips.iter().map(|chip| chip.word()).collect();
            let joint = if address.contains('?') { '&' } else { '?' };
            address.push_str(&format!("{joint}show={}", words.join(",")));
        }
        if self.text.is_empty() { address } else { link::with(&address, "q", &self.text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::wall::Flags;

    fn tile(flags: u16) -> Tile {
        Tile { flags: Flags(flags), ..Tile::UNSEEN }
    }

    /// Whether the filter shows a tile of a room that says nothing.
    fn shows(filter: &Filter, tile: Tile) -> bool {
        let room = SearchText::new("101", "", "A");
        filter.clone().among([&room].into_iter()).shows(tile, &room)
    }

    #[test]
    fn states_are_alternatives_and_kinds_combine() {
        let (arrears, lost) = (tile(SupplyState::Arrears as u16), tile(SupplyState::Lost as u16));
        let off_in_arrears = tile(SupplyState::Arrears as u16 | 1 << 4);
        let filter = Filter::parse("arrears,lost", "");
        assert!(shows(&filter, arrears) && shows(&filter, lost) && !shows(&filter, tile(0)));
        let filter = filter.toggled(Chip::ForcedOff);
        assert!(shows(&filter, off_in_arrears) && !shows(&filter, arrears));
    }

    #[test]
    fn chips_and_names_combine() {
        let rooms = ["1号楼", "11号楼"].map(|building| SearchText::new("B301", "3层", building));
        let selector = Filter::parse("open", " 1号楼  B301 ").among(rooms.iter());
        assert!(selector.shows(tile(0), &rooms[0]) && !selector.shows(tile(0), &rooms[1]));
        assert!(!selector.shows(tile(SupplyState::Lost as u16), &rooms[0]));
    }

    #[test]
    fn the_query_contains_the_filter() {
        let filter = Filter::parse("lost,nonsense,arrears", "3 电");
        assert_eq!(filter.address("/wall"), "/wall?show=arrears,lost&q=3%20%E7%94%B5");
        assert_eq!(filter.toggled(Chip::State(SupplyState::Lost)).toggled(Chip::State(SupplyState::Arrears)).text(), "3 电");
        assert!(Filter::parse("", " ").is_empty());
        assert_eq!(Filter::default().address("/wall?view=table"), "/wall?view=table");
    }

    #[test]
    fn what_is_shown_is_a_place_for_commands() {
        let filter = Filter::parse("arrears,lost", "1号楼, 3层");
        let place = filter.place();
        assert!(!place.contains(','), "places are joined by commas: {place}");
        assert_eq!(Filter::of(&place.parse().unwrap()), filter);
        assert_eq!(Filter::default().place(), "wall::");
        assert!("wall:arrears".parse::<ShownOnWall>().is_err() && "all".parse::<ShownOnWall>().is_err());
    }

    #[test]
    fn every_tile_counts_for_its_state_and_its_marks() {
        let counts = count([tile(0), tile(0), tile(SupplyState::Arrears as u16 | 1 << 4 | 1 << 5), tile(1 << 10)]);
        assert_eq!(counts, [3, 0, 0, 1, 0, 0, 0, 0, 1, 1, 1]);
    }

    #[test]
    fn one_reason_at_a_time_is_looked_for() {
        let filter = Filter::parse("overload", "");
        assert!(shows(&filter, tile(1 << 8)) && !shows(&filter, tile(1 << 9)));
        let filter = filter.with_reason("malignant");
        assert!(!shows(&filter, tile(1 << 8)) && shows(&filter, tile(1 << 9)));
        assert_eq!(filter.address("/wall"), "/wall?show=malignant");
        assert!(filter.with_reason("").is_empty());
    }
}
