//! Opening and taking over accounts, and the proof over them, on both databases.

use crate::support::World;
use app::error::AppError;
use app::model::ids::UserId;
use app::model::money::Fen;
use app::model::order::Tender;
use server::clock::Clock;
use server::domain::order::Limits;
use server::store::accounts::{self, FirstPurchase, NewResident, OpenAccount, TakeOver};
use server::store::{StoreError, verify};

both!(an_account_opens_once, |w: World| async move {
    let meter = w.meter(1).await;
    let by = w.operator().await;
    let open = |login: &str| {
        let first = FirstPurchase { key: w.rng.id(w.clock.now()), tender: Tender::Cash, amount: Fen(5_000) };
        OpenAccount {
            meter,
            also: Vec::new(),
            housemates: Vec::new(),
            resident: resident(login),
            first: Some(first),
            by,
            ip: "127.0.0.1".into(),
        }
    };
    accounts::open(&w.db, &w.rng, w.clock.now(), &Limits::default(), &open("zhang")).await.unwrap();
    let again = accounts::open(&w.db, &w.rng, w.clock.now(), &Limits::default(), &open("li")).await;
    assert!(matches!(again, Err(StoreError::Refused(AppError::AccountAlreadyOpen))));

    let due = server::store::commands::due(&w.db, w.clock.now(), 10).await.unwrap();
    assert_eq!(due.iter().map(|c| c.kind.as_str()).collect::<Vec<_>>(), ["open", "credit"]);
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
});

both!(a_login_name_is_given_once, |w: World| async move {
    let by = w.operator().await;
    for (unit, expected) in [(1, true), (2, false)] {
        let meter = w.meter(unit).await;
        let open = OpenAccount {
            meter,
            also: Vec::new(),
            housemates: Vec::new(),
            resident: resident("wang"),
            first: None,
            by,
            ip: String::new(),
        };
        let opened = accounts::open(&w.db, &w.rng, w.clock.now(), &Limits::default(), &open).await;
        assert_eq!(opened.is_ok(), expected);
        if !expected {
            assert!(matches!(opened, Err(StoreError::Refused(AppError::LoginTaken))));
        }
    }
});

both!(the_ledger_starts_with_what_the_meters_hold, |w: World| async move {
    let mut all = Vec::new();
    for unit in 1..=3 {
        all.push(TakeOver {
            meter: w.meter(unit).await,
            number: format!("26112300000000{unit:02}"),
            opened_at: w.clock.now(),
            epoch: 1,
            count: 4,
            cumulative: Fen(i64::from(unit) * 10_000),
            resident: None,
        });
    }
    accounts::take_over(&w.db, &w.rng, w.clock.now(), &all).await.unwrap();
    let report = verify::verify(&w.db).await.unwrap();
    assert_eq!(report.differences, []);
    assert_eq!(report.ledger_accounts, 4, "three accounts and what was taken over");

    // The proof sees a cumulative amount that nobody posted.
    w.execute("UPDATE account_meters SET cumulative_fen = cumulative_fen + 1").await;
    let report = verify::verify(&w.db).await.unwrap();
    assert_eq!(report.differences.len(), 3);
    assert!(report.differences.iter().all(|d| d.rule == "ledger and meters of an account" && d.found == d.expected + 100));
});

fn resident(login: &str) -> NewResident {
    NewResident { name: "张伟".into(), login: login.into(), password_hash: "x".into() }
}

impl World {
    async fn operator(&self) -> UserId {
        let id = self.rng.id(self.clock.now());
        let mut tx = self.db.begin().await.unwrap();
        let sql =
            "INSERT INTO users (id, role, login, name, password_hash, created_at) VALUES ($1, 'operator', 'op', 'op', 'x', 0)";
        match &mut tx {
            server::store::Tx::Sqlite(c) => sqlx::query(sql).bind(id).execute(&mut **c).await.map(|_| ()).unwrap(),
            server::store::Tx::Postgres(c) => sqlx::query(sql).bind(id).execute(&mut **c).await.map(|_| ()).unwrap(),
        }
        tx.commit().await.unwrap();
        UserId(id)
    }
}
