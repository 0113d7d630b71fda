//! How a meter answers a secured frame, in the low byte of register 0x0112.

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
            /// From its code; `None` where the profile has no such result.
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
    /// Already applied: no money moved this time.
    AlreadyApplied = 1,
    /// Purchase count error.
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
    /// Amount exceeds what remains.
    Exceeds = 8,
    Challenge = 9,
    /// Parameter out of range.
    Range = 10,
    /// Key epoch error.
    Epoch = 11,
}
