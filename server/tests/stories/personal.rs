//! What residents keep themselves, through the pages: their log-in, roommates, tokens and personal data; on both databases.

use domain::clock::Clock;
use model::ids::UserId;
use model::notification::PhoneNumber;
use model::person::Role;
use notify::phone_log_ins::{self, NewPhoneLogIn};
use reqwest::header::{AUTHORIZATION, SET_COOKIE};
use store::users;
use story_support::web::{PASSWORD, Person, Web, location};
use story_support::{World, both};

const CHOSEN: &str = "quiet+river+nine";

/// Posts a form whose answer leaves a secret for the page that follows, and gives that page.
async fn shown_once(person: &Person<'_>, path: &str, form: &str) -> String {
    let answer = person.post(path, form).await;
    let page = location(&answer).to_owned();
    let once = answer.headers().get(SET_COOKIE).unwrap_or_else(|| panic!("{path} leads to {page}")).to_str().unwrap();
    let mut with = person.clone();
    with.cookie = format!("{}; {}", person.cookie, once.split(';').next().unwrap());
    let shown = with.get(&page).await.text().await.unwrap();
    assert!(!person.get(&page).await.text().await.unwrap().contains("secret-text"), "{page} shows it once");
    shown
}

/// What follows `begin` up to the end of its element.
fn after<'a>(page: &'a str, begin: &str) -> &'a str {
    page.split(begin).nth(1).unwrap_or_else(|| panic!("no {begin} in {page}")).split('<').next().unwrap()
}

/// Somebody with a log-in, whom the operator lets into the room.
async fn resident<'a>(web: &'a Web, w: &World, operator: &Person<'_>, meter: model::ids::MeterId) -> Person<'a> {
    let person = web.person(w, Role::Resident, "mine").await;
    operator.post("/api/operator/add-resident", &format!("meter={meter}&name=&login=mine&password=")).await;
    assert_eq!(person.get("/home").await.status(), 200);
    person
}

both!(roommates_join_by_a_link_and_leave, |w: World| async move {
    let web = Web::start(&w).await;
    let meter = w.room(1).await.meter;
    let operator = web.person(&w, Role::Manager, "operator").await;

    // Whoever moves in chooses a password that nobody else knows.
    let form = format!("meter={meter}&name=Wang&login=wang&password=");
    let link = shown_once(&operator, "/api/operator/add-resident", &form).await;
    let code = after(&link, "/invitations/");
    let mut wang = web.visitor();
    assert!(location(&wang.log_in("wang", "").await).contains("e="), "no password opens nothing");
    let accepted = wang.post("/api/auth/accept-invitation", &format!("code={code}&name=Wang&password={CHOSEN}")).await;
    assert_eq!(location(&accepted), "/login?done=chosen");
    assert_eq!(location(&wang.log_in("wang", &CHOSEN.replace('+', " ")).await), "/home");
    // Forgotten: another link, and the old password until it is used.
    let again = shown_once(&operator, "/api/operator/invite-resident", &format!("meter={meter}&login=wang")).await;
    assert_ne!(after(&again, "/invitations/"), code);
    assert_eq!(wang.get("/home").await.status(), 200);

    // A roommate joins by the resident's own link, once.
    let mine = resident(&web, &w, &operator, meter).await;
    let shown = shown_once(&mine, "/api/resident/roommates/invite", "x=1").await;
    let code = after(&shown, "/join/");
    let mut li = web.visitor();
    let page = li.get(&format!("/join/{code}")).await.text().await.unwrap();
    assert!(page.contains("mine") && page.contains("/api/auth/join-room"), "{page}");
    let form = |login: &str| format!("code={code}&name=Li&login={login}&password={CHOSEN}");
    assert!(location(&li.post("/api/auth/join-room", &form("wang")).await).contains("e=login-taken"));
    assert_eq!(location(&li.post("/api/auth/join-room", &form("li")).await), "/login?done=chosen");
    assert_eq!(location(&li.log_in("li", &CHOSEN.replace('+', " ")).await), "/home");
    assert_eq!(web.visitor().get(&format!("/join/{code}")).await.status(), 410, "once");

    // Four live there: the cost is split to the fen, and shares can be changed.
    let split = li.get("/me/split?cost=10.01").await.text().await.unwrap();
    assert!(split.contains("2.51") && split.contains("2.50") && !split.contains("没有采用"), "{split}");
    let split = li.get("/me/split?cost=-5").await.text().await.unwrap();
    assert!(split.contains("没有采用"), "{split}");
    // Somebody who left before the resident moved in is not named.
    w.execute("UPDATE account_residents SET to_at = from_at WHERE user_id = (SELECT id FROM users WHERE login = 'wang')").await;
    w.clock.advance(1);
    w.execute("UPDATE account_residents SET from_at = from_at + 1 WHERE user_id = (SELECT id FROM users WHERE login = 'li')")
        .await;
    let split = li.get("/me/split?cost=10.01").await.text().await.unwrap();
    assert!(split.contains("mine") && !split.contains("Wang"), "{split}");
    // Leaving is one's own, and ends one's links; removing is the operator's.
    let of_li = shown_once(&li, "/api/resident/roommates/invite", "x=1").await;
    let leave = "/api/resident/roommates/leave";
    assert!(location(&li.post(leave, "x=1").await).contains("e=invalid"), "not without the tick");
    assert_eq!(location(&li.post(leave, "sure=on").await), "/me");
    assert_eq!(li.get("/home").await.status(), 404);
    assert_eq!(web.visitor().get(&format!("/join/{}", after(&of_li, "/join/"))).await.status(), 410);
    assert_eq!(li.get("/me").await.status(), 200);
    assert_eq!(li.post("/api/operator/remove-resident", &format!("meter={meter}&login=mine")).await.status(), 403);

    // The site may forbid it.
    let boss = web.person(&w, Role::Admin, "boss").await;
    let open = shown_once(&mine, "/api/resident/roommates/invite", "x=1").await;
    let forbidden = boss.post("/api/operator/settings/option", "option=roommates").await;
    assert_eq!(location(&forbidden), "/settings?done=option&option=roommates");
    assert_eq!(web.visitor().get(&format!("/join/{}", after(&open, "/join/"))).await.status(), 410, "open links end with it");
    let refused = mine.post("/api/resident/roommates/invite", "x=1").await;
    assert!(location(&refused).contains("e=roommates-by-office"), "{}", location(&refused));

    // On the first of a month the one before is split.
    let today = w.clock.now().date();
    let first = (1..=31).map(|days| today.plus(days)).find(|day| day.ymd().2 == 1).unwrap();
    w.clock.advance(first.start().plus(1).since(w.clock.now()));
    let (year, month, _) = first.plus(-1).ymd();
    let split = mine.get("/me/split").await.text().await.unwrap();
    assert!(split.contains(&format!("name=\"month\" value=\"{year}-{month:02}\"")), "{split}");
});

both!(tokens_and_personal_data_end_with_the_room, |w: World| async move {
    let web = Web::start(&w).await;
    let meter = w.room(1).await.meter;
    w.room(2).await;
    let operator = web.person(&w, Role::Manager, "operator").await;
    let mine = resident(&web, &w, &operator, meter).await;

    let none = mine.post("/api/resident/tokens/create", "name=clock&days=30").await;
    assert!(location(&none).contains("e=invalid"), "it would read nothing");
    let shown = shown_once(&mine, "/api/resident/tokens/create", "name=clock&scopes%5B%5D=use&days=30").await;
    let token = format!("dw_{}", after(&shown, "dw_"));
    let stored = w.number("SELECT COUNT(*) FROM api_tokens WHERE length(token_hash) = 32").await;
    assert_eq!(stored, 1, "only its hash");
    let ask = async |path: &str, token: &str| {
        let request = web.client.get(format!("{}/api/v1/me/{path}", web.base)).header(AUTHORIZATION, format!("Bearer {token}"));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, balance) = ask("balance", &token).await;
    assert!(status == 200 && balance.contains("2611230000000001"), "{status} {balance}");
    assert_eq!(ask("use", &token).await.0, 200);
    assert_eq!(ask("use?from=2020-01-01&until=2026-01-01", &token).await.0, 422, "bounded");
    assert_eq!(ask("records", &token).await, (403, r#"{"error":"forbidden"}"#.into()));
    assert_eq!(ask("balance", "dw_guess").await, (401, r#"{"error":"not-logged-in"}"#.into()));
    assert_eq!(web.visitor().get("/api/v1/me/balance").await.status(), 401);
    for _ in 0..60 {
        ask("balance", &token).await;
    }
    assert_eq!(ask("balance", &token).await.0, 429);

    shown_once(&mine, "/api/resident/roommates/invite", "x=1").await;
    w.execute(
        "INSERT INTO emergency_credits (id, account_id, meter_id, period_from, amount_fen, taken_by, taken_at, repaid_at)
         SELECT u.id, ar.account_id, am.meter_id, 20000, 700, u.id, 1, 2
         FROM users u JOIN account_residents ar ON ar.user_id = u.id JOIN account_meters am ON am.account_id = ar.account_id
         WHERE u.login = 'mine'",
    )
    .await;
    let copy = mine.get("/own-data.json").await.text().await.unwrap();
    assert!(copy.contains("\"mine\"") && copy.contains("2611230000000001") && !copy.contains("resident2"), "{copy}");
    let copy: serde_json::Value = serde_json::from_str(&copy).unwrap();
    let lengths = ["emergency_credits", "roommate_links", "tokens"].map(|list| copy[list].as_array().map(Vec::len));
    assert_eq!(lengths, [Some(1); 3], "{copy}");
    assert_eq!(
        (&copy["emergency_credits"][0]["amount_yuan"], &copy["profile"]["second_factor_since"]),
        (&"7.00".into(), &serde_json::Value::Null)
    );
    let erase = "/api/resident/erase";
    let proved = format!("password={}", PASSWORD.replace(' ', "+"));
    assert!(location(&mine.post(erase, &proved).await).contains("e=has-account"));

    operator.post("/api/operator/remove-resident", &format!("meter={meter}&login=mine")).await;
    w.clock.advance(60_000);
    assert_eq!(ask("balance", &token).await.0, 401);
    assert_eq!(w.number("SELECT COUNT(*) FROM api_tokens WHERE revoked_at IS NULL").await, 0);
    assert!(location(&mine.post(erase, "password=guessed").await).contains("e=wrong-password"));
    // A payment of theirs is still undecided.
    w.execute(
        "INSERT INTO orders (id, number, key, account_id, meter_id, tender, amount_fen, state, created_by, created_at)
         SELECT u.id, 9000001, u.id, ar.account_id, am.meter_id, 'alipay', 700, 'case', u.id, 1
         FROM users u JOIN account_residents ar ON ar.user_id = u.id JOIN account_meters am ON am.account_id = ar.account_id
         WHERE u.login = 'mine'",
    )
    .await;
    assert!(location(&mine.post(erase, &proved).await).contains("e=not-settled"));
    w.execute("UPDATE orders SET state = 'closed' WHERE number = 9000001").await;
    assert_eq!(location(&mine.post(erase, &proved).await), "/login?done=erased");
    assert!(location(&mine.get("/me").await).starts_with("/login"), "the session has ended");
    assert!(location(&web.visitor().log_in("mine", PASSWORD).await).contains("bad-credentials"));
    assert_eq!(w.number("SELECT COUNT(*) FROM users WHERE login = 'mine' OR name = 'mine'").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM account_residents WHERE to_at IS NOT NULL").await, 1, "the books stay");
    let report = verify::verify(&w.db).await.unwrap();
    let of_people = |subject: &str| subject.starts_with("users") || subject.starts_with("account_residents");
    assert!(report.differences.iter().all(|one| !of_people(&one.subject)), "{:?}", report.differences);
});

both!(a_reset_password_ends_tokens_and_bindings, |w: World| async move {
    let web = Web::start(&w).await;
    let meter = w.room(1).await.meter;
    let operator = web.person(&w, Role::Manager, "operator").await;
    let mut mine = resident(&web, &w, &operator, meter).await;
    shown_once(&mine, "/api/resident/tokens/create", "name=clock&scopes%5B%5D=use&days=30").await;
    let bind = "INSERT INTO wechat_bindings (user_id, openid, bound_at) SELECT id, 'openid', 1 FROM users WHERE login = 'mine'";
    w.execute(bind).await;
    let left = "SELECT (SELECT COUNT(*) FROM api_tokens WHERE revoked_at IS NULL) + (SELECT COUNT(*) FROM wechat_bindings)";

    // Who changes it knows it, and is shown what goes on.
    let form = format!("old={}&new={CHOSEN}", PASSWORD.replace(' ', "+"));
    let answer = mine.post("/api/auth/password", &form).await;
    assert_eq!(location(&answer), "/password?done=changed");
    mine.keep(&answer);
    assert_eq!(w.number(left).await, 2);
    let page = mine.get("/password?done=changed").await.text().await.unwrap();
    assert!(page.contains("href=\"/me/tokens\"") && page.contains("href=\"/me/wechat\""), "{page}");

    let user = UserId(users::by_login(&w.db, "mine").await.unwrap().unwrap().id);
    for reset in ["on the server", "by a link", "by a code"] {
        let now = w.clock.now();
        match reset {
            "on the server" => users::reset_password(&w.db, now, "mine", "new", "command line").await.unwrap(),
            "by a link" => {
                let form = format!("meter={meter}&login=mine");
                let link = shown_once(&operator, "/api/operator/invite-resident", &form).await;
                let form = format!("code={}&name=Mine&password={CHOSEN}", after(&link, "/invitations/"));
                let accepted = web.visitor().post("/api/auth/accept-invitation", &form).await;
                assert_eq!(location(&accepted), "/login?done=chosen");
            }
            _ => {
                let number: PhoneNumber = "13800138001".parse().unwrap();
                let new = NewPhoneLogIn { token: [7; 32], phone: &number, code_hash: b"code" };
                phone_log_ins::begin(&w.db, now, &new).await.unwrap();
                w.execute("UPDATE phone_log_ins SET user_id = (SELECT id FROM users WHERE login = 'mine')").await;
                phone_log_ins::reset_password(&w.db, now, &[7; 32], (user, "newer"), "").await.unwrap();
            }
        }
        assert_eq!(w.number(left).await, 0, "{reset}");
        w.execute("UPDATE api_tokens SET revoked_at = NULL").await;
        w.execute(bind).await;
    }
});
