//! What can go wrong below a store function.

use model::case::MalformedDetail;
use model::error::AppError;
use model::time::Timestamp;

/// An error of the database or of what it holds.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or did not answer.
    #[error("the database failed")]
    Sql(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the migrations failed")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Another server holds the lock of the database.
    #[error("another server runs on this database: stop it first")]
    InUse,
    /// Another server may hold the lock that this one held.
    #[error("the lock of the database is lost, and another server may read and command the meters: start this one again")]
    LockLost,
    /// The clock was set back by more than anybody would set it.
    #[error(
        "the clock of this machine shows {now}, and the newest reading is from {newest}: set the clock. If it is right, start \
         once with meters.accept_clock = true: everything newer is then moved to the present"
    )]
    ClockBehind { now: Timestamp, newest: Timestamp },
    /// A stored value is not of its type.
    #[error("{table}.{column} holds a value that is not of its type")]
    Inconsistent { table: &'static str, column: &'static str },
    #[error(transparent)]
    MalformedCase(#[from] MalformedDetail),
    /// The person's wish cannot be met; nothing was changed.
    #[error("refused: {0}")]
    Refused(#[from] AppError),
}

impl StoreError {
    /// The work ended before it said whether it was done; it may be asked for again.
    #[must_use]
    pub const fn interrupted() -> Self {
        Self::Sql(sqlx::Error::WorkerCrashed)
    }

    /// Whether a unique key stood in the way: somebody was first.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    /// Refused so where somebody was first; else as it is.
    #[must_use]
    pub fn or_first(self, refusal: AppError) -> Self {
        if self.is_duplicate() { Self::Refused(refusal) } else { self }
    }

    /// Whether the database itself is in trouble, as with a full disk: nothing was written, and the same wish may succeed later.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Sql(sqlx::Error::PoolTimedOut | sqlx::Error::Io(_)) => true,
            Self::Sql(sqlx::Error::Database(error)) => error.code().is_some_and(|code| is_trouble(&code)),
            _ => false,
        }
    }

    /// Whether the database ended a statement that took too long: SQLite's interrupt, PostgreSQL's cancellation.
    #[must_use]
    pub fn is_overdue(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("9" | "57014")))
    }

    /// Whether others used every connection for as long as one was waited for.
    #[must_use]
    pub const fn is_without_connection(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::PoolTimedOut))
    }

    /// Whether PostgreSQL gave this transaction up so that another one could go on: a deadlock (40P01) or a serialization failure
    /// (40001). Nothing was written, and the same transaction succeeds when it runs again.
    #[must_use]
    pub fn is_contended(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.code().is_some_and(|code| is_contention(&code)))
    }
}

fn is_contention(code: &str) -> bool {
    matches!(code, "40P01" | "40001")
}

/// SQLite: locked for too long (5), read-only (8), I/O error (10), full (13), by their primary codes. PostgreSQL: insufficient
/// resources (class 53), shut down (57P), I/O error (58).
fn is_trouble(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 8 | 10 | 13),
        _ => ["53", "57P", "58"].iter().any(|class| code.starts_with(class)),
    }
}

impl From<StoreError> for AppError {
    /// What the person is told; the cause goes to the log here, once.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(problem) => problem,
            _ if error.is_contended() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "store.contended");
                Self::Conflict
            }
            _ if error.is_unavailable() => {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_of_the_database_is_told_from_a_refusal() {
        for code in ["5", "13", "778", "53100", "57P01", "58030"] {
            assert!(is_trouble(code), "{code}");
        }
        for code in ["1", "19", "2067", "23505", "40001", "42P01", ""] {
            assert!(!is_trouble(code), "{code}");
        }
        assert!(["40001", "40P01"].iter().all(|code| is_contention(code)) && !is_contention("23505"));
    }
}
