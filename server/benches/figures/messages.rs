//! Messages handed to the simulated provider: how many warnings a minute while it fails half the time, how many a second through
//! each channel, and how soon after its event a message arrives.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::clock::{Clock, SystemClock};
use domain::rng::Rng;
use meters::live::Live;
use model::language::Lang;
use model::notification::{NotificationChannel, NotificationKind, NotificationValues, QuietHours};
use notify::{Channels, NotifyConfig, RobotConfig, SmsConfig, WebhookConfig};
use server::tasks::Driver;
use server::tasks::send_notifications::SendNotifications;
use services::notifications::NotificationsService;
use services::{Context, NoMeterGateway};
use simulator::notify_provider::{ProviderFault, SimulatedProvider};
use store::Db;
use store::notifications::{About, NewNotification, ask};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::database::Engine;
use crate::figure::Figure;
use crate::{Length, Outcome};

const PER_MINUTE: i64 = 60_000;
/// Messages that are asked for in one transaction.
const AT_ONCE: usize = 500;
/// Messages whose way from the event is measured, one each so often.
const EVENTS: usize = 40;
const BETWEEN: Duration = Duration::from_millis(730);

struct Bench {
    context: Context,
    provider: SimulatedProvider,
    service: NotificationsService,
}

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let mut figures = Vec::new();
    for engine in Engine::at_hand() {
        let directory = tempfile::tempdir()?;
        let bench = Bench::new(Db::open(&engine.url(directory.path()).await?).await?).await?;
        let name = engine.as_str();
        let rate = bench.rate(NotificationChannel::Sms, ProviderFault::FailsHalf, length.count(24_000)).await?;
        let against = "warnings taken by a provider that fails half the time";
        figures.push(Figure::at_least(&format!("notify.rate.{name}"), 10_000.0, "/min", against, vec![rate * 60.0]));
        for channel in bench.service.channels().iter().map(|one| one.channel()) {
            let rate = bench.rate(channel, ProviderFault::None, length.count(2_000)).await?;
            let figure = format!("notify.per_second.{}.{name}", channel.as_str());
            figures.push(Figure::at_least(&figure, 50.0, "/s", "one process, the simulated provider", vec![rate]));
        }
        let seconds = bench.latencies(length.count(EVENTS)).await?;
        let against = "s from the event to the provider; a channel is looked at every 5 s";
        figures.push(Figure::at_most(&format!("notify.latency_p99.{name}"), 6.0, "s", against, vec![p99(&seconds)]));
        bench.context.db.close().await;
    }
    Ok(figures)
}

fn p99(seconds: &[f64]) -> f64 {
    crate::figure::quantile(seconds, 0.99)
}

impl Bench {
    async fn new(db: Db) -> Outcome<Self> {
        let (clock, provider) = (Arc::new(SystemClock), SimulatedProvider::start().await?);
        let live = Live::load(&db, clock.clone()).await?;
        let context = Context { db, clock, rng: Rng::from_system(), live, gateway: Arc::new(NoMeterGateway) };
        let robot = |name: &str| {
            Some(RobotConfig { url: provider.url(name).as_str().into(), secret: "secret".into(), per_minute: PER_MINUTE })
        };
        let sms = SmsConfig {
            url: provider.url("sms"),
            body: r#"{"mobile":"{phone}","content":"{text}"}"#.to_owned(),
            success_pointer: "/code".to_owned(),
            success_value: "0".to_owned(),
            per_minute: PER_MINUTE,
            ..SmsConfig::default()
        };
        let config = NotifyConfig {
            sms: Some(sms),
            wecom: robot("wecom"),
            dingtalk: robot("dingtalk"),
            feishu: robot("feishu"),
            webhook: Some(WebhookConfig { url: provider.url("webhook"), secret: "secret".into(), per_minute: PER_MINUTE }),
            ..NotifyConfig::default()
        };
        let (channels, wrong) = Channels::new(&config, None);
        if let Some(wrong) = wrong.first() {
            return Err(wrong.to_string().into());
        }
        let service = NotificationsService::new(context.clone(), channels, Lang::Zh);
        Ok(Self { context, provider, service })
    }

    async fn ask(&self, channel: NotificationChannel, count: usize) -> Outcome<()> {
        let (Context { db, rng, .. }, values) = (&self.context, NotificationValues::example());
        let mut tx = db.begin().await?;
        for _ in 0..count {
            let at = SystemClock.now();
            let subject = rng.id(at).to_string();
            let message = NewNotification {
                kind: NotificationKind::Alarm2,
                channel,
                user: None,
                address: "13800138000",
                language: Lang::Zh,
                quiet: QuietHours { from: 0, until: 0 },
                about: About::default(),
                subject: &subject,
                values: &values,
            };
            ask(&mut tx, rng, at, &message).await?;
        }
        Ok(tx.commit().await?)
    }

    fn taken(&self, channel: NotificationChannel) -> usize {
        self.provider.count_taken(channel.as_str())
    }

    /// Messages a second that the provider takes, until each of them was tried.
    async fn rate(&self, channel: NotificationChannel, fault: ProviderFault, count: usize) -> Outcome<f64> {
        for _ in 0..count.div_ceil(AT_ONCE) {
            self.ask(channel, AT_ONCE.min(count)).await?;
        }
        self.provider.set_fault(fault);
        let one = self.service.channels().iter().find(|one| one.channel() == channel).ok_or("no such channel")?;
        let (before, begun) = (self.taken(channel), Instant::now());
        while self.service.send_due(one).await?.sent > 0 {}
        let rate = (self.taken(channel) - before) as f64 / begun.elapsed().as_secs_f64();
        self.provider.set_fault(ProviderFault::None);
        Ok(rate)
    }

    /// Seconds from an event to the provider, with the task as a server runs it.
    async fn latencies(&self, count: usize) -> Outcome<Vec<f64>> {
        let (channel, stop, tasks) = (NotificationChannel::Webhook, CancellationToken::new(), TaskTracker::new());
        let one = self.service.channels().iter().find(|one| one.channel() == channel).ok_or("no such channel")?.clone();
        let driver = Driver::new(self.context.clock.clone(), stop.clone(), tasks.clone());
        let task = SendNotifications { notifications: self.service.clone(), channel: one };
        driver.start(task, self.service.requests(channel));
        let (before, mut asked, mut seconds) = (self.taken(channel), Vec::new(), Vec::new());
        let deadline = Instant::now() + BETWEEN * u32::try_from(count)? + Duration::from_secs(30);
        let mut next = Instant::now();
        while seconds.len() < count {
            if asked.len() < count && Instant::now() >= next {
                self.ask(channel, 1).await?;
                asked.push(Instant::now());
                next += BETWEEN;
            }
            // They arrive in the order in which they were asked for.
            let arrived = self.taken(channel) - before;
            seconds.extend(asked.iter().take(arrived).skip(seconds.len()).map(|at| at.elapsed().as_secs_f64()));
            if Instant::now() > deadline {
                return Err(format!("{} of {count} messages arrived", seconds.len()).into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        Ok(seconds)
    }
}
