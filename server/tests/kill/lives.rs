//! A clerk who gives money back, closes accounts, moves them and replaces a meter, whatever happens to the server meanwhile.

use std::time::Duration;

use app::model::ids::Uuid;
use app::model::money::Fen;
use app::model::time::Timestamp;
use server::rng::Rng;
use server::store::Db;
use tokio::time::{Instant, sleep};

use super::buyers::{insist, log_in};
use super::site::Site;
use super::support::World;
use super::victim::Victim;

/// Rooms that get a part back, whose account is closed, that is moved into one of those, whose meter is replaced (behind the gateway
/// of the spare one).
pub const RETURNS: std::ops::Range<usize> = 6..10;
pub const CLOSED: std::ops::Range<usize> = 0..4;
pub const MOVED: [usize; 2] = [10, 11];
pub const REPLACED: usize = 4;

/// Everything that changes accounts, to its end; gives what was sold in all.
pub async fn live(site: &Site, victim: &Victim, rng: &Rng, w: &World) -> Fen {
    let clerk = Clerk { cookie: log_in(victim, "clerk").await, victim, rng, w };
    let mut sold = Fen::ZERO;
    for room in site.rooms.iter().filter(|room| !room.on_ledger) {
        let amount = Fen(500 + rng.below(3_000) as i64);
        let form = format!("meter={}&amount={amount}&tender=cash", room.meter);
        assert!(clerk.ask("/api/operator/sell", &form).await.contains("/rooms/"));
        sold = sold + amount;
    }
    let meter = |room: usize| site.rooms[room].meter;
    for room in CLOSED {
        clerk.until_done("/api/operator/close-account", &format!("meter={}&tender=cash&account=&reason=out", meter(room))).await;
    }
    clerk.until_done("/api/operator/replace-meter", &format!("meter={}&reason=broken", meter(REPLACED))).await;
    for room in RETURNS {
        // Until the meter was seen to hold it.
        clerk.until_done("/api/operator/return", &format!("meter={}&amount=1.23&tender=cash&reason=part", meter(room))).await;
    }
    for (n, room) in MOVED.into_iter().enumerate() {
        // Until the other one has moved out.
        let to = meter(CLOSED.start + n);
        clerk.until_done("/api/operator/move-account", &format!("meter={}&to={to}&reason=moves", meter(room))).await;
    }
    clerk.replace(site).await;
    clerk.pay().await;
    sold
}

/// What is not over, for whoever waits in vain.
const UNDER_WAY: &str =
    "SELECT COALESCE((SELECT string_agg(c.kind || ' read ' || COALESCE(CAST(c.read_at AS TEXT), '-') || ' return '
                                || COALESCE(r.state, '-'), '; ') FROM closings c LEFT JOIN returns r ON r.id = c.return_id
                                WHERE c.ended_at IS NULL), '') || ' | '
      || COALESCE((SELECT string_agg(kind || ' ' || state || ' ' || attempts || ' ' || COALESCE(note, ''), '; ') FROM commands
                   WHERE money AND state IN ('queued', 'sending', 'case')), '') || ' | '
      || COALESCE((SELECT string_agg(kind || ' ' || detail, '; ') FROM cases WHERE closed_at IS NULL), '') || ' | '
      || COALESCE((SELECT string_agg(state, ' ') FROM returns WHERE state IN ('waiting', 'taking', 'taken', 'case')), '')";

struct Clerk<'a> {
    cookie: String,
    victim: &'a Victim,
    rng: &'a Rng,
    w: &'a World,
}

impl Clerk<'_> {
    /// One form with one key, until it is answered.
    async fn ask(&self, path: &str, form: &str) -> String {
        sleep(Duration::from_millis(self.rng.below(120))).await;
        let form = format!("{form}&key={}", self.rng.id(Timestamp(1)));
        insist(self.victim, &self.cookie, path, &form).await
    }

    /// A new form after each refusal.
    async fn until_done(&self, path: &str, form: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let went = self.ask(path, form).await;
            if !went.contains("e=") {
                return;
            }
            assert!(Instant::now() < deadline, "{path} {form}: {went}");
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn replace(&self, site: &Site) {
        let read = "SELECT id FROM closings WHERE kind = 'replace' AND read_at IS NOT NULL";
        let closing = self.wait("the old meter", || async { ids(self.w, read).await.first().copied() }).await;
        let spare = &site.spare;
        let form = format!("closing={closing}&serial={}&gateway=&unit={}&profile=", spare.0, spare.1);
        let ended = "SELECT id FROM closings WHERE kind = 'replace' AND ended_at IS NOT NULL";
        while ids(self.w, ended).await.is_empty() {
            insist(self.victim, &self.cookie, "/api/operator/install-meter", &form).await;
        }
    }

    /// Pays out whatever was taken, until nothing is under way.
    async fn pay(&self) {
        self.wait("everything to end", || async {
            for id in ids(self.w, "SELECT id FROM returns WHERE state = 'taken'").await {
                let went = insist(self.victim, &self.cookie, "/api/operator/pay-out", &format!("id={id}")).await;
                assert!(!went.contains("e="), "not paid out: {went}");
            }
            let left = self.w.number("SELECT COUNT(*) FROM closings WHERE ended_at IS NULL").await
                + self.w.number("SELECT COUNT(*) FROM returns WHERE state IN ('taking', 'taken')").await
                + self.w.number("SELECT COUNT(*) FROM commands WHERE money AND state IN ('queued', 'sending')").await;
            (left == 0).then_some(())
        })
        .await;
    }

    async fn wait<T, F: Future<Output = Option<T>>>(&self, what: &str, mut look: impl FnMut() -> F) -> T {
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            if let Some(found) = look().await {
                return found;
            }
            if Instant::now() >= deadline {
                panic!("waited for {what}: {}", self.w.word(UNDER_WAY).await);
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}

async fn ids(w: &World, sql: &'static str) -> Vec<Uuid> {
    match &w.db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_all(read).await.unwrap(),
        Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
    }
}
