//! View types of the list of meters and their newest states.

use super::RoomName;
use crate::error::AppError;
use crate::meter::{Latest, Wallet};

/// A meter in service and what it showed last.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterState {
    pub room: RoomName,
    pub serial: String,
    /// The gateway's name.
    pub gateway: String,
    pub unit: i64,
    /// The profile's name.
    pub profile: String,
    pub wallet: Wallet,
    /// The number of its account; empty without one.
    pub account: String,
    /// Names of the residents of its account.
    pub residents: String,
    pub latest: Latest,
}

/// The form of a meter, as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct MeterForm {
    /// Building, floor and room, as people say them.
    pub room: String,
    /// The gateway's name.
    pub gateway: String,
    pub unit: String,
    pub serial: String,
    /// The profile's name.
    pub profile: String,
    /// Empty: as the profile has it.
    pub wallet: String,
}

/// A field of that form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeterField {
    Serial,
    Room,
    Gateway,
    Unit,
    Profile,
    Wallet,
}

impl MeterField {
    pub const ALL: [Self; 6] = [Self::Serial, Self::Room, Self::Gateway, Self::Unit, Self::Profile, Self::Wallet];

    /// What the form calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Room => "room",
            Self::Gateway => "gateway",
            Self::Unit => "unit",
            Self::Profile => "profile",
            Self::Wallet => "wallet",
        }
    }
}

/// Why a form of a meter is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MeterFormError {
    /// These fields are not valid, in the order of the form.
    Wrong(Vec<MeterField>),
    Refused(AppError),
}

impl From<AppError> for MeterFormError {
    fn from(error: AppError) -> Self {
        Self::Refused(error)
    }
}

/// A meter and what it can be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeterSetup {
    /// The meter as it is; empty for a new one.
    pub form: MeterForm,
    /// Whether it has an account: then its room, profile and wallet stay.
    pub in_use: bool,
    /// The names of the gateways.
    pub gateways: Vec<String>,
    /// Name and title of each profile, and the wallets that it allows.
    pub profiles: Vec<(String, String, Vec<Wallet>)>,
}
