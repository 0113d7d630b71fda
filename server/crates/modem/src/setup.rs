//! Brings a modem into a state that is known, whatever it was in before.

use std::time::Duration;

use domain::secret::Secret;
use model::modem::SimState;

use crate::at::{Failure, fields, quoted};
use crate::dialog::Dialog;
use crate::error::ModemFailure;

/// A modem that says nothing for so long has nothing more to say.
const QUIET: Duration = Duration::from_millis(200);
/// With fewer tries left the PIN is not entered: the last wrong one locks the SIM.
const TRIES_LEFT: u8 = 2;

/// Gives the state of the SIM. `pin_refused` is set where the SIM refused the PIN, which is not tried again.
pub async fn set_up(dialog: &mut Dialog, pin: &Secret, pin_refused: &mut bool) -> Result<SimState, ModemFailure> {
    dialog.interrupt(QUIET).await?;
    // The first command after a pause may be lost in the modem's adjustment to the speed of the line.
    if dialog.command("AT").await.is_err() {
        dialog.interrupt(QUIET).await?;
        dialog.require("AT").await?;
    }
    // No echo, and numbers instead of words for errors. A modem that cannot do one of these is understood all the same.
    let _ = dialog.command("ATE0").await?;
    let _ = dialog.command("AT+CMEE=1").await?;
    let sim = unlock(dialog, pin, pin_refused).await?;
    if sim != SimState::Ready {
        return Ok(sim);
    }
    dialog.require("AT+CMGF=0").await?;
    // Reports come by themselves and need no confirmation; messages are stored on the SIM.
    let _ = dialog.command("AT+CSMS=0").await?;
    let _ = dialog.command("AT+CPMS=\"SM\",\"SM\",\"SM\"").await?;
    for reports in ["2,1,0,1,0", "2,1,0,0,0", "1,1,0,0,0"] {
        if dialog.command(&format!("AT+CNMI={reports}")).await?.is_ok() {
            break;
        }
    }
    // The operator's name in letters.
    let _ = dialog.command("AT+COPS=3,0").await?;
    Ok(sim)
}

async fn unlock(dialog: &mut Dialog, pin: &Secret, pin_refused: &mut bool) -> Result<SimState, ModemFailure> {
    let sim = sim_state(dialog).await?;
    if sim != SimState::PinNeeded || pin.expose().is_empty() {
        return Ok(sim);
    }
    if *pin_refused || tries_left(dialog).await?.is_some_and(|left| left < TRIES_LEFT) {
        return Ok(SimState::PinRefused);
    }
    match dialog.command(&format!("AT+CPIN=\"{}\"", pin.expose())).await? {
        Ok(_) => sim_state(dialog).await,
        // The SIM is busy and has not looked at it.
        Err(Failure::Equipment(14) | Failure::Message(314)) => Ok(SimState::Unknown),
        Err(_) => {
            *pin_refused = true;
            Ok(SimState::PinRefused)
        }
    }
}

pub async fn sim_state(dialog: &mut Dialog) -> Result<SimState, ModemFailure> {
    Ok(match dialog.command("AT+CPIN?").await? {
        Ok(lines) => match fields(&lines, "+CPIN").as_deref() {
            Some(["READY"]) => SimState::Ready,
            Some(["SIM PIN"]) => SimState::PinNeeded,
            Some(["SIM PUK"]) => SimState::PukNeeded,
            _ => SimState::Unknown,
        },
        // No SIM, a failure of it, a wrong one.
        Err(Failure::Equipment(10 | 13 | 15) | Failure::Message(310 | 313)) => SimState::Missing,
        Err(Failure::Equipment(11)) => SimState::PinNeeded,
        Err(Failure::Equipment(12)) => SimState::PukNeeded,
        Err(_) => SimState::Unknown,
    })
}

/// How many tries the PIN has left, by the modem or else by the SIM; `None` where neither tells. After a restart nothing else
/// keeps a wrong PIN from locking the SIM.
async fn tries_left(dialog: &mut Dialog) -> Result<Option<u8>, ModemFailure> {
    for (command, name, field) in [("AT+CPINR=\"SIM PIN\"", "+CPINR", 1), ("AT^SPIC", "^SPIC", 0)] {
        let lines = dialog.command(command).await?.unwrap_or_default();
        if let Some(left) = fields(&lines, name).and_then(|fields| fields.get(field)?.parse().ok()) {
            return Ok(Some(left));
        }
    }
    // VERIFY without a PIN costs no try (ETSI TS 102 221, 11.1.9).
    let lines = dialog.command("AT+CSIM=10,\"0020000100\"").await?.unwrap_or_default();
    Ok(fields(&lines, "+CSIM").and_then(|fields| tries_of(quoted(fields.get(1)?))))
}

/// From the status words of the SIM: 63CX, where X tries are left.
fn tries_of(status: &str) -> Option<u8> {
    let digit = status.strip_prefix("63C").or_else(|| status.strip_prefix("63c"))?;
    u8::from_str_radix(digit, 16).ok().filter(|left| *left < 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sim_tells_how_many_tries_are_left() {
        assert_eq!(["63C3", "63c0", "9000", "6983", "63C", "63C123"].map(tries_of), [Some(3), Some(0), None, None, None, None]);
    }
}
