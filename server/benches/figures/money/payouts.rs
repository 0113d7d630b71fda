//! Pay-outs at once, more than the pool has connections: one that needs a second connection would wait for the others.

use std::time::Instant;

use domain::clock::{Clock, SystemClock};
use domain::rng::Rng;
use futures::future::try_join_all;
use model::ids::ReturnId;
use model::permission::Permissions;
use model::person::{Role, Who};
use store::{Db, on, returns};

use super::WINDOWS;
use super::payer::Room;
use super::webhook::seed;
use crate::database::Engine;
use crate::figure::Figure;
use crate::{Length, Outcome};

/// Pay-outs at the same time; the pool has 16 connections.
const AT_ONCE: usize = 24;

pub async fn run(_length: Length) -> Outcome<Vec<Figure>> {
    let mut figures = Vec::new();
    for engine in Engine::at_hand() {
        let directory = tempfile::tempdir()?;
        let db = Db::open(&engine.url(directory.path()).await?).await?;
        let rng = Rng::from_system();
        let rooms = seed(&db, &rng).await?;
        let user = rooms.first().ok_or("no room")?.resident;
        let (role, name, ip) = (Role::Cashier, String::new(), String::new());
        let who = Who { user, role, permissions: Permissions::of(role), name, ip };
        // The first opens the shift.
        pay(&db, &rng, &who, &confirmed(&db, &rng, &rooms, 1).await?).await?;
        let mut seconds = Vec::new();
        for _ in 0..WINDOWS {
            let returns = confirmed(&db, &rng, &rooms, AT_ONCE).await?;
            let begun = Instant::now();
            pay(&db, &rng, &who, &returns).await?;
            seconds.push(begun.elapsed().as_secs_f64());
        }
        db.close().await;
        let against = format!("until the last of {AT_ONCE} pay-outs at once of one operator");
        figures.push(Figure::at_most(&format!("pay.payouts.{}", engine.as_str()), 1.0, "s", against, seconds));
    }
    Ok(figures)
}

async fn pay(db: &Db, rng: &Rng, who: &Who, returns: &[ReturnId]) -> Outcome<()> {
    try_join_all(returns.iter().map(|id| returns::pay_out(db, rng, SystemClock.now(), who, *id))).await?;
    Ok(())
}

/// Returns of one yuan whose debits were confirmed.
async fn confirmed(db: &Db, rng: &Rng, rooms: &[Room], count: usize) -> Outcome<Vec<ReturnId>> {
    let (now, mut tx, mut returns) = (SystemClock.now(), db.begin().await?, Vec::new());
    for room in rooms.iter().take(count) {
        let (id, number) = (rng.id(now), rng.order_number(now));
        on!(&mut tx, |c| {
            sqlx::query(
                "INSERT INTO returns
                 (id, number, key, kind, account_id, meter_id, tender, amount_fen, reason, state, asked_by, asked_at)
             VALUES ($1, $2, $1, 'return', $3, $4, 'cash', 100, 'figure', 'taken', $5, $6)",
            )
            .bind(id)
            .bind(number)
            .bind(room.account.0)
            .bind(room.meter.0)
            .bind(room.resident.0)
            .bind(now.0)
            .execute(c)
            .await
        })?;
        returns.push(ReturnId(id));
    }
    tx.commit().await?;
    Ok(returns)
}
