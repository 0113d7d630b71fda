//! Sales: made, sold at the counter, and how far each has come.

mod deliver;
mod replace;
mod undeliverable;

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{AccountId, MeterId, OrderId, UserId, Uuid};
use model::meter::Wallet;
use model::money::Fen;
use model::order::{OrderState, Tender};
use model::time::Timestamp;
use sqlx::FromRow;

pub(super) use deliver::{add_delivery, deliver_by, finish_delivery};
use deliver::{credit, deliver};
pub use replace::replace;
pub(super) use undeliverable::{follow, hold_undeliverable};
pub use undeliverable::{reassign, undeliverable_orders};

use super::accounts::{self, Takes};
use super::audit::{self, Entry};
use super::receipts::{self, ReceiptSubject};
use super::shifts::{self, Entered};
use super::{Db, Result, Tx, cases, money_operations, on, read, wallets};
use domain::order::Limits;
use domain::rng::Rng;

/// A sale as it is asked for.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// Made with the form: the same key gives the same order, however often it is sent.
    pub key: Uuid,
    /// For which account.
    pub account: AccountId,
    /// Into which of its meters.
    pub meter: MeterId,
    /// How it is paid.
    pub tender: Tender,
    pub amount: Fen,
    pub by: UserId,
    /// From where; for the audit chain.
    pub ip: String,
}

/// A stored sale.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Order {
    pub id: OrderId,
    /// Stored in the meter and printed on the receipt.
    pub number: i64,
    pub account_id: AccountId,
    pub meter_id: MeterId,
    pub tender: Tender,
    #[sqlx(rename = "amount_fen")]
    pub amount: Fen,
    pub state: OrderState,
    pub created_by: UserId,
    pub created_at: Timestamp,
    pub paid_at: Option<Timestamp>,
    /// When the credit was read back from the meter.
    pub credited_at: Option<Timestamp>,
    /// The purchase count that it became.
    pub count: Option<i64>,
    /// What the meter held after it.
    #[sqlx(rename = "remaining_fen")]
    pub remaining: Option<Fen>,
}

/// The columns of [`Order`]; `order_columns!("o.")` where `orders` has that alias.
#[macro_export]
macro_rules! order_columns {
    () => {
        $crate::order_columns!("")
    };
    ($of:literal) => {
        $crate::columns!(
            $of,
            id,
            number,
            account_id,
            meter_id,
            tender,
            amount_fen,
            state,
            created_by,
            created_at,
            paid_at,
            credited_at,
            count,
            remaining_fen
        )
    };
}

pub use crate::order_columns;

impl Order {
    fn is_for(&self, new: &NewOrder) -> bool {
        (self.account_id, self.meter_id, self.created_by) == (new.account, new.meter, new.by)
            && (self.tender, self.amount) == (new.tender, new.amount)
    }
}

/// Stores an order that a channel will be asked to collect. The same key gives the same order back.
///
/// # Errors
/// Refused with [`AppError::Conflict`] where the key was used for something else, [`AppError::AccountNotOpen`],
/// [`AppError::AccountClosing`], [`AppError::AmountOutOfRange`], [`AppError::HoardingLimit`] or [`AppError::TooManyPending`].
pub async fn create(db: &Db, rng: &Rng, at: Timestamp, limits: &Limits, new: &NewOrder) -> Result<Order> {
    let mut tx = db.begin().await?;
    let order = match insert(&mut tx, rng, at, limits, new, OrderState::Pending).await? {
        Inserted::New(order) => order,
        Inserted::Before(order) => return Ok(order),
    };
    record(&mut tx, at, new, &order, AuditAction::OrderCreate).await?;
    tx.commit().await?;
    Ok(order)
}

/// Sells at the counter: the money is in the operator's hand, so order, posting, credit command and audit line are one
/// transaction. The same key gives the same sale back.
///
/// # Errors
/// As [`create`]; [`AppError::Invalid`] for a tender that a channel collects.
pub async fn sell(db: &Db, rng: &Rng, at: Timestamp, limits: &Limits, new: &NewOrder) -> Result<Order> {
    Ok(sell_once(db, rng, at, limits, new).await?.order)
}

/// [`sell`], and whether the sale is new.
///
/// # Errors
/// As [`sell`].
pub async fn sell_once(db: &Db, rng: &Rng, at: Timestamp, limits: &Limits, new: &NewOrder) -> Result<Sold> {
    let mut tx = db.begin().await?;
    let sold = sell_unwritten(&mut tx, rng, at, limits, new).await?;
    write_sale(&mut tx, at, new, &sold).await?;
    tx.commit().await?;
    Ok(sold)
}

/// Whether [`sell`] would refuse it now: the sale is made in a transaction that is never committed, so that the question and the
/// sale cannot have different rules.
///
/// # Errors
/// As [`sell`].
pub async fn check_sale(db: &Db, rng: &Rng, at: Timestamp, limits: &Limits, new: &NewOrder) -> Result<()> {
    let mut tx = db.begin().await?;
    sell_unwritten(&mut tx, rng, at, limits, new).await.map(drop)
}

/// [`sell_once`] as it was confirmed on a page, where the account's meter had had `seen` money operations.
///
/// # Errors
/// As [`sell`]; [`AppError::MoneyMoved`] where it has had others since.
pub async fn sell_as_seen(db: &Db, rng: &Rng, at: Timestamp, limits: &Limits, new: &NewOrder, seen: i64) -> Result<Sold> {
    let mut tx = db.begin().await?;
    let now = money_operations::lock(&mut tx, new.account, new.meter).await?;
    // The form of a sale that was made is sent twice: then its own sale is what moved.
    if let Some(order) = by_key(&mut tx, new).await? {
        return Ok(Sold { order, is_new: false });
    }
    if now != seen {
        return Err(AppError::MoneyMoved.into());
    }
    let sold = sell_unwritten(&mut tx, rng, at, limits, new).await?;
    write_sale(&mut tx, at, new, &sold).await?;
    tx.commit().await?;
    Ok(sold)
}

/// [`sell`] in the caller's transaction: the first purchase belongs to the opening of its account.
///
/// # Errors
/// As [`sell`].
pub async fn sell_within(tx: &mut Tx, rng: &Rng, at: Timestamp, limits: &Limits, new: &NewOrder) -> Result<Order> {
    let sold = sell_unwritten(tx, rng, at, limits, new).await?;
    write_sale(tx, at, new, &sold).await?;
    Ok(sold.order)
}

/// A sale, and whether it is new.
pub struct Sold {
    pub order: Order,
    pub is_new: bool,
}

/// [`sell_within`] without its audit line and receipt: [`write_sale`] writes them when everything else is done.
pub(super) async fn sell_unwritten(tx: &mut Tx, rng: &Rng, at: Timestamp, limits: &Limits, new: &NewOrder) -> Result<Sold> {
    if !new.tender.is_counter() {
        return Err(AppError::Invalid.into());
    }
    let order = match insert(tx, rng, at, limits, new, OrderState::Paid).await? {
        Inserted::New(order) => order,
        Inserted::Before(order) => return Ok(Sold { order, is_new: false }),
    };
    shifts::note(tx, rng, at, new.by, Entered::Sale(order.id)).await?;
    let order = deliver(tx, rng, at, order, Some(new.by)).await?;
    Ok(Sold { order, is_new: true })
}

/// The audit line and the receipt of a sale; nothing for one that was made before.
pub(super) async fn write_sale(tx: &mut Tx, at: Timestamp, new: &NewOrder, sold: &Sold) -> Result<()> {
    if !sold.is_new {
        return Ok(());
    }
    record(tx, at, new, &sold.order, AuditAction::SaleCreate).await?;
    receipts::issue(tx, at, Some(new.by), ReceiptSubject::Sale(sold.order.id)).await
}

/// Gives what the site pays for, in the caller's transaction: no counter, no shift, no receipt.
///
/// # Errors
/// As [`create`].
pub(super) async fn grant_within(tx: &mut Tx, rng: &Rng, at: Timestamp, limits: &Limits, new: &NewOrder) -> Result<Order> {
    let order = match insert(tx, rng, at, limits, new, OrderState::Paid).await? {
        Inserted::New(order) => order,
        Inserted::Before(order) => return Ok(order),
    };
    let order = deliver(tx, rng, at, order, None).await?;
    record(tx, at, new, &order, AuditAction::SubsidyGrant).await?;
    Ok(order)
}

/// Puts what was left in a meter that was closed into a meter that takes money, in the caller's transaction; no limit counts,
/// for it was in a meter before. Gives `None` where that meter does not take it.
pub async fn carry(tx: &mut Tx, rng: &Rng, at: Timestamp, new: &NewOrder) -> Result<Option<Order>> {
    if accounts::takes(tx, new.account, new.meter).await? == Takes::No {
        return Ok(None);
    }
    match insert_row(tx, rng, at, new, OrderState::Paid).await? {
        Inserted::New(order) => deliver(tx, rng, at, order, Some(new.by)).await.map(Some),
        Inserted::Before(order) => Ok(Some(order)),
    }
}

/// Where the money of an order can go.
pub(super) enum DeliveryTarget {
    /// Into its meter, or the server wallet of it.
    Here(Wallet),
    /// Its account moved: into that account's meter.
    Moved(AccountId, MeterId),
    /// Nowhere: a person decides, or it goes back.
    Nowhere,
}

/// Where an order can go as things stand. Locks the account's meter.
pub(super) async fn delivery_target(tx: &mut Tx, order: &Order) -> Result<DeliveryTarget> {
    let takes = accounts::takes(tx, order.account_id, order.meter_id).await?;
    target(tx, order, takes).await
}

/// [`delivery_target`] of an order whose account's meter the transaction has locked.
pub(super) async fn delivery_target_locked(tx: &mut Tx, order: &Order) -> Result<DeliveryTarget> {
    let takes = accounts::takes_locked(tx, order.account_id, order.meter_id).await?;
    target(tx, order, takes).await
}

async fn target(tx: &mut Tx, order: &Order, takes: Takes) -> Result<DeliveryTarget> {
    if let Takes::Open(wallet) | Takes::Opening(wallet) = takes {
        return Ok(DeliveryTarget::Here(wallet));
    }
    let moved = undeliverable::follows(tx, order.account_id).await?;
    Ok(moved.map_or(DeliveryTarget::Nowhere, |(account, meter)| DeliveryTarget::Moved(account, meter)))
}

/// An order that has just become `paid` cannot be delivered: a person decides, or it goes back.
pub(super) async fn hold_paid(tx: &mut Tx, order: &Order) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE orders SET state = 'case' WHERE id = $1 AND state = 'paid'")
        .bind(order.id)
        .execute(c)
        .await)?;
    Ok(())
}

pub async fn find(db: &Db, id: OrderId) -> Result<Option<Order>> {
    read!(db, |pool| sqlx::query_as(concat!("SELECT", order_columns!(), "FROM orders WHERE id = $1"))
        .bind(id.0)
        .fetch_optional(pool)
        .await)
}

enum Inserted {
    New(Order),
    Before(Order),
}

async fn insert(tx: &mut Tx, rng: &Rng, at: Timestamp, limits: &Limits, new: &NewOrder, state: OrderState) -> Result<Inserted> {
    // A repetition is answered before anything is checked: the order itself may have filled the meter meanwhile.
    if let Some(order) = by_key(tx, new).await? {
        return Ok(Inserted::Before(order));
    }
    check(tx, at, limits, new, state).await?;
    insert_row(tx, rng, at, new, state).await
}

async fn insert_row(tx: &mut Tx, rng: &Rng, at: Timestamp, new: &NewOrder, state: OrderState) -> Result<Inserted> {
    let paid_at = (state == OrderState::Paid).then_some(at.0);
    let order: Option<Order> = on!(tx, |c| {
        sqlx::query_as(concat!(
            "INSERT INTO orders
           (id, number, key, account_id, meter_id, tender, amount_fen, state, created_by, created_at, paid_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (key) DO NOTHING
         RETURNING",
            order_columns!()
        ))
        .bind(rng.id(at))
        .bind(rng.order_number(at))
        .bind(new.key)
        .bind(new.account.0)
        .bind(new.meter.0)
        .bind(new.tender.as_str())
        .bind(new.amount.0)
        .bind(state.as_str())
        .bind(new.by.0)
        .bind(at.0)
        .bind(paid_at)
        .fetch_optional(c)
        .await
    })?;
    match order {
        Some(order) => Ok(Inserted::New(order)),
        // The same form, sent twice at once: the other was first and has committed by now.
        None => by_key(tx, new).await?.map(Inserted::Before).ok_or_else(|| AppError::Conflict.into()),
    }
}

/// The order that this person made with that idempotency key.
pub async fn made_with(db: &Db, by: UserId, key: Uuid) -> Result<Option<Order>> {
    read!(db, |pool| sqlx::query_as(concat!("SELECT", order_columns!(), "FROM orders WHERE key = $1 AND created_by = $2"))
        .bind(key)
        .bind(by)
        .fetch_optional(pool)
        .await)
}

async fn by_key(tx: &mut Tx, new: &NewOrder) -> Result<Option<Order>> {
    let order: Option<Order> = on!(tx, |c| sqlx::query_as(concat!("SELECT", order_columns!(), "FROM orders WHERE key = $1"))
        .bind(new.key)
        .fetch_optional(c)
        .await)?;
    match order {
        Some(order) if !order.is_for(new) => Err(AppError::Conflict.into()),
        order => Ok(order),
    }
}

/// An operator may sell the first purchase while the `open` command is on its way: commands of a meter keep their order.
async fn check(tx: &mut Tx, at: Timestamp, limits: &Limits, new: &NewOrder, state: OrderState) -> Result<()> {
    // It locks the account's meter, so that two sales cannot both fit below the hoarding limit.
    let wallet = match accounts::takes(tx, new.account, new.meter).await? {
        Takes::Open(wallet) => wallet,
        Takes::Opening(wallet) if state == OrderState::Paid => wallet,
        _ => return Err(accounts::why_not_open(tx, new.account).await?.into()),
    };
    if state == OrderState::Pending {
        // Whoever lives there is not kept from paying by what others left unpaid.
        let sql = "SELECT COUNT(*) FROM orders o WHERE o.account_id = $1 AND o.state = 'pending'
             AND (NOT EXISTS (SELECT 1 FROM account_residents h WHERE h.account_id = $1 AND h.user_id = $2 AND h.to_at IS NULL)
                  OR EXISTS (SELECT 1 FROM account_residents h
                             WHERE h.account_id = $1 AND h.user_id = o.created_by AND h.to_at IS NULL))";
        let pending: Option<(i64,)> = on!(tx, |c| sqlx::query_as(sql).bind(new.account).bind(new.by).fetch_optional(c).await)?;
        limits.check_pending(pending.map_or(0, |(count,)| count))?;
    }
    if cases::has_foreign_account(tx, new.meter).await? {
        return Err(AppError::MeterChanged.into());
    }
    if wallet == Wallet::Server {
        let (held, most) = wallets::held(tx, at, new.meter).await?;
        let limits = Limits { hoarding_fen: most.map_or(limits.hoarding_fen, |most| most.0), ..*limits };
        return Ok(limits.check(new.amount, held, Fen::ZERO)?);
    }
    let sums: Option<(i64, i64)> = on!(tx, |c| sqlx::query_as(
        "SELECT COALESCE((SELECT remaining_fen FROM meter_latest WHERE meter_id = $1 AND observed_at IS NOT NULL), 0),
                CAST(COALESCE((SELECT SUM(amount_fen) FROM orders WHERE meter_id = $1 AND state = 'paid'), 0) AS BIGINT)"
    )
    .bind(new.meter.0)
    .fetch_optional(c)
    .await)?;
    let (held, coming) = sums.unwrap_or_default();
    limits.check(new.amount, Fen(held), Fen(coming))?;
    Ok(())
}

async fn record(tx: &mut Tx, at: Timestamp, new: &NewOrder, order: &Order, action: AuditAction) -> Result<()> {
    let detail = serde_json::json!({
        "number": order.number.to_string(), "account": new.account, "meter": new.meter,
        "tender": order.tender, "amount_fen": order.amount,
    });
    let entry = Entry {
        actor: &format!("user:{}", new.by),
        ip: &new.ip,
        action,
        subject: &format!("order:{}", order.id),
        detail: &detail.to_string(),
    };
    audit::append(tx, at, &entry).await
}
