//! What operators are told of: gateways that are lost, and cases that somebody must look at soon.

use model::case::CaseKind;
use model::ids::{AccountId, CaseId, EventId, GatewayId, OrderId};
use model::notification::{NotificationChannel, NotificationKind, NotificationValues};
use model::time::Timestamp;
use sqlx::FromRow;

use super::About;
use crate::console::{Name, above, names};
use crate::{Db, Result, read};
use model::console::RoomName;

/// The most that are told of in one run; the others follow in the next.
const MOST: i64 = 200;

/// Something that operators are told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matter {
    pub kind: NotificationKind,
    pub about: About,
    pub values: NotificationValues,
}

#[derive(FromRow)]
struct GatewayRow {
    id: EventId,
    gateway_id: GatewayId,
    name: String,
    since: Timestamp,
}

#[derive(FromRow)]
struct CaseRow {
    id: CaseId,
    kind: CaseKind,
    order_id: Option<OrderId>,
    number: Option<i64>,
    subject: Option<String>,
    account_id: Option<AccountId>,
    opened_at: Timestamp,
    #[sqlx(flatten)]
    name: Name,
}

/// What is open since that time and was not told of through a channel.
pub async fn open_matters(db: &Db, channel: NotificationChannel, since: Timestamp) -> Result<Vec<Matter>> {
    let lost: Vec<GatewayRow> = read!(db, |pool| sqlx::query_as(
        "SELECT e.id, e.gateway_id, g.name, e.since FROM events e JOIN gateways g ON g.id = e.gateway_id
         WHERE e.kind = 'gateway-lost' AND e.until_at IS NULL AND e.since >= $1
           AND NOT EXISTS (SELECT 1 FROM notifications n WHERE n.event_id = e.id AND n.channel = $2)
         ORDER BY e.since, e.id LIMIT $3"
    )
    .bind(since)
    .bind(channel)
    .bind(MOST)
    .fetch_all(pool)
    .await)?;
    let cases: Vec<CaseRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT c.id, c.kind, c.order_id, o.number, c.subject, o.account_id, c.opened_at,",
        names!(),
        "FROM cases c LEFT JOIN orders o ON o.id = c.order_id LEFT JOIN meters m ON m.id = COALESCE(c.meter_id, o.meter_id)
         LEFT JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE c.closed_at IS NULL AND c.opened_at >= $1
           AND c.kind IN ('delivery', 'undeliverable', 'payment', 'paid-twice', 'expiry')
           AND NOT EXISTS (SELECT 1 FROM notifications n WHERE n.case_id = c.id AND n.channel = $2)
         ORDER BY c.opened_at, c.id LIMIT $3"
    ))
    .bind(since)
    .bind(channel)
    .bind(MOST)
    .fetch_all(pool)
    .await)?;
    Ok(lost.into_iter().map(of_gateway).chain(cases.into_iter().map(of_case)).collect())
}

fn of_gateway(row: GatewayRow) -> Matter {
    Matter {
        kind: NotificationKind::GatewayLost,
        about: About { gateway: Some(row.gateway_id), event: Some(row.id), ..About::default() },
        values: NotificationValues { subject: row.name, since: Some(row.since), ..NotificationValues::default() },
    }
}

fn of_case(row: CaseRow) -> Matter {
    let kind = match row.kind {
        CaseKind::Payment | CaseKind::PaidTwice => NotificationKind::PaymentMismatch,
        CaseKind::Expiry => NotificationKind::CertificateExpiring,
        _ => NotificationKind::DeliveryStuck,
    };
    let Name { building, floor, room } = row.name;
    let values = NotificationValues {
        room: RoomName { building, floor, room }.to_string(),
        subject: row.number.map(|number| number.to_string()).or(row.subject).unwrap_or_default(),
        since: Some(row.opened_at),
        ..NotificationValues::default()
    };
    let about = About { account: row.account_id, order: row.order_id, case: Some(row.id), ..About::default() };
    Matter { kind, about, values }
}
