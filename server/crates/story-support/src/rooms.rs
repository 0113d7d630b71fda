//! Rooms with an open account and a resident, and queries on the database.

use domain::clock::Clock;
use model::ids::{AccountId, MeterId, UserId};
use model::money::Fen;
use store::Db;
use store::accounts::{self, NewResident, TakeOver};
use uuid::Uuid;

use crate::World;

/// A room with an open account.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    pub meter: MeterId,
    pub account: AccountId,
    pub resident: UserId,
}

impl World {
    /// A room whose account was taken over with an empty meter.
    pub async fn room(&self, unit: u8) -> Room {
        let meter = self.meter(unit).await;
        let login = format!("resident{unit}");
        let resident = NewResident { name: login.clone(), login, password_hash: String::new() };
        let number = format!("26112300000000{unit:02}");
        let one = TakeOver {
            meter,
            number,
            opened_at: self.clock.now(),
            epoch: 1,
            count: 0,
            cumulative: Fen::ZERO,
            resident: Some(resident),
        };
        accounts::take_over(&self.db, &self.rng, self.clock.now(), &[one]).await.unwrap();
        let sql = "SELECT r.account_id, r.user_id FROM account_meters m JOIN account_residents r ON r.account_id = m.account_id
                   WHERE m.meter_id = $1";
        let (account, user): (Uuid, Uuid) = match &self.db {
            Db::Sqlite { read, .. } => sqlx::query_as(sql).bind(meter.0).fetch_one(read).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_as(sql).bind(meter.0).fetch_one(pool).await.unwrap(),
        };
        Room { meter, account: AccountId(account), resident: UserId(user) }
    }

    /// Stores a reading of a meter in its first epoch.
    pub async fn shows(&self, meter: MeterId, count: i64, cumulative: i64, remaining: i64) {
        let sql =
            "INSERT INTO meter_latest (meter_id, observed_at, status, epoch, count, cumulative_fen, remaining_fen, total_wh,
                                             reverse_wh)
                   VALUES ($1, $2, 3, 1, $3, $4, $5, 0, 0)
                   ON CONFLICT (meter_id) DO UPDATE SET observed_at = excluded.observed_at, count = excluded.count,
                       cumulative_fen = excluded.cumulative_fen, remaining_fen = excluded.remaining_fen";
        crate::bind(&self.db, sql, meter.0, &[self.clock.now().0, count, cumulative, remaining]).await;
    }

    pub async fn clerk(&self) -> UserId {
        let id = self.rng.id(self.clock.now());
        let sql = "INSERT INTO users (id, role, login, name, password_hash, created_at, all_buildings)
                   VALUES ($1, 'cashier', 'clerk', 'clerk', 'x', 0, TRUE)";
        crate::bind(&self.db, sql, id, &[]).await;
        UserId(id)
    }

    /// One number from the database.
    pub async fn number(&self, sql: &'static str) -> i64 {
        match &self.db {
            Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
        }
    }

    /// One text from the database.
    pub async fn word(&self, sql: &'static str) -> String {
        match &self.db {
            Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
        }
    }
}
