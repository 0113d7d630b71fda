//! Alarms of a wallet: an event begins and ends with its condition, in the transaction that changes the wallet.

use model::event::EventKind;
use model::meter::StatusWord;
use model::time::Timestamp;
use serde_json::{Value, json};

use super::{Cause, WalletRow};
use crate::events::{self, Change, Subject, Turn};
use crate::{Result, Tx, notifications};
use domain::alarm_conditions;
use domain::rng::Rng;
use domain::wallet::Wallet;

/// Raises and clears the alarms that have changed since the row was stored.
pub(super) async fn warn(tx: &mut Tx, rng: &Rng, cause: &Cause<'_>, row: &mut WalletRow, wallet: &Wallet) -> Result<()> {
    let conditions = alarm_conditions::of_wallet(wallet.status(StatusWord::default()));
    let warned: Vec<EventKind> = conditions.iter().filter(|(_, holds)| *holds).map(|(kind, _)| *kind).collect();
    if warned == row.warned.0 {
        return Ok(());
    }
    let subject = Subject::Meter(row.meter_id);
    for (kind, holds) in conditions {
        let turn = match (row.warned.0.contains(&kind), holds) {
            (false, true) => Turn::Raised(figures(kind, wallet, cause.load).to_string()),
            (true, false) => Turn::Over,
            _ => continue,
        };
        events::apply_late(tx, rng, cause.at, &Change { kind, subject, at: cause.since, turn }).await?;
    }
    row.warned.0 = warned;
    Ok(())
}

/// Tells the residents of a wallet that is used up once until when its power stays on.
pub(super) async fn tell_kept_on(tx: &mut Tx, rng: &Rng, at: Timestamp, row: &mut WalletRow, wallet: &Wallet) -> Result<()> {
    let until = row.friendly_until.filter(|_| wallet.is_kept_on());
    if let Some(until) = until.filter(|until| row.told_until != Some(*until)) {
        notifications::stays_on(tx, rng, at, row.meter_id, (wallet.remaining, until, None)).await?;
    }
    row.told_until = until;
    Ok(())
}

/// The figures behind an alarm.
fn figures(kind: EventKind, wallet: &Wallet, load: Option<&Value>) -> Value {
    let remaining = wallet.remaining.0;
    match kind {
        EventKind::Alarm1 => json!({ "remaining_fen": remaining, "limit_fen": wallet.alarm1.0 }),
        EventKind::Alarm2 => json!({ "remaining_fen": remaining, "limit_fen": wallet.alarm2.0 }),
        EventKind::Arrears => json!({ "remaining_fen": remaining, "overdraft_fen": wallet.overdraft.0 }),
        _ => load.cloned().unwrap_or_else(|| json!({})),
    }
}
