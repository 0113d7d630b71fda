//! Whether a meter can be read with its registered settings, and if not, why and what to do.

use std::sync::Arc;

use super::config::Config;
use super::instruments;
use super::link::{Carrier, Target};
use super::profile::{Profile, Profiles, Protocol};
use domain::framing::Framing;
use domain::serial::Serial;
use model::case::{CaseDetail, UnusableCase, UnusableReason};
use store::meters::{self as rows, GatewayRow, MeterRow};
use store::{self, Db};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("its unit id is {0}: it must be 1 to 247")]
    Unit(i64),
    #[error("its serial number must have 12 digits")]
    Serial,
    #[error("there is no profile {0:?}: put its file into meters.profiles_dir, or name another")]
    Profile(String),
    /// The gateway cannot carry the meter's protocol.
    #[error(
        "it speaks DL/T 645, but framing {word} of its gateway carries only Modbus; use framing transparent",
        word = .0.as_str()
    )]
    NotCarried(Framing),
}

impl Unusable {
    /// The case to open, with the value at fault.
    #[must_use]
    pub fn case(&self) -> CaseDetail {
        let (reason, value) = match self {
            Self::Unit(unit) => (UnusableReason::Unit, unit.to_string()),
            Self::Serial => (UnusableReason::Serial, String::new()),
            Self::Profile(name) => (UnusableReason::Profile, name.clone()),
            Self::NotCarried(framing) => (UnusableReason::Framing, framing.as_str().to_owned()),
        };
        CaseDetail::Unusable(UnusableCase { reason, value })
    }
}

/// The unit id, serial number and profile of a meter, checked against its gateway's framing.
///
/// # Errors
/// [`Unusable`].
pub fn usable(row: &MeterRow, framing: Framing, profiles: &Profiles) -> Result<(u8, Serial, Arc<Profile>), Unusable> {
    let unit = u8::try_from(row.unit).ok().filter(|unit| (1..=247).contains(unit)).ok_or(Unusable::Unit(row.unit))?;
    let serial = row.serial.parse().map_err(|_| Unusable::Serial)?;
    let profile = profiles.get(&row.profile).ok_or_else(|| Unusable::Profile(row.profile.clone()))?;
    if profile.protocol == Protocol::Dlt645 && framing != Framing::Transparent {
        return Err(Unusable::NotCarried(framing));
    }
    Ok((unit, serial, profile))
}

/// Problems of gateways and meters in service, one per line.
pub async fn problems(db: &Db, config: &Config, profiles: &Profiles) -> store::Result<Vec<String>> {
    let gateways = rows::gateways(db).await?;
    let mut lines: Vec<String> = gateways.iter().filter_map(|row| gateway(row, config)).collect();
    for row in rows::meters(db).await? {
        let behind = gateways.iter().find(|gateway| gateway.id == row.gateway_id);
        let Some(gateway) = behind else { continue };
        if let Err(why) = usable(&row, gateway.framing, profiles) {
            lines.push(format!("meter {} behind gateway {}: {why}", row.serial, gateway.name));
        }
    }
    for (row, circuits) in metering::instruments::in_service(db).await? {
        let Some(gateway) = gateways.iter().find(|gateway| gateway.id == row.gateway_id) else { continue };
        if let Err(why) = instruments::usable(&row, &circuits, gateway.framing, profiles.instruments()) {
            lines.push(format!("instrument {} behind gateway {}: {why}", row.number, gateway.name));
        }
    }
    Ok(lines)
}

fn gateway(row: &GatewayRow, config: &Config) -> Option<String> {
    match Target::of(row, &config.tls).carrier {
        Carrier::Unusable(why) => Some(format!("gateway {}: {why}", row.name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::{GatewayId, MeterId, PlaceId, Uuid};
    use model::meter::Wallet;

    #[test]
    fn each_reason_says_what_to_do() {
        let profiles = Profiles::load(None).unwrap();
        let row = |unit, serial: &str, profile: &str| MeterRow {
            id: MeterId(Uuid::nil()),
            place_id: PlaceId(Uuid::nil()),
            gateway_id: GatewayId(Uuid::nil()),
            unit,
            serial: serial.into(),
            profile: profile.into(),
            wallet: Wallet::Server,
            sweep_interval_s: None,
        };
        let why = |row: MeterRow, framing: Framing| usable(&row, framing, &profiles).map(|(unit, ..)| unit);
        assert_eq!(why(row(7, "000000000161", "dlt645"), Framing::Transparent), Ok(7));
        assert_eq!(why(row(7, "000000000161", "rpp"), Framing::Transparent), Ok(7), "RTU");
        for framing in [Framing::ModbusTcp, Framing::ModbusTls] {
            assert_eq!(why(row(7, "000000000161", "dlt645"), framing), Err(Unusable::NotCarried(framing)));
        }
        assert_eq!(why(row(248, "000000000161", "rpp"), Framing::ModbusTcp), Err(Unusable::Unit(248)));
        assert_eq!(why(row(1, "161", "rpp"), Framing::ModbusTcp), Err(Unusable::Serial));
        assert_eq!(why(row(1, "000000000161", "abc"), Framing::ModbusTcp), Err(Unusable::Profile("abc".into())));
    }
}
