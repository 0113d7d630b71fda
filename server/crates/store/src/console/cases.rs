//! Cases as people settle them.

use std::collections::BTreeSet;

use model::audit::AuditAction;
use model::case::{CaseDetail, CaseKind};
use model::console::{CaseLine, CaseOwner, CaseQuery, Page, SeenCase};
use model::error::AppError;
use model::ids::{CaseId, CommandId, MeterId, OrderId, UserId};
use model::person::Who;
use model::time::Timestamp;
use sqlx::FromRow;

use super::{Name, above, case_work, like, names, text_matches, within};
use crate::audit::{self, Entry};
use crate::payments::{end_held, lock_order, lying};
use crate::refunds::unsaid;
use crate::{Db, Result, Tx, on, read};

/// Whether money depends on the case `c` with the order `o`: a held command, a payment in suspense, a refund that is neither sent
/// nor decided, or a console refund that is not assigned.
macro_rules! money_open {
    () => {
        concat!(
            "(COALESCE(o.state, '') = 'case'
              OR c.kind = 'delivery' AND c.order_id IS NULL AND EXISTS
                   (SELECT 1 FROM returns WHERE returns.meter_id = c.meter_id AND returns.state = 'case')
              OR c.kind IN ('paid-twice', 'payment', 'refund', 'refund-elsewhere') AND EXISTS
                   (SELECT 1 FROM payment_attempts p JOIN payment_events e ON e.attempt_id = p.id
                                  JOIN ledger_transfers t ON t.operation = 'suspense' AND t.reference = e.id
                    WHERE p.order_id = c.order_id AND",
            lying!(),
            ")
              OR c.kind = 'refund' AND EXISTS
                   (SELECT 1 FROM refunds f WHERE f.order_id = c.order_id AND f.state = 'sending' AND f.obstacle IS NOT NULL)
              OR c.kind = 'refund' AND EXISTS
                   (SELECT 1 FROM returns v WHERE v.corrects_order = c.order_id AND v.state = 'taken'
                                              AND v.tender NOT IN ('cash', 'card', 'transfer'))
              OR c.kind = 'refund-elsewhere' AND ",
            unsaid!(),
            " > 0)"
        )
    };
}

/// Whether the case `c` tells of a refund that can be booked.
macro_rules! bookable {
    () => {
        "EXISTS (SELECT 1 FROM settlement_differences d WHERE d.case_id = c.id AND d.gone_at IS NULL
                    AND d.kind = 'refunded' AND d.class = 'channel-only' AND d.order_id IS NOT NULL)"
    };
}

/// Whether a money command is held for the case `c` about the meter `m`.
macro_rules! held {
    () => {
        "EXISTS (SELECT 1 FROM commands h WHERE h.meter_id = m.id AND h.money AND h.state = 'case'
                    AND COALESCE(h.order_id, m.id) = COALESCE(c.order_id, m.id) AND c.kind = 'delivery')"
    };
}

/// The columns of [`CaseRow`] but for `total`, and where they come from.
macro_rules! case_rows {
    ($total:literal) => {
        concat!(
            "SELECT c.id, c.kind, c.detail, m.id AS meter_id, o.number AS order_number, o.id AS order_id, c.opened_at, c.due_at,
                    w.id AS owner_id, w.name AS owner_name, c.closed_at, u.name AS closed_by, c.resolution,
                    (SELECT COUNT(*) FROM case_notes cn WHERE cn.case_id = c.id) AS steps, ",
            $total,
            " AS total, ",
            held!(),
            " AS held, ",
            bookable!(),
            " AS bookable, ",
            money_open!(),
            " AS money_open,",
            names!(),
            "FROM cases c LEFT JOIN orders o ON o.id = c.order_id LEFT JOIN meters m ON m.id = COALESCE(c.meter_id, o.meter_id)
             LEFT JOIN places r ON r.id = m.place_id",
            above!(),
            "LEFT JOIN users u ON u.id = c.closed_by LEFT JOIN users w ON w.id = c.owner WHERE",
            within!(),
            "AND "
        )
    };
}

#[derive(FromRow)]
struct CaseRow {
    id: CaseId,
    kind: CaseKind,
    detail: String,
    meter_id: Option<MeterId>,
    order_number: Option<i64>,
    order_id: Option<OrderId>,
    opened_at: Timestamp,
    due_at: Timestamp,
    owner_id: Option<UserId>,
    owner_name: Option<String>,
    closed_at: Option<Timestamp>,
    closed_by: Option<String>,
    resolution: Option<String>,
    steps: i64,
    #[sqlx(flatten)]
    name: Name,
    held: bool,
    bookable: bool,
    money_open: bool,
    total: i64,
}

/// A page of cases: open ones by when they are due, closed ones newest first. A case without a meter is for those who
/// may see everything.
pub async fn cases(db: &Db, operator: UserId, now: Timestamp, query: &CaseQuery) -> Result<Page<CaseLine>> {
    let rows: Vec<CaseRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
            case_rows!("COUNT(*) OVER ()"),
            text_matches!("COALESCE(CAST(o.number AS TEXT), '')"),
            "AND (c.closed_at IS NOT NULL) = $3 AND ($4 = '' OR c.kind = $4)
             AND ($5 = '' OR ($5 = 'mine' AND c.owner = $1) OR ($5 = 'nobody' AND c.owner IS NULL))
             AND (CAST($6 AS BIGINT) = 0 OR c.due_at < $6)
             ORDER BY c.closed_at DESC, c.due_at, c.opened_at, c.id LIMIT $7 OFFSET $8"
        ))
        .bind(operator)
        .bind(like(&query.text))
        .bind(query.closed)
        .bind(query.kind.map_or("", CaseKind::as_str))
        .bind(query.owner.map_or("", CaseOwner::as_str))
        .bind(if query.overdue { now.0 } else { 0 })
        .bind(Page::<CaseLine>::SIZE)
        .bind(query.page * Page::<CaseLine>::SIZE)
        .fetch_all(pool)
        .await
    })?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(Page { lines: rows.into_iter().map(line).collect::<Result<_>>()?, total })
}

/// The open cases of a meter.
pub async fn cases_of(db: &Db, operator: UserId, meter: MeterId) -> Result<Vec<CaseLine>> {
    let rows: Vec<CaseRow> = read!(db, |pool| {
        sqlx::query_as(concat!(case_rows!("CAST(1 AS BIGINT)"), "m.id = $2 AND c.closed_at IS NULL ORDER BY c.opened_at, c.id"))
            .bind(operator)
            .bind(meter)
            .fetch_all(pool)
            .await
    })?;
    rows.into_iter().map(line).collect()
}

/// Most cases of one order that are named.
const CASES_OF_ORDER: i64 = 20;

/// The cases of an order, open ones first.
pub async fn cases_of_order(db: &Db, operator: UserId, order: OrderId) -> Result<Vec<CaseLine>> {
    let rows: Vec<CaseRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
            case_rows!("CAST(1 AS BIGINT)"),
            "c.order_id = $2 ORDER BY CASE WHEN c.closed_at IS NULL THEN 0 ELSE 1 END, c.opened_at DESC, c.id LIMIT $3"
        ))
        .bind(operator)
        .bind(order)
        .bind(CASES_OF_ORDER)
        .fetch_all(pool)
        .await
    })?;
    rows.into_iter().map(line).collect()
}

/// One case, open or closed; `None` where the operator may not see it.
pub async fn case(db: &Db, operator: UserId, case: CaseId) -> Result<Option<CaseLine>> {
    let row: Option<CaseRow> = read!(db, |pool| {
        sqlx::query_as(concat!(case_rows!("CAST(1 AS BIGINT)"), "c.id = $2")).bind(operator).bind(case).fetch_optional(pool).await
    })?;
    row.map(line).transpose()
}

fn line(row: CaseRow) -> Result<CaseLine> {
    let detail = CaseDetail::from_json(row.kind, &row.detail)?;
    let is_open = row.closed_at.is_none();
    Ok(CaseLine {
        id: row.id,
        held: row.held && is_open,
        counter: None,
        room: row.meter_id.is_some().then(|| row.name.into()),
        meter: row.meter_id,
        order: row.order_id.zip(row.order_number),
        bookable: row.bookable && is_open,
        closable: is_open && !(row.money_open || row.held || row.bookable),
        refunds: row.order_id.filter(|_| detail.may_need_refund()),
        detail,
        opened_at: row.opened_at,
        due_at: row.due_at,
        owner: row.owner_id.zip(row.owner_name),
        closed_at: row.closed_at,
        closed_by: row.closed_by,
        resolution: row.resolution,
        steps: row.steps,
    })
}

/// Closes a case with what was done about it.
///
/// # Errors
/// [`AppError::NotFound`] if the operator may not see it, [`AppError::Conflict`] if somebody else has closed it,
/// [`AppError::CaseMoved`] if somebody worked on it since it was seen,
/// [`AppError::MoneyOpen`] while money depends on it: that money would lose the case that names its next step, and
/// [`AppError::CaseHasStep`] for a held counter and a refund that can be booked: their own steps close them.
pub async fn close_case(db: &Db, at: Timestamp, who: &Who, case: SeenCase, resolution: &str) -> Result<()> {
    close_cases(db, at, who, &[case], resolution).await
}

/// Closes several cases with the same resolution: all or none.
///
/// # Errors
/// As [`close_case`].
pub async fn close_cases(db: &Db, at: Timestamp, who: &Who, cases: &[SeenCase], resolution: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    // As a settlement does: attempts and orders before cases.
    let mut orders = BTreeSet::new();
    for case in cases {
        orders.extend(of_order(&mut tx, case.case).await?);
    }
    for order in orders {
        lock_order(&mut tx, order).await?;
    }
    for case in cases {
        let (is_held, has_step) = own_steps(&mut tx, case.case).await?;
        let (kind, _) = close_in(&mut tx, at, who, *case, resolution).await?;
        if is_held {
            return Err(AppError::MoneyOpen.into());
        }
        if has_step {
            return Err(AppError::CaseHasStep.into());
        }
        note_closed(&mut tx, at, who, case.case, &serde_json::json!({ "kind": kind, "resolution": resolution })).await?;
    }
    tx.commit().await
}

/// Whether a money command is held for an open case, and whether it has another step of its own that closes it.
async fn own_steps(tx: &mut Tx, case: CaseId) -> Result<(bool, bool)> {
    let row: Option<(bool, bool)> = on!(tx, |c| {
        sqlx::query_as(concat!(
            "SELECT ",
            held!(),
            ", ",
            bookable!(),
            " OR (c.kind = 'reading' AND EXISTS
                   (SELECT 1 FROM readings n WHERE n.meter_id = c.meter_id AND n.quality BETWEEN 2 AND 5
                       AND n.at = (SELECT MAX(x.at) FROM readings x WHERE x.meter_id = c.meter_id)))
             FROM cases c LEFT JOIN orders o ON o.id = c.order_id LEFT JOIN meters m ON m.id = COALESCE(c.meter_id, o.meter_id)
             WHERE c.id = $1 AND c.closed_at IS NULL"
        ))
        .bind(case)
        .fetch_optional(c)
        .await
    })?;
    Ok(row.unwrap_or_default())
}

/// Closes a case in the caller's transaction; gives its kind and the meter that it is about. The audit line is the caller's to
/// write with [`note_closed`], last.
pub(crate) async fn close_in(
    tx: &mut Tx,
    at: Timestamp,
    who: &Who,
    seen: SeenCase,
    resolution: &str,
) -> Result<(CaseKind, Option<MeterId>)> {
    let case = seen.case;
    let found: Option<(CaseKind, bool, Option<MeterId>)> = on!(tx, |c| {
        sqlx::query_as(concat!(
            "SELECT c.kind, ",
            money_open!(),
            ", m.id FROM cases c LEFT JOIN orders o ON o.id = c.order_id
         LEFT JOIN meters m ON m.id = COALESCE(c.meter_id, o.meter_id) LEFT JOIN places r ON r.id = m.place_id",
            above!(),
            "WHERE c.id = $2 AND",
            within!()
        ))
        .bind(who.user)
        .bind(case)
        .fetch_optional(c)
        .await
    })?;
    let (kind, is_money_open, meter) = found.ok_or(AppError::NotFound)?;
    if is_money_open {
        return Err(AppError::MoneyOpen.into());
    }
    let closed = on!(tx, |c| sqlx::query(
        "UPDATE cases SET closed_at = $1, closed_by = $2, resolution = $3 WHERE id = $4 AND closed_at IS NULL"
    )
    .bind(at)
    .bind(who.user)
    .bind(resolution)
    .bind(case)
    .execute(c)
    .await)?;
    if closed == 0 {
        return Err(AppError::Conflict.into());
    }
    case_work::unmoved(tx, seen).await?;
    // What was held for this case ends with it.
    if let (CaseKind::Payment | CaseKind::PaidTwice | CaseKind::RefundElsewhere, Some(order)) = (kind, of_order(tx, case).await?)
    {
        end_held(tx, order).await?;
    }
    Ok((kind, meter))
}

async fn of_order(tx: &mut Tx, case: CaseId) -> Result<Option<OrderId>> {
    let row: Option<(Option<OrderId>,)> =
        on!(tx, |c| sqlx::query_as("SELECT order_id FROM cases WHERE id = $1").bind(case).fetch_optional(c).await)?;
    Ok(row.and_then(|(order,)| order))
}

/// The audit line of a case that was closed.
pub(crate) async fn note_closed(tx: &mut Tx, at: Timestamp, who: &Who, case: CaseId, detail: &serde_json::Value) -> Result<()> {
    let entry = Entry {
        actor: &format!("user:{}", who.user),
        ip: &who.ip,
        action: AuditAction::CaseClose,
        subject: &format!("case:{case}"),
        detail: &detail.to_string(),
    };
    audit::append(tx, at, &entry).await
}

/// The money command that a case holds, where the case is open and the operator's.
pub async fn held(db: &Db, operator: UserId, case: CaseId) -> Result<Option<CommandId>> {
    let row: Option<(CommandId,)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT h.id FROM cases c LEFT JOIN orders o ON o.id = c.order_id
         JOIN meters m ON m.id = COALESCE(c.meter_id, o.meter_id) JOIN places r ON r.id = m.place_id",
        above!(),
        "JOIN commands h ON h.meter_id = m.id AND h.money AND h.state = 'case'
                        AND COALESCE(h.order_id, m.id) = COALESCE(c.order_id, m.id)
         WHERE c.id = $2 AND c.kind = 'delivery' AND c.closed_at IS NULL AND",
        within!()
    ))
    .bind(operator)
    .bind(case)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(|(id,)| id))
}
