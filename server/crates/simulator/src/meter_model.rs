//! The protocol and registers of a meter, by its profile.

use std::sync::Arc;

use super::image::{self, RegisterWrite};
use super::journal::BY_COMMAND;
use super::load::Load;
use super::meter::Meter;
use super::modbus::Exception;
use super::registers::{self as reference, MAILBOX};
use super::secured::{self, FrameEffect};
use meters::keys::MasterKeys;
use meters::profile::{Area, Profile, Protocol};

#[derive(Clone, Debug)]
pub enum MeterModel {
    /// The reference profile, with secured frames.
    Reference,
    /// Any other Modbus meter, generated from its profile.
    Modbus(Arc<Profile>),
    /// DL/T 645-2007.
    Dlt645,
}

impl MeterModel {
    /// The simulated model of a profile.
    #[must_use]
    pub fn of(profile: &Arc<Profile>) -> Self {
        match profile.protocol {
            Protocol::Dlt645 => Self::Dlt645,
            Protocol::Modbus if profile.secured.is_some() => Self::Reference,
            Protocol::Modbus => Self::Modbus(Arc::clone(profile)),
        }
    }

    #[must_use]
    pub const fn speaks_modbus(&self) -> bool {
        !matches!(self, Self::Dlt645)
    }

    /// Reads registers of the meter.
    ///
    /// # Errors
    /// The exception to reply with.
    pub fn read(&self, meter: &Meter, load: &Load, area: Area, address: u16, count: u16) -> Result<Vec<u16>, Exception> {
        match (self, area) {
            (Self::Reference, Area::Holding) => reference::read(meter, load, address, count),
            (Self::Modbus(profile), _) => image::read(profile, meter, load, area, address, count),
            (Self::Reference, Area::Input) | (Self::Dlt645, _) => Err(Exception::IllegalFunction),
        }
    }

    /// Writes registers of the meter.
    ///
    /// # Errors
    /// The exception to reply with.
    pub fn write(&self, meter: &mut Meter, keys: &MasterKeys, address: u16, bytes: &[u8]) -> Result<FrameEffect, Exception> {
        match self {
            Self::Reference if address == MAILBOX => secured::receive(meter, keys, bytes, meter.until),
            Self::Reference => Err(Exception::IllegalAddress),
            Self::Modbus(profile) => {
                match image::write(profile, address, bytes)? {
                    RegisterWrite::Relay(closed) => {
                        meter.switched_off = !closed;
                        meter.apply_relay_rule(Some(BY_COMMAND));
                    }
                    RegisterWrite::Zero => meter.energy.zero(),
                }
                Ok(FrameEffect::Changed)
            }
            Self::Dlt645 => Err(Exception::IllegalFunction),
        }
    }
}
