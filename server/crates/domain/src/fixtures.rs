//! Sample values shared by unit tests.

#![allow(clippy::unwrap_used, reason = "values for tests")]

use model::energy::Energy;
use model::meter::StatusWord;
use model::money::Fen;

use super::serial::AccountNumber;
use crate::meter_state::StateBlock;

/// State block of a meter as delivered from the factory.
pub fn state() -> StateBlock {
    StateBlock {
        serial: "006026773546".parse().unwrap(),
        status: StatusWord(0),
        remaining: Fen(0),
        cumulative: Fen(0),
        count: 0,
        epoch: 0,
        reverse: Energy(0),
        rate: 3,
        clock: None,
        challenge: [0; 4],
        last_operation: 0,
        last_result: 0,
        last_order: 0,
        journal: 0,
        parameters: 0,
        tier_energy: Energy(0),
        account: AccountNumber::NONE,
        tamper: 0,
        accepts: 1,
    }
}
