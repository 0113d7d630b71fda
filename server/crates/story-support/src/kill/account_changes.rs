//! An operator who returns credit, closes accounts, moves them and replaces a meter, and retries until each is done.

use domain::rng::Rng;
use model::ids::Uuid;
use model::money::Fen;
use store::Db;

use super::buyers::insist;
use super::operator::{Operator, is_conflict, is_refused};
use super::server_process::ServerProcess;
use super::site::Site;
use crate::World;

/// Rooms for partial returns and for closures, two that move into closed ones, and one whose meter is replaced (behind the
/// gateway of the spare meter).
pub const RETURNS: std::ops::Range<usize> = 6..10;
pub const CLOSED: std::ops::Range<usize> = 0..4;
pub const MOVED: [usize; 2] = [10, 11];
pub const REPLACED: usize = 4;

/// Runs all account changes to their end; gives the total that was sold.
pub async fn run(site: &Site, server: &ServerProcess, rng: &Rng, w: &World) -> Fen {
    let operator = Operator::new(server, rng, w).await;
    let mut sold = Fen::ZERO;
    for room in site.rooms.iter().filter(|room| !room.on_ledger) {
        let amount = Fen(500 + rng.below(3_000) as i64);
        let form = format!("meter={}&amount={amount}&tender=cash", room.meter);
        operator.sell(&form).await;
        sold = sold + amount;
    }
    let meter = |room: usize| site.rooms[room].meter;
    for room in CLOSED {
        operator
            .until_done("/api/operator/close-account", &format!("meter={}&tender=cash&account=&reason=out", meter(room)))
            .await;
    }
    operator.until_done("/api/operator/replace-meter", &format!("meter={}&reason=broken", meter(REPLACED))).await;
    for room in RETURNS {
        // Retried until a reading shows the credit.
        operator.until_done("/api/operator/return", &format!("meter={}&amount=1.23&tender=cash&reason=part", meter(room))).await;
    }
    for (n, room) in MOVED.into_iter().enumerate() {
        // Retried until the other account is closed.
        let to = meter(CLOSED.start + n);
        operator.until_done("/api/operator/move-account", &format!("meter={}&to={to}&reason=moves", meter(room))).await;
    }
    operator.replace(site).await;
    operator.pay().await;
    sold
}

impl Operator<'_> {
    async fn replace(&self, site: &Site) {
        let read = "SELECT id FROM account_closures WHERE kind = 'replace' AND read_at IS NOT NULL";
        let closing = self.wait("the old meter", || async { ids(self.w, read).await.first().copied() }).await;
        let spare = &site.spare;
        let form = format!("closing={closing}&serial={}&gateway=&unit={}&profile=", spare.0, spare.1);
        let ended = "SELECT id FROM account_closures WHERE kind = 'replace' AND ended_at IS NOT NULL";
        self.wait("the new meter", || async {
            insist(self.server, &self.cookie, "/api/operator/install-meter", &form).await;
            ids(self.w, ended).await.first().copied()
        })
        .await;
    }

    /// Pays out every return, until nothing is pending.
    async fn pay(&self) {
        self.wait("everything to end", || async {
            for id in ids(self.w, "SELECT id FROM returns WHERE state = 'taken'").await {
                let went = insist(self.server, &self.cookie, "/api/operator/pay-out", &format!("id={id}")).await;
                assert!(!is_refused(&went) || is_conflict(&went), "not paid out: {went}");
            }
            let left = self.w.number("SELECT COUNT(*) FROM account_closures WHERE ended_at IS NULL").await
                + self.w.number("SELECT COUNT(*) FROM returns WHERE state IN ('taking', 'taken')").await
                + self.w.number("SELECT COUNT(*) FROM commands WHERE money AND state IN ('queued', 'sending')").await
                // Some cases end with a later reading.
                + self.w.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL").await;
            (left == 0).then_some(())
        })
        .await;
    }
}

async fn ids(w: &World, sql: &'static str) -> Vec<Uuid> {
    match &w.db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_all(read).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
    }
}
