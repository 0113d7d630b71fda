//! Messages to people, and how their channels do.

use model::console::{Page, RoomName};
use model::ids::{NotificationId, UserId};
use model::money::Money;
use model::notification::{
    ChannelLine, NotificationChannel, NotificationKind, NotificationLine, NotificationQuery, NotificationReason,
    NotificationReceipt, NotificationState, masked,
};
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{Name, above, names, of_notification};
use store::{Db, Result, read};

#[derive(FromRow)]
struct NotificationRow {
    id: NotificationId,
    kind: NotificationKind,
    channel: NotificationChannel,
    address: String,
    state: NotificationState,
    reason: Option<NotificationReason>,
    receipt: Option<NotificationReceipt>,
    tries: i64,
    asked_at: Timestamp,
    next_at: Timestamp,
    finished_at: Option<Timestamp>,
    cost_e4: Money,
    person: String,
    gateway: Option<String>,
    has_room: bool,
    #[sqlx(flatten)]
    name: Name,
    total: i64,
}

impl NotificationRow {
    fn line(self) -> NotificationLine {
        let name: RoomName = self.name.into();
        NotificationLine {
            id: self.id,
            kind: self.kind,
            channel: self.channel,
            room: self.has_room.then_some(name),
            gateway: self.gateway,
            person: self.person,
            address: masked(&self.address),
            state: self.state,
            reason: self.reason,
            receipt: self.receipt,
            tries: self.tries,
            asked_at: self.asked_at,
            next_at: self.next_at,
            finished_at: self.finished_at,
            cost: self.cost_e4,
        }
    }
}

/// A page of the messages that the operator may see, the newest first.
pub async fn notifications(db: &Db, operator: UserId, query: &NotificationQuery) -> Result<Page<NotificationLine>> {
    let size = Page::<NotificationLine>::SIZE;
    let rows: Vec<NotificationRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT n.id, n.kind, n.channel, n.address, n.state, n.reason, n.tries, n.asked_at, n.next_at, n.finished_at, n.cost_e4,
                nr.receipt,
                COALESCE(u.name, '') AS person, g.name AS gateway, r.id IS NOT NULL AS has_room, COUNT(*) OVER () AS total,",
        names!(),
        "FROM notifications n LEFT JOIN users u ON u.id = n.user_id LEFT JOIN gateways g ON g.id = n.gateway_id
         LEFT JOIN notification_receipts nr ON nr.notification_id = n.id
         LEFT JOIN accounts a ON a.id = n.account_id LEFT JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE",
        of_notification!(),
        "AND ($2 = '' OR n.state = $2) AND ($3 = '' OR n.channel = $3) AND ($4 = '' OR n.kind = $4)
         ORDER BY n.asked_at DESC, n.id DESC LIMIT $5 OFFSET $6"
    ))
    .bind(operator)
    .bind(query.state.map_or("", NotificationState::as_str))
    .bind(query.channel.map_or("", NotificationChannel::as_str))
    .bind(query.kind.map_or("", NotificationKind::as_str))
    .bind(size)
    .bind(query.page * size)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(Page { lines: rows.into_iter().map(NotificationRow::line).collect(), total })
}

#[derive(FromRow)]
struct ChannelRow {
    channel: NotificationChannel,
    waiting: i64,
    sent: i64,
    failed: i64,
    cost_e4: Money,
    trouble: Option<NotificationReason>,
}

/// What each channel has done of the messages that the operator may see: today, and since `month` in costs. Channels without
/// messages are left out; alarms are not looked at.
pub async fn notification_channels(db: &Db, operator: UserId, today: Timestamp, month: Timestamp) -> Result<Vec<ChannelLine>> {
    let rows: Vec<ChannelRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT n.channel,
                CAST(SUM(CASE WHEN n.state = 'waiting' THEN 1 ELSE 0 END) AS BIGINT) AS waiting,
                CAST(SUM(CASE WHEN n.state = 'sent' AND n.finished_at >= $2 THEN 1 ELSE 0 END) AS BIGINT) AS sent,
                CAST(SUM(CASE WHEN n.state = 'failed' AND n.finished_at >= $2 THEN 1 ELSE 0 END) AS BIGINT) AS failed,
                CAST(SUM(CASE WHEN n.finished_at >= $3 THEN n.cost_e4 ELSE 0 END) AS BIGINT) AS cost_e4,
                (SELECT w.reason FROM notifications w WHERE w.channel = n.channel AND w.tried_at IS NOT NULL
                 ORDER BY w.tried_at DESC, w.id DESC LIMIT 1) AS trouble
         FROM notifications n LEFT JOIN accounts a ON a.id = n.account_id LEFT JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE (n.state = 'waiting' OR n.finished_at >= $3) AND",
        of_notification!(),
        "GROUP BY n.channel"
    ))
    .bind(operator)
    .bind(today)
    .bind(month)
    .fetch_all(pool)
    .await)?;
    let line = |row: ChannelRow| ChannelLine {
        channel: row.channel,
        is_set_up: false,
        waiting: row.waiting,
        sent_today: row.sent,
        failed_today: row.failed,
        cost_of_month: row.cost_e4,
        trouble: row.trouble,
        down_since: None,
    };
    Ok(rows.into_iter().map(line).collect())
}
