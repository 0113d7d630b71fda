//! How a gateway carries the meters' frames.

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

/// What the bytes that came so far are. A reader takes exactly what is missing, so nothing behind a frame is ever swallowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<T> {
    /// The begin of an answer; at least so many bytes are missing.
    More(usize),
    /// A whole answer, and not a byte more.
    Whole(T),
}

/// What came is not the answer to what was asked: it may answer something else, so nothing on the connection can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what came is not the answer to what was asked")]
pub struct OutOfStep;
