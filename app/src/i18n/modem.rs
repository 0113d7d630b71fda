//! The modem on the page of messages.

use super::Lang;
pub use super::catalogue::modem::*;
use model::modem::{ModemPhase, ModemState, Registration, SimState};
use model::text_request::TextOutcome;

/// The weakest signal with which a modem usually sends, and the weakest with which it sends reliably.
const FAIR: u8 = 10;
const GOOD: u8 = 15;

/// Whether the modem can send, and what to do where it cannot.
#[must_use]
pub const fn phase(phase: ModemPhase, lang: Lang) -> &'static str {
    let t = texts(lang).phase_name;
    match phase {
        ModemPhase::Starting => t.starting,
        ModemPhase::Ready => t.ready,
        ModemPhase::NoPort => t.no_port,
        ModemPhase::NoAnswer => t.no_answer,
        ModemPhase::NoSim => t.no_sim,
        ModemPhase::NoNetwork => t.no_network,
    }
}

#[must_use]
pub const fn sim(sim: SimState, lang: Lang) -> &'static str {
    let t = texts(lang).sim_name;
    match sim {
        SimState::Unknown => t.unknown,
        SimState::Ready => t.ready,
        SimState::Missing => t.missing,
        SimState::PinNeeded => t.pin_needed,
        SimState::PinRefused => t.pin_refused,
        SimState::PukNeeded => t.puk_needed,
    }
}

/// The network's name with the state of the registration.
#[must_use]
pub fn network(state: &ModemState, lang: Lang) -> String {
    let t = texts(lang).registration_name;
    let word = match state.registration {
        Registration::Unknown => t.unknown,
        Registration::Home => t.home,
        Registration::Roaming => t.roaming,
        Registration::Searching => t.searching,
        Registration::Denied => t.denied,
        Registration::Idle => t.idle,
    };
    format!("{} {word}", state.network).trim().to_owned()
}

#[must_use]
pub fn signal(state: &ModemState, lang: Lang) -> String {
    let t = texts(lang);
    let (Some(dbm), Some(signal)) = (state.dbm(), state.signal) else { return t.no_signal.to_owned() };
    let strength = match signal {
        GOOD.. => t.strength_name.good,
        FAIR.. => t.strength_name.fair,
        _ => t.strength_name.weak,
    };
    Dbm { dbm, strength }.text(lang)
}

/// What became of messages that were received.
#[must_use]
pub const fn outcome(outcome: TextOutcome, lang: Lang) -> &'static str {
    let t = texts(lang).outcome_name;
    match outcome {
        TextOutcome::Answered => t.answered,
        TextOutcome::NotUnderstood => t.not_understood,
        TextOutcome::UnknownNumber => t.unknown_number,
        TextOutcome::TooMany => t.too_many,
        TextOutcome::TooLate => t.too_late,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signal_has_its_strength() {
        let of = |strength| signal(&ModemState { signal: strength, ..ModemState::default() }, Lang::En);
        assert_eq!(of(Some(21)), "-71 dBm (good)");
        assert_eq!(of(Some(5)), "-103 dBm (weak)");
        assert_eq!(of(None), "unknown");
    }
}
