//! Receipts of account openings: numbered by themselves, one for each account that is opened here; on both databases.

use domain::clock::Clock;
use domain::order::Limits;
use model::error::AppError;
use model::money::Fen;
use model::order::Tender;
use model::person::Role;
use store::accounts::{self, FirstPurchase, NewResident, OpenAccount};
use store::receipts;
use story_support::closings::who;
use story_support::room_fixture::refused;
use story_support::web::{Web, location};
use story_support::{World, both};
use verify::{Rule, verify, verify_within};

both!(an_opening_has_one_receipt, |w: World| async move {
    // One that was taken over has none: it was opened elsewhere.
    w.room(1).await;
    let (meter, clerk) = (w.meter(2).await, w.clerk().await);
    let open = |login: &str| {
        let first = FirstPurchase { key: w.rng.id(w.clock.now()), tender: Tender::Cash, amount: Fen(5_000) };
        OpenAccount {
            number: None,
            meter,
            also: Vec::new(),
            housemates: Vec::new(),
            resident: NewResident { name: "张三".into(), login: login.into(), password_hash: String::new() },
            first: Some(first),
            by: clerk,
            ip: String::new(),
        }
    };
    // Confirmed twice, at once and later.
    let (limits, now) = (Limits::default(), w.clock.now());
    let (zhang, li) = (open("zhang"), open("li"));
    let (one, other) =
        tokio::join!(accounts::open(&w.db, &w.rng, now, &limits, &zhang), accounts::open(&w.db, &w.rng, now, &limits, &li));
    assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|ok| **ok).count(), 1, "{one:?} {other:?}");
    assert_eq!(refused(accounts::open(&w.db, &w.rng, now, &limits, &zhang).await), Some(AppError::AccountAlreadyOpen));
    assert_eq!(w.number("SELECT COUNT(*) FROM receipts WHERE series = 'opening'").await, 1);
    assert_eq!(w.number("SELECT COUNT(*) FROM receipts WHERE series = 'cash_desk'").await, 1, "the first purchase has its own");
    assert_eq!(w.number("SELECT MAX(number) FROM receipts").await, 1, "each series begins with 1");

    // Its sheet, its prints, and the way to it.
    let web = Web::start(&w).await;
    let desk = web.person(&w, Role::Manager, "desk").await;
    let number = format!("A{}-000001", now.date().ymd().0);
    let page = format!("/receipts/{number}");
    let room = desk.get(&format!("/rooms/{meter}")).await.text().await.unwrap();
    let purchase = format!("/receipts/{}-000001\"", now.date().ymd().0);
    assert!(room.contains(&page) && room.contains(&purchase), "{room}");
    let opening = desk.get(&page).await.text().await.unwrap();
    assert!(opening.contains(&purchase), "{opening}");
    assert_eq!(location(&desk.get(&format!("/search?q={number}")).await), page);
    for (print, copy) in [(1, false), (2, true)] {
        let printed = desk.post("/api/operator/print-receipt", &format!("number={number}")).await;
        let shown = desk.get(location(&printed)).await.text().await.unwrap();
        let (_, sheet) = shown.split_once("class=\"receipt-sheets\"").unwrap();
        for word in ["开户收据", "张三", &number] {
            assert!(sheet.contains(word), "{word} in {sheet}");
        }
        assert_eq!(sheet.contains("副本"), copy, "print {print}");
        assert!(!sheet.contains("元整"), "no money is certified");
    }
    let pdf = desk.get(&format!("/receipt.pdf?number={number}&paper=a4&copies=all")).await;
    assert!(pdf.status() == 200 && pdf.bytes().await.unwrap().starts_with(b"%PDF"));
    let asked = receipts::print(&w.db, now, &who(clerk), number.replace('A', "E").parse().unwrap()).await;
    assert_eq!(refused(asked), Some(AppError::NotFound), "of another series");
    web.stop();

    // A missing receipt and a gap are noticed, and each series by itself.
    assert_eq!(verify(&w.db).await.unwrap().differences, []);
    for (sql, rule) in [
        ("DELETE FROM receipts WHERE series = 'opening'", Rule::OpeningReceipt),
        ("UPDATE receipt_numbers SET last = 2 WHERE series = 'opening'", Rule::ReceiptNumbers),
        ("UPDATE receipt_numbers SET last = 2 WHERE series = 'cash_desk'", Rule::ReceiptNumbers),
    ] {
        let mut tx = w.db.begin().await.unwrap();
        let statement = sqlx::AssertSqlSafe(sql.to_owned());
        match &mut tx {
            store::Tx::Sqlite(c) => drop(sqlx::raw_sql(statement).execute(&mut **c).await.unwrap()),
            store::Tx::Postgres(c) => drop(sqlx::raw_sql(statement).execute(&mut **c).await.unwrap()),
        }
        let found: Vec<Rule> = verify_within(&mut tx).await.unwrap().differences.into_iter().map(|one| one.rule).collect();
        assert!(found.contains(&rule), "{sql}: {found:?}");
    }
});
