//! Whether an instrument can be read with its settings, and if not, why and what to do.

use std::sync::Arc;

use domain::framing::Framing;
use domain::serial::Serial;
use metering::instruments::{CircuitRow, InstrumentRow};
use model::ids::CircuitId;

use super::{InstrumentProfile, InstrumentProfiles};
use crate::profile::{Protocol, Step};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableInstrument {
    #[error("its unit id is {0}: it must be 1 to 247")]
    Unit(i64),
    #[error("there is no profile {0:?}: put its file into the folder instruments of meters.profiles_dir, or name another")]
    Profile(String),
    #[error(
        "it speaks DL/T 645, but framing {word} of its gateway carries only Modbus; use framing transparent",
        word = .0.as_str()
    )]
    NotCarried(Framing),
    #[error("its number must be the 12 digits of its DL/T 645 address")]
    Number,
    #[error("its profile has {0} circuits, and one beyond them is in use")]
    Circuits(u8),
    #[error("from register {0} on there are not enough registers for all of its counters")]
    Start(i64),
    #[error("its interval is {0} s")]
    Interval(i64),
}

/// How an instrument is read.
#[derive(Clone, Debug)]
pub struct UsableInstrument {
    pub unit: u8,
    /// Its address on a DL/T 645 bus.
    pub serial: Option<Serial>,
    pub profile: Arc<InstrumentProfile>,
    pub start: u16,
    pub step: Step,
    pub circuits: Vec<(CircuitId, u8)>,
    pub interval_s: u32,
}

/// How an instrument is read behind a gateway of that framing.
///
/// # Errors
/// [`UnusableInstrument`].
pub fn usable(
    row: &InstrumentRow,
    circuits: &[CircuitRow],
    framing: Framing,
    profiles: &InstrumentProfiles,
) -> Result<UsableInstrument, UnusableInstrument> {
    use UnusableInstrument as Why;
    let profile = profiles.get(&row.profile).ok_or_else(|| Why::Profile(row.profile.clone()))?;
    let is_dlt645 = profile.protocol() == Protocol::Dlt645;
    if is_dlt645 && framing != Framing::Transparent {
        return Err(Why::NotCarried(framing));
    }
    let start = row.start_register.unwrap_or_else(|| profile.start().into());
    let start = u16::try_from(start).ok().filter(|start| profile.fits(*start)).ok_or(Why::Start(start))?;
    let position = |circuit: &CircuitRow| {
        let position = u8::try_from(circuit.position).ok().filter(|position| (1..=profile.circuits).contains(position));
        Some((circuit.id, position?))
    };
    Ok(UsableInstrument {
        unit: u8::try_from(row.unit).ok().filter(|unit| (1..=247).contains(unit)).ok_or(Why::Unit(row.unit))?,
        serial: if is_dlt645 { Some(row.number.parse().map_err(|_| Why::Number)?) } else { None },
        start,
        step: row.step_mwh.map_or(profile.step, |step| Step::from_mwh(step.mwh())),
        circuits: circuits.iter().map(position).collect::<Option<_>>().ok_or(Why::Circuits(profile.circuits))?,
        interval_s: u32::try_from(row.interval_s).map_err(|_| Why::Interval(row.interval_s))?,
        profile,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::{GatewayId, InstrumentId, Uuid};

    #[test]
    fn each_reason_is_found() {
        let profiles = InstrumentProfiles::load(None).unwrap();
        let row = |number: &str, profile: &str, start_register| InstrumentRow {
            id: InstrumentId(Uuid::nil()),
            gateway_id: GatewayId(Uuid::nil()),
            unit: 7,
            number: number.into(),
            profile: profile.into(),
            start_register,
            step_mwh: None,
            interval_s: 900,
            trouble: None,
        };
        let circuit = |position| CircuitRow { id: CircuitId(Uuid::nil()), instrument_id: InstrumentId(Uuid::nil()), position };
        let why = |row: InstrumentRow, position, framing| usable(&row, &[circuit(position)], framing, &profiles).err();
        use UnusableInstrument as Why;
        assert_eq!(why(row("M", "multi-12-u32", None), 12, Framing::ModbusTcp), None);
        assert_eq!(why(row("M", "energy-u32", None), 2, Framing::ModbusTcp), Some(Why::Circuits(1)));
        assert_eq!(why(row("M", "energy-u32", Some(65_535)), 1, Framing::ModbusTcp), Some(Why::Start(65_535)));
        assert_eq!(why(row("M", "none", None), 1, Framing::ModbusTcp), Some(Why::Profile("none".into())));
        assert_eq!(why(row("000000000161", "dlt645-total", None), 1, Framing::Transparent), None);
        assert_eq!(why(row("161", "dlt645-total", None), 1, Framing::Transparent), Some(Why::Number));
        let carried = why(row("000000000161", "dlt645-total", None), 1, Framing::ModbusTcp);
        assert_eq!(carried, Some(Why::NotCarried(Framing::ModbusTcp)));
    }
}
