//! Statements are untrusted: an invalid one is not imported, and the settlement day shows the reason.

use super::*;
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
