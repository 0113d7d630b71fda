//! Cases: what a person must settle. One of a kind is open a meter or order at a time.

use model::ids::{MeterId, OrderId};
use model::time::Timestamp;

use uuid::Uuid;

use super::audit::{self, Entry};
use super::{Db, Result, Tx, on, read};
use domain::rng::Rng;

/// Kinds of cases; each has words for the next step in the operator's pages.
pub mod kind {
    /// A money command is neither delivered nor undelivered by the rule; money commands of that meter wait.
    pub const DELIVERY: &str = "delivery";
    /// Purchase count or cumulative amount in the meter differ from the ledger's.
    pub const METER_DIFFERS: &str = "meter-differs";
    /// A counter fell, jumped or came out of order.
    pub const READING: &str = "reading";
    /// Another serial number answers at this address.
    pub const IDENTITY: &str = "identity";
    /// A verified payment does not fit its order: amount, merchant or state.
    pub const PAYMENT: &str = "payment";
    /// Paid twice for one order: the second goes back.
    pub const PAID_TWICE: &str = "paid-twice";
    /// Paid for a meter that takes nothing any more: the account is closed. It goes back.
    pub const UNDELIVERABLE: &str = "undeliverable";
    /// Money went back at the channel that nobody here asked for.
    pub const REFUND_ELSEWHERE: &str = "refund-elsewhere";
    /// A refund failed, takes too long, or cannot go by its channel.
    pub const REFUND: &str = "refund";
    /// A closing cannot go on by itself: a meter is lost, or its money has no way to go.
    pub const CLOSING: &str = "closing";
    /// The meter's own journal holds money that no command of ours moved.
    pub const JOURNAL: &str = "journal";
    /// The relay does not do what it is told.
    pub const RELAY: &str = "relay";
    /// A meter does not know our password for switching and setting, or none is configured: the server does not try again by
    /// itself while the case is open.
    pub const PASSWORD: &str = "password";
    /// A meter that cannot be read as it is registered.
    pub const UNUSABLE: &str = "unusable";
    /// Planned prices did not come into force.
    pub const PRICES: &str = "prices";
    /// Parameters changed in the meter, and not by us.
    pub const PARAMETERS: &str = "parameters";
    /// A clock that does not keep time.
    pub const CLOCK: &str = "clock";
    /// Energy was used where no price plan holds.
    pub const UNPRICED: &str = "unpriced";
    /// A certificate of a payment channel ends.
    pub const EXPIRY: &str = "expiry";
    /// A channel's bill has what we know nothing of.
    pub const BILL_CHANNEL_ONLY: &str = "bill-channel-only";
    /// The ledger has what no bill has.
    pub const BILL_OURS_ONLY: &str = "bill-ours-only";
    /// Bill and ledger have different amounts.
    pub const BILL_AMOUNT: &str = "bill-amount";
    /// The bill has as done what our ledger has not.
    pub const BILL_STATE: &str = "bill-state";
    /// Bill and ledger agree, and the meter does not.
    pub const BILL_METER: &str = "bill-meter";
    /// A closed day of a channel is not as it was closed.
    pub const BILL_REOPENED: &str = "bill-reopened";
}

/// Makes the open cases of a kind those that were found, a meter and its detail each: opens what is new, and closes what was mended
/// or is found for another reason now.
pub async fn keep(db: &Db, rng: &Rng, at: Timestamp, kind: &'static str, found: &[(MeterId, String)]) -> Result<()> {
    let open: Vec<(Uuid, Uuid, String)> = read!(db, |pool| sqlx::query_as(
        "SELECT id, meter_id, detail FROM cases WHERE kind = $1 AND meter_id IS NOT NULL AND closed_at IS NULL"
    )
    .bind(kind)
    .fetch_all(pool)
    .await)?;
    let is_open = |(meter, detail): &(MeterId, String)| open.iter().any(|(_, of, said)| *of == meter.0 && said == detail);
    let is_found = |of: Uuid, said: &str| found.iter().any(|(meter, detail)| meter.0 == of && detail == said);
    if found.iter().all(is_open) && open.iter().all(|(_, of, said)| is_found(*of, said)) {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    for (id, of, said) in &open {
        if is_found(*of, said) {
            continue;
        }
        let closed = on!(&mut tx, |c| sqlx::query(
            "UPDATE cases SET closed_at = $1, resolution = 'mended' WHERE id = $2 AND closed_at IS NULL"
        )
        .bind(at.0)
        .bind(*id)
        .execute(c)
        .await)?;
        if closed == 1 {
            let (subject, detail) =
                (format!("case:{id}"), serde_json::json!({ "kind": kind, "resolution": "mended" }).to_string());
            let entry = Entry { actor: "system", ip: "", action: "case.close", subject: &subject, detail: &detail };
            audit::append(&mut tx, at, &entry).await?;
        }
    }
    for (meter, detail) in found {
        self::open(&mut tx, rng, at, kind, Some(*meter), None, detail).await?;
    }
    tx.commit().await
}

/// Opens a case in the caller's transaction, unless one of its kind is open there already.
pub async fn open(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    kind: &'static str,
    meter: Option<MeterId>,
    order: Option<OrderId>,
    detail: &str,
) -> Result<()> {
    on!(tx, |c| {
        sqlx::query(
        "INSERT INTO cases (id, kind, meter_id, order_id, detail, opened_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
    )
    .bind(rng.id(at))
    .bind(kind)
    .bind(meter.map(|id| id.0))
    .bind(order.map(|id| id.0))
    .bind(detail)
    .bind(at.0)
    .execute(c)
    .await
    })?;
    Ok(())
}

/// Closes the open cases of these kinds on an order in the caller's transaction, where their reason is gone.
pub async fn resolve_order(
    tx: &mut Tx,
    at: Timestamp,
    kinds: &[&'static str],
    order: OrderId,
    resolution: &'static str,
) -> Result<()> {
    for kind in kinds {
        on!(tx, |c| sqlx::query(
            "UPDATE cases SET closed_at = $1, resolution = $2 WHERE order_id = $3 AND kind = $4 AND closed_at IS NULL"
        )
        .bind(at.0)
        .bind(resolution)
        .bind(order.0)
        .bind(*kind)
        .execute(c)
        .await)?;
    }
    Ok(())
}

/// Opens a case about no meter or order in the caller's transaction, for those who see the whole site; gives its id.
pub async fn open_apart(tx: &mut Tx, rng: &Rng, at: Timestamp, kind: &'static str, detail: &str) -> Result<Uuid> {
    let id = rng.id(at);
    on!(tx, |c| sqlx::query("INSERT INTO cases (id, kind, detail, opened_at) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(kind)
        .bind(detail)
        .bind(at.0)
        .execute(c)
        .await)?;
    Ok(id)
}

/// Closes a case in the caller's transaction, whose reason is gone; nothing where a person has closed it.
pub async fn mend(tx: &mut Tx, at: Timestamp, case: Uuid) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE cases SET closed_at = $1, resolution = 'mended' WHERE id = $2 AND closed_at IS NULL")
        .bind(at.0)
        .bind(case)
        .execute(c)
        .await)?;
    Ok(())
}

/// Closes the open case of a kind on a meter in the caller's transaction, where its reason is gone; nothing where none is open.
pub async fn resolve(tx: &mut Tx, at: Timestamp, kind: &'static str, meter: MeterId, resolution: &'static str) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "UPDATE cases SET closed_at = $1, resolution = $2 WHERE meter_id = $3 AND kind = $4 AND closed_at IS NULL"
    )
    .bind(at.0)
    .bind(resolution)
    .bind(meter.0)
    .bind(kind)
    .execute(c)
    .await)?;
    Ok(())
}
