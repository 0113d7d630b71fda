//! What is specific to UnionPay; `channels.rs` has what every channel must hold.

use domain::clock::Clock;
use domain::payment_event::EventKind;
use domain::refund::ChannelRefund;
use domain::statement::LineKind;
use model::money::{Fen, Money};
use model::order::Tender;
use model::time::{DAY, HOUR, MINUTE, SECOND};
use payments::channel::{Notification, RefundResponse};
use payments::statement::StatementResponse;
use payments::{Cashier, form};
use sandbox::{Faults, StatementFaults};
use story_support::shop::{Counts, DESK, PHONE, Shop};
use story_support::{World, both};

both!(the_payer_posts_a_form_pays_and_is_redirected_back, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, cashier) = shop.paying_by(Tender::UnionPay, 5_000, &PHONE).await;
    let Cashier::Form(mut payment) = cashier.clone() else { panic!("{cashier:?}") };
    assert!(shop.payments.form_origins().iter().any(|origin| payment.action.starts_with(origin)));
    let answer = shop.http.post(&payment.action).form(&payment.fields).send().await.unwrap();
    let page = format!("http://{}{}", shop.sandbox.address(), answer.headers()["location"].to_str().unwrap());
    let shown = shop.http.get(&page).send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("50.00") && shown.contains("宿舍电费充值"), "{shown}");
    // Posted again it is the same trade; asked for again it is the same form.
    shop.arrive(&cashier).await;
    assert_eq!(shop.payments.reopen_cashier(order, &PHONE).await.unwrap(), Some(cashier.clone()));
    assert_eq!(shop.sandbox.books().len(), 1);
    let back = shop.http.post(format!("{page}/pay")).send().await.unwrap();
    assert_eq!(back.status(), 307, "the payer comes back by a post");
    let back = back.headers()["location"].to_str().unwrap().to_owned();
    let home = shop.http.post(&back).form(&[("respCode", "00")]).send().await.unwrap();
    let number = shop.number(order).await;
    let link = format!("/pay/return?out_trade_no={number}");
    assert_eq!((home.status().as_u16(), home.headers()["location"].to_str().unwrap()), (303, &*link));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.state(order).await, "paid");
    assert_eq!(shop.proved().await, Counts::ONCE);
    // A changed digit is rejected.
    for (name, value) in &mut payment.fields {
        if name == "txnAmt" {
            *value = "1".into();
        }
    }
    let refused = shop.http.post(&payment.action).form(&payment.fields).send().await.unwrap();
    assert!(refused.text().await.unwrap().contains("验证签名失败"));
});

both!(a_desktop_browser_pays_by_the_same_form, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, cashier) = shop.paying_by(Tender::UnionPay, 5_000, &DESK).await;
    shop.arrive(&cashier).await;
    let number = shop.number(order).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.proved().await, Counts::ONCE);
});

both!(a_signed_message_of_another_type_changes_nothing, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.reach(Tender::UnionPay, 5_000).await;
    shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
    assert!(shop.sandbox.pay(&number));
    let notice = |changes: &[(&str, &str)]| shop.sandbox.unionpay_notification(&number, changes).unwrap();
    for change in [
        ("version", "5.0.0"),
        ("signMethod", "11"),
        ("signMethod", "12"),
        ("signPubKeyCert", "AAAA"),
        ("signPubKeyCert", &shop.sandbox.keys().certificate),
        ("txnAmt", "-5000"),
        ("txnAmt", "50.00"),
        ("orderId", ""),
        ("queryId", ""),
        ("merId", ""),
    ] {
        let answer = shop.post_notify_to("unionpay", notice(&[change])).await;
        assert_eq!(answer, (400, "refused".into()), "{change:?}");
    }
    // Correctly signed but irrelevant: acknowledged and ignored.
    for quiet in [("respCode", "05"), ("respCode", "61"), ("txnType", "02")] {
        assert_eq!(shop.post_notify_to("unionpay", notice(&[quiet])).await, (200, "ok".into()), "{quiet:?}");
    }
    // The certificate's lines must end as they were signed.
    let changed = notice(&[]).replace("%0D%0A", "%0A");
    assert_eq!(shop.post_notify_to("unionpay", changed).await.0, 400);
    assert_eq!((shop.state(order).await.as_str(), shop.proved().await), ("pending", Counts::NONE));
    // The notification itself, and its repetitions.
    for _ in 0..3 {
        assert_eq!(shop.post_notify_to("unionpay", notice(&[])).await, (200, "ok".into()));
        shop.wait(SECOND);
    }
    assert_eq!(shop.proved().await, Counts::ONCE);
});

both!(a_success_code_with_a_restriction_is_a_success, |w: World| async move {
    let shop = Shop::open(w).await;
    shop.sandbox.set_faults(Faults { code: Some("A6".into()), ..Faults::default() });
    let (told, number) = shop.reach(Tender::UnionPay, 5_000).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    shop.wait(SECOND);
    shop.sandbox.set_faults(Faults { code: Some("A6".into()), lose: true, ..Faults::default() });
    let (asked, number) = shop.reach(Tender::UnionPay, 5_000).await;
    assert!(shop.sandbox.pay(&number));
    shop.wait(11 * SECOND);
    shop.query().await.unwrap();
    assert_eq!((shop.state(told).await, shop.state(asked).await), ("paid".into(), "paid".into()));
    assert_eq!(shop.proved().await, Counts { credits: 2, payments: 2, events: 2, ..Counts::NONE });
});

both!(a_repeated_unknown_answer_changes_nothing, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.reach(Tender::UnionPay, 5_000).await;
    shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
    assert!(shop.sandbox.pay(&number));
    for code in ["03", "04", "05", "zzz"] {
        shop.sandbox.set_faults(Faults { code: Some(code.into()), lose: true, ..Faults::default() });
        for _ in 0..10 {
            shop.wait(MINUTE);
            shop.query().await.unwrap();
        }
        assert_ne!(shop.state(order).await, "paid", "{code}");
        assert_ne!(shop.state(order).await, "closed", "{code}");
    }
    shop.sandbox.set_faults(Faults::default());
    for _ in 0..65 {
        shop.wait(MINUTE);
        shop.query().await.unwrap();
    }
    assert_eq!(shop.state(order).await, "paid");
    assert_eq!(shop.proved().await, Counts::ONCE);
});

both!(a_failed_trade_can_be_paid_again_until_it_expires, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.reach(Tender::UnionPay, 5_000).await;
    shop.sandbox.set_faults(Faults { code: Some("61".into()), lose: true, ..Faults::default() });
    assert!(shop.sandbox.pay(&number));
    for _ in 0..14 {
        shop.wait(MINUTE);
        shop.query().await.unwrap();
        assert_eq!(shop.state(order).await, "pending");
    }
    for _ in 0..10 {
        shop.wait(MINUTE);
        shop.query().await.unwrap();
    }
    assert_eq!(shop.state(order).await, "closed");
    // A late success still counts.
    shop.sandbox.set_faults(Faults::default());
    assert!(shop.sandbox.notify(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.state(order).await, "paid");
    let counts = shop.proved().await;
    assert_eq!((counts.credits, counts.payments, counts.cases), (1, 1, 0));
});

both!(a_refund_under_one_number_pays_once, |w: World| async move {
    let shop = Shop::open(w).await;
    let (_, number) = shop.reach(Tender::UnionPay, 5_000).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    let channel = shop.payments.channel(Tender::UnionPay).unwrap();
    let refund = ChannelRefund {
        number: format!("{number}R1"),
        out_trade_no: number.clone(),
        trade_no: shop.trade(&number).trade_no,
        amount: Fen(2_000),
        paid: Fen(5_000),
        requested_at: shop.world.clock.now(),
    };
    shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
    assert!(matches!(channel.query_refund(&refund).await.unwrap(), RefundResponse::Absent));
    // Its answer is lost; repeated under the same number, it refunds nothing more.
    shop.sandbox.set_faults(Faults { lose: true, silent_on: vec!["refund".into()], ..Faults::default() });
    assert!(channel.refund(&refund).await.is_err());
    shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
    for _ in 0..2 {
        assert!(matches!(channel.refund(&refund).await.unwrap(), RefundResponse::Processing));
    }
    assert_eq!(shop.trade(&number).refunded(), Fen(2_000));
    for (code, open) in [("05", true), ("98", false)] {
        shop.sandbox.set_faults(Faults { lose: true, code: Some(code.into()), ..Faults::default() });
        let answer = channel.query_refund(&refund).await.unwrap();
        assert!(if open { matches!(answer, RefundResponse::Processing) } else { matches!(answer, RefundResponse::Unknown(_)) });
    }
    shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
    let RefundResponse::Event(event) = channel.query_refund(&refund).await.unwrap() else { panic!("no end") };
    assert_eq!(
        (event.kind(), event.refund_no(), event.amount()),
        (EventKind::RefundSucceeded, Some(&*refund.number), Fen(2_000))
    );
    let more = ChannelRefund { number: format!("{number}R2"), amount: Fen(3_001), ..refund.clone() };
    let RefundResponse::Event(event) = channel.refund(&more).await.unwrap() else { panic!("no end") };
    assert_eq!(event.kind(), EventKind::RefundFailed, "more than was paid");
    let other = ChannelRefund { trade_no: "950".into(), number: format!("{number}R3"), ..refund.clone() };
    let RefundResponse::Event(event) = channel.refund(&other).await.unwrap() else { panic!("no end") };
    assert_eq!(event.kind(), EventKind::RefundFailed, "a trade that is none");
    assert_eq!(shop.trade(&number).refunded(), Fen(2_000));
    // The notification of it names the trade by what we had it carry.
    let body = shop.sandbox.unionpay_notification(&number, &[]).unwrap();
    let Notification::Event(event) = channel.parse_notification(&Default::default(), body.as_bytes()).unwrap() else {
        panic!("nothing")
    };
    assert_eq!(
        (event.kind(), event.out_trade_no(), event.refund_no()),
        (EventKind::RefundSucceeded, &*number, Some(&*refund.number))
    );
});

both!(a_forged_certificate_chain_is_rejected, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.reach(Tender::UnionPay, 5_000).await;
    // Correctly signed with a self-made certificate that names UnionPay: the signature alone is not enough.
    shop.sandbox.set_faults(Faults { falsify: true, ..Faults::default() });
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.notified == 5).await;
    assert_eq!(shop.trade(&number).acknowledged, 0);
    shop.wait(11 * SECOND);
    assert_eq!(shop.query().await.unwrap_err(), "none of 1 queries was answered", "its answers are not believed either");
    assert_eq!((shop.state(order).await.as_str(), shop.proved().await), ("pending", Counts::NONE));
    let genuine = shop.sandbox.unionpay_notification(&number, &[]).unwrap();
    let fields = form::parse(genuine.as_bytes()).unwrap();
    assert!(fields["signPubKeyCert"].contains("\r\n"), "as UnionPay sends it");
});

both!(a_statement_is_accepted_or_rejected_as_a_whole, |w: World| async move {
    let shop = Shop::open(w).await;
    let (_, number) = shop.reach(Tender::UnionPay, 5_000).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    let channel = shop.payments.channel(Tender::UnionPay).unwrap();
    let refund = ChannelRefund {
        number: format!("{number}R1"),
        out_trade_no: number.clone(),
        trade_no: shop.trade(&number).trade_no,
        amount: Fen(2_000),
        paid: Fen(5_000),
        requested_at: shop.world.clock.now(),
    };
    channel.refund(&refund).await.unwrap();
    // The settlement day in which it happened: until 23:00.
    let day = shop.world.clock.now().plus(HOUR).date();
    let fault = |statement| shop.sandbox.set_faults(Faults { statement, ..Faults::default() });
    assert_eq!(channel.statement(day).await.unwrap(), StatementResponse::NotYet, "the day is not over");
    shop.wait(DAY);
    let StatementResponse::Ready(bill) = channel.statement(day).await.unwrap() else { panic!("not ready") };
    let [paid, returned] = bill.lines.as_slice() else { panic!("{bill:?}") };
    assert_eq!((bill.day, bill.window.0, bill.digest.len()), (day, day.start().plus(-HOUR), 32));
    assert_eq!((paid.kind, paid.out_trade_no.as_str(), paid.amount), (LineKind::Paid, number.as_str(), Fen(5_000)));
    assert_eq!((returned.kind, returned.refund_no.as_deref()), (LineKind::Refunded, Some(&*refund.number)));
    assert_eq!((returned.out_trade_no.as_str(), returned.trade_no.as_str()), (number.as_str(), paid.trade_no.as_str()));
    assert!(paid.fee > returned.fee && returned.fee < model::money::Money(0));

    fault(StatementFaults { reports_empty: true, ..StatementFaults::default() });
    let StatementResponse::Ready(empty) = channel.statement(day).await.unwrap() else { panic!("not ready") };
    assert_eq!((empty.lines.len(), empty.window), (0, bill.window));
    for (wrong, said) in [
        (StatementFaults { bomb: true, ..StatementFaults::default() }, "exceeds the size limit"),
        (StatementFaults { wrong_hash: true, ..StatementFaults::default() }, "not a valid archive"),
        (StatementFaults { wrong_merchant: true, ..StatementFaults::default() }, "another merchant"),
        (StatementFaults { wrong_sum: true, ..StatementFaults::default() }, "does not add up"),
        (StatementFaults { duplicated: Some(number.clone()), ..StatementFaults::default() }, "twice"),
    ] {
        fault(wrong);
        let refused = channel.statement(day).await.unwrap_err().to_string();
        assert!(refused.contains(said), "{refused}");
    }
    shop.sandbox.set_faults(Faults { falsify: true, ..Faults::default() });
    assert!(channel.statement(day).await.unwrap_err().to_string().contains("signature"), "a forged answer is no bill");
});

both!(a_settlement_day_ending_at_23_00_reconciles, |w: World| async move {
    let shop = Shop::open(w).await;
    shop.next_day(22);
    let day = shop.today();
    shop.pays(Tender::UnionPay, 5_000).await;
    // 23:30: the next settlement day.
    shop.wait(90 * MINUTE);
    shop.pays(Tender::UnionPay, 7_000).await;
    assert_eq!(shop.today(), day, "by the calendar it is the same");
    for (day, fen, fee_e4) in [(day, 5_000, 3_000), (day.plus(1), 7_000, 4_200)] {
        shop.next_day(11);
        assert!(shop.reconciles().await.unwrap().starts_with("fetched 1,"), "{day}");
        let row = shop.day(Tender::UnionPay, day).await;
        assert_eq!((row.statement, row.ledger, row.fees, row.equal_lines), (Fen(fen), Fen(fen), Money(fee_e4), 1), "{day}");
        assert_eq!(shop.money(Tender::UnionPay, day).await, []);
    }
});
