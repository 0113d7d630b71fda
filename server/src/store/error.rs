//! What can go wrong below a store function.

use app::error::AppError;

/// An error of the database or of what it holds.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or did not answer.
    #[error("the database failed")]
    Sql(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the migrations failed")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A stored value is not of its type.
    #[error("{table}.{column} holds a value that is not of its type")]
    Inconsistent {
        /// Where.
        table: &'static str,
        /// Which column.
        column: &'static str,
    },
    /// The person's wish cannot be met; nothing was changed.
    #[error("refused: {0}")]
    Refused(#[from] AppError),
}

impl StoreError {
    /// Whether a unique key stood in the way: somebody was first.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}

impl From<StoreError> for AppError {
    /// What the person is told; the cause goes to the log here, once.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(problem) => problem,
            StoreError::Sql(sqlx::Error::PoolTimedOut | sqlx::Error::Io(_)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "store.unavailable");
                Self::Unavailable
            }
            _ => {
                tracing::error!(error = &error as &dyn std::error::Error, "store.failed");
                Self::Internal
            }
        }
    }
}
