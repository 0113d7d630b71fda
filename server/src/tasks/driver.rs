//! Runs the background tasks and puts their last results on a board.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use model::task::{TaskKind, TaskResult, TaskRun};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use domain::clock::SharedClock;
use services::tasks::TaskBoard;

/// Why an activation failed; the next one tries again.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What an activation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// How many things were processed; 0: there was nothing to do.
    pub count: u64,
    /// The same in more detail, for the log.
    pub summary: String,
}

impl Done {
    #[must_use]
    pub fn new(count: impl TryInto<u64>, summary: impl Into<String>) -> Self {
        Self { count: count.try_into().unwrap_or_default(), summary: summary.into() }
    }
}

/// A background task.
#[async_trait]
pub trait Task: Send + Sync + 'static {
    /// Its name in logs and its words on the page.
    fn kind(&self) -> TaskKind;
    /// The time between activations without a signal.
    fn period(&self) -> Duration;
    /// One activation. After an error, what was done stays done.
    async fn run(&self) -> Result<Done, Failure>;
}

/// Runs tasks until the server stops. Cheap to clone.
#[derive(Clone)]
pub struct Driver {
    clock: SharedClock,
    stop: CancellationToken,
    tracker: TaskTracker,
    board: TaskBoard,
}

impl Driver {
    /// Cancelling `stop` ends tasks between two activations; `tracker` waits for them.
    #[must_use]
    pub fn new(clock: SharedClock, stop: CancellationToken, tracker: TaskTracker) -> Self {
        Self { clock, stop, tracker, board: TaskBoard::default() }
    }

    /// Runs a task at once, then after each period or signal, whichever is first.
    pub fn start(&self, task: impl Task, signal: Arc<Notify>) {
        let number = self.board.add(task.kind());
        let driver = self.clone();
        self.tracker.spawn(async move {
            loop {
                driver.activate(number, &task).await;
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

    /// The states of all tasks.
    #[must_use]
    pub fn board(&self) -> &TaskBoard {
        &self.board
    }

    async fn activate(&self, number: usize, task: &impl Task) {
        let (started_at, begun) = (self.clock.now(), self.clock.steady());
        self.board.begin(number, started_at);
        // A panic in one activation must not end the task for good.
        let result = match AssertUnwindSafe(task.run()).catch_unwind().await {
            Ok(result) => result,
            Err(_) => Err("the task panicked".into()),
        };
        let name = task.kind().as_str();
        let result = match result {
            Ok(Done { count, summary }) => {
                tracing::debug!(task = name, summary, "task.done");
                TaskResult::Done(count)
            }
            Err(error) => {
                let detail = error.to_string();
                let error = &*error as &dyn std::error::Error;
                tracing::error!(task = name, error, "task.failed");
                TaskResult::Failed(detail)
            }
        };
        let took_ms = self.clock.steady().saturating_sub(begun);
        let period = i64::try_from(task.period().as_millis()).unwrap_or(i64::MAX);
        self.board.end(number, TaskRun { started_at, took_ms, result }, self.clock.now().plus(period));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use domain::clock::TestClock;
    use model::task::TaskStatus;
    use model::time::Timestamp;

    struct Counted {
        runs: AtomicU64,
        period: Duration,
    }

    #[async_trait]
    impl Task for Counted {
        fn kind(&self) -> TaskKind {
            TaskKind::PurgeSessions
        }
        fn period(&self) -> Duration {
            self.period
        }
        async fn run(&self) -> Result<Done, Failure> {
            match self.runs.fetch_add(1, Ordering::SeqCst) {
                0 => Ok(Done::new(0, "nothing")),
                1 => Err("second".into()),
                2 => panic!("third"),
                n => Ok(Done::new(n, "more")),
            }
        }
    }

    async fn after(driver: &Driver, runs: u64) -> TaskStatus {
        loop {
            let status = driver.board().statuses().remove(0);
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
        let results: Vec<_> = seen.iter().map(|status| (status.failures_in_row, status.last.clone().unwrap().result)).collect();
        let failed = |why: &str| TaskResult::Failed(why.to_owned());
        let panicked = (2, failed("the task panicked"));
        assert_eq!(results, [(0, TaskResult::Done(0)), (1, failed("second")), panicked, (0, TaskResult::Done(3))]);
        assert_eq!((seen[3].runs, seen[3].running_since, seen[3].next_at), (4, None, Some(Timestamp(5 + 3_600_000))));
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
