//! The cash desk pages over HTTP: a return with approval, the sales journal and its file, the receipt; on both databases.

use model::person::Role;
use story_support::web::{Web, location};
use story_support::{World, both};

async fn text(answer: reqwest::Response) -> String {
    assert_eq!(answer.status(), 200, "{}", answer.url());
    answer.text().await.unwrap()
}

both!(the_sales_journal_is_a_page_and_a_file, |w: World| async move {
    let room = w.room(1).await;
    w.shows(room.meter, 0, 0, 90_000).await;
    let web = Web::start(&w).await;
    let (clerk, boss) = (web.person(&w, Role::Manager, "clerk").await, web.person(&w, Role::Admin, "boss").await);
    w.execute("UPDATE users SET name = '=HYPERLINK(1)' WHERE login = 'clerk'").await;
    for _ in 0..3 {
        let key = w.rng.id(model::time::Timestamp(1));
        let sold = clerk.post("/api/operator/sell", &format!("meter={}&amount=50&tender=cash&key={key}", room.meter)).await;
        assert_eq!(location(&sold), format!("/rooms/{}", room.meter));
    }
    let key = w.rng.id(model::time::Timestamp(1));
    let form = format!("meter={}&amount=300.00&tender=cash&reason=%E9%80%80%E5%AE%BF&key={key}", room.meter);
    let asked = clerk.post("/api/operator/return", &form).await;
    let page = location(&asked).to_owned();
    assert!(page.starts_with("/returns/"), "{page}");
    assert!(text(clerk.get(&page).await).await.contains("待复核"));
    let id = page.trim_start_matches("/returns/");
    let refused = clerk.post("/api/operator/approve-return", &format!("id={id}")).await;
    assert!(location(&refused).ends_with("?e=second-person"), "{}", location(&refused));
    assert!(text(boss.get("/approvals").await).await.contains("退宿"));
    boss.post("/api/operator/approve-return", &format!("id={id}")).await;
    assert_eq!(w.word("SELECT state FROM returns").await, "taking");
    assert_eq!(w.number("SELECT COUNT(*) FROM commands WHERE kind = 'debit'").await, 1);

    let register = text(boss.get("/sales?kind=sale&tender=cash").await).await;
    assert!(register.contains("150.00"), "the totals of the filter stand at its foot");
    let file = boss.get("/register.csv?kind=sale").await;
    assert_eq!(file.headers()["content-type"], "text/csv; charset=utf-8");
    let file = text(file).await;
    assert_eq!(file.lines().count(), 4, "{file}");
    assert!(file.contains(",'=HYPERLINK(1),"), "what a spreadsheet would compute is text: {file}");
    let all = text(boss.get("/register.csv").await).await;
    assert!(all.lines().any(|line| line.contains("退电") && line.contains("扣减中")), "{all}");

    let year = model::time::Timestamp(w.number("SELECT MAX(issued_at) FROM receipts").await).date().ymd().0;
    let found = clerk.get(&format!("/search?q={year}-000001")).await;
    assert_eq!(location(&found), format!("/receipts/{year}-000001"), "the search knows receipts");
    let receipt = text(clerk.get(&format!("/receipts/{year}-000001")).await).await;
    assert!(receipt.contains("伍拾元整") && receipt.contains("副本"), "nothing was printed yet");
    for (print, copy) in [(1, false), (2, true)] {
        let printed = clerk.post("/api/operator/print-receipt", &format!("number={year}-000001")).await;
        let shown = text(clerk.get(location(&printed)).await).await;
        let (_, sheet) = shown.split_once("class=\"receipt-sheets\"").unwrap();
        assert_eq!(sheet.contains("副本"), copy, "print {print}");
    }
    // Operators of other buildings see none of it.
    w.execute("INSERT INTO places (id, kind, name, sort) SELECT id, 'building', 'elsewhere', 9 FROM users WHERE login = 'boss'")
        .await;
    w.execute(
        "INSERT INTO operator_buildings (user_id, place_id) SELECT u.id, b.id FROM users u, users b \
         WHERE b.login = 'boss' AND u.login = 'clerk'",
    )
    .await;
    w.limit("clerk").await;
    assert_eq!(clerk.get(&format!("/receipts/{year}-000001")).await.status(), 404);
    assert_eq!(clerk.get(&page).await.status(), 404);
    assert_eq!(text(clerk.get("/register.csv?kind=sale").await).await.lines().count(), 1);
});

both!(an_order_has_a_page_that_its_number_finds, |w: World| async move {
    let room = w.room(1).await;
    w.shows(room.meter, 0, 0, 90_000).await;
    let web = Web::start(&w).await;
    let clerk = web.person(&w, Role::Cashier, "clerk").await;
    let elsewhere = web.person(&w, Role::Cashier, "elsewhere").await;
    let reader = web.person(&w, Role::Technician, "reader").await;
    w.limit("elsewhere").await;
    let key = w.rng.id(model::time::Timestamp(1));
    clerk.post("/api/operator/sell", &format!("meter={}&amount=50&tender=cash&key={key}", room.meter)).await;
    let number = w.number("SELECT number FROM orders").await;
    let found = clerk.get(&format!("/search?q={number}")).await;
    let page = location(&found).to_owned();
    assert!(page.starts_with("/sales/"), "{page}");
    let shown = text(clerk.get(&page).await).await;
    let receipt = w.number("SELECT number FROM receipts").await;
    for word in [number.to_string(), "50.00".into(), "现金".into(), "clerk".into(), format!("{receipt:06}")] {
        assert!(shown.contains(&word), "{word}: {shown}");
    }
    assert_eq!(elsewhere.get(&page).await.status(), 404, "of another building");
    assert_eq!(text(elsewhere.get(&format!("/search?q={number}")).await).await.matches("/sales/").count(), 0);
    // Who may not open it is not led there.
    assert_eq!(reader.get(&page).await.status(), 403);
    assert!(text(reader.get(&format!("/search?q={number}")).await).await.contains(&number.to_string()));
    assert!(text(clerk.get(&format!("/rooms/{}", room.meter)).await).await.contains(&page), "the room leads there");
    assert!(text(clerk.get("/sales").await).await.contains("/sales/"));
    assert_eq!(clerk.get("/sales/nothing").await.status(), 404);
});

both!(a_confirmation_knows_what_others_did, |w: World| async move {
    let room = w.room(1).await;
    w.shows(room.meter, 0, 0, 90_000).await;
    let web = Web::start(&w).await;
    let (one, two) = (web.person(&w, Role::Manager, "one").await, web.person(&w, Role::Manager, "two").await);
    let confirm = format!("/rooms/{}?do=sale&amount=20&tender=cash", room.meter);
    assert!(text(two.get(&confirm).await).await.contains("920.00"));
    let sell = |key| format!("meter={}&amount=50&tender=cash&key={key}", room.meter);
    one.post("/api/operator/sell", &sell(w.rng.id(model::time::Timestamp(1)))).await;
    let shown = text(two.get(&confirm).await).await;
    assert!(shown.contains("970.00") && shown.contains("电表尚未反映"), "what is paid and not in the meter counts: {shown}");
    let key = w.rng.id(model::time::Timestamp(1));
    let form = format!("meter={}&amount=300.00&tender=cash&reason=x&key={key}", room.meter);
    let asked = one.post("/api/operator/return", &form).await;
    let request = location(&asked).to_owned();
    assert!(request.starts_with("/returns/"), "{request}");
    let again = format!("/rooms/{}?do=return&amount=300&tender=cash&reason=x", room.meter);
    for page in [format!("/rooms/{}", room.meter), confirm, again] {
        let shown = text(two.get(&page).await).await;
        assert!(shown.contains("待复核：退电 300.00 元，由 one 提出") && shown.contains(&request), "{page}: {shown}");
    }
    one.post("/api/operator/cancel-return", &format!("id={}", request.trim_start_matches("/returns/"))).await;
    assert!(!text(two.get(&format!("/rooms/{}", room.meter)).await).await.contains("待复核"));
});

both!(a_confirmation_promises_only_what_is_kept, |w: World| async move {
    let room = w.room(1).await;
    w.shows(room.meter, 0, 0, 490_000).await;
    let written = "SELECT (SELECT COUNT(*) FROM orders) + (SELECT COUNT(*) FROM returns)
        + (SELECT COUNT(*) FROM commands WHERE money)";
    let before = w.number(written).await;
    let web = Web::start(&w).await;
    let head = web.person(&w, Role::Manager, "head").await;
    let asked = async |what: &str| head.get(&format!("/rooms/{}?do={what}&tender=cash", room.meter)).await;
    for (what, why) in [
        ("sale&amount=2000.01", "amount-out-of-range"),
        ("sale&amount=0.50", "amount-out-of-range"),
        ("sale&amount=100.01", "hoarding-limit"),
        ("return&reason=x&amount=4900.01", "exceeds-remaining"),
    ] {
        let answer = asked(what).await;
        let back = location(&answer).to_owned();
        assert!(back.contains(&format!("e={why}")) && back.contains("again=") && back.contains("field=amount"), "{what}: {back}");
        let form = text(head.get(&back).await).await;
        assert!(form.contains("aria-invalid") && !form.contains("class=\"card confirm\""), "{what}: {form}");
        assert!(form.contains("单笔 1 至 2000 元"), "{form}");
    }
    for what in ["sale&amount=100", "return&reason=x&amount=4900"] {
        assert!(text(asked(what).await).await.contains("class=\"card confirm\""), "{what}");
    }
    assert_eq!(w.number(written).await, before, "a question changes nothing");
});

both!(a_form_that_was_confirmed_says_so_and_does_nothing_again, |w: World| async move {
    let room = w.room(1).await;
    w.shows(room.meter, 0, 0, 90_000).await;
    let web = Web::start(&w).await;
    let head = web.person(&w, Role::Manager, "head").await;
    let said = "之前已经办过，没有重复办理";
    let key = w.rng.id(model::time::Timestamp(1));
    let sale = format!("meter={}&amount=50&tender=cash&key={key}", room.meter);
    assert!(!location(&head.post("/api/operator/sell", &sale).await).contains("done=before"));
    let again = location(&head.post("/api/operator/sell", &sale).await).to_owned();
    assert!(again.ends_with("done=before") && text(head.get(&again).await).await.contains(said), "{again}");
    // The way back of the browser leads to the confirmation with the same key.
    let back = text(head.get(&format!("/rooms/{}?do=sale&amount=50&tender=cash&key={key}", room.meter)).await).await;
    assert!(back.contains(said) && back.contains("/sales/") && !back.contains("action=\"/api/operator/sell\""), "{back}");
    assert_eq!(w.number("SELECT COUNT(*) FROM orders").await, 1);

    let key = w.rng.id(model::time::Timestamp(1));
    let give = format!("meter={}&amount=20&tender=cash&reason=x&key={key}", room.meter);
    let first = location(&head.post("/api/operator/return", &give).await).to_owned();
    let again = location(&head.post("/api/operator/return", &give).await).to_owned();
    assert_eq!(again, format!("{first}?done=before"));
    assert!(text(head.get(&again).await).await.contains(said));
    let page = format!("/rooms/{}?do=return&amount=20&tender=cash&reason=x&key={key}", room.meter);
    assert!(text(head.get(&page).await).await.contains(&first), "it leads to what was done");
    // Somebody else's key is a key of nothing.
    let other = web.person(&w, Role::Manager, "other").await;
    assert!(!text(other.get(&page).await).await.contains(said));
    assert_eq!(w.number("SELECT COUNT(*) FROM returns").await, 1);

    // A correction has its key in its address, too. What is not in the meter yet cannot be corrected.
    w.execute("UPDATE orders SET state = 'credited'").await;
    let found = head.get(&format!("/search?q={}", w.number("SELECT number FROM orders").await)).await;
    let order = location(&found).trim_start_matches("/sales/").to_owned();
    let keyed = location(&head.get(&format!("/corrections/{order}")).await).to_owned();
    assert!(keyed.starts_with(&format!("/corrections/{order}?key=")), "{keyed}");
    assert!(text(head.get(&keyed).await).await.contains("action=\"/api/operator/correct\""));
    let back = text(head.get(&format!("/corrections/{order}?key={key}")).await).await;
    assert!(back.contains(said) && back.contains(&first) && !back.contains("action=\"/api/operator/correct\""), "{back}");

    // The answers stay the same after the account has left the meter.
    w.execute("UPDATE account_meters SET to_at = 1").await;
    let again = location(&head.post("/api/operator/sell", &sale).await).to_owned();
    assert!(again.ends_with("done=before"), "{again}");
    assert_eq!(location(&head.post("/api/operator/return", &give).await), format!("{first}?done=before"));
    let other_amount = sale.replace("amount=50", "amount=51");
    assert!(location(&head.post("/api/operator/sell", &other_amount).await).ends_with("e=conflict"), "another sale");
    assert!(location(&other.post("/api/operator/sell", &sale).await).contains("e=account-not-open"), "of somebody else");
    assert_eq!(w.number("SELECT (SELECT COUNT(*) FROM orders) + (SELECT COUNT(*) FROM returns)").await, 2);
});
