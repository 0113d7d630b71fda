//! The first start: on a database without people every page leads to the set-up page, which is there once; on both databases.

use model::person::Role;
use story_support::web::{Web, location};
use story_support::{World, both};

const FORM: &str = "login=head&name=Head&password=correct+horse+battery&site=North+Campus";

/// A server that a test may ask for its token.
async fn start(w: &World) -> (Web, String) {
    let web = Web::start(w).await;
    let token = web.setup_token.clone().expect("nobody is there yet");
    (web, token)
}

both!(every_page_leads_to_the_set_up_page, |w: World| async move {
    let (web, _) = start(&w).await;
    for path in ["/", "/login", "/wall", "/home", "/rooms/019b0000-0000-7000-8000-000000000000"] {
        let answer = web.visitor().get(path).await;
        assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/setup"), "{path}");
    }
    let page = web.visitor().get("/setup").await;
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("name=\"token\"") && !page.contains("name=\"password\""), "asks for the token first");
    assert_eq!(web.visitor().program().get("/health/ready").await.status(), 200);
    assert_eq!(web.visitor().program().get("/wall").await.status(), 401, "a program is told that it is nobody");
});

both!(the_printed_token_sets_the_site_up_once, |w: World| async move {
    let (web, token) = start(&w).await;
    let page = web.visitor().get(&format!("/setup?token={token}")).await.text().await.unwrap();
    assert!(page.contains("name=\"password\"") && page.contains("UTC+8"));
    let mut head = web.visitor();
    let done = head.post("/api/setup/site", &format!("token={token}&{FORM}")).await;
    assert_eq!((done.status().as_u16(), location(&done)), (303, "/start"));
    head.keep(&done);
    assert_eq!(head.get("/start").await.status(), 200, "logged in");
    assert_eq!(w.word("SELECT method FROM sessions").await, "set_up");
    assert_eq!(w.number("SELECT COUNT(*) FROM users WHERE role = 'admin' AND login = 'head'").await, 1);
    assert_eq!(w.word("SELECT name FROM places WHERE kind = 'site'").await, "North Campus");
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action IN ('user.create', 'site.set-up')").await, 2);
    assert!(w.word("SELECT detail FROM audit WHERE action = 'site.set-up'").await.contains(r#""method":"set_up""#));
    // Gone, with the token and without it, here and in a server that starts later.
    for path in ["/setup".to_owned(), format!("/setup?token={token}")] {
        assert_eq!(web.visitor().get(&path).await.status(), 404, "{path}");
    }
    let again = web.visitor().program().post("/api/setup/site", &format!("token={token}&{FORM}")).await;
    assert_eq!(again.status(), 404);
    assert_eq!(web.visitor().get("/wall").await.status(), 303);
    web.stop();
    let later = Web::start(&w).await;
    assert_eq!(later.setup_token, None);
    assert_eq!(later.visitor().get("/setup").await.status(), 404);
    story_support::closings::proved(&w).await;
});

both!(wrong_tokens_are_refused_and_throttled, |w: World| async move {
    let (web, token) = start(&w).await;
    let program = web.visitor().program();
    let refused = program.post("/api/setup/site", &format!("token=x&{FORM}")).await;
    assert_eq!(refused.status(), 403);
    let page = web.visitor().get("/setup?token=x").await.text().await.unwrap();
    assert!(!page.contains("name=\"password\""));
    // The clock of this test stands still, so the pauses add up.
    let mut last = 0;
    for _ in 0..20 {
        last = program.post("/api/setup/site", &format!("token=x&{FORM}")).await.status().as_u16();
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    assert_eq!(w.number("SELECT COUNT(*) FROM users").await, 0);
    let right = program.post("/api/setup/site", &format!("token={token}&{FORM}")).await;
    assert_eq!(right.status(), 200, "whoever has the address does not wait for those who guess");
    assert_eq!(w.number("SELECT COUNT(*) FROM users WHERE logged_in_at IS NOT NULL").await, 1);
});

both!(a_bad_form_keeps_what_was_typed, |w: World| async move {
    let (web, token) = start(&w).await;
    let post = async |form: &str| {
        let answer = web.visitor().post("/api/setup/site", &format!("token={token}&{form}")).await;
        location(&answer).to_owned()
    };
    let back = post("login=head&name=Head&password=short&site=North").await;
    assert_eq!(back, format!("/setup?token={token}&login=head&name=Head&site=North&e=weak-password"));
    for bad in [
        "login=he+ad&name=Head&password=correct+horse+battery&site=North",
        "login=head&name=&password=correct+horse+battery&site=North",
        "login=head&name=Head&password=correct+horse+battery&site=+",
    ] {
        assert!(post(bad).await.ends_with("e=invalid"), "{bad}");
    }
    let long = format!("login={}&name=a&password=correct+horse+battery&site=a", "a".repeat(5_000));
    let back = post(&long).await;
    assert!(back.ends_with("e=invalid") && back.len() < 300, "{back}");
    assert_eq!(w.number("SELECT COUNT(*) FROM users").await, 0);
});

both!(a_restart_prints_another_token_and_a_day_ends_it, |w: World| async move {
    let (first, old) = start(&w).await;
    drop(first);
    let (web, new) = start(&w).await;
    assert_ne!(old, new);
    let post =
        async |token: &str| web.visitor().program().post("/api/setup/site", &format!("token={token}&{FORM}")).await.status();
    assert_eq!(post(&old).await, 403);
    w.clock.advance(model::time::DAY);
    assert_eq!(post(&new).await, 403);
    assert_eq!(w.number("SELECT COUNT(*) FROM users").await, 0);
});

both!(two_at_once_make_one_administrator, |w: World| async move {
    let (web, token) = start(&w).await;
    let program = web.visitor().program();
    let post = async |login: &str| {
        let form = format!("token={token}&login={login}&name=a&password=correct+horse+battery&site=North");
        program.post("/api/setup/site", &form).await.status().as_u16()
    };
    let mut answers = [0; 2];
    (answers[0], answers[1]) = tokio::join!(post("one"), post("other"));
    answers.sort_unstable();
    assert_eq!(answers, [200, 404]);
    assert_eq!(w.number("SELECT COUNT(*) FROM users").await, 1);
});

both!(the_set_up_page_takes_default_parameters, |w: World| async move {
    let (web, token) = start(&w).await;
    let program = web.visitor();
    let post = async |limits: &str| {
        let answer = program.post("/api/setup/site", &format!("token={token}&{FORM}&{limits}")).await;
        location(&answer).to_owned()
    };
    let refused = post("alarm1=5&alarm2=20").await;
    assert!(refused.contains("e=alarm-order") && refused.contains("alarm1=5"), "what was typed is kept: {refused}");
    assert!(post("alarm1=x").await.contains("e=invalid"));
    assert_eq!(w.number("SELECT COUNT(*) FROM users").await, 0, "nothing is half done");
    assert_eq!(post("alarm1=20&alarm2=5&overdraft=0&hoarding=500&overload_w=1800&interval_s=900").await, "/start");
    let stored = "SELECT COUNT(*) FROM place_defaults WHERE alarm1_fen = 2000 AND overload_w = 1800 AND sweep_interval_s = 900";
    assert_eq!(w.number(stored).await, 1);
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action IN ('site.set-up', 'site.defaults')").await, 2);
    story_support::closings::proved(&w).await;
});

both!(the_list_shows_what_lacks_until_it_is_hidden, |w: World| async move {
    let (web, token) = start(&w).await;
    let mut head = web.visitor();
    let done = head.post("/api/setup/site", &format!("token={token}&{FORM}")).await;
    head.keep(&done);
    let page = head.get("/start").await.text().await.unwrap();
    assert_eq!(page.matches("<li class=\"card\">").count(), 9, "everything lacks");
    assert!(page.contains("[keys]"), "a server without keys says that it reads no meters");
    let (_, list) = page.split_once("class=\"checklist\"").unwrap();
    for path in ["/places", "/gateways", "/meters/new", "/operators"] {
        assert!(list.contains(&format!("href=\"{path}\"")), "{path}");
        assert_eq!(head.get(path).await.status(), 200, "{path}");
    }
    assert!(head.get("/wall").await.text().await.unwrap().contains("href=\"/start\""));
    w.meter(1).await;
    web.person(&w, Role::Manager, "second").await;
    let page = head.get("/start").await.text().await.unwrap();
    assert_eq!(page.matches("<li class=\"card done\">").count(), 4, "places, gateways, meters, people");
    let hidden = head.post("/api/operator/setup/hide", "hidden=1").await;
    assert_eq!(location(&hidden), "/wall");
    assert!(!head.get("/wall").await.text().await.unwrap().contains("href=\"/start\""));
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'site.checklist'").await, 1);
    // Whoever may not set the site up never sees it.
    let second = web.person(&w, Role::Manager, "third").await;
    assert_eq!(second.get("/start").await.status(), 403);
    head.post("/api/operator/setup/hide", "hidden=").await;
    assert!(head.get("/wall").await.text().await.unwrap().contains("href=\"/start\""));
    assert!(!second.get("/wall").await.text().await.unwrap().contains("href=\"/start\""));
});
