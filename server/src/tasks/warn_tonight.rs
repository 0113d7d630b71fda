//! Warns residents in the evening whose room may be without power before morning, by its usual use.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use model::ids::UserId;
use model::money::Fen;
use model::notification::{NotificationKind, NotificationValues};
use model::task::TaskKind;
use model::time::Timestamp;

use super::{Done, Failure, Task};
use services::Context;
use services::residents::ResidentService;
use store::notifications::{About, Recipient, ask, wanting};

/// While people can still top up, and know how the day went.
const EVENING: std::ops::Range<u8> = 17..22;
/// Addresses that are read at a time.
const AT_ONCE: i64 = 200;

pub struct WarnTonight {
    context: Context,
    residents: ResidentService,
    /// The hour that was looked at last; a forecast does not change within one.
    looked_at: AtomicI64,
}

impl WarnTonight {
    #[must_use]
    pub const fn new(context: Context, residents: ResidentService) -> Self {
        Self { context, residents, looked_at: AtomicI64::new(-1) }
    }

    async fn warn(&self, at: Timestamp, recipient: &Recipient, balance: Fen) -> store::Result<bool> {
        let Context { db, rng, .. } = &self.context;
        let values = NotificationValues { room: recipient.room(), balance: Some(balance), ..NotificationValues::default() };
        let about = About { account: Some(recipient.account_id), ..About::default() };
        let mut tx = db.begin().await?;
        let asked = ask(&mut tx, rng, at, &recipient.message(NotificationKind::EmptyTonight, about, &values)).await?;
        tx.commit().await?;
        Ok(asked)
    }
}

#[async_trait]
impl Task for WarnTonight {
    fn kind(&self) -> TaskKind {
        TaskKind::WarnTonight
    }

    fn period(&self) -> Duration {
        Duration::from_secs(300)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let now = self.context.now();
        if !EVENING.contains(&now.civil().hour) || self.looked_at.load(Ordering::Relaxed) == now.hour() {
            return Ok(Done::new(0, "nothing to look at now"));
        }
        let (mut warned, mut end, mut last): (u64, Option<Recipient>, Option<(UserId, Option<Fen>)>) = (0, None, None);
        loop {
            let mut page = wanting(&self.context.db, end.as_ref(), AT_ONCE).await?;
            if page.is_empty() {
                break;
            }
            for recipient in &page {
                let balance = match last {
                    // The next address of the same person.
                    Some((user, balance)) if user == recipient.user_id => balance,
                    _ => self.residents.empty_tonight(recipient.user_id).await?,
                };
                last = Some((recipient.user_id, balance));
                if let Some(balance) = balance {
                    warned += u64::from(self.warn(now, recipient, balance).await?);
                }
            }
            end = page.pop();
        }
        self.looked_at.store(now.hour(), Ordering::Relaxed);
        Ok(Done::new(warned, format!("{warned} warned")))
    }
}
