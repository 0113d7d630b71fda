//! What a new site has, for the list of what it still lacks.

use model::audit::AuditAction;
use model::person::Who;
use model::setup::SALES_COUNTED;
use model::time::Timestamp;
use sqlx::FromRow;

use domain::checklist::SiteFacts;
use store::audit::{self, Entry};
use store::{Db, Result, StoreError, on, read};

#[derive(FromRow)]
struct FactsRow {
    rooms: i64,
    rooms_without_meter: i64,
    gateways: i64,
    gateways_without_meter: i64,
    meters: i64,
    plans: i64,
    meters_without_prices: i64,
    defaults: i64,
    friendly_hours: i64,
    operators: i64,
    meters_unread: i64,
    sales: i64,
    hidden: bool,
}

/// What the site has, but for the prices and limits in its meters; `channels` is how many payment channels the configuration has.
pub async fn facts(db: &Db, channels: i64) -> Result<SiteFacts> {
    let row: Option<FactsRow> = read!(db, |pool| {
        sqlx::query_as(
            "SELECT
           (SELECT COUNT(*) FROM places WHERE kind = 'room') AS rooms,
           (SELECT COUNT(*) FROM places r WHERE r.kind = 'room' AND NOT EXISTS
             (SELECT 1 FROM meters m WHERE m.place_id = r.id AND m.retired_at IS NULL)) AS rooms_without_meter,
           (SELECT COUNT(*) FROM gateways WHERE retired_at IS NULL) AS gateways,
           (SELECT COUNT(*) FROM gateways g WHERE g.retired_at IS NULL AND NOT EXISTS
             (SELECT 1 FROM meters m WHERE m.gateway_id = g.id AND m.retired_at IS NULL)) AS gateways_without_meter,
           (SELECT COUNT(*) FROM meters WHERE retired_at IS NULL) AS meters,
           (SELECT COUNT(*) FROM (SELECT plan_id FROM price_places
              UNION SELECT plan_id FROM price_groups WHERE plan_id IS NOT NULL)
              AS assigned) AS plans,
           (SELECT COUNT(*) FROM meters m JOIN places r ON r.id = m.place_id
              LEFT JOIN places a ON a.id = r.parent_id LEFT JOIN places b ON b.id = a.parent_id
              LEFT JOIN places c ON c.id = b.parent_id
            WHERE m.retired_at IS NULL AND m.wallet <> 'none'
              AND NOT EXISTS (SELECT 1 FROM price_places p WHERE p.place_id IN (r.id, a.id, b.id, c.id))
              AND NOT EXISTS (SELECT 1 FROM place_group_members g WHERE g.place_id IN (r.id, a.id, b.id, c.id)
                AND (SELECT n.plan_id FROM price_groups n WHERE n.group_id = g.group_id ORDER BY n.from_at DESC LIMIT 1)
                    IS NOT NULL))
             AS meters_without_prices,
           (SELECT COUNT(d.alarm1_fen) + COUNT(d.alarm2_fen) + COUNT(d.overdraft_fen) + COUNT(d.hoarding_fen)
                 + COUNT(d.overload_w)
            FROM place_defaults d JOIN places p ON p.id = d.place_id WHERE p.kind = 'site') AS defaults,
           (SELECT COUNT(*) FROM friendly_hours) AS friendly_hours,
           (SELECT COUNT(*) FROM users WHERE role <> 'resident' AND disabled_at IS NULL AND password_hash <> '') AS operators,
           (SELECT COUNT(*) FROM meters m LEFT JOIN meter_latest l ON l.meter_id = m.id
            WHERE m.retired_at IS NULL AND l.observed_at IS NULL) AS meters_unread,
           (SELECT COUNT(*) FROM (SELECT 1 FROM orders
              WHERE state = 'credited' AND tender NOT IN ('taken_over', 'subsidy', 'carried') LIMIT $1) AS counted) AS sales,
           checklist_hidden_at IS NOT NULL AS hidden
         FROM site_settings WHERE one = 1",
        )
        .bind(SALES_COUNTED)
        .fetch_optional(pool)
        .await
    })?;
    let row = row.ok_or(StoreError::Inconsistent { table: "site_settings", column: "one" })?;
    Ok(SiteFacts {
        rooms: row.rooms,
        rooms_without_meter: row.rooms_without_meter,
        gateways: row.gateways,
        gateways_without_meter: row.gateways_without_meter,
        meters: row.meters,
        plans: row.plans,
        meters_without_prices: row.meters_without_prices,
        meters_with_other_prices: 0,
        meters_with_other_limits: 0,
        friendly_hours: row.friendly_hours,
        defaults: row.defaults,
        channels,
        operators: row.operators,
        meters_unread: row.meters_unread,
        sales: row.sales,
        hidden: row.hidden,
    })
}

/// Hides the list, or shows it again, with its audit line in one transaction. The caller has checked the permission.
pub async fn hide(db: &Db, at: Timestamp, who: &Who, hidden: bool) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("UPDATE site_settings SET checklist_hidden_at = $1 WHERE one = 1")
        .bind(hidden.then_some(at))
        .execute(c)
        .await)?;
    let (actor, detail) = (format!("user:{}", who.user), serde_json::json!({ "hidden": hidden }).to_string());
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::SiteChecklist, subject: "site", detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}
