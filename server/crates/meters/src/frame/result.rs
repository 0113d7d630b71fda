//! Result of a secured frame, in the low byte of register 0x0112.

use serde::{Deserialize, Serialize};

macro_rules! results {
    ($($(#[$doc:meta])* $name:ident = $code:literal),* $(,)?) => {
        /// The result of the last secured frame.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum FrameResult {$(
            $(#[$doc])*
            $name = $code,
        )*}

        impl FrameResult {
            /// `None` if the profile has no such result.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

results! {
    Done = 0,
    /// The command had been applied before; no money moved this time.
    AlreadyApplied = 1,
    /// Wrong purchase count.
    Count = 2,
    /// Hoarding limit exceeded.
    Hoarding = 3,
    /// Serial number mismatch.
    Serial = 4,
    Mac = 5,
    /// Account not open.
    NotOpen = 6,
    /// Account already open.
    AlreadyOpen = 7,
    /// Amount exceeds the remaining amount.
    Exceeds = 8,
    Challenge = 9,
    /// Parameter out of range.
    Range = 10,
    /// Wrong key epoch.
    Epoch = 11,
}
