//! What a wallet warns of: an event begins when its sign appears and is over when it is gone, in the transaction that moves the wallet.

use model::event::EventKind;
use model::ids::MeterId;
use model::meter::StatusWord;
use model::time::Timestamp;
use serde_json::{Value, json};

use super::Row;
use crate::events::{self, Subject};
use crate::{Result, Tx};
use domain::alarm_conditions;
use domain::rng::Rng;
use domain::wallet::Wallet;

/// Raises and ends what has changed since the row was last stored.
pub(super) async fn warn(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    row: &mut Row,
    wallet: &Wallet,
    load: Option<&Value>,
) -> Result<()> {
    let signs = alarm_conditions::of_wallet(wallet.status(StatusWord::default()));
    let holds: Vec<&str> = signs.iter().filter(|(_, so)| *so).map(|(kind, _)| kind.as_str()).collect();
    let holds = holds.join(" ");
    if holds == row.warned {
        return Ok(());
    }
    let subject = Subject::Meter(MeterId(row.meter_id));
    for (kind, so) in signs {
        let held = row.warned.split(' ').any(|word| word == kind.as_str());
        match (held, so) {
            (false, true) => events::raise(tx, rng, kind, subject, at, &why(kind, wallet, load).to_string()).await?,
            (true, false) => events::clear(tx, kind, subject, at).await?,
            _ => {}
        }
    }
    row.warned = holds;
    Ok(())
}

/// The figures behind it.
fn why(kind: EventKind, wallet: &Wallet, load: Option<&Value>) -> Value {
    let remaining = wallet.remaining.0;
    match kind {
        EventKind::Alarm1 => json!({ "remaining_fen": remaining, "limit_fen": wallet.alarm1.0 }),
        EventKind::Alarm2 => json!({ "remaining_fen": remaining, "limit_fen": wallet.alarm2.0 }),
        EventKind::Arrears => json!({ "remaining_fen": remaining, "overdraft_fen": wallet.overdraft.0 }),
        _ => load.cloned().unwrap_or_else(|| json!({})),
    }
}
