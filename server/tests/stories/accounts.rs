//! Opening and taking over accounts, and the checks on them, on both databases.

use domain::clock::Clock;
use domain::order::Limits;
use model::error::AppError;
use model::ids::{AccountId, UserId};
use model::money::{Fen, Money};
use model::order::Tender;
use store::StoreError;
use store::accounts::{self, FirstPurchase, NewResident, OpenAccount, TakeOver};
use story_support::closings::{proved, who};
use story_support::room_fixture::refused;
use story_support::{World, both};
use verify::{Figure, Rule};

both!(an_account_is_opened_once, |w: World| async move {
    let meter = w.meter(1).await;
    let by = operator(&w).await;
    let open = |login: &str| {
        let first = FirstPurchase { key: w.rng.id(w.clock.now()), tender: Tender::Cash, amount: Fen(5_000) };
        OpenAccount {
            number: None,
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

    let due = store::commands::due(&w.db, w.clock.now(), 10).await.unwrap();
    assert_eq!(due.iter().map(|c| c.kind.as_str()).collect::<Vec<_>>(), ["open", "credit"]);
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
});

both!(a_login_name_is_unique, |w: World| async move {
    let by = operator(&w).await;
    for (unit, expected) in [(1, true), (2, false)] {
        let meter = w.meter(unit).await;
        let open = OpenAccount {
            number: None,
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

both!(the_ledger_starts_with_the_meters_balances, |w: World| async move {
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

    // The check finds a cumulative amount that was never posted.
    w.execute("UPDATE account_meters SET cumulative_fen = cumulative_fen + 1").await;
    let report = verify::verify(&w.db).await.unwrap();
    assert_eq!(report.differences.len(), 3);
    for found in report.differences {
        let (Figure::Money(expected), Figure::Money(cumulative)) = (found.expected, found.found) else { panic!("{found:?}") };
        assert_eq!((found.rule, cumulative), (Rule::MeterBalance, expected + Money(100)));
    }
});

fn resident(login: &str) -> NewResident {
    NewResident { name: "张伟".into(), login: login.into(), password_hash: "x".into() }
}

async fn operator(w: &World) -> UserId {
    let id = w.rng.id(w.clock.now());
    let mut tx = w.db.begin().await.unwrap();
    let sql = "INSERT INTO users (id, role, login, name, password_hash, created_at, all_buildings)
               VALUES ($1, 'cashier', 'op', 'op', 'x', 0, TRUE)";
    match &mut tx {
        store::Tx::Sqlite(c) => sqlx::query(sql).bind(id).execute(&mut **c).await.map(|_| ()).unwrap(),
        store::Tx::Postgres(c) => sqlx::query(sql).bind(id).execute(&mut **c).await.map(|_| ()).unwrap(),
    }
    tx.commit().await.unwrap();
    UserId(id)
}

both!(residents_are_added_and_removed, |w: World| async move {
    let (room, other, clerk) = (w.room(1).await, w.room(2).await, w.clerk().await);
    let (by, now) = (who(clerk), w.clock.now());
    let add = |newcomer: accounts::ResidentToAdd, to: AccountId| {
        let (w, by) = (w.clone(), by.clone());
        async move { accounts::add_resident(&w.db, &w.rng, now, &by, to, &newcomer).await }
    };
    add(accounts::ResidentToAdd::New(resident("sun")), room.account).await.unwrap();
    assert_eq!(refused(add(accounts::ResidentToAdd::New(resident("sun")), room.account).await), Some(AppError::LoginTaken));
    let known = || accounts::ResidentToAdd::Known("sun".into());
    assert_eq!(refused(add(known(), other.account).await), Some(AppError::HasAccount), "one account at a time");
    accounts::remove_resident(&w.db, now, &by, room.account, "sun").await.unwrap();
    assert_eq!(refused(accounts::remove_resident(&w.db, now, &by, room.account, "sun").await), Some(AppError::NotFound));
    add(known(), other.account).await.unwrap();
    assert_eq!(refused(add(accounts::ResidentToAdd::Known("clerk".into()), other.account).await), Some(AppError::NotFound));
    let user = w.number("SELECT COUNT(*) FROM account_residents WHERE to_at IS NULL").await;
    assert_eq!(user, 3);
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action LIKE 'account.resident%'").await, 3);
});

both!(concurrent_openings_never_fail, |w: World| async move {
    let clerk = w.clerk().await;
    let mut meters = Vec::new();
    for unit in 1..=6 {
        meters.push(w.meter(unit).await);
    }
    let opened = futures::future::join_all(meters.iter().enumerate().map(|(n, &meter)| {
        let (w, now) = (w.clone(), w.clock.now());
        let first = Some(accounts::FirstPurchase { key: w.rng.id(now), tender: Tender::Cash, amount: Fen(1_000) });
        let new = OpenAccount {
            number: None,
            meter,
            also: Vec::new(),
            resident: resident(&format!("x{n}")),
            housemates: Vec::new(),
            first,
            by: clerk,
            ip: String::new(),
        };
        async move { accounts::open(&w.db, &w.rng, now, &Limits::default(), &new).await }
    }))
    .await;
    assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    proved(&w).await;
});
