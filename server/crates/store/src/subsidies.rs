//! Monthly subsidies: the rules, the rooms that are still due, and the grant, once a room and month.

use model::audit::AuditAction;
use model::ids::{AccountId, MeterId, PlaceId, UserId};
use model::money::Fen;
use model::order::Tender;
use model::person::Who;
use model::subsidy::{Month, Per};
use model::time::Timestamp;
use sqlx::FromRow;

use super::audit::{self, Entry};
use super::orders::{self, NewOrder};
use super::{Db, Result, Tx, on, read};
use domain::order::Limits;
use domain::rng::Rng;
use domain::subsidy::Rule;

#[derive(FromRow)]
struct RuleRow {
    place_id: PlaceId,
    from_month: Month,
    per: Per,
    amount_fen: Fen,
    decided_by: UserId,
    by_name: String,
}

impl From<RuleRow> for Decided {
    fn from(row: RuleRow) -> Self {
        let rule = Rule { place: row.place_id, from: row.from_month, per: row.per, amount: row.amount_fen };
        Self { rule, by: row.decided_by, by_name: row.by_name }
    }
}

/// A rule, and who decided it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub rule: Rule,
    pub by: UserId,
    pub by_name: String,
}

/// All rules, the newest first.
pub async fn rules(db: &Db) -> Result<Vec<Decided>> {
    let rows: Vec<RuleRow> = read!(db, |pool| sqlx::query_as(
        "SELECT s.place_id, s.from_month, s.per, s.amount_fen, s.decided_by, u.name AS by_name
         FROM subsidy_rules s JOIN users u ON u.id = s.decided_by ORDER BY s.from_month DESC, s.decided_at DESC"
    )
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(Decided::from).collect())
}

/// Sets the subsidy of the rooms below a place from a month on, with the audit line. Earlier grants do not change. The caller
/// checks that the operator may see the place.
pub(super) async fn decide_within(tx: &mut Tx, at: Timestamp, who: &Who, rule: &Rule) -> Result<()> {
    on!(tx, |c| {
        sqlx::query(
        "INSERT INTO subsidy_rules (place_id, from_month, per, amount_fen, decided_by, decided_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (place_id, from_month) DO UPDATE SET per = excluded.per, amount_fen = excluded.amount_fen,
                                                          decided_by = excluded.decided_by, decided_at = excluded.decided_at"
    )
    .bind(rule.place)
    .bind(rule.from)
    .bind(rule.per)
    .bind(rule.amount)
    .bind(who.user)
    .bind(at)
    .execute(c)
    .await
    })?;
    let (actor, subject) = (format!("user:{}", who.user), format!("place:{}", rule.place));
    let detail = serde_json::json!({ "from": rule.from.to_string(), "per": rule.per, "amount_fen": rule.amount });
    let entry =
        Entry { actor: &actor, ip: &who.ip, action: AuditAction::SubsidyRule, subject: &subject, detail: &detail.to_string() };
    audit::append(tx, at, &entry).await
}

/// How many rooms are below a place, and how many residents with an open account live there.
pub(super) async fn recipients(tx: &mut Tx, place: PlaceId) -> Result<(i64, i64)> {
    let row: Option<(i64, i64)> = on!(tx, |c| sqlx::query_as(
        "WITH RECURSIVE below (id, kind, depth) AS (
             SELECT id, kind, CAST(0 AS BIGINT) FROM places WHERE id = $1
             UNION ALL
             SELECT p.id, p.kind, below.depth + 1 FROM places p JOIN below ON p.parent_id = below.id WHERE below.depth < 16)
         SELECT (SELECT COUNT(*) FROM below WHERE kind = 'room'),
                (SELECT COUNT(*) FROM below JOIN accounts a ON a.place_id = below.id AND a.state = 'open'
                      JOIN account_residents h ON h.account_id = a.id AND h.to_at IS NULL)"
    )
    .bind(place)
    .fetch_optional(c)
    .await)?;
    Ok(row.unwrap_or_default())
}

/// A room with an open account and without a subsidy in a month.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DueRoom {
    account_id: AccountId,
    meter_id: MeterId,
    place_id: PlaceId,
    above: Option<PlaceId>,
    top: Option<PlaceId>,
    site: Option<PlaceId>,
    /// Number of residents.
    pub heads: i64,
}

impl DueRoom {
    /// The room and the places above it.
    #[must_use]
    pub fn upwards(&self) -> Vec<PlaceId> {
        [Some(self.place_id), self.above, self.top, self.site].into_iter().flatten().collect()
    }
}

/// The rooms without a subsidy in this month.
pub async fn due_rooms(db: &Db, month: Month) -> Result<Vec<DueRoom>> {
    read!(db, |pool| {
        sqlx::query_as(
            "SELECT a.id AS account_id, am.meter_id, r.id AS place_id, b.id AS above, t.id AS top, t.parent_id AS site,
                (SELECT COUNT(*) FROM account_residents h WHERE h.account_id = a.id AND h.to_at IS NULL) AS heads
         FROM accounts a JOIN places r ON r.id = a.place_id
              LEFT JOIN places b ON b.id = r.parent_id LEFT JOIN places t ON t.id = b.parent_id
              JOIN account_meters am ON am.account_id = a.id AND am.to_at IS NULL
                   AND am.meter_id = (SELECT f.meter_id FROM account_meters f JOIN meters m ON m.id = f.meter_id
                       AND m.wallet <> 'none'
                                      WHERE f.account_id = a.id AND f.to_at IS NULL ORDER BY f.from_at, f.meter_id LIMIT 1)
         WHERE a.state = 'open' AND NOT EXISTS (SELECT 1 FROM subsidies s WHERE s.place_id = a.place_id AND s.month = $1)
         ORDER BY a.id",
        )
        .bind(month)
        .fetch_all(pool)
        .await
    })
}

/// Grants a room its subsidy as a sale that nobody pays: order, posting and credit command in one transaction with the row that
/// makes it happen once. Gives whether it was granted now.
///
/// # Errors
/// Refused like [`orders::sell`] if the meter may not hold it; a later try may succeed.
pub async fn grant(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    limits: &Limits,
    month: Month,
    room: &DueRoom,
    decided: &Decided,
) -> Result<bool> {
    let amount = decided.rule.comes_to(room.heads);
    if amount <= Fen::ZERO {
        return Ok(false);
    }
    let mut tx = db.begin().await?;
    let inserted = on!(&mut tx, |c| sqlx::query(
        "INSERT INTO subsidies (place_id, month, account_id, heads, amount_fen) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (place_id, month) DO NOTHING"
    )
    .bind(room.place_id)
    .bind(month)
    .bind(room.account_id)
    .bind(room.heads)
    .bind(amount)
    .execute(c)
    .await)?;
    if inserted == 0 {
        return Ok(false);
    }
    let new = NewOrder {
        key: rng.id(at),
        account: room.account_id,
        meter: room.meter_id,
        tender: Tender::Subsidy,
        amount,
        by: decided.by,
        ip: String::new(),
    };
    let limits = Limits { min_fen: 1, max_fen: Fen::MAX.0, ..*limits };
    let order = orders::grant_within(&mut tx, rng, at, &limits, &new).await?;
    on!(&mut tx, |c| sqlx::query("UPDATE subsidies SET order_id = $3 WHERE place_id = $1 AND month = $2 AND order_id IS NULL")
        .bind(room.place_id)
        .bind(month)
        .bind(order.id)
        .execute(c)
        .await)?;
    tx.commit().await?;
    Ok(true)
}

/// Number of rooms with a subsidy in a month, and the sum of the subsidies.
pub async fn given(db: &Db, month: Month) -> Result<(i64, Fen)> {
    let row: Option<(i64, Fen)> = read!(db, |pool| sqlx::query_as(
        "SELECT COUNT(*), CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) FROM subsidies WHERE month = $1"
    )
    .bind(month)
    .fetch_optional(pool)
    .await)?;
    Ok(row.unwrap_or_default())
}
