//! Sales: idempotent, limited, and listed; on both databases.

use domain::clock::Clock;
use domain::ledger::Account;
use domain::order::Limits;
use model::account_record::AccountRecordOf;
use model::console::{ReceiptNumber, ReceiptSeries, RecordKind, RecordQuery, RecordStatus};
use model::error::AppError;
use model::ids::UserId;
use model::money::{Fen, Money};
use model::order::{CommandState, OrderState, Tender};
use queries::RecordFilter;
use store::order_lists;
use store::orders::{self, NewOrder};
use store::{StoreError, ledger};
use story_support::rooms::Room;
use story_support::{World, both};

fn sale(w: &World, room: Room, fen: i64) -> NewOrder {
    NewOrder {
        key: w.rng.id(w.clock.now()),
        account: room.account,
        meter: room.meter,
        tender: Tender::Cash,
        amount: Fen(fen),
        by: room.resident,
        ip: "127.0.0.1".into(),
    }
}

async fn sell(w: &World, new: &NewOrder) -> Result<orders::Order, StoreError> {
    orders::sell(&w.db, &w.rng, w.clock.now(), &Limits::default(), new).await
}

both!(a_cash_sale_is_one_transaction_and_happens_once, |w: World| async move {
    let room = w.room(1).await;
    let new = sale(&w, room, 5_000);
    let doubled = futures::future::join_all((0..8).map(|_| sell(&w, &new))).await;
    let first = doubled[0].as_ref().unwrap().clone();
    for order in doubled {
        assert_eq!(order.unwrap().number, first.number);
    }
    assert_eq!(w.number("SELECT COUNT(*) FROM orders").await, 1);
    assert_eq!(w.number("SELECT COUNT(*) FROM commands WHERE kind = 'credit' AND state = 'queued'").await, 1);
    let args: serde_json::Value = serde_json::from_str(&w.word("SELECT args FROM commands").await).unwrap();
    assert_eq!(args, serde_json::json!({ "money": { "credit": { "order": first.number, "amount": 5_000 } } }));
    assert_eq!(ledger::credit_balance(&w.db, &Account::Paid(room.account)).await.unwrap(), Money(500_000));
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'sale.create'").await, 1);
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);

    let other = NewOrder { amount: Fen(6_000), ..new };
    assert!(matches!(sell(&w, &other).await, Err(StoreError::Refused(AppError::Conflict))));
});

both!(a_refused_sale_changes_nothing, |w: World| async move {
    let room = w.room(1).await;
    let stranger = w.room(2).await;
    let refused = |result: Result<orders::Order, StoreError>| match result {
        Err(StoreError::Refused(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(sell(&w, &sale(&w, room, 99)).await), AppError::AmountOutOfRange);
    assert_eq!(refused(sell(&w, &sale(&w, room, 200_001)).await), AppError::AmountOutOfRange);
    let mixed = NewOrder { meter: stranger.meter, ..sale(&w, room, 5_000) };
    assert_eq!(refused(sell(&w, &mixed).await), AppError::AccountNotOpen);
    let online = NewOrder { tender: Tender::Alipay, ..sale(&w, room, 5_000) };
    assert_eq!(refused(sell(&w, &online).await), AppError::Invalid, "nobody has the money in hand");
    assert_eq!(w.number("SELECT COUNT(*) FROM orders").await, 0);

    // 5000 yuan may be held; what is paid and not delivered counts, and eight at once do not slip below the limit together.
    let sales: Vec<_> = (0..8).map(|_| sale(&w, room, 200_000)).collect();
    let results = futures::future::join_all(sales.iter().map(|new| sell(&w, new))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 2);
    for result in results.into_iter().filter(Result::is_err) {
        assert_eq!(refused(result), AppError::HoardingLimit);
    }
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
});

both!(the_order_list_filters_pages_and_totals, |w: World| async move {
    let (one, two) = (w.room(1).await, w.room(2).await);
    let operator = w.clerk().await;
    let mut numbers = Vec::new();
    for n in 0..5 {
        w.clock.advance(1_000);
        numbers.push(sell(&w, &sale(&w, if n == 0 { two } else { one }, 1_000 * (n + 1))).await.unwrap().number);
    }
    let unpaid = NewOrder { tender: Tender::Alipay, ..sale(&w, one, 9_900) };
    let unpaid = orders::create(&w.db, &w.rng, w.clock.now(), &Limits::default(), &unpaid).await.unwrap();
    assert_eq!(unpaid.state, OrderState::Pending);

    let search = |query: RecordQuery, limit, offset| {
        let db = w.db.clone();
        async move {
            let filter = RecordFilter::new(operator, &query);
            let lines = queries::records(&db, &filter, None, limit, offset).await.unwrap();
            (lines, queries::record_totals(&db, &filter).await.unwrap())
        }
    };
    let sales = RecordQuery { kind: Some(RecordKind::Sale), ..RecordQuery::default() };
    let (page, totals) = search(sales.clone(), 2, 1).await;
    assert_eq!(page.iter().map(|line| line.number).collect::<Vec<_>>(), [numbers[4], numbers[3]]);
    assert_eq!((totals.lines, totals.taken, totals.given), (6, Fen(15_000), Fen(0)));
    let (found, totals) = search(RecordQuery { text: numbers[2].to_string(), ..sales.clone() }, 10, 0).await;
    assert_eq!((found.len(), totals.taken), (1, Fen(3_000)));
    let (found, _) = search(RecordQuery { text: "2611230000000002".into(), ..RecordQuery::default() }, 10, 0).await;
    assert_eq!(found.iter().map(|line| line.number).collect::<Vec<_>>(), [numbers[0]]);
    let serial = w.word("SELECT serial FROM meters WHERE id = (SELECT meter_id FROM orders LIMIT 1)").await;
    assert!(!search(RecordQuery { text: serial, ..RecordQuery::default() }, 10, 0).await.0.is_empty(), "by the meter");
    let (found, _) = search(RecordQuery { text: "%".into(), ..RecordQuery::default() }, 10, 0).await;
    assert!(found.is_empty(), "a sign of the pattern language is only a sign");
    let (found, _) = search(RecordQuery { status: Some(RecordStatus::Pending), ..sales.clone() }, 10, 0).await;
    assert_eq!(found.len(), 1);
    let today = w.clock.now().date();
    let (found, _) = search(RecordQuery { from: Some(today), until: Some(today), ..sales.clone() }, 10, 0).await;
    assert_eq!(found.len(), 6);
    let (found, _) = search(RecordQuery { from: Some(today.plus(1)), ..sales.clone() }, 10, 0).await;
    assert!(found.is_empty());
    let (found, _) = search(RecordQuery { by: "resident1".into(), ..RecordQuery::default() }, 10, 0).await;
    assert_eq!(found.len(), 5, "another's shift is not shown");
    let receipt = Some(ReceiptNumber { series: ReceiptSeries::CashDesk, year: today.ymd().0, number: 2 });
    let (found, _) = search(RecordQuery { receipt, ..RecordQuery::default() }, 10, 0).await;
    assert_eq!(found.iter().map(|line| line.number).collect::<Vec<_>>(), [numbers[1]]);

    let own = queries::money_records(&w.db, two.account, 10).await.unwrap();
    let order = own.iter().find_map(|record| match &record.of {
        AccountRecordOf::Order(order) => Some(order.order),
        _ => None,
    });
    let progress = order_lists::progress(&w.db, order.unwrap()).await.unwrap().unwrap();
    assert_eq!((progress.order.number, progress.command_state), (numbers[0], Some(CommandState::Queued)));

    // An operator bound to one room's building sees that only.
    w.execute(
        "INSERT INTO operator_buildings (user_id, place_id)
               SELECT u.id, a.place_id FROM users u, accounts a WHERE u.role = 'cashier' AND a.number = '2611230000000002'",
    )
    .await;
    w.execute("UPDATE users SET all_buildings = FALSE").await;
    let (found, totals) = search(RecordQuery::default(), 10, 0).await;
    assert_eq!((found.len(), totals.lines, totals.taken), (1, 1, Fen(1_000)));
});

both!(orders_of_others_do_not_keep_a_room_from_paying, |w: World| async move {
    let (mine, one, other) = (w.room(1).await, w.room(2).await, w.room(3).await);
    let limits = Limits { max_pending: 4, ..Limits::default() };
    let order = async |by: UserId| {
        let new = NewOrder { tender: Tender::Alipay, by, ..sale(&w, mine, 1_000) };
        orders::create(&w.db, &w.rng, w.clock.now(), &limits, &new).await.map(drop).map_err(AppError::from)
    };
    // Together more than one person may make within an hour.
    for by in [one.resident, other.resident, one.resident, other.resident] {
        assert_eq!(order(by).await, Ok(()));
    }
    assert_eq!(order(one.resident).await, Err(AppError::TooManyPending));
    for _ in 0..4 {
        assert_eq!(order(mine.resident).await, Ok(()));
    }
    assert_eq!(order(mine.resident).await, Err(AppError::TooManyPending));
});
