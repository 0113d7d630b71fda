//! How many files this process may open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit of open files as far as the system allows; gives the limit. The usual 1024 is for programs that wait with
/// `select`, which this one does not.
pub fn raise() -> u64 {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: before.maximum, maximum: before.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "startup.files_not_raised");
    }
    // Unlimited is `None`.
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_of_open_files_is_raised_to_the_maximum() {
        let raised = raise();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.maximum.unwrap_or(u64::MAX), raised);
    }
}
