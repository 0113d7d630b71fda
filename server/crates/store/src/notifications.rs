//! Messages to people: asked for in the transaction of what they are about, each once. The crate `notify` sends them.

mod alerts;
mod operators;
mod recipients;

use aws_lc_rs::digest::{SHA256, digest};
use model::alarm::AlarmLevel;
use model::event::EventKind;
use model::ids::{AccountId, CaseId, EventId, GatewayId, MeterId, NotificationId, OrderId, UserId};
use model::language::Lang;
use model::money::Fen;
use model::notification::{NotificationChannel, NotificationKind, NotificationValues, QuietHours};
use model::time::Timestamp;

pub use alerts::{
    AlertAddress, CodeOutcome, NewCode, addresses, ask_code, confirm_code, keep_preferences, preferences, record, remove_address,
    set_preferences,
};
pub use operators::{operator_alerts, set_operator_alerts};
pub use recipients::{Recipient, wanting};

use super::events::{Change, Subject, Turn, is_silenced};
use super::{Result, Tx, on};
use domain::notification::{key, rule, schedule};
use domain::rng::Rng;

/// What a message is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About {
    pub account: Option<AccountId>,
    pub gateway: Option<GatewayId>,
    pub order: Option<OrderId>,
    pub event: Option<EventId>,
    pub case: Option<CaseId>,
    /// The level of the alarm, where it is one.
    pub level: Option<AlarmLevel>,
}

impl About {
    /// What it is not repeated about within the cool-down.
    fn subject(&self) -> String {
        let id = self.case.map(|id| id.0).or(self.order.map(|id| id.0)).or(self.gateway.map(|id| id.0));
        let id = id.or(self.account.map(|id| id.0)).or(self.event.map(|id| id.0));
        id.map(|id| id.as_simple().to_string()).unwrap_or_default()
    }
}

/// A message that somebody is to get.
#[derive(Clone, Debug)]
pub struct NewNotification<'a> {
    pub kind: NotificationKind,
    pub channel: NotificationChannel,
    /// `None`: a group of operators or another system.
    pub user: Option<UserId>,
    pub address: &'a str,
    pub language: Lang,
    pub quiet: QuietHours,
    pub about: About,
    /// What it is about where that is none of `about`.
    pub subject: &'a str,
    pub values: &'a NotificationValues,
}

impl NewNotification<'_> {
    /// Who gets it, as the key says it: a person has one address of a channel, but any number of devices.
    fn recipient(&self) -> String {
        let person = self.user.map(|user| user.to_string()).unwrap_or_default();
        if self.channel != NotificationChannel::Push {
            return person;
        }
        let device = digest(&SHA256, self.address.as_bytes());
        format!("{person} {}", hex::encode(device.as_ref().get(..8).unwrap_or_default()))
    }
}

/// Asks for a message in the caller's transaction, unless the person was told the same within the cool-down. Gives whether it was
/// asked for. One that waits is about the newest event; one that was dropped does not count as told.
pub async fn ask(tx: &mut Tx, rng: &Rng, at: Timestamp, new: &NewNotification<'_>) -> Result<bool> {
    let schedule = schedule(new.kind, new.about.level, new.quiet, at);
    if new.about.event.is_some() && follow_event(tx, new, schedule.stale_at).await? {
        return Ok(false);
    }
    let person = new.recipient();
    let about = new.about.subject();
    let subject = if about.is_empty() { new.subject } else { &about };
    // A message that the power stays on is of no use once friendly hours are over.
    let until = new.values.until.filter(|_| matches!(new.kind, NotificationKind::StaysOn));
    let stale_at = until.map_or(schedule.stale_at, |until| schedule.stale_at.min(until));
    let asked = on!(tx, |c| {
        sqlx::query(
        "INSERT INTO notifications (id, key, kind, channel, user_id, account_id, gateway_id, order_id, event_id, case_id, address,
                                    language, contents, state, next_at, asked_at, stale_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'waiting', $14, $15, $16
         WHERE NOT EXISTS (
             SELECT 1 FROM notifications n
             WHERE n.kind = $3 AND n.channel = $4 AND n.asked_at > $17 AND n.asked_at <= $15 AND n.state <> 'dropped'
               AND (n.channel <> 'push' OR n.address = $11)
               AND ((n.user_id = $5 AND (n.account_id = $6 OR n.gateway_id = $7))
                    OR (n.user_id IS NULL AND n.gateway_id = $7)))
         ON CONFLICT (key) DO UPDATE SET event_id = excluded.event_id, address = excluded.address, contents = excluded.contents,
             state = 'waiting', reason = NULL, tries = 0, next_at = excluded.next_at, asked_at = excluded.asked_at,
             stale_at = excluded.stale_at, finished_at = NULL
         WHERE notifications.state = 'dropped'"
    )
    .bind(NotificationId(rng.id(at)))
    .bind(key(new.kind, new.channel, (&person, subject), at))
    .bind(new.kind)
    .bind(new.channel)
    .bind(new.user)
    .bind(new.about.account)
    .bind(new.about.gateway)
    .bind(new.about.order)
    .bind(new.about.event)
    .bind(new.about.case)
    .bind(new.address)
    .bind(new.language.tag())
    .bind(new.values.to_json())
    .bind(schedule.next_at)
    .bind(at)
    .bind(stale_at)
    .bind(at.plus(-rule(new.kind).cool_down))
    .execute(c)
    .await
    })?;
    Ok(asked == 1)
}

/// A message about an earlier event of the same kind that still waits becomes one about this event, and is of use as long as one:
/// the earlier event may be over, and too old when its next try is due.
async fn follow_event(tx: &mut Tx, new: &NewNotification<'_>, stale_at: Timestamp) -> Result<bool> {
    let followed = on!(tx, |c| sqlx::query(
        "UPDATE notifications SET event_id = $1, contents = $2, stale_at = CASE WHEN stale_at < $9 THEN $9 ELSE stale_at END
         WHERE kind = $3 AND channel = $4 AND state = 'waiting' AND (channel <> 'push' OR address = $8)
           AND ((user_id = $5 AND (account_id = $6 OR gateway_id = $7)) OR (user_id IS NULL AND gateway_id = $7))"
    )
    .bind(new.about.event)
    .bind(new.values.to_json())
    .bind(new.kind)
    .bind(new.channel)
    .bind(new.user)
    .bind(new.about.account)
    .bind(new.about.gateway)
    .bind(new.address)
    .bind(stale_at)
    .execute(c)
    .await)?;
    Ok(followed > 0)
}

/// Tells each resident of an account who wants to hear of it.
async fn tell_residents(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    kind: NotificationKind,
    (meter, about): (MeterId, About),
    values: &NotificationValues,
) -> Result<()> {
    for recipient in recipients::of_meter(tx, meter).await? {
        if recipient.preferences().wants(kind) {
            let values = NotificationValues { room: recipient.room(), ..values.clone() };
            let about = About { account: Some(recipient.account_id), ..about };
            ask(tx, rng, at, &recipient.message(kind, about, &values)).await?;
        }
    }
    Ok(())
}

/// Tells one resident of a meter's account at each of their addresses; gives whether a message was asked for.
pub async fn tell_resident(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    kind: NotificationKind,
    (user, meter): (UserId, MeterId),
    values: &NotificationValues,
) -> Result<bool> {
    let mut any = false;
    for recipient in recipients::of_meter(tx, meter).await? {
        if recipient.user_id == user && recipient.preferences().wants(kind) {
            let values = NotificationValues { room: recipient.room(), ..values.clone() };
            let about = About { account: Some(recipient.account_id), ..About::default() };
            any |= ask(tx, rng, at, &recipient.message(kind, about, &values)).await?;
        }
    }
    Ok(any)
}

/// An event of a meter began, perhaps a delay ago: residents hear now of alarms and arrears, except during maintenance.
pub(crate) async fn event_began(
    tx: &mut Tx,
    rng: &Rng,
    now: Timestamp,
    event: EventId,
    (change, level): (&Change, AlarmLevel),
) -> Result<()> {
    let kind = match change.kind {
        EventKind::Alarm1 => NotificationKind::Alarm1,
        EventKind::Alarm2 => NotificationKind::Alarm2,
        EventKind::Arrears => NotificationKind::Arrears,
        _ => return Ok(()),
    };
    let (Subject::Meter(meter), Turn::Raised(detail)) = (change.subject, &change.turn) else { return Ok(()) };
    if is_silenced(tx, change.subject, now).await? {
        return Ok(());
    }
    let about = About { event: Some(event), level: Some(level), ..About::default() };
    tell_residents(tx, rng, now, kind, (meter, about), &figures(detail)).await
}

/// An event of a meter ended: residents hear that the power is back after arrears, unless another meter of theirs is in arrears.
pub(crate) async fn event_ended(
    tx: &mut Tx,
    rng: &Rng,
    now: Timestamp,
    event: EventId,
    (change, level): (&Change, Option<AlarmLevel>),
) -> Result<()> {
    let (EventKind::Arrears, Subject::Meter(meter)) = (change.kind, change.subject) else { return Ok(()) };
    if is_silenced(tx, change.subject, now).await? {
        return Ok(());
    }
    let other: Option<(MeterId,)> = on!(tx, |c| sqlx::query_as(
        "SELECT e.meter_id FROM account_meters a JOIN account_meters o ON o.account_id = a.account_id AND o.to_at IS NULL
         JOIN events e ON e.meter_id = o.meter_id AND e.kind = 'arrears' AND e.until_at IS NULL
         WHERE a.meter_id = $1 AND a.to_at IS NULL LIMIT 1"
    )
    .bind(meter)
    .fetch_optional(c)
    .await)?;
    if other.is_some() {
        return Ok(());
    }
    let about = About { event: Some(event), level, ..About::default() };
    let values = NotificationValues { since: Some(change.at), ..NotificationValues::default() };
    tell_residents(tx, rng, now, NotificationKind::Restored, (meter, about), &values).await
}

/// A purchase that has arrived in a meter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub order: OrderId,
    pub meter: MeterId,
    pub amount: Fen,
    pub balance: Fen,
    pub count: Option<i64>,
}

/// A purchase has arrived: residents hear of the amount, the balance and the purchase count.
pub(crate) async fn recharged(tx: &mut Tx, rng: &Rng, at: Timestamp, arrival: Arrival) -> Result<()> {
    let Arrival { order, meter, amount, balance, count } = arrival;
    let values = NotificationValues { amount: Some(amount), balance: Some(balance), count, ..NotificationValues::default() };
    let about = About { order: Some(order), ..About::default() };
    tell_residents(tx, rng, at, NotificationKind::Recharge, (meter, about), &values).await
}

/// Tells residents that the credit is used up and the power stays on until `until`; for a meter with its own wallet, only until
/// `amount` is owed.
pub async fn stays_on(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    meter: MeterId,
    (balance, until, amount): (Fen, Timestamp, Option<Fen>),
) -> Result<()> {
    let values = NotificationValues { balance: Some(balance), until: Some(until), amount, ..NotificationValues::default() };
    tell_residents(tx, rng, at, NotificationKind::StaysOn, (meter, About::default()), &values).await
}

/// The balance behind an alarm, from the detail of its event.
fn figures(detail: &str) -> NotificationValues {
    let detail: serde_json::Value = serde_json::from_str(detail).unwrap_or_default();
    let balance = detail.get("remaining_fen").and_then(serde_json::Value::as_i64).map(Fen);
    NotificationValues { balance, ..NotificationValues::default() }
}
