//! Statements are untrusted: an invalid one is not imported, and the settlement day shows the reason.

use super::*;
use domain::wall_layout::Scope;
use model::reconciliation::StatementProblem;
use model::time::MINUTE;

both!(a_partly_invalid_statement_changes_nothing, |w: World| async move {
    let shop = Shop::open(w).await;
    for channel in CHANNELS {
        let day = shop.today();
        let (_, number) = shop.pays(channel, 5_000).await;
        shop.next_day(11);
        let hash = if channel == Tender::Alipay { "packed" } else { "digest" };
        for (fault, says) in [
            (StatementFaults { wrong_sum: true, ..StatementFaults::default() }, "totals"),
            (StatementFaults { wrong_hash: true, ..StatementFaults::default() }, hash),
            (StatementFaults { bomb: true, ..StatementFaults::default() }, "too-large"),
            (StatementFaults { wrong_merchant: true, ..StatementFaults::default() }, "owner"),
            (StatementFaults { duplicated: Some(number), ..StatementFaults::default() }, "twice"),
        ] {
            shop.statement_faults(fault);
            let before = counts(&shop).await;
            assert_eq!(shop.fetches(channel, day).await, FetchOutcome::Failed);
            let row = shop.day(channel, day).await;
            assert_eq!(row.problem.map(StatementProblem::as_str), Some(says));
            assert_eq!((counts(&shop).await, row.compared_at), (before, None));
        }
        shop.statement_faults(StatementFaults { not_ready: true, ..StatementFaults::default() });
        assert_eq!(shop.fetches(channel, day).await, FetchOutcome::NotYet);
        assert_eq!(shop.day(channel, day).await.problem, Some(StatementProblem::NotReady));
        shop.sandbox.set_faults(Faults { status: Some(502), ..Faults::default() });
        assert!(matches!(shop.fetches(channel, day).await, FetchOutcome::Failed));
        assert_eq!(shop.day(channel, day).await.problem, Some(StatementProblem::Status));
        shop.sandbox.set_faults(Faults { falsify: channel == Tender::WechatPay, status: None, ..Faults::default() });
        if channel == Tender::WechatPay {
            assert_eq!(shop.fetches(channel, day).await, FetchOutcome::Failed, "the address comes signed, or not at all");
        }
        shop.statement_faults(StatementFaults::default());
        assert!(matches!(shop.fetches(channel, day).await, FetchOutcome::Compared(Imported::New, _)));
        assert_eq!((shop.classes(channel, day).await, shop.day(channel, day).await.problem), (vec![], None));
    }
});

both!(every_failure_is_reported_and_retried, |w: World| async move {
    let shop = Shop::open(w).await;
    shop.pays(Tender::Alipay, 5_000).await;
    shop.next_day(11);
    shop.statement_faults(StatementFaults { wrong_sum: true, ..StatementFaults::default() });
    assert_eq!(shop.reconciles().await.unwrap_err(), "none of 1 statements could be fetched");
    shop.statement_faults(StatementFaults::default());
    assert_eq!(shop.reconciles().await.unwrap(), "fetched 1, waiting 0, failed 0, compared 0");
});

both!(an_empty_statement_counts_when_repeated_and_ledger_agrees, |w: World| async move {
    let shop = Shop::open(w).await;
    for channel in CHANNELS {
        shop.pays(channel, 5_000).await;
    }
    let first = shop.today();
    shop.next_day(1);
    // A day without anything.
    let quiet = shop.today();
    shop.next_day(11);
    assert_eq!(shop.reconciles().await.unwrap(), "fetched 2, waiting 2, failed 0, compared 0");
    shop.wait(30 * MINUTE);
    assert!(shop.reconciles().await.unwrap().starts_with("fetched 2, waiting 0,"));
    for channel in CHANNELS {
        let row = shop.day(channel, quiet).await;
        assert_eq!((row.statement, row.equal_lines, row.differences, row.problem), (Fen(0), 0, 0, None));
        assert_eq!(shop.day(channel, first).await.equal_lines, 1);
    }
});

both!(a_statement_missing_known_payments_is_not_accepted_at_once, |w: World| async move {
    let shop = Shop::open(w).await;
    for channel in CHANNELS {
        let day = shop.today();
        shop.pays(channel, 5_000).await;
        shop.statement_faults(StatementFaults { reports_empty: true, ..StatementFaults::default() });
        for _ in 0..3 {
            shop.next_day(11);
            assert_eq!(shop.fetches(channel, day).await, FetchOutcome::EmptyUnconfirmed);
            assert_eq!(shop.day(channel, day).await.problem, Some(StatementProblem::Empty));
        }
        shop.next_day(11);
        assert!(matches!(shop.fetches(channel, day).await, FetchOutcome::Compared(Imported::New, _)));
        let listed = shop.classes(channel, day).await;
        assert_eq!(listed, [("ledger-only".into(), Fen(-5_000), "credited".into())]);
        shop.statement_faults(StatementFaults::default());
        shop.fetches(channel, day).await;
        assert_eq!(shop.classes(channel, day).await, [("meter".into(), Fen(0), "not-delivered".into())]);
    }
});

both!(rows_of_other_systems_open_no_case_and_cost_no_fee, |w: World| async move {
    let shop = Shop::open(w).await;
    for channel in CHANNELS {
        let day = shop.today();
        shop.pays(channel, 5_000).await;
        shop.next_day(11);
        shop.statement_faults(StatementFaults { foreign: 300, ..StatementFaults::default() });
        assert!(matches!(shop.fetches(channel, day).await, FetchOutcome::Compared(Imported::New, _)));
        assert_eq!((shop.classes(channel, day).await, shop.statement_cases().await), (vec![], 0));
        let row = shop.day(channel, day).await;
        assert_eq!((row.statement, row.ledger, row.equal_lines, row.fees), (Fen(5_000), Fen(5_000), 1, Money(3_000)));
        assert_eq!((row.foreign_lines, row.foreign), (300, Fen(300_000)));
        assert_eq!(credit_balance(&shop.world.db, &Account::Fees(channel.as_str())).await.unwrap(), Money(-3_000));
        let listed = reconciliation::foreign_lines(&shop.world.db, channel, day, 1_000).await.unwrap();
        assert_eq!((listed.len(), listed[1].out_trade_no.as_str(), listed[1].amount), (300, "SHOP00000001", Fen(1_000)));
    }
});

both!(every_wechat_row_and_older_columns_are_read, |w: World| async move {
    let shop = Shop::open(w).await;
    let day = shop.today();
    let (_, number) = shop.pays(Tender::WechatPay, 5_000).await;
    shop.next_day(11);
    let fault = |change: fn(&mut StatementFaults, String)| {
        let mut fault = StatementFaults::default();
        change(&mut fault, number.clone());
        fault
    };
    for (fault, expected) in [
        (fault(|fault, _| fault.old_columns = true), vec![]),
        (fault(|fault, number| fault.failed_refund = Some(number)), vec![]),
        // Money that went back without us.
        (
            fault(|fault, number| fault.revoked = Some(number)),
            vec![("channel-only".to_owned(), Fen(-5_000), "unbooked".to_owned())],
        ),
    ] {
        shop.statement_faults(fault);
        assert!(matches!(shop.fetches(Tender::WechatPay, day).await, FetchOutcome::Compared(..)));
        assert_eq!(shop.classes(Tender::WechatPay, day).await, expected);
    }
});

both!(an_unknown_row_is_named_and_keeps_the_day_open, |w: World| async move {
    let shop = Shop::open(w).await;
    let day = shop.today();
    shop.pays(Tender::WechatPay, 5_000).await;
    shop.next_day(11);
    shop.statement_faults(StatementFaults { unknown_state: true, ..StatementFaults::default() });
    assert_eq!(shop.fetches(Tender::WechatPay, day).await, FetchOutcome::Failed);
    let row = shop.day(Tender::WechatPay, day).await;
    assert_eq!((row.problem, row.problem_row), (Some(StatementProblem::Field), Some(2)));
    assert_eq!(row.problem_column.as_deref(), Some("state"));
    let web = pages::web(&shop).await;
    let person = web.person(&shop.world, model::person::Role::Manager, "treasurer").await;
    let text = person.get(&format!("/reconcile/wechat/{day}")).await.text().await.unwrap();
    assert!(text.contains("第 2 行“交易状态”栏") && text.contains("升级本系统"), "{text}");
    let treasurer = shop.treasurer().await;
    let now = domain::clock::Clock::now(&*shop.world.clock);
    let closed = reconciliation::close(&shop.world.db, now, &treasurer, Tender::WechatPay, day, "all right").await;
    assert!(matches!(closed, Err(store::StoreError::Refused(model::error::AppError::NotFound))), "{closed:?}");
});

both!(no_statement_before_the_channels_hour_proves_nothing, |w: World| async move {
    let shop = Shop::open(w).await;
    let day = shop.today();
    for channel in CHANNELS {
        shop.pays(channel, 5_000).await;
    }
    shop.next_day(2);
    shop.statement_faults(StatementFaults { reports_empty: true, ..StatementFaults::default() });
    for _ in 0..4 {
        for channel in CHANNELS {
            assert_eq!(shop.fetches(channel, day).await, FetchOutcome::NotYet);
            let row = shop.day(channel, day).await;
            assert_eq!((row.problem, row.compared_at), (Some(StatementProblem::NotReady), None));
        }
        shop.wait(HOUR);
    }
    let remembered = "SELECT COUNT(*) FROM settlement_days WHERE empty_since IS NOT NULL";
    assert_eq!(shop.world.number(remembered).await, 0, "nor does it count as said once");
});

both!(a_refund_known_only_from_a_statement_is_booked, |w: World| async move {
    let shop = Shop::under(w, story_support::refunding::BY_HAND).await;
    let (treasurer, db) = (shop.treasurer().await, shop.world.db.clone());
    let now = || domain::clock::Clock::now(&*shop.world.clock);
    for channel in [Tender::Alipay, Tender::WechatPay, Tender::UnionPay] {
        let day = shop.today();
        let (order, number) = shop.pays(channel, 5_000).await;
        shop.wait(MINUTE);
        shop.sandbox.set_faults(Faults { mute: true, ..Faults::default() });
        assert!(shop.sandbox.refund(&number, "CONSOLE1", Fen(2_000)));
        shop.statement_faults(StatementFaults::default());
        shop.next_day(11);
        shop.fetches(channel, day).await;
        let unbooked = vec![("channel-only".to_owned(), Fen(-2_000), "unbooked".to_owned())];
        assert_eq!(shop.money(channel, day).await, unbooked, "{channel:?}");
        let row = shop
            .listed(channel, day)
            .await
            .into_iter()
            .find(|row| row.class == model::reconciliation::DifferenceClass::ChannelOnly)
            .unwrap();
        assert!(row.order_number.is_some(), "its order is found");
        let case = row.case_id.unwrap();
        // Closed by a text alone, the day still cannot be closed, whatever the reason.
        let closed = reconciliation::close(&db, now(), &treasurer, channel, day, "known").await;
        assert_eq!(story_support::refunding::refused(closed), model::error::AppError::RefundsUnbooked);
        let (rng, at) = (&shop.world.rng, now());
        let both = futures::future::join_all((0..2).map(|_| reconciliation::book_refund(&db, rng, at, &treasurer, case))).await;
        assert_eq!(both.iter().filter(|one| one.is_ok()).count(), 1, "{both:?}");
        reconciliation::compare(&db, rng, at, channel, day, None).await.unwrap();
        assert_eq!(shop.money(channel, day).await, [("edge".to_owned(), Fen(-2_000), "other-day".to_owned())]);
        // The same settlement as for one that was notified: here it is lost.
        let elsewhere = "SELECT COUNT(*) FROM cases WHERE kind = 'refund-elsewhere' AND closed_at IS NULL";
        assert_eq!(shop.world.number(elsewhere).await, 1);
        let boss = model::person::Who { user: colleague(&shop, channel).await, ..treasurer.clone() };
        shop.world.by_two(&treasurer, &boss, &model::approval::Decision::WriteOff { order }).await.unwrap();
        assert_eq!(shop.world.number(elsewhere).await, 0);
        // The notification comes after all: it is known.
        let acknowledged = shop.trade(&number).acknowledged;
        if channel != Tender::UnionPay {
            assert!(shop.sandbox.notify(&number));
            shop.until(&number, |trade| trade.acknowledged > acknowledged).await;
        }
        assert_eq!(credit_balance(&db, &Account::Suspense).await.unwrap(), Money::ZERO, "{channel:?}");
        reconciliation::close(&db, now(), &treasurer, channel, day, "").await.unwrap();
        shop.proved().await;
    }
});

/// Somebody who may write off, for each channel another one.
async fn colleague(shop: &Shop, channel: Tender) -> model::ids::UserId {
    let (db, rng, now) = (&shop.world.db, &shop.world.rng, domain::clock::Clock::now(&*shop.world.clock));
    let login = format!("boss-{}", channel.as_str());
    let user = store::users::NewUser {
        role: model::person::Role::Admin,
        login: &login,
        name: &login,
        password_hash: "x",
        buildings: &Scope::All,
    };
    store::users::create(db, rng, now, &user, "test").await.unwrap()
}
