//! Messages to people: asked for in the transaction of what they are about, each once. The crate `notify` sends them.

mod alerts;
mod matters;
mod recipients;

use model::event::EventKind;
use model::ids::{AccountId, CaseId, EventId, GatewayId, MeterId, NotificationId, OrderId, UserId};
use model::language::Lang;
use model::money::Fen;
use model::notification::{NotificationChannel, NotificationKind, NotificationValues, QuietHours};
use model::time::Timestamp;

pub use alerts::{
    AlertAddress, CodeOutcome, NewCode, addresses, ask_code, confirm_code, preferences, remove_address, set_preferences,
};
pub use matters::{Matter, open_matters};
pub use recipients::{Recipient, wanting};

use super::events::{Change, Subject, Turn};
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
}

impl About {
    /// What it is not repeated about within the cool-down.
    fn subject(&self) -> String {
        let id = self.case.map(|id| id.0).or(self.order.map(|id| id.0)).or(self.gateway.map(|id| id.0));
        id.or(self.account.map(|id| id.0)).map(|id| id.as_simple().to_string()).unwrap_or_default()
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

/// Asks for a message in the caller's transaction, unless the person was told the same within the cool-down. Gives whether it was
/// asked for. One that waits is about the newest event; one that was dropped does not count as told.
pub async fn ask(tx: &mut Tx, rng: &Rng, at: Timestamp, new: &NewNotification<'_>) -> Result<bool> {
    if new.about.event.is_some() && follow_event(tx, new).await? {
        return Ok(false);
    }
    let person = new.user.map(|user| user.to_string()).unwrap_or_default();
    let about = new.about.subject();
    let subject = if about.is_empty() { new.subject } else { &about };
    let schedule = schedule(new.kind, new.quiet, at);
    let asked = on!(tx, |c| {
        sqlx::query(
        "INSERT INTO notifications (id, key, kind, channel, user_id, account_id, gateway_id, order_id, event_id, case_id, address,
                                    language, contents, state, next_at, asked_at, stale_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'waiting', $14, $15, $16
         WHERE NOT EXISTS (
             SELECT 1 FROM notifications n
             WHERE n.kind = $3 AND n.channel = $4 AND n.asked_at > $17 AND n.asked_at <= $15 AND n.state <> 'dropped'
               AND ((n.user_id = $5 AND n.account_id = $6) OR (n.user_id IS NULL AND n.gateway_id = $7)))
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
    .bind(schedule.stale_at)
    .bind(at.plus(-rule(new.kind).cool_down))
    .execute(c)
    .await
    })?;
    Ok(asked == 1)
}

/// A message about an earlier event of the same kind that still waits becomes one about this event: the earlier one may be over.
async fn follow_event(tx: &mut Tx, new: &NewNotification<'_>) -> Result<bool> {
    let followed = on!(tx, |c| sqlx::query(
        "UPDATE notifications SET event_id = $1, contents = $2
         WHERE kind = $3 AND channel = $4 AND state = 'waiting'
           AND ((user_id = $5 AND account_id = $6) OR (user_id IS NULL AND gateway_id = $7))"
    )
    .bind(new.about.event)
    .bind(new.values.to_json())
    .bind(new.kind)
    .bind(new.channel)
    .bind(new.user)
    .bind(new.about.account)
    .bind(new.about.gateway)
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

/// An event of a meter began: residents hear of alarms and arrears.
pub(crate) async fn event_began(tx: &mut Tx, rng: &Rng, event: EventId, change: &Change) -> Result<()> {
    let kind = match change.kind {
        EventKind::Alarm1 => NotificationKind::Alarm1,
        EventKind::Alarm2 => NotificationKind::Alarm2,
        EventKind::Arrears => NotificationKind::Arrears,
        _ => return Ok(()),
    };
    let (Subject::Meter(meter), Turn::Raised(detail)) = (change.subject, &change.turn) else { return Ok(()) };
    let about = About { event: Some(event), ..About::default() };
    tell_residents(tx, rng, change.at, kind, (meter, about), &figures(detail)).await
}

/// An event of a meter ended: residents hear that the power is back after arrears.
pub(crate) async fn event_ended(tx: &mut Tx, rng: &Rng, event: EventId, change: &Change) -> Result<()> {
    let (EventKind::Arrears, Subject::Meter(meter)) = (change.kind, change.subject) else { return Ok(()) };
    let about = About { event: Some(event), ..About::default() };
    let values = NotificationValues { since: Some(change.at), ..NotificationValues::default() };
    tell_residents(tx, rng, change.at, NotificationKind::Restored, (meter, about), &values).await
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

/// The balance behind an alarm, from the detail of its event.
fn figures(detail: &str) -> NotificationValues {
    let detail: serde_json::Value = serde_json::from_str(detail).unwrap_or_default();
    let balance = detail.get("remaining_fen").and_then(serde_json::Value::as_i64).map(Fen);
    NotificationValues { balance, ..NotificationValues::default() }
}
