//! Asks a modem how it does.

use model::modem::{ModemPhase, ModemState, Registration, SimState};

use crate::at::{fields, quoted};
use crate::dialog::Dialog;
use crate::error::ModemFailure;
use crate::setup::sim_state;

/// Longer names and numbers are cut.
const LONGEST: usize = 40;

/// Signal, registration, network and SIM.
pub async fn look(dialog: &mut Dialog, state: &mut ModemState) -> Result<(), ModemFailure> {
    state.sim = sim_state(dialog).await?;
    let signal = dialog.command("AT+CSQ").await?.unwrap_or_default();
    let signal = fields(&signal, "+CSQ").and_then(|fields| fields.first()?.parse().ok());
    state.signal = signal.filter(|signal| (0..=31).contains(signal));
    let registration = dialog.command("AT+CREG?").await?.unwrap_or_default();
    // The first field says whether changes are reported.
    state.registration = fields(&registration, "+CREG").and_then(|fields| fields.get(1).copied()).map_or(
        Registration::Unknown,
        |code| match code {
            "0" => Registration::Idle,
            "1" => Registration::Home,
            "2" => Registration::Searching,
            "3" => Registration::Denied,
            "5" => Registration::Roaming,
            _ => Registration::Unknown,
        },
    );
    let network = dialog.command("AT+COPS?").await?.unwrap_or_default();
    state.network = fields(&network, "+COPS").and_then(|fields| fields.get(2).map(|name| short(name))).unwrap_or_default();
    if state.own_number.is_none() {
        let number = dialog.command("AT+CNUM").await?.unwrap_or_default();
        let number = fields(&number, "+CNUM").and_then(|fields| fields.get(1).map(|number| short(number)));
        state.own_number = number.filter(|number| !number.is_empty());
    }
    state.phase = match (state.sim, state.registration) {
        (SimState::Ready, registration) if registration.can_send() => ModemPhase::Ready,
        (SimState::Ready, _) => ModemPhase::NoNetwork,
        _ => ModemPhase::NoSim,
    };
    Ok(())
}

fn short(field: &str) -> String {
    quoted(field).chars().filter(|character| !character.is_control()).take(LONGEST).collect()
}
