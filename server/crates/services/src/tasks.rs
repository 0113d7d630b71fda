//! How the background tasks of this process ended last, for operators and supervisors.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::api::tasks::TasksPort;
use async_trait::async_trait;
use model::error::AppError;
use model::person::Who;
use model::task::{TaskKind, TaskResult, TaskRun, TaskStatus};
use model::time::Timestamp;

use super::Context;

/// The states of all tasks, in the order they were started. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TaskBoard(Arc<Mutex<Vec<TaskStatus>>>);

impl TaskBoard {
    /// Adds a task that has not run yet; gives its number.
    #[must_use]
    pub fn add(&self, kind: TaskKind) -> usize {
        let mut statuses = self.lock();
        statuses.push(TaskStatus::new(kind));
        statuses.len() - 1
    }

    /// An activation begins.
    pub fn begin(&self, number: usize, at: Timestamp) {
        if let Some(status) = self.lock().get_mut(number) {
            status.running_since = Some(at);
            status.next_at = None;
        }
    }

    /// An activation has ended; the next one is at `next_at` at the latest.
    pub fn end(&self, number: usize, run: TaskRun, next_at: Timestamp) {
        if let Some(status) = self.lock().get_mut(number) {
            status.runs += 1;
            status.failures_in_row = match run.result {
                TaskResult::Done(_) => 0,
                TaskResult::Failed(_) => status.failures_in_row + 1,
            };
            status.running_since = None;
            status.last = Some(run);
            status.next_at = Some(next_at);
        }
    }

    #[must_use]
    pub fn statuses(&self) -> Vec<TaskStatus> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<TaskStatus>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct TasksService {
    context: Context,
    board: TaskBoard,
}

impl TasksService {
    #[must_use]
    pub fn new(context: Context, board: TaskBoard) -> Self {
        Self { context, board }
    }
}

#[async_trait]
impl TasksPort for TasksService {
    async fn tasks(&self, who: &Who) -> Result<Vec<TaskStatus>, AppError> {
        self.context.require_whole_site(who).await?;
        let mut statuses = self.board.statuses();
        statuses.sort_by_key(|status| !status.is_failing());
        Ok(statuses)
    }

    fn failing(&self) -> Vec<TaskKind> {
        self.board.statuses().iter().filter(|status| status.is_failing()).map(|status| status.kind).collect()
    }
}
