//! What operators are told of: gateways that are lost, and cases that somebody must look at soon; through the channels of groups,
//! and each operator who wants it at once, within their buildings.

use model::alarm::AlarmLevel;
use model::case::CaseKind;
use model::console::RoomName;
use model::ids::{AccountId, CaseId, EventId, GatewayId, OrderId, UserId};
use model::language::Lang;
use model::notification::{NotificationChannel, NotificationKind, NotificationValues, QuietHours};
use model::time::{HOUR, Timestamp};
use sqlx::FromRow;
use store::console::{Name, above, names};
use store::notifications::{About, NewNotification};
use store::{Db, Result, read, silenced, within_silence};

/// The most that are told of in one run; the others follow in the next.
const MOST: i64 = 200;
/// Nobody is told of the same alarm again within this time.
const COOL_DOWN: i64 = HOUR;

/// Something that operators are told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matter {
    pub kind: NotificationKind,
    pub about: About,
    pub values: NotificationValues,
}

/// An operator's address.
#[derive(FromRow)]
pub struct Operator {
    pub user_id: UserId,
    pub channel: NotificationChannel,
    pub address: String,
    pub language: String,
    pub quiet_from: i64,
    pub quiet_until: i64,
}

impl Operator {
    #[must_use]
    pub fn language(&self) -> Lang {
        Lang::choose(&self.language).unwrap_or_default()
    }

    /// A message to them; `subject` is what it is about where that is none of `about`.
    #[must_use]
    pub fn message<'a>(
        &'a self,
        (kind, about): (NotificationKind, About),
        subject: &'a str,
        values: &'a NotificationValues,
    ) -> NewNotification<'a> {
        let hour = |stored: i64| u8::try_from(stored).unwrap_or_default();
        NewNotification {
            kind,
            channel: self.channel,
            user: Some(self.user_id),
            address: &self.address,
            language: self.language(),
            quiet: QuietHours::new(hour(self.quiet_from), hour(self.quiet_until)).unwrap_or_default(),
            about,
            subject,
            values,
        }
    }
}

#[derive(FromRow)]
struct GatewayRow {
    id: EventId,
    gateway_id: GatewayId,
    name: String,
    since: Timestamp,
    level: Option<AlarmLevel>,
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

/// Something that one operator is told of.
#[derive(FromRow)]
struct OperatorMatter<T> {
    #[sqlx(flatten)]
    operator: Operator,
    #[sqlx(flatten)]
    of: T,
}

macro_rules! gateway_columns {
    () => {
        " e.id, e.gateway_id, g.name, e.since, e.level "
    };
}

/// Gateways that are lost, with what [`silenced!`] needs: no meter and no room.
macro_rules! lost_gateways {
    () => {
        concat!(
            " events e JOIN gateways g ON g.id = e.gateway_id LEFT JOIN meters m ON m.id = e.meter_id
              LEFT JOIN places r ON r.id = m.place_id",
            above!()
        )
    };
}

/// That a gateway is lost is told unless its rule makes it no more than a notice.
macro_rules! is_lost {
    () => {
        " e.kind = 'gateway-lost' AND e.until_at IS NULL AND COALESCE(e.level, 1) < 3 "
    };
}

macro_rules! case_columns {
    () => {
        concat!(" c.id, c.kind, c.order_id, o.number, c.subject, o.account_id, c.opened_at,", names!())
    };
}

macro_rules! of_case {
    () => {
        concat!(
            " cases c LEFT JOIN orders o ON o.id = c.order_id LEFT JOIN meters m ON m.id = COALESCE(c.meter_id, o.meter_id)
              LEFT JOIN places r ON r.id = m.place_id",
            above!()
        )
    };
}

/// Cases that operators are told of.
macro_rules! is_told {
    () => {
        " c.closed_at IS NULL AND c.kind IN ('delivery', 'undeliverable', 'payment', 'paid-twice', 'expiry') "
    };
}

/// Operators who look at the site, with their addresses; the condition on their choice follows.
macro_rules! operators {
    () => {
        " JOIN operator_alerts p ON TRUE
          JOIN users u ON u.id = p.user_id AND u.disabled_at IS NULL AND u.role <> 'resident'
               AND (u.role <> 'own' OR EXISTS (
                   SELECT 1 FROM role_permissions rp WHERE rp.role_id = u.own_role_id AND rp.permission = 'watch'))
          JOIN alert_addresses d ON d.user_id = u.id "
    };
}

macro_rules! operator_columns {
    () => {
        " d.user_id, d.channel, d.address, p.language, p.quiet_from, p.quiet_until "
    };
}

/// How the operator wants to be told of a case.
macro_rules! choice {
    () => {
        " CASE WHEN c.kind IN ('payment', 'paid-twice') THEN p.payment_mismatch
               WHEN c.kind = 'expiry' THEN p.certificate_expiring ELSE p.delivery_stuck END "
    };
}

/// The operator sees the room of the case or alarm.
macro_rules! sees_room {
    () => {
        " (u.all_buildings OR EXISTS (
              SELECT 1 FROM operator_buildings ob WHERE ob.user_id = u.id AND ob.place_id IN (r.id, b.id, t.id))) "
    };
}

/// The operator sees a meter behind the gateway.
macro_rules! sees_gateway {
    () => {
        concat!(
            " (u.all_buildings OR EXISTS (
                  SELECT 1 FROM meters m JOIN places r ON r.id = m.place_id",
            above!(),
            "JOIN operator_buildings ob ON ob.user_id = u.id AND ob.place_id IN (r.id, b.id, t.id)
                  WHERE m.gateway_id = e.gateway_id AND m.retired_at IS NULL)) "
        )
    };
}

/// Alarms that no other message is about: of the server, channels, gateways and instruments, and what is wrong with a meter
/// itself. Residents are told of their credit and their trips; the wall shows the rest.
macro_rules! of_alarm {
    () => {
        concat!(
            " events e LEFT JOIN gateways g ON g.id = e.gateway_id LEFT JOIN instruments i ON i.id = e.instrument_id
              LEFT JOIN meters m ON m.id = e.meter_id LEFT JOIN places r ON r.id = COALESCE(m.place_id, i.place_id)",
            above!()
        )
    };
}

macro_rules! is_alarm {
    () => {
        " e.until_at IS NULL AND e.level < 3 AND e.kind NOT IN ('gateway-lost', 'payment-mismatch', 'certificate-expiring')
          AND (e.meter_id IS NULL OR e.kind IN ('relay-fault', 'reverse-energy', 'counter-zeroed', 'abnormal-use'))
          AND NOT EXISTS (SELECT 1 FROM events l WHERE l.gateway_id = COALESCE(m.gateway_id, i.gateway_id)
                          AND l.kind = 'gateway-lost' AND l.until_at IS NULL) "
    };
}

/// It could not be told before `$since`: it was raised later, or a silence over it ended later.
macro_rules! could_be_told_since {
    ($raised:literal, $gateway:literal, $since:literal) => {
        concat!(
            " (",
            $raised,
            " >= ",
            $since,
            " OR",
            within_silence!($gateway, " COALESCE(s.ended_at, s.until_at) >= ", $since),
            ") "
        )
    };
}

/// Since `$earlier` no message `n` for which `$of` holds told of the same alarm: one that comes and goes is not told each time.
macro_rules! is_news {
    ($of:literal, $earlier:literal) => {
        concat!(
            " NOT EXISTS (SELECT 1 FROM notifications n JOIN events x ON x.id = n.event_id
                          WHERE ",
            $of,
            " AND n.state <> 'dropped' AND n.asked_at > ",
            $earlier,
            " AND x.kind = e.kind AND x.meter_id IS NOT DISTINCT FROM e.meter_id
                          AND x.gateway_id IS NOT DISTINCT FROM e.gateway_id
                          AND x.instrument_id IS NOT DISTINCT FROM e.instrument_id
                          AND x.subject IS NOT DISTINCT FROM e.subject) "
        )
    };
}

/// An event could not be told before `$1`, is in no message `n` for which `$of` holds, is news since `$earlier`, and is not
/// silenced at the time `$now`.
macro_rules! is_due {
    ($of:literal, $now:literal, $earlier:literal) => {
        concat!(
            could_be_told_since!("COALESCE(e.raised_at, e.since)", "e.gateway_id", "$1"),
            "AND NOT EXISTS (SELECT 1 FROM notifications n WHERE n.event_id = e.id AND ",
            $of,
            ") AND",
            is_news!($of, $earlier),
            "AND NOT",
            silenced!("e.gateway_id", $now)
        )
    };
}

// Behind the macros that they use.
mod alarms;
mod digest;

pub use digest::{digests_due, open_counts};

/// Open events and cases that could not be told before `since`, were not sent through this channel of a group or another system,
/// and are not silenced now. Nobody is told of alarms of the lowest level.
pub async fn open_matters(db: &Db, channel: NotificationChannel, since: Timestamp, now: Timestamp) -> Result<Vec<Matter>> {
    let lost: Vec<GatewayRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        gateway_columns!(),
        "FROM",
        lost_gateways!(),
        "WHERE",
        is_lost!(),
        "AND",
        is_due!("n.channel = $2", "$4", "$5"),
        "ORDER BY e.since, e.id LIMIT $3"
    ))
    .bind(since)
    .bind(channel)
    .bind(MOST)
    .bind(now)
    .bind(now.plus(-COOL_DOWN))
    .fetch_all(pool)
    .await)?;
    let cases: Vec<CaseRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        case_columns!(),
        "FROM",
        of_case!(),
        "WHERE",
        could_be_told_since!("c.opened_at", "NULL", "$1"),
        "AND",
        is_told!(),
        "AND NOT EXISTS (SELECT 1 FROM notifications n WHERE n.case_id = c.id AND n.channel = $2) AND NOT",
        silenced!("NULL", "$4"),
        "ORDER BY c.opened_at, c.id LIMIT $3"
    ))
    .bind(since)
    .bind(channel)
    .bind(MOST)
    .bind(now)
    .fetch_all(pool)
    .await)?;
    let alarms = alarms::open(db, channel, since, now).await?;
    Ok(lost.into_iter().map(of_gateway).chain(cases.into_iter().map(of_case)).chain(alarms).collect())
}

/// The same for each operator who chose to be told at once and was not told yet.
pub async fn urgent_matters(db: &Db, since: Timestamp, now: Timestamp) -> Result<Vec<(Operator, Matter)>> {
    let lost: Vec<OperatorMatter<GatewayRow>> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        operator_columns!(),
        ",",
        gateway_columns!(),
        "FROM",
        lost_gateways!(),
        operators!(),
        "WHERE",
        is_lost!(),
        "AND",
        is_due!("n.channel = d.channel AND n.user_id = d.user_id", "$3", "$4"),
        "AND p.gateway_lost = 'at-once' AND",
        sees_gateway!(),
        "ORDER BY e.since, e.id, d.user_id, d.channel LIMIT $2"
    ))
    .bind(since)
    .bind(MOST)
    .bind(now)
    .bind(now.plus(-COOL_DOWN))
    .fetch_all(pool)
    .await)?;
    let cases: Vec<OperatorMatter<CaseRow>> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        operator_columns!(),
        ",",
        case_columns!(),
        "FROM",
        of_case!(),
        operators!(),
        "WHERE",
        could_be_told_since!("c.opened_at", "NULL", "$1"),
        "AND",
        is_told!(),
        "AND",
        choice!(),
        "= 'at-once' AND NOT EXISTS (
             SELECT 1 FROM notifications n WHERE n.case_id = c.id AND n.channel = d.channel AND n.user_id = d.user_id)
         AND",
        sees_room!(),
        "AND NOT",
        silenced!("NULL", "$3"),
        "ORDER BY c.opened_at, c.id, d.user_id, d.channel LIMIT $2"
    ))
    .bind(since)
    .bind(MOST)
    .bind(now)
    .fetch_all(pool)
    .await)?;
    let lost = lost.into_iter().map(|row| (row.operator, of_gateway(row.of)));
    let cases = cases.into_iter().map(|row| (row.operator, of_case(row.of)));
    Ok(lost.chain(cases).chain(alarms::urgent(db, since, now).await?).collect())
}

fn of_gateway(row: GatewayRow) -> Matter {
    Matter {
        kind: NotificationKind::GatewayLost,
        about: About { gateway: Some(row.gateway_id), event: Some(row.id), level: row.level, ..About::default() },
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
