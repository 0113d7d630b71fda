//! The place tree.

use crate::word_enum;

word_enum! {
    /// The levels of the place tree, from the root.
    pub enum PlaceKind {
        Site = "site",
        Building = "building",
        /// A floor, or another part of a building.
        Unit = "unit",
        Room = "room",
    }
}
