//! What a scan of a gateway finds.

use crate::word_enum;

word_enum! {
    /// How far a scan is.
    pub enum ScanState {
        Running = "running",
        Done = "done",
        /// A person stopped it.
        Stopped = "stopped",
        /// The gateway was lost.
        Lost = "lost",
    }

    /// What a found meter is to the site.
    pub enum ScanMatch {
        /// Neither its address nor its serial number is registered.
        New = "new",
        /// It is registered here, as it was found.
        Known = "known",
        /// Another meter is registered at its address.
        OtherSerial = "other-serial",
        /// It is registered at another address or gateway.
        Elsewhere = "elsewhere",
        /// Its serial number was found twice.
        Doubled = "doubled",
        /// It answers, and no profile fits.
        Unknown = "unknown",
        /// Two answers at once: perhaps two meters have this address.
        Collision = "collision",
    }
}

/// A meter that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovered {
    /// Its Modbus unit id; `None` for DL/T 645, where the serial number is the address.
    pub unit: Option<u8>,
    /// 12 digits, where it reports them.
    pub serial: Option<String>,
    /// The profile that its answers fit.
    pub profile: Option<String>,
    pub standing: ScanMatch,
}

/// A scan, which is kept in memory only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    pub state: ScanState,
    /// Addresses tried so far, and all of them.
    pub tried: u16,
    pub total: u16,
    /// In the order in which they were found.
    pub found: Vec<Discovered>,
}
