//! Requests a return or a correction, and begins it if no second person is needed.

use super::return_columns;
use crate::orders::order_columns;
use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{AccountId, ClosingId, MeterId, OrderId, ReturnId, UserId};
use model::money::Fen;
use model::order::{OrderState, ReturnKind, ReturnState, Tender};
use model::time::Timestamp;

use super::{NewReturn, Return, ReturnSubject, Source, lock, owed, record};
use crate::approvals::{self, CashOf, Outgoing, cash_behind, paid_today};
use crate::debits::{self, Debit, Debited};
use crate::orders::{self, NewOrder, Order};
use crate::{Db, Result, StoreError, Tx, money_operations, on};
use domain::order::Limits;
use domain::returns::Rules;
use domain::rng::Rng;
use domain::two_person::PaidToday;

/// The account, meter, amount and tender that a request comes to.
pub(super) struct Terms {
    pub(super) kind: ReturnKind,
    pub(super) source: Source,
    pub(super) account: AccountId,
    pub(super) meter: MeterId,
    pub(super) order: Option<OrderId>,
    pub(super) back: Option<ReturnId>,
    pub(super) closing: Option<ClosingId>,
    pub(super) tender: Tender,
    pub(super) amount: Fen,
}

/// Stores the request; without need of a second person it begins in the same transaction. The same key returns the same return.
///
/// # Errors
/// [`AppError::Conflict`] if the key belongs to another request, [`AppError::NotFound`] for an unknown original,
/// [`AppError::NotCorrectable`] for one that cannot be corrected any more, [`AppError::Invalid`] for a tender of a channel,
/// [`AppError::AmountOutOfRange`] for nothing, [`AppError::ExceedsCorrectable`] for more than is left, and those of
/// [`debits::take`] for the balance.
pub async fn ask(db: &Db, rng: &Rng, at: Timestamp, rules: &Rules, limits: &Limits, new: &NewReturn) -> Result<Return> {
    Ok(ask_once(db, rng, at, rules, limits, new).await?.row)
}

/// A return, and whether it is new.
#[derive(Debug)]
pub struct RequestedReturn {
    pub row: Return,
    pub is_new: bool,
}

/// [`ask`], and whether the return is new.
///
/// # Errors
/// As [`ask`].
pub async fn ask_once(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    rules: &Rules,
    limits: &Limits,
    new: &NewReturn,
) -> Result<RequestedReturn> {
    let mut tx = db.begin().await?;
    let asked = ask_within(&mut tx, rng, at, (rules, limits), new).await?;
    tx.commit().await?;
    Ok(asked)
}

/// [`ask_once`] as it was confirmed on a page, where the account's meter had had `seen` money operations.
///
/// # Errors
/// As [`ask`]; [`AppError::MoneyMoved`] where it has had others since.
pub async fn ask_as_seen(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    rules: (&Rules, &Limits),
    new: &NewReturn,
    seen: i64,
) -> Result<RequestedReturn> {
    let mut tx = db.begin().await?;
    if let Some((account, meter)) = meter_of(&mut tx, new.of).await? {
        let now = money_operations::lock(&mut tx, account, meter).await?;
        // The form of a return that was requested is sent twice: then it is itself what moved.
        if by_key(&mut tx, new).await?.is_none() && now != seen {
            return Err(AppError::MoneyMoved.into());
        }
    }
    let asked = ask_within(&mut tx, rng, at, rules, new).await?;
    tx.commit().await?;
    Ok(asked)
}

/// The account and meter that a request is about; `None` for an unknown original. The original is locked, because settlements
/// lock it before its meter, too.
async fn meter_of(tx: &mut Tx, of: ReturnSubject) -> Result<Option<(AccountId, MeterId)>> {
    let (sql, id) = match of {
        ReturnSubject::Remaining { account, meter, .. } => return Ok(Some((account, meter))),
        ReturnSubject::Sale(id, _) => ("UPDATE orders SET state = state WHERE id = $1 RETURNING account_id, meter_id", id.0),
        ReturnSubject::Return(id) => ("UPDATE returns SET state = state WHERE id = $1 RETURNING account_id, meter_id", id.0),
    };
    on!(tx, |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)
}

/// Whether [`ask`] would refuse it now: it is asked for in a transaction that is never committed.
///
/// # Errors
/// As [`ask`].
pub async fn check(db: &Db, rng: &Rng, at: Timestamp, rules: &Rules, limits: &Limits, new: &NewReturn) -> Result<()> {
    let mut tx = db.begin().await?;
    ask_within(&mut tx, rng, at, (rules, limits), new).await.map(drop)
}

async fn ask_within(tx: &mut Tx, rng: &Rng, at: Timestamp, rules: (&Rules, &Limits), new: &NewReturn) -> Result<RequestedReturn> {
    let (rules, limits) = rules;
    if let Some(row) = by_key(tx, new).await? {
        return Ok(RequestedReturn { row, is_new: false });
    }
    let before = |row: Option<Return>, why: AppError| match row {
        Some(row) => Ok(RequestedReturn { row, is_new: false }),
        None => Err(why.into()),
    };
    let terms = match terms(tx, new).await {
        Ok(terms) => terms,
        // The same form sent twice at once: the other transaction has taken the balance.
        Err(StoreError::Refused(why)) => return before(by_key(tx, new).await?, why),
        Err(error) => return Err(error),
    };
    if terms.amount <= Fen::ZERO {
        return Err(AppError::AmountOutOfRange.into());
    }
    let until = second_until(tx, at, rules, new.by, &terms).await?;
    let Some(row) = insert(tx, rng, at, new, &terms, until).await? else {
        // The same form sent twice at once: the other transaction has committed.
        return before(by_key(tx, new).await?, AppError::Conflict);
    };
    if terms.kind != ReturnKind::UndoReturn && terms.source == Source::Wallet {
        // Tells the person at once what the meter does not hold.
        debits::check(tx, at, &debit(&row)).await?;
    }
    let row = if until.is_none() { begin(tx, rng, at, limits, &row, &new.ip).await? } else { row };
    record(tx, at, Some(new.by), &new.ip, AuditAction::ReturnAsk, &row).await?;
    Ok(RequestedReturn { row, is_new: true })
}

/// Until when a second person may approve it. Taking back a return brings money in, so only its own amount counts.
pub(super) async fn second_until(
    tx: &mut Tx,
    at: Timestamp,
    rules: &Rules,
    by: UserId,
    terms: &Terms,
) -> Result<Option<Timestamp>> {
    if terms.kind == ReturnKind::UndoReturn {
        return Ok(rules.second_until(terms.amount, &PaidToday::default(), at));
    }
    let meter = Some(terms.meter);
    approvals::lock(tx, by, meter).await?;
    let mut today = paid_today(tx, at, Outgoing { by, meter }).await?;
    if terms.tender == Tender::Cash {
        let of = match (terms.source, terms.order) {
            (Source::Order, Some(order)) => CashOf::Order(order),
            (Source::Closing, _) => CashOf::Closing(terms.account, terms.amount),
            _ => CashOf::Wallet(terms.account, terms.meter),
        };
        today.cash = Some(cash_behind(tx, at, of).await?);
    }
    Ok(rules.second_until(terms.amount, &today, at))
}

fn debit(row: &Return) -> Debit {
    Debit { account: row.account_id, meter: row.meter_id, of: row.id.0, number: row.number, amount: row.amount, by: row.asked_by }
}

/// Begins a waiting return: debits the wallet, or sells again the amount of a corrected return.
pub(super) async fn begin(tx: &mut Tx, rng: &Rng, at: Timestamp, limits: &Limits, row: &Return, ip: &str) -> Result<Return> {
    if row.kind == ReturnKind::UndoReturn {
        return sell_again(tx, rng, at, limits, row, ip).await;
    }
    if row.source != Source::Wallet {
        return owed::begin(tx, at, row).await;
    }
    let (state, command, taken_at, count, remaining) = match debits::take(tx, rng, at, &debit(row)).await? {
        Debited::Asked(command) => (ReturnState::Taking, Some(command.0), None, None, None),
        Debited::Done { count, remaining } => (ReturnState::Taken, None, Some(at.0), Some(count), Some(remaining.0)),
    };
    let moved = on!(tx, |c| sqlx::query(
        "UPDATE returns SET state = $2, command_id = $3, taken_at = $4, count = $5, remaining_fen = $6
         WHERE id = $1 AND state IN ('waiting')"
    )
    .bind(row.id)
    .bind(state.as_str())
    .bind(command)
    .bind(taken_at)
    .bind(count)
    .bind(remaining)
    .execute(c)
    .await)?;
    again(tx, row, moved).await
}

/// The money is paid back at the cash desk and delivered as a sale. The meter held that much before, so only the
/// hoarding limit applies.
async fn sell_again(tx: &mut Tx, rng: &Rng, at: Timestamp, limits: &Limits, row: &Return, ip: &str) -> Result<Return> {
    let new = NewOrder {
        key: row.id.0,
        account: row.account_id,
        meter: row.meter_id,
        tender: row.tender,
        amount: row.amount,
        by: row.asked_by,
        ip: ip.to_owned(),
    };
    let limits = Limits { min_fen: 1, max_fen: Fen::MAX.0, ..*limits };
    let order = orders::sell_within(tx, rng, at, &limits, &new).await?;
    let moved = on!(tx, |c| sqlx::query(
        "UPDATE returns SET state = 'done', sale_id = $2, settled_at = $3, settled_by = asked_by
         WHERE id = $1 AND state IN ('waiting')"
    )
    .bind(row.id)
    .bind(order.id)
    .bind(at.0)
    .execute(c)
    .await)?;
    again(tx, row, moved).await
}

pub(super) async fn again(tx: &mut Tx, row: &Return, moved: u64) -> Result<Return> {
    let row = if moved == 1 { lock(tx, row.id).await? } else { None };
    row.ok_or(StoreError::Inconsistent { table: "returns", column: "state" })
}

async fn terms(tx: &mut Tx, new: &NewReturn) -> Result<Terms> {
    match new.of {
        ReturnSubject::Remaining { account, meter, tender, amount } if tender.is_counter() => {
            let (kind, source) = (ReturnKind::Return, Source::Wallet);
            Ok(Terms { kind, source, account, meter, order: None, back: None, closing: None, tender, amount })
        }
        ReturnSubject::Remaining { .. } => Err(AppError::Invalid.into()),
        ReturnSubject::Sale(id, amount) => {
            let order: Option<Order> = on!(tx, |c| sqlx::query_as(concat!(
                "UPDATE orders SET state = state WHERE id = $1
                 RETURNING",
                order_columns!()
            ))
            .bind(id.0)
            .fetch_optional(c)
            .await)?;
            let order = order.ok_or(AppError::NotFound)?;
            let tender = order.tender;
            if let Some(terms) = owed::undelivered(tx, &order, amount).await? {
                return Ok(terms);
            }
            let left = tender.left_to_correct(order.amount, corrected(tx, id).await?);
            if order.state != OrderState::Credited || left == Fen::ZERO {
                return Err(AppError::NotCorrectable.into());
            }
            if amount > left {
                return Err(AppError::ExceedsCorrectable.into());
            }
            let (account, meter) = (order.account_id, order.meter_id);
            let (kind, source, order) = (ReturnKind::UndoSale, Source::Wallet, Some(order.id));
            Ok(Terms { kind, source, account, meter, order, back: None, closing: None, tender, amount })
        }
        ReturnSubject::Return(id) => {
            let back = lock(tx, ReturnId(id.0)).await?.ok_or(AppError::NotFound)?;
            let from_wallet = back.kind == ReturnKind::Return && back.source == Source::Wallet;
            if back.state != ReturnState::Done || !from_wallet {
                return Err(AppError::NotCorrectable.into());
            }
            let (account, meter) = (back.account_id, back.meter_id);
            let (kind, source, tender, amount) = (ReturnKind::UndoReturn, Source::Wallet, back.tender, back.amount);
            Ok(Terms { kind, source, account, meter, order: None, back: Some(back.id), closing: None, tender, amount })
        }
    }
}

/// The amount of a sale that corrections have taken or reserved. The caller has locked the order.
async fn corrected(tx: &mut Tx, order: OrderId) -> Result<Fen> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) FROM returns
         WHERE corrects_order = $1 AND state NOT IN ('refused', 'rejected', 'cancelled', 'expired')"
    )
    .bind(order.0)
    .fetch_optional(c)
    .await)?;
    Ok(Fen(row.map_or(0, |(fen,)| fen)))
}

/// `None` if the key exists already.
pub(super) async fn insert(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    new: &NewReturn,
    terms: &Terms,
    until: Option<Timestamp>,
) -> Result<Option<Return>> {
    let inserted: Result<Option<Return>> = on!(tx, |c| {
        sqlx::query_as(concat!(
        "INSERT INTO returns (id, number, key, kind, account_id, meter_id, corrects_order, corrects_return, tender, amount_fen,
                              reason, state, asked_by, asked_at, expires_at, source, closure_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'waiting', $12, $13, $14, $15, $16) ON CONFLICT (key) DO NOTHING
         RETURNING", return_columns!()))
        .bind(rng.id(at))
        .bind(rng.order_number(at))
        .bind(new.key)
        .bind(terms.kind.as_str())
        .bind(terms.account.0)
        .bind(terms.meter.0)
        .bind(terms.order)
        .bind(terms.back)
        .bind(terms.tender.as_str())
        .bind(terms.amount.0)
        .bind(&new.reason)
        .bind(new.by.0)
        .bind(at.0)
        .bind(until.map(|at| at.0))
        .bind(terms.source.as_str())
        .bind(terms.closing)
        .fetch_optional(c)
        .await
    });
    // The original has a correction already.
    inserted.map_err(|error| error.or_first(AppError::NotCorrectable))
}

async fn by_key(tx: &mut Tx, new: &NewReturn) -> Result<Option<Return>> {
    let row: Option<Return> = on!(tx, |c| sqlx::query_as(concat!("SELECT", return_columns!(), "FROM returns WHERE key = $1"))
        .bind(new.key)
        .fetch_optional(c)
        .await)?;
    match row {
        Some(row) if !row.is_for(new) => Err(AppError::Conflict.into()),
        row => Ok(row),
    }
}

impl Return {
    fn is_for(&self, new: &NewReturn) -> bool {
        let same = match new.of {
            ReturnSubject::Remaining { account, meter, tender, amount } => {
                self.kind == ReturnKind::Return
                    && (self.account_id, self.meter_id, self.amount) == (account, meter, amount)
                    && self.tender == tender
            }
            ReturnSubject::Sale(id, amount) => self.corrects_order == Some(id) && self.amount == amount,
            ReturnSubject::Return(id) => self.corrects_return == Some(id),
        };
        same && self.asked_by == new.by
    }
}
