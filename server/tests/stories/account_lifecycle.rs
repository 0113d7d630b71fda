//! Account lifecycle through the pages: confirmed, followed to the end, and only by operators of the building; on both databases.

use domain::clock::Clock;
use model::person::Role;
use story_support::site::{SOON, until};
use story_support::web::{Web, location};
use story_support::{World, both};

both!(an_account_is_closed_through_the_pages, |w: World| async move {
    let web = Web::start(&w).await;
    let (room, other) = (w.room(1).await, w.room(2).await);
    let operator = web.person(&w, Role::Manager, "operator").await;
    let stranger = web.person(&w, Role::Manager, "stranger").await;
    let resident = web.person(&w, Role::Resident, "resident").await;
    // One of them works in another building.
    w.execute(
        "INSERT INTO operator_buildings (user_id, place_id)
         SELECT u.id, m.place_id FROM users u, meters m WHERE u.login = 'stranger' AND m.unit = 2",
    )
    .await;
    w.limit("stranger").await;
    let (meter, page) = (room.meter, format!("/rooms/{}", room.meter));
    assert_eq!(resident.get("/home").await.status(), 404, "no room yet");
    let added = operator.post("/api/operator/add-resident", &format!("meter={meter}&name=&login=resident&password=")).await;
    assert_eq!(location(&added), page);
    assert_eq!(resident.get("/home").await.status(), 200);
    let out = format!("meter={meter}&login=resident");
    assert!(location(&stranger.post("/api/operator/remove-resident", &out).await).contains("e=not-found"));
    let twice =
        operator.post("/api/operator/add-resident", &format!("meter={}&name=&login=resident&password=", other.meter)).await;
    assert!(location(&twice).contains("e=has-account"), "{}", location(&twice));

    // The confirmation page comes first.
    let said = operator.get(&format!("{page}?do=close&tender=cash&account=&reason=moved")).await.text().await.unwrap();
    assert!(said.contains("/api/operator/close-account") && said.contains("销户"), "{said}");
    let form = format!("meter={meter}&tender=cash&account=&reason=moved&key={}", w.rng.id(w.clock.now()));
    assert!(location(&stranger.post("/api/operator/close-account", &form).await).contains("e=not-found"));
    let begun = operator.post("/api/operator/close-account", &form).await;
    let closing = location(&begun).to_owned();
    assert!(closing.starts_with("/closings/"), "{closing}");
    assert_eq!(location(&operator.post("/api/operator/close-account", &form).await), closing, "sent twice it is one");
    assert_eq!(stranger.get(&closing).await.status(), 404);
    let shown = operator.get(&closing).await.text().await.unwrap();
    assert!(shown.contains("/api/operator/count-meter"), "a meter that was never read can be counted");
    assert!(operator.get(&page).await.text().await.unwrap().contains(&closing), "the room leads there");
    let home = resident.get("/home").await;
    assert_eq!(home.status(), 200);
    assert!(!home.text().await.unwrap().contains("button primary wide tall"), "nothing to top up any more");

    let id = closing.trim_start_matches("/closings/");
    let count = format!("closing={id}&meter={meter}&remaining=0&total=&reason=gone");
    assert!(location(&stranger.post("/api/operator/count-meter", &count).await).contains("e=not-found"));
    let wrong = operator.post("/api/operator/count-meter", &count.replace("remaining=0", "remaining=12")).await;
    assert!(location(&wrong).contains("e=exceeds-remaining"), "{}", location(&wrong));
    assert_eq!(location(&operator.post("/api/operator/count-meter", &count).await), closing);
    // The task takes it on.
    let closed = "SELECT COUNT(*) FROM account_closures WHERE ended_at IS NOT NULL";
    until(SOON, "the task", || async { w.number(closed).await == 1 }).await;
    // The form is sent again after the closing has ended, as if the first answer had been lost.
    assert_eq!(location(&operator.post("/api/operator/close-account", &form).await), closing, "it is the same after its end");
    let moved = form.replace("tender=cash&account=", &format!("to={}", other.meter));
    let conflict = operator.post("/api/operator/move-account", &moved).await;
    assert!(location(&conflict).ends_with("e=conflict"), "the key is of a closure: {}", location(&conflict));
    assert!(location(&stranger.post("/api/operator/close-account", &form).await).contains("e=not-found"));
    let home = resident.get("/home").await;
    assert_eq!(home.status(), 404);
    assert!(home.text().await.unwrap().contains("户已销户"), "and is told what became of it");
    let list = operator.get("/accounts?state=closed").await.text().await.unwrap();
    assert!(list.contains(&closing) && list.contains("resident"), "closed accounts stay, with who lived there");
    assert_eq!(operator.get(&closing).await.status(), 200);

    let swap = format!("meter={}&serial=123456789012&gateway=&unit=&profile=&reason=broken", w.meter(3).await);
    w.clock.advance(1_000);
    let swapped = location(&operator.post("/api/operator/swap-meter", &swap).await).to_owned();
    assert!(swapped.starts_with("/rooms/") && !swapped.contains("e="), "{swapped}");
    assert_eq!(location(&operator.post("/api/operator/swap-meter", &swap).await), swapped, "swapped once");
    let other_serial = swap.replace("123456789012", "123456789013");
    assert!(location(&operator.post("/api/operator/swap-meter", &other_serial).await).contains("e=not-found"));
    web.stop();
});

both!(a_rejected_opening_form_keeps_its_input_and_names_the_row, |w: World| async move {
    let web = Web::start(&w).await;
    let (meter, second) = (w.meter(7).await, w.meter(8).await);
    w.execute("UPDATE meters SET place_id = (SELECT m.place_id FROM meters m WHERE m.unit = 7) WHERE unit = 8").await;
    let operator = web.person(&w, Role::Manager, "operator").await;
    let page = format!("/rooms/{meter}");
    let shown = operator.get(&page).await.text().await.unwrap();
    assert!(shown.contains("name=\"residents[0][name]\"") && shown.contains(&second.to_string()), "{shown}");

    // As a browser without scripts sends it, with its empty rows.
    let form = |login: &str| {
        format!(
            "meter={meter}&key={}&also%5B%5D={second}&residents%5B0%5D%5Bname%5D=%E5%BC%A0%E4%B8%89\
             &residents%5B0%5D%5Blogin%5D=zhang&residents%5B0%5D%5Bpassword%5D=long+enough\
             &residents%5B1%5D%5Bname%5D=&residents%5B1%5D%5Blogin%5D=&residents%5B1%5D%5Bpassword%5D=\
             &residents%5B2%5D%5Bname%5D=Li&residents%5B2%5D%5Blogin%5D={login}&residents%5B2%5D%5Bpassword%5D=long+enough\
             &amount=&tender=cash",
            w.rng.id(w.clock.now())
        )
    };
    let back = operator.post("/api/operator/open-account", &form("zhang")).await;
    let back = location(&back);
    assert!(back.starts_with(&format!("{page}?do=open")) && back.contains("row=1") && back.contains("e=login-taken"), "{back}");
    let again = operator.get(back).await.text().await.unwrap();
    assert!(again.contains("id=\"resident-1\"") && again.contains("value=\"张三\""), "{again}");
    assert!(!again.contains("long enough") && !back.contains("long"), "passwords do not come back");
    assert_eq!(w.number("SELECT COUNT(*) FROM accounts").await, 0);
    assert_eq!(location(&operator.post("/api/operator/open-account", &form("li")).await), page);
    assert_eq!(w.number("SELECT COUNT(*) FROM account_residents").await, 2);
    assert_eq!(w.number("SELECT COUNT(*) FROM account_meters").await, 2);
    let shown = operator.get(&page).await.text().await.unwrap();
    assert!(shown.contains("Li (li)") && shown.contains(&format!("/rooms/{second}")), "{shown}");
    web.stop();
});

both!(a_room_offers_only_what_its_account_can_take, |w: World| async move {
    let web = Web::start(&w).await;
    let room = w.room(1).await;
    // Something to return: a confirmation refuses what the return would refuse.
    w.shows(room.meter, 0, 0, 9_000).await;
    let operator = web.person(&w, Role::Manager, "operator").await;
    let page = format!("/rooms/{}", room.meter);
    // Which of a sale and a return is offered, and which is asked to be confirmed.
    let offers = async || {
        let shown = operator.get(&page).await.text().await.unwrap();
        let confirms =
            async |query: &str| operator.get(&format!("{page}?{query}")).await.text().await.unwrap().contains("card confirm");
        let (sale, back) = (shown.contains(r#"value="sale""#), shown.contains(r#"value="return""#));
        assert_eq!(confirms("do=sale&amount=50&tender=cash").await, sale);
        assert_eq!(confirms("do=return&amount=5&tender=cash&reason=x").await, back);
        (sale, back)
    };
    assert_eq!(offers().await, (true, true));
    w.execute("UPDATE accounts SET state = 'opening'").await;
    assert_eq!(offers().await, (true, false), "the first purchase may wait for the opening");
    w.execute(
        "INSERT INTO cases (id, kind, meter_id, detail, opened_at, due_at)
         SELECT id, 'delivery', id, '{\"why\":\"account\"}', 0, 0 FROM meters",
    )
    .await;
    assert_eq!(offers().await, (false, false), "its opening is with a person");
    w.execute("UPDATE accounts SET state = 'closing'").await;
    assert_eq!(offers().await, (false, false));
});
