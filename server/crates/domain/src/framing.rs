//! How a gateway carries the frames of its meters.

/// The framing of a gateway's TCP connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Modbus TCP: a header with a transaction number.
    #[default]
    ModbusTcp,
    /// The same inside TLS.
    ModbusTls,
    /// A transparent gateway: what is sent goes onto the bus as it is. Modbus RTU and DL/T 645 frames, by meter.
    Transparent,
}

impl Framing {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ModbusTcp => "modbus-tcp",
            Self::ModbusTls => "modbus-tls",
            Self::Transparent => "transparent",
        }
    }

    /// From that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::ModbusTcp, Self::ModbusTls, Self::Transparent].into_iter().find(|framing| framing.as_str() == word)
    }
}
