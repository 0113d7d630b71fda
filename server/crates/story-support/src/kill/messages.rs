//! Messages to residents while the server is killed: each purchase and each warning is told, none twice.

use std::collections::HashMap;
use std::time::Duration;

use domain::notification::rule;
use model::ids::{AccountId, NotificationId, UserId};
use model::notification::NotificationKind;
use model::time::Timestamp;
use simulator::notify_provider::{ProviderFault, SimulatedProvider};
use sqlx::FromRow;
use tokio::time::{Instant, sleep};

use super::PATIENCE;
use crate::World;

/// A message as stored.
#[derive(Debug, FromRow)]
struct MessageRow {
    id: NotificationId,
    kind: NotificationKind,
    user_id: UserId,
    account_id: AccountId,
    tries: i64,
    asked_at: Timestamp,
}

/// Every resident has a phone and no quiet hours, and the provider fails half the time.
pub async fn enrol(w: &World, provider: &SimulatedProvider) {
    w.execute(
        "INSERT INTO alert_addresses (user_id, channel, address, verified_at)
         SELECT user_id, 'sms', '13800138000', 1 FROM account_residents",
    )
    .await;
    w.execute(
        "INSERT INTO alert_preferences (user_id, language, is_off, alarm1, alarm2, tonight, recharge, quiet_from, quiet_until)
         SELECT user_id, 'zh-CN', FALSE, TRUE, TRUE, TRUE, TRUE, 0, 0 FROM account_residents",
    )
    .await;
    provider.set_fault(ProviderFault::FailsHalf);
}

/// Waits until the provider, which works again, has all messages. Neither the pauses after failures nor the leases of servers
/// that were killed are waited for: a message may come twice then, which its tries count.
pub async fn deliver(w: &World, provider: &SimulatedProvider) {
    provider.set_fault(ProviderFault::None);
    let deadline = Instant::now() + PATIENCE;
    loop {
        // What is bought meanwhile is told, too.
        let on_their_way = w.number("SELECT COUNT(*) FROM orders WHERE state = 'paid'").await;
        let waiting = w.number("SELECT COUNT(*) FROM notifications WHERE state = 'waiting'").await;
        if on_their_way == 0 && waiting == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "{waiting} messages wait");
        w.execute("UPDATE notifications SET next_at = 0 WHERE state = 'waiting'").await;
        sleep(Duration::from_secs(1)).await;
    }
}

/// Compares what was asked for and sent with what happened, and with what the provider got.
pub async fn check(w: &World, provider: &SimulatedProvider) -> usize {
    let untold = "SELECT COUNT(*) FROM orders o WHERE o.state = 'credited' AND NOT EXISTS (
                      SELECT 1 FROM notifications n WHERE n.order_id = o.id AND n.kind = 'recharge' AND n.state = 'sent')";
    assert_eq!(w.number(untold).await, 0, "purchases that nobody was told of");
    let twice = "SELECT COUNT(*) FROM (
                     SELECT order_id FROM notifications WHERE kind = 'recharge'
                     GROUP BY order_id, user_id HAVING COUNT(*) > 1) AS d";
    assert_eq!(w.number(twice).await, 0, "purchases that somebody was told of twice");
    let untold = "SELECT COUNT(*) FROM events e JOIN account_meters am ON am.meter_id = e.meter_id
                  WHERE e.kind IN ('alarm-1', 'alarm-2', 'arrears') AND NOT EXISTS (
                      SELECT 1 FROM notifications n WHERE n.account_id = am.account_id AND n.kind = e.kind)";
    assert_eq!(w.number(untold).await, 0, "warnings that nobody got");
    let sql = "SELECT id, kind, user_id, account_id, tries, asked_at FROM notifications
               WHERE state <> 'dropped' ORDER BY user_id, kind, account_id, asked_at";
    let messages: Vec<MessageRow> = store::read!(&w.db, |pool| sqlx::query_as(sql).fetch_all(pool).await).unwrap();
    for pair in messages.windows(2) {
        let (one, next) = (&pair[0], &pair[1]);
        let is_same = (one.user_id, one.kind, one.account_id) == (next.user_id, next.kind, next.account_id);
        let pause = next.asked_at.since(one.asked_at);
        assert!(!is_same || pause >= rule(one.kind).cool_down, "{one:?} {next:?}");
    }
    let mut got: HashMap<NotificationId, i64> = HashMap::new();
    for request in provider.requests() {
        *got.entry(request.json()["id"].as_str().unwrap().parse().unwrap()).or_default() += 1;
    }
    for message in &messages {
        let times = got.get(&message.id).copied().unwrap_or_default();
        assert!(times <= message.tries || message.kind != NotificationKind::Recharge, "{message:?}: {times} requests");
    }
    let taken = provider.taken("sms");
    assert!(taken.len() >= messages.len(), "{} of {} messages were taken", taken.len(), messages.len());
    messages.len()
}
