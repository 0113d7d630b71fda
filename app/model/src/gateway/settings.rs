//! The settings of a gateway.

use std::fmt;
use std::num::NonZeroU16;

use super::{BytePattern, Framing, Host, SweepInterval};
use crate::typed;

/// Everything that people set about a gateway, but for its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewaySettings {
    pub name: GatewayName,
    pub code: Option<GatewayCode>,
    pub reach: Dialling,
    pub framing: Framing,
    pub timing: Timing,
}

/// How gateway and server reach each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialling {
    /// The server connects to it.
    Dialled { host: Host, port: NonZeroU16 },
    /// It connects to the server, and says by these bytes who it is.
    DialIn { registration: BytePattern, heartbeat: Option<Heartbeat> },
}

/// What a gateway that dials in sends to keep its connection open; it answers no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    pub pattern: BytePattern,
    /// What the server answers, where the gateway waits for that.
    pub answer: Option<BytePattern>,
}

/// The bus and the time limits of one gateway; what is `None` is as configured for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Baud rate of the bus; 0 ignores transmission time.
    pub baud: Option<u32>,
    /// How long a meter may take until its answer begins.
    pub request_timeout_ms: Option<u32>,
    /// How long connecting may take; how long a gateway that dials in may be away before it is lost.
    pub connect_timeout_ms: Option<u32>,
    /// Pause between two requests.
    pub gap_ms: Option<u32>,
    /// From one reading of a meter to the next.
    pub interval: Option<SweepInterval>,
}

impl Timing {
    /// The usual rates of a bus; one of them, or 0.
    pub const BAUDS: [u32; 8] = [1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200];
    /// Bounds of the time limits, ms.
    pub const TIMEOUT: (u32, u32) = (20, 60_000);
    /// Bounds of the pause between two requests, ms.
    pub const GAP: (u32, u32) = (0, 5_000);
}

macro_rules! short_text {
    ($(#[$doc:meta])* $name:ident, $most:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            pub const MOST: u32 = $most;

            /// As it is stored and searched, without space around it; `None` if it is empty, too long or has control characters.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let text = typed::name(text);
                let fits = (1..=Self::MOST as usize).contains(&text.chars().count()) && !text.chars().any(char::is_control);
                fits.then_some(Self(text))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

short_text! {
    /// What people call a gateway: 1 to 40 characters.
    GatewayName, 40
}
short_text! {
    /// The number of a gateway in a site's own lists: 1 to 20 characters.
    GatewayCode, 20
}

impl Dialling {
    #[must_use]
    pub const fn is_dial_in(&self) -> bool {
        matches!(self, Self::DialIn { .. })
    }
}

/// The address, or the registration.
impl fmt::Display for Dialling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dialled { host, port } if host.as_str().contains(':') => write!(f, "[{host}]:{port}"),
            Self::Dialled { host, port } => write!(f, "{host}:{port}"),
            Self::DialIn { registration, .. } => registration.fmt(f),
        }
    }
}
