//! Helpers for closures, moves and replacements.

use domain::clock::{Clock, SystemClock};
use domain::ledger::Account;
use domain::returns::Rules;
use meters::GatewayHandle;
use model::ids::{AccountId, ClosingId, UserId};
use model::money::Money;
use model::order::Tender;
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::Timestamp;
use store::closings::{self, BalanceTarget, ClosingRequest, NewClosing};
use store::{StoreError, ledger};

use crate::World;
use crate::site::{SOON, Site, until};

/// A second person approves above this amount.
pub const RULES: Rules = Rules { approve_above_fen: 5_000, approval_hours: 24 };
pub const CASH: ClosingRequest = ClosingRequest::Close(BalanceTarget::Counter(Tender::Cash));

pub fn who(user: UserId) -> Who {
    Who { user, role: Role::Cashier, permissions: Permissions::of(Role::Cashier), name: String::new(), ip: "10.0.0.9".into() }
}

pub async fn begin(
    w: &World,
    at: Timestamp,
    by: UserId,
    account: AccountId,
    what: ClosingRequest,
) -> Result<ClosingId, StoreError> {
    let new = NewClosing { key: w.rng.id(at), account, what, reason: "住户退宿".into(), who: who(by) };
    closings::begin(&w.db, &w.rng, at, &new).await
}

pub async fn advance(w: &World, at: Timestamp) -> usize {
    closings::advance_all(&w.db, &w.rng, at, &RULES).await.unwrap()
}

pub async fn seen(w: &World, id: ClosingId) -> queries::ClosingRow {
    queries::closing(&w.db, id).await.unwrap().unwrap()
}

pub async fn proved(w: &World) {
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
}

pub async fn owed(w: &World, account: &Account) -> Money {
    ledger::credit_balance(&w.db, account).await.unwrap()
}

/// Advances until the meters of a closure have been read.
pub async fn read(s: &Site, engine: &GatewayHandle, id: ClosingId) {
    until(SOON, "the last readings", || async {
        engine.wake();
        advance(&s.w, SystemClock.now()).await;
        seen(&s.w, id).await.read_at.is_some()
    })
    .await;
}

/// Sells and delivers this amount into each meter.
pub async fn stocked(s: &Site, fen: &[i64]) -> GatewayHandle {
    for (room, &fen) in fen.iter().enumerate() {
        s.sell(room, fen).await;
    }
    let engine = s.start().await;
    s.settled(SOON).await;
    engine
}
