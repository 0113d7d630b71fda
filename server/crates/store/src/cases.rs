//! Cases: what a person must decide. At most one of a kind is open for a meter or order at a time.

use model::audit::AuditAction;
use model::case::{CaseDetail, CaseKind};
use model::ids::{CaseId, MeterId, OrderId};
use model::time::Timestamp;

use super::audit::{self, Entry};
use super::{Db, Result, StoreError, Tx, on, read};
use domain::rng::Rng;

/// Makes the open cases of a kind equal to `found`: opens new ones, and closes those
/// whose meter was mended or has another detail now.
pub async fn keep(db: &Db, rng: &Rng, at: Timestamp, kind: CaseKind, found: &[(MeterId, CaseDetail)]) -> Result<()> {
    let open: Vec<(CaseId, MeterId, String)> = read!(db, |pool| sqlx::query_as(
        "SELECT id, meter_id, detail FROM cases WHERE kind = $1 AND meter_id IS NOT NULL AND closed_at IS NULL"
    )
    .bind(kind)
    .fetch_all(pool)
    .await)?;
    let found: Vec<_> = found.iter().map(|(meter, detail)| (*meter, detail, detail.to_json())).collect();
    let is_found = |meter: MeterId, stored: &str| found.iter().any(|(of, _, json)| *of == meter && json == stored);
    let is_open = |meter: MeterId, json: &str| open.iter().any(|(_, of, stored)| *of == meter && stored == json);
    if found.iter().all(|(meter, _, json)| is_open(*meter, json)) && open.iter().all(|(_, of, stored)| is_found(*of, stored)) {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    for (id, _, _) in open.iter().filter(|(_, of, stored)| !is_found(*of, stored)) {
        mend_audited(&mut tx, at, kind, *id).await?;
    }
    for (meter, detail, _) in found {
        self::open(&mut tx, rng, at, Some(meter), None, detail).await?;
    }
    tx.commit().await
}

/// Opens a case in the caller's transaction, unless one of its kind is open for the same meter or order.
pub async fn open(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    meter: Option<MeterId>,
    order: Option<OrderId>,
    detail: &CaseDetail,
) -> Result<()> {
    open_new(tx, rng, at, (meter, order), detail).await.map(drop)
}

/// The same; gives whether none was open.
async fn open_new(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    (meter, order): (Option<MeterId>, Option<OrderId>),
    detail: &CaseDetail,
) -> Result<bool> {
    let opened = on!(tx, |c| {
        sqlx::query(
            "INSERT INTO cases (id, kind, meter_id, order_id, detail, opened_at, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT DO NOTHING",
        )
        .bind(rng.id(at))
        .bind(detail.kind())
        .bind(meter)
        .bind(order)
        .bind(detail.to_json())
        .bind(at)
        .bind(at.plus(detail.kind().due_within()))
        .execute(c)
        .await
    })?;
    Ok(opened == 1)
}

/// Opens a case about a meter as [`open`] does. Where one of its kind is open, its record becomes what is found now, and the
/// audit log keeps what it was. Gives whether anything was written.
pub async fn follow(tx: &mut Tx, rng: &Rng, at: Timestamp, meter: MeterId, detail: &CaseDetail) -> Result<bool> {
    let (kind, now) = (detail.kind(), detail.to_json());
    let open_case: Option<(CaseId, String)> = on!(tx, |c| sqlx::query_as(
        "SELECT id, detail FROM cases WHERE kind = $1 AND meter_id = $2 AND order_id IS NULL AND closed_at IS NULL"
    )
    .bind(kind)
    .bind(meter)
    .fetch_optional(c)
    .await)?;
    let Some((case, was)) = open_case else { return open_new(tx, rng, at, (Some(meter), None), detail).await };
    if was == now {
        return Ok(false);
    }
    let followed = on!(tx, |c| sqlx::query("UPDATE cases SET detail = $1 WHERE id = $2 AND detail = $3 AND closed_at IS NULL")
        .bind(&now)
        .bind(case)
        .bind(&was)
        .execute(c)
        .await)?;
    if followed == 0 {
        // It was closed after it was looked up, or follows another record already.
        return open_new(tx, rng, at, (Some(meter), None), detail).await;
    }
    let subject = format!("case:{case}");
    let detail = serde_json::json!({ "kind": kind, "was": was, "is": now }).to_string();
    let entry = Entry { actor: "system", ip: "", action: AuditAction::CaseFollow, subject: &subject, detail: &detail };
    audit::append(tx, at, &entry).await?;
    Ok(true)
}

const DETAIL_OF: &str = "SELECT detail FROM cases WHERE kind = $1 AND meter_id = $2 AND order_id IS NULL AND closed_at IS NULL";

/// What the open case of a kind says about a meter.
pub async fn detail_of(tx: &mut Tx, kind: CaseKind, meter: MeterId) -> Result<Option<CaseDetail>> {
    let open: Option<(String,)> = on!(tx, |c| sqlx::query_as(DETAIL_OF).bind(kind).bind(meter).fetch_optional(c).await)?;
    open.map(|(detail,)| CaseDetail::from_json(kind, &detail)).transpose().map_err(StoreError::from)
}

/// Closes the open cases of these kinds for an order in the caller's transaction, because their reason is gone.
pub async fn resolve_order(
    tx: &mut Tx,
    at: Timestamp,
    kinds: &[CaseKind],
    order: OrderId,
    resolution: &'static str,
) -> Result<()> {
    for kind in kinds {
        on!(tx, |c| sqlx::query(
            "UPDATE cases SET closed_at = $1, resolution = $2 WHERE order_id = $3 AND kind = $4 AND closed_at IS NULL"
        )
        .bind(at)
        .bind(resolution)
        .bind(order)
        .bind(*kind)
        .execute(c)
        .await)?;
    }
    Ok(())
}

/// Opens a case about no meter or order in the caller's transaction; only operators of the whole site see it.
pub async fn open_site_case(tx: &mut Tx, rng: &Rng, at: Timestamp, detail: &CaseDetail) -> Result<CaseId> {
    let id = CaseId(rng.id(at));
    on!(tx, |c| sqlx::query("INSERT INTO cases (id, kind, detail, opened_at, due_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(id)
        .bind(detail.kind())
        .bind(detail.to_json())
        .bind(at)
        .bind(at.plus(detail.kind().due_within()))
        .execute(c)
        .await)?;
    Ok(id)
}

/// Closes a case as mended in the caller's transaction. Returns whether it was open.
pub async fn mend(tx: &mut Tx, at: Timestamp, case: CaseId) -> Result<bool> {
    let closed =
        on!(tx, |c| sqlx::query("UPDATE cases SET closed_at = $1, resolution = 'mended' WHERE id = $2 AND closed_at IS NULL")
            .bind(at)
            .bind(case)
            .execute(c)
            .await)?;
    Ok(closed == 1)
}

/// Closes the open case of a kind for a meter as mended, with an audit line, in the caller's transaction.
pub async fn mend_of_meter(tx: &mut Tx, at: Timestamp, kind: CaseKind, meter: MeterId) -> Result<()> {
    let open: Option<(CaseId,)> = on!(tx, |c| {
        sqlx::query_as("SELECT id FROM cases WHERE kind = $1 AND meter_id = $2 AND order_id IS NULL AND closed_at IS NULL")
            .bind(kind)
            .bind(meter)
            .fetch_optional(c)
            .await
    })?;
    match open {
        Some((case,)) => mend_audited(tx, at, kind, case).await,
        None => Ok(()),
    }
}

/// The open cases of a kind that are about a meter.
pub async fn details_of_kind(db: &Db, kind: CaseKind) -> Result<Vec<(MeterId, CaseDetail)>> {
    let rows: Vec<(MeterId, String)> = read!(db, |pool| sqlx::query_as(
        "SELECT meter_id, detail FROM cases WHERE kind = $1 AND meter_id IS NOT NULL AND closed_at IS NULL"
    )
    .bind(kind)
    .fetch_all(pool)
    .await)?;
    rows.into_iter().map(|(meter, detail)| Ok((meter, CaseDetail::from_json(kind, &detail)?))).collect()
}

/// As [`has_foreign_account`], outside a transaction.
pub async fn shows_foreign_account(db: &Db, meter: MeterId) -> Result<bool> {
    let kind = CaseKind::MeterChanged;
    let open: Option<(String,)> = read!(db, |pool| sqlx::query_as(DETAIL_OF).bind(kind).bind(meter).fetch_optional(pool).await)?;
    let detail = open.map(|(detail,)| CaseDetail::from_json(kind, &detail)).transpose()?;
    Ok(detail.is_some_and(|detail| detail.has_foreign_account()))
}

/// Whether an open case says that the account in the meter is not the one in the books.
pub async fn has_foreign_account(tx: &mut Tx, meter: MeterId) -> Result<bool> {
    let open = detail_of(tx, CaseKind::MeterChanged, meter).await?;
    Ok(open.is_some_and(|detail| detail.has_foreign_account()))
}

/// The meters with an open case of a kind.
pub async fn open_of_kind(db: &Db, kind: CaseKind) -> Result<Vec<MeterId>> {
    let rows: Vec<(MeterId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT meter_id FROM cases WHERE kind = $1 AND meter_id IS NOT NULL AND closed_at IS NULL"
    )
    .bind(kind)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(meter,)| meter).collect())
}

/// Closes a case as mended, with an audit line, in the caller's transaction.
pub(crate) async fn mend_audited(tx: &mut Tx, at: Timestamp, kind: CaseKind, case: CaseId) -> Result<()> {
    if mend(tx, at, case).await? {
        let (subject, detail) = (format!("case:{case}"), serde_json::json!({ "kind": kind, "resolution": "mended" }).to_string());
        let entry = Entry { actor: "system", ip: "", action: AuditAction::CaseClose, subject: &subject, detail: &detail };
        audit::append(tx, at, &entry).await?;
    }
    Ok(())
}

/// Closes the open case of a kind for a meter in the caller's transaction, because its reason is gone.
pub async fn resolve(tx: &mut Tx, at: Timestamp, kind: CaseKind, meter: MeterId, resolution: &'static str) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "UPDATE cases SET closed_at = $1, resolution = $2 WHERE meter_id = $3 AND kind = $4 AND closed_at IS NULL"
    )
    .bind(at)
    .bind(resolution)
    .bind(meter)
    .bind(kind)
    .execute(c)
    .await)?;
    Ok(())
}
