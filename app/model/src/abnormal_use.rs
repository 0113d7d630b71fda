//! Abnormal use of a room.

use crate::word_enum;

word_enum! {
    /// How a room's use of a day is unusual.
    pub enum AbnormalKind {
        /// Much more at night than in other weeks.
        Night = "night",
        /// Much more than on the same weekday of other weeks.
        Jump = "jump",
        /// Nothing in a room with an account, where it and the rooms around it use something otherwise.
        Zero = "zero",
        /// Much more than the rooms around it.
        AboveFloor = "above-floor",
    }
}
