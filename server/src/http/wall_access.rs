//! Who may go on watching the meter wall: one look at the database for all open walls, twice a second.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use model::permission::Permission;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use domain::wall_layout::Scope;
use services::Context;
use store::sessions::{self, Right, TokenHash};

/// Between two looks: with the time that one takes, a wall ends within a second of its right. Asked of the database, because
/// another process may have changed it.
const PAUSE_BETWEEN_LOOKS: Duration = Duration::from_millis(500);
/// How long a look may take; one that takes longer counts as a failing database.
const LONGEST_LOOK: Duration = Duration::from_secs(5);

/// Cheap to clone; clones share the looks.
#[derive(Clone)]
pub struct WallAccess(Arc<watch::Sender<Option<Look>>>);

/// What one look at the database found.
#[derive(Clone)]
struct Look {
    begun: Instant,
    operators: Arc<HashMap<TokenHash, Right>>,
}

/// The right of one wall to go on.
pub struct WallRight {
    looks: watch::Receiver<Option<Look>>,
    opened: Instant,
    session: TokenHash,
    needs: Permission,
    buildings: Scope,
}

impl Default for WallAccess {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl WallAccess {
    /// For a wall that may be opened now, with a permission, on these buildings.
    pub fn right(&self, session: TokenHash, needs: Permission, buildings: Scope) -> WallRight {
        WallRight { looks: self.0.subscribe(), opened: Instant::now(), session, needs, buildings }
    }

    /// Looks while walls are open, until `stopping`. A failing database ends no wall, because walls are needed most then.
    pub async fn run(self, context: Context, stopping: CancellationToken) {
        let mut is_failing = false;
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = sleep(PAUSE_BETWEEN_LOOKS) => {}
            }
            if self.0.receiver_count() == 0 {
                continue;
            }
            let begun = Instant::now();
            let failed = match timeout(LONGEST_LOOK, sessions::operators(&context.db, context.now())).await {
                Ok(Ok(operators)) => {
                    is_failing = false;
                    self.0.send_replace(Some(Look { begun, operators: Arc::new(operators) }));
                    continue;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "timed out".to_owned(),
            };
            // Once, not at each look.
            if !std::mem::replace(&mut is_failing, true) {
                tracing::warn!(error = failed, "live.check_failed");
            }
        }
    }
}

impl WallRight {
    /// Waits until the session is closed, lacks the permission, or sees other buildings: then the browser reconnects, and gets
    /// the new ones.
    pub async fn lost(&mut self) {
        loop {
            if self.looks.changed().await.is_err() {
                // The server stops, which ends the wall by itself.
                return std::future::pending().await;
            }
            let look = self.looks.borrow_and_update().clone();
            // A look that began before may have missed the log-in.
            let current = look.filter(|look| look.begun >= self.opened);
            if current.is_some_and(|look| !look.operators.get(&self.session).is_some_and(|right| self.fits(right))) {
                return;
            }
        }
    }

    fn fits(&self, now: &Right) -> bool {
        now.permissions.has(self.needs) && now.buildings == self.buildings
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::permission::Permissions;
    use model::person::Role;

    use super::*;

    fn right(role: Role, buildings: Scope) -> Right {
        Right { permissions: Permissions::of(role), buildings }
    }

    fn look(access: &WallAccess, begun: Instant, operators: &[(TokenHash, Right)]) {
        access.0.send_replace(Some(Look { begun, operators: Arc::new(operators.iter().cloned().collect()) }));
    }

    async fn is_lost(right: &mut WallRight) -> bool {
        timeout(Duration::from_millis(50), right.lost()).await.is_ok()
    }

    #[tokio::test]
    async fn a_wall_ends_with_its_session_and_its_buildings() {
        let (access, session) = (WallAccess::default(), [1; 32]);
        let before = Instant::now();
        let open = || access.right(session, Permission::Watch, Scope::All);
        let mut wall = open();
        look(&access, before.checked_sub(Duration::from_secs(1)).unwrap(), &[]);
        assert!(!is_lost(&mut wall).await, "that look began before");
        let all = right(Role::Cashier, Scope::All);
        look(&access, Instant::now(), &[(session, all.clone()), ([2; 32], all.clone())]);
        assert!(!is_lost(&mut wall).await);
        look(&access, Instant::now(), &[(session, right(Role::Admin, Scope::All))]);
        assert!(!is_lost(&mut wall).await, "another role that may watch");
        look(&access, Instant::now(), &[(session, right(Role::Cashier, Scope::Buildings(BTreeSet::new())))]);
        assert!(is_lost(&mut wall).await, "other buildings");
        let mut wall = open();
        look(&access, Instant::now(), &[(session, right(Role::Own, Scope::All))]);
        assert!(is_lost(&mut wall).await, "no permission");
        let mut wall = open();
        look(&access, Instant::now(), &[([2; 32], all)]);
        assert!(is_lost(&mut wall).await, "no session");
    }
}
