//! Runs the background tasks and keeps their last results.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use model::time::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use domain::clock::SharedClock;

/// Why an activation failed; the next one tries again.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A background task.
#[async_trait]
pub trait Task: Send + Sync + 'static {
    /// The name in logs: `payments.query`.
    fn name(&self) -> &'static str;
    /// The time between activations without a signal.
    fn period(&self) -> Duration;
    /// One activation. Returns a short summary; after an error, what was done stays done.
    async fn run(&self) -> Result<String, Failure>;
}

/// The state of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub name: &'static str,
    /// Activations so far.
    pub runs: u64,
    pub failures: u64,
    /// When the last activation began.
    pub started_at: Option<Timestamp>,
    /// When it ended; `None` while the first one runs.
    pub finished_at: Option<Timestamp>,
    /// Its last summary or error.
    pub last: Result<String, String>,
}

/// Runs tasks until the server stops. Cheap to clone.
#[derive(Clone)]
pub struct Driver {
    clock: SharedClock,
    stop: CancellationToken,
    tracker: TaskTracker,
    statuses: Arc<Mutex<Vec<Status>>>,
}

impl Driver {
    /// Cancelling `stop` ends tasks between two activations; `tracker` waits for them.
    #[must_use]
    pub fn new(clock: SharedClock, stop: CancellationToken, tracker: TaskTracker) -> Self {
        Self { clock, stop, tracker, statuses: Arc::default() }
    }

    /// Runs a task at once, then after each period or signal, whichever is first.
    pub fn start(&self, task: impl Task, signal: Arc<Notify>) {
        let index = {
            let mut statuses = self.lock();
            let name = task.name();
            statuses.push(Status { name, runs: 0, failures: 0, started_at: None, finished_at: None, last: Ok(String::new()) });
            statuses.len() - 1
        };
        let driver = self.clone();
        self.tracker.spawn(async move {
            loop {
                driver.activate(index, &task).await;
                tokio::select! {
                    () = driver.stop.cancelled() => return,
                    () = signal.notified() => {}
                    () = tokio::time::sleep(task.period()) => {}
                }
                if driver.stop.is_cancelled() {
                    return;
                }
            }
        });
    }

    /// The states of all tasks, in the order they were started.
    #[must_use]
    pub fn statuses(&self) -> Vec<Status> {
        self.lock().clone()
    }

    async fn activate(&self, index: usize, task: &impl Task) {
        let now = self.clock.now();
        self.update(index, |status| status.started_at = Some(now));
        // A panic in one activation must not end the task for good.
        let result = match AssertUnwindSafe(task.run()).catch_unwind().await {
            Ok(result) => result,
            Err(_) => Err("the task panicked".into()),
        };
        let now = self.clock.now();
        if let Err(error) = &result {
            let error = &**error as &dyn std::error::Error;
            tracing::error!(task = task.name(), error, "task.failed");
        }
        self.update(index, |status| {
            status.runs += 1;
            status.failures += u64::from(result.is_err());
            status.finished_at = Some(now);
            status.last = result.map_err(|error| error.to_string());
        });
    }

    fn update(&self, index: usize, change: impl FnOnce(&mut Status)) {
        if let Some(status) = self.lock().get_mut(index) {
            change(status);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Status>> {
        self.statuses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use domain::clock::TestClock;

    struct Counted {
        runs: AtomicU64,
        period: Duration,
    }

    #[async_trait]
    impl Task for Counted {
        fn name(&self) -> &'static str {
            "test.counted"
        }
        fn period(&self) -> Duration {
            self.period
        }
        async fn run(&self) -> Result<String, Failure> {
            match self.runs.fetch_add(1, Ordering::SeqCst) {
                0 => Ok("first".into()),
                1 => Err("second".into()),
                2 => panic!("third"),
                n => Ok(format!("run {n}")),
            }
        }
    }

    async fn after(driver: &Driver, runs: u64) -> Status {
        loop {
            let status = driver.statuses().remove(0);
            if status.runs >= runs {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    #[tokio::test]
    async fn task_runs_by_signal_and_survives_failures() {
        let (stop, tracker, signal) = (CancellationToken::new(), TaskTracker::new(), Arc::new(Notify::new()));
        let driver = Driver::new(TestClock::new(Timestamp(5)), stop.clone(), tracker.clone());
        driver.start(Counted { runs: AtomicU64::new(0), period: Duration::from_secs(3_600) }, signal.clone());
        let mut seen = Vec::new();
        for runs in 1..=4 {
            seen.push(after(&driver, runs).await);
            signal.notify_one();
        }
        assert_eq!(seen[0].last, Ok("first".into()));
        assert_eq!((seen[1].runs, seen[1].failures, &seen[1].last), (2, 1, &Err("second".into())));
        assert_eq!((seen[2].failures, &seen[2].last), (2, &Err("the task panicked".into())));
        assert_eq!((seen[3].runs, &seen[3].last), (4, &Ok("run 3".into())));
        assert_eq!(seen[3].finished_at, Some(Timestamp(5)));
        stop.cancel();
        tracker.close();
        tracker.wait().await;
    }

    #[tokio::test]
    async fn task_runs_again_after_each_period() {
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let driver = Driver::new(TestClock::new(Timestamp(5)), stop.clone(), tracker.clone());
        driver.start(Counted { runs: AtomicU64::new(0), period: Duration::from_millis(1) }, Arc::default());
        assert!(after(&driver, 10).await.runs >= 10);
        stop.cancel();
        tracker.close();
        tracker.wait().await;
    }
}
