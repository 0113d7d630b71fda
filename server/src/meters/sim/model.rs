//! Which model a meter is: what it understands.

use std::sync::Arc;

use super::load::Load;
use super::meter::Meter;
use super::modbus::Exception;
use super::registers::{self as reference, MAILBOX};
use super::secured::{self, Effect};
use crate::meters::keys::MasterKeys;
use crate::meters::profile::Profile;

/// A model.
#[derive(Clone, Debug)]
pub enum Model {
    /// The reference profile, with its secured frames.
    Reference,
    /// DL/T 645-2007.
    Dlt645,
}

impl Model {
    /// The counterpart of a profile; `None` where there is none.
    #[must_use]
    pub fn of(profile: &Arc<Profile>) -> Option<Self> {
        match &*profile.name {
            "rpp" => Some(Self::Reference),
            "dlt645" => Some(Self::Dlt645),
            _ => None,
        }
    }

    /// Whether it speaks Modbus.
    #[must_use]
    pub const fn speaks_modbus(&self) -> bool {
        !matches!(self, Self::Dlt645)
    }

    /// Reads registers.
    ///
    /// # Errors
    /// The exception to answer with.
    pub fn read(&self, meter: &Meter, load: &Load, address: u16, count: u16) -> Result<Vec<u16>, Exception> {
        match self {
            Self::Reference => reference::read(meter, load, address, count),
            Self::Dlt645 => Err(Exception::IllegalFunction),
        }
    }

    /// Writes registers.
    ///
    /// # Errors
    /// The exception to answer with.
    pub fn write(&self, meter: &mut Meter, keys: &MasterKeys, address: u16, bytes: &[u8]) -> Result<Effect, Exception> {
        match self {
            Self::Reference if address == MAILBOX => secured::receive(meter, keys, bytes, meter.until),
            Self::Reference => Err(Exception::IllegalAddress),
            Self::Dlt645 => Err(Exception::IllegalFunction),
        }
    }
}
