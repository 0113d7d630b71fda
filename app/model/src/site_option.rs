//! What a site can let its residents do or see.

use crate::word_enum;

word_enum! {
    pub enum SiteOption {
        /// Residents invite roommates themselves.
        RoommateLinks = "roommates",
        /// Residents see how their usage compares with that of similar rooms.
        CompareRooms = "compare-rooms",
        /// Residents pay for another room.
        PayForOthers = "pay-for-others",
    }
}
