use std::sync::Mutex;

use async_trait::async_trait;
use domain::clock::TestClock;
use domain::rng::Rng;
use model::money::Money;
use model::notification::{NotificationChannel, NotificationReceipt, NotificationValues, QuietHours};
use model::time::{HOUR, SECOND, Timestamp};
use store::notifications::{About, NewNotification, ask};
use store::read;

use super::*;
use crate::delivery_reports::keep_receipts;
use crate::{Pace, Receipt};

const START: Timestamp = Timestamp(1_795_600_000_000);
/// Between two runs of a channel's task.
const PERIOD: i64 = 5 * SECOND;
/// A provider's time-out.
const SLOW: i64 = 15 * SECOND;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Down,
    /// No answer within the time-out.
    Slow,
}

/// A provider in whose time-outs the clock goes on.
struct Provider {
    of: NotificationChannel,
    clock: Arc<TestClock>,
    fault: Mutex<Fault>,
    taken: Mutex<Vec<(NotificationId, Timestamp)>>,
    tries: Mutex<Vec<Timestamp>>,
}

impl Provider {
    fn new(of: NotificationChannel, clock: &Arc<TestClock>) -> Arc<Self> {
        let (clock, fault) = (clock.clone(), Mutex::new(Fault::None));
        Arc::new(Self { of, clock, fault, taken: Mutex::default(), tries: Mutex::default() })
    }

    fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    fn taken(&self) -> usize {
        self.taken.lock().unwrap().len()
    }

    /// The most tries within a minute.
    fn most_in_a_minute(&self) -> usize {
        let tries = self.tries.lock().unwrap();
        let within = |from: &Timestamp| tries.iter().filter(|at| (0..MINUTE).contains(&at.since(*from))).count();
        tries.iter().map(within).max().unwrap_or_default()
    }
}

#[async_trait]
impl Channel for Provider {
    fn channel(&self) -> NotificationChannel {
        self.of
    }

    fn pace(&self) -> Pace {
        Pace { per_minute: 60, at_once: 4 }
    }

    async fn send(&self, message: &Message, at: Timestamp) -> std::result::Result<Money, NotificationReason> {
        self.tries.lock().unwrap().push(at);
        match *self.fault.lock().unwrap() {
            Fault::None => {
                self.taken.lock().unwrap().push((message.id, at));
                Ok(Money::ZERO)
            }
            Fault::Down => Err(NotificationReason::Busy),
            Fault::Slow => {
                self.clock.advance(SLOW);
                Err(NotificationReason::Unreachable)
            }
        }
    }
}

fn write(due: &Due, words: &SiteWords) -> Message {
    Message {
        id: due.id,
        kind: due.kind,
        address: due.address.clone(),
        language: due.language(),
        subject: String::new(),
        text: words.text(due).unwrap_or_default().to_owned(),
        values: due.values(),
        asked_at: due.asked_at,
    }
}

struct Queue {
    db: Db,
    rng: Rng,
    clock: Arc<TestClock>,
}

impl Queue {
    async fn new() -> Self {
        Self { db: Db::open("sqlite::memory:").await.unwrap(), rng: Rng::from_seed([1; 32]), clock: TestClock::new(START) }
    }

    async fn ask(&self, kind: NotificationKind, channel: NotificationChannel, count: usize) {
        let mut tx = self.db.begin().await.unwrap();
        for _ in 0..count {
            let (at, values) = (self.clock.now(), NotificationValues::default());
            let subject = self.rng.id(at).to_string();
            let message = NewNotification {
                kind,
                channel,
                user: None,
                address: "13800138000",
                language: Lang::Zh,
                quiet: QuietHours { from: 3, until: 3 },
                about: About::default(),
                subject: &subject,
                values: &values,
            };
            assert!(ask(&mut tx, &self.rng, at, &message).await.unwrap());
        }
        tx.commit().await.unwrap();
    }

    /// Runs of a channel's task, one after the other, for some time.
    async fn run(&self, provider: &Arc<Provider>, ms: i64) -> SendResult {
        let (channel, end): (Arc<dyn Channel>, _) = (provider.clone(), self.clock.now().plus(ms));
        let mut all = SendResult::default();
        while self.clock.now() < end {
            let SendResult { sent, not_sent, dropped } = send_due(&self.db, &*self.clock, &channel, write).await.unwrap();
            all = SendResult { sent: all.sent + sent, not_sent: all.not_sent + not_sent, dropped: all.dropped + dropped };
            self.clock.advance(PERIOD);
        }
        all
    }
}

#[tokio::test]
async fn an_hour_of_outage_floods_nobody_afterwards() {
    let queue = Queue::new().await;
    let [sms, webhook] = [NotificationChannel::Sms, NotificationChannel::Webhook].map(|of| Provider::new(of, &queue.clock));
    sms.set(Fault::Down);
    queue.ask(NotificationKind::Arrears, NotificationChannel::Sms, 40).await;
    queue.ask(NotificationKind::Recharge, NotificationChannel::Sms, 40).await;
    queue.ask(NotificationKind::Arrears, NotificationChannel::Webhook, 10).await;
    // The channel that works has sent all of its own after one run.
    assert_eq!(queue.run(&webhook, PERIOD).await.sent, 10);
    let down = queue.run(&sms, HOUR).await;
    assert_eq!((down.sent, sms.taken()), (0, 0));
    // Power cuts of an hour ago are no longer reported; top-ups still are, one after the other.
    sms.set(Fault::None);
    let after = queue.run(&sms, HOUR).await;
    assert_eq!((after.sent, down.dropped + after.dropped), (40, 40));
    let taken: std::collections::HashSet<_> = sms.taken.lock().unwrap().iter().map(|(id, _)| *id).collect();
    assert_eq!(taken.len(), 40, "each once");
    assert!(sms.most_in_a_minute() <= 60, "{} in a minute", sms.most_in_a_minute());
}

#[tokio::test]
async fn a_slow_provider_delays_no_other_and_loses_nothing() {
    let queue = Queue::new().await;
    let [sms, mail] = [NotificationChannel::Sms, NotificationChannel::Mail].map(|of| Provider::new(of, &queue.clock));
    sms.set(Fault::Slow);
    queue.ask(NotificationKind::Recharge, NotificationChannel::Sms, 20).await;
    queue.ask(NotificationKind::Recharge, NotificationChannel::Mail, 20).await;
    let channel: Arc<dyn Channel> = sms.clone();
    // One run asks only as long as it takes to see that nothing is answered.
    let slow = send_due(&queue.db, &*queue.clock, &channel, write).await.unwrap();
    assert_eq!((slow.sent, slow.not_sent), (0, 4));
    assert!(queue.clock.now().since(START) <= 4 * SLOW);
    assert_eq!(queue.run(&mail, PERIOD).await.sent, 20);
    sms.set(Fault::None);
    assert_eq!(queue.run(&sms, HOUR).await.sent, 20);
    assert_eq!(sms.taken(), 20, "each once");
}

#[tokio::test]
async fn push_services_that_fail_do_not_end_a_run() {
    let queue = Queue::new().await;
    let push = Provider::new(NotificationChannel::Push, &queue.clock);
    push.set(Fault::Down);
    queue.ask(NotificationKind::Recharge, NotificationChannel::Push, 12).await;
    let channel: Arc<dyn Channel> = push.clone();
    let run = send_due(&queue.db, &*queue.clock, &channel, write).await.unwrap();
    assert_eq!((run.sent, run.not_sent), (0, 12), "the next message may be for another service");
}

#[tokio::test]
async fn a_run_that_lost_its_claim_changes_nothing() {
    let queue = Queue::new().await;
    queue.ask(NotificationKind::Recharge, NotificationChannel::Sms, 1).await;
    let first = queue::claim(&queue.db, queue.clock.now(), NotificationChannel::Sms, 10).await.unwrap();
    queue.clock.advance(6 * MINUTE);
    let second = queue::claim(&queue.db, queue.clock.now(), NotificationChannel::Sms, 10).await.unwrap();
    assert_eq!((first[0].id, first[0].tries, second[0].tries), (second[0].id, 1, 2), "the lease is over");
    let late = [(&first[0], Err(NotificationReason::Refused))];
    queue::finish(&queue.db, queue.clock.now(), &late).await.unwrap();
    let sms = Provider::new(NotificationChannel::Sms, &queue.clock);
    assert_eq!(queue.run(&sms, 10 * MINUTE).await.sent, 1, "the late result has not ended the message");
}

/// A process that ends, and an answer that does not come: in both cases the provider may have taken the message.
#[tokio::test]
async fn what_is_reported_as_delivered_is_not_sent_again() {
    let queue = Queue::new().await;
    queue.ask(NotificationKind::Recharge, NotificationChannel::Sms, 3).await;
    let claimed = queue::claim(&queue.db, queue.clock.now(), NotificationChannel::Sms, 3).await.unwrap();
    let unanswered = [(&claimed[1], Err(NotificationReason::Unreachable)), (&claimed[2], Err(NotificationReason::Unreachable))];
    queue::finish(&queue.db, queue.clock.now(), &unanswered).await.unwrap();
    let delivered = |due: &Due| Receipt { id: due.id, receipt: NotificationReceipt::Delivered };
    let reports = [delivered(&claimed[0]), delivered(&claimed[1])];
    assert_eq!(keep_receipts(&queue.db, queue.clock.now(), &reports).await.unwrap(), 2);
    let sms = Provider::new(NotificationChannel::Sms, &queue.clock);
    let run = queue.run(&sms, 10 * MINUTE).await;
    assert_eq!((run.sent, run.dropped), (1, 0), "only the one of which nothing is known");
    assert_eq!(sms.taken.lock().unwrap()[0].0, claimed[2].id);
    let sent: Option<(i64,)> =
        read!(&queue.db, |pool| sqlx::query_as("SELECT COUNT(*) FROM notifications WHERE state = 'sent' AND reason IS NULL")
            .fetch_optional(pool)
            .await)
        .unwrap();
    assert_eq!(sent, Some((3,)));
}

#[tokio::test]
async fn a_try_that_ends_after_the_report_is_charged() {
    let queue = Queue::new().await;
    queue.ask(NotificationKind::Recharge, NotificationChannel::Sms, 1).await;
    let claim = async || queue::claim(&queue.db, queue.clock.now(), NotificationChannel::Sms, 1).await.unwrap().remove(0);
    let first = claim().await;
    queue::finish(&queue.db, queue.clock.now(), &[(&first, Err(NotificationReason::Busy))]).await.unwrap();
    queue.clock.advance(MINUTE);
    let second = claim().await;
    let report = Receipt { id: second.id, receipt: NotificationReceipt::Delivered };
    assert_eq!(keep_receipts(&queue.db, queue.clock.now(), &[report]).await.unwrap(), 1);
    for late in [&first, &second] {
        queue::finish(&queue.db, queue.clock.now(), &[(late, Ok(Money(450)))]).await.unwrap();
    }
    let cost: Option<(i64,)> =
        read!(&queue.db, |pool| sqlx::query_as("SELECT cost_e4 FROM notifications").fetch_optional(pool).await).unwrap();
    assert_eq!(cost, Some((450,)), "of the try that was under way");
}
