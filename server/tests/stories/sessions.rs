//! Login, logout and sessions as a browser uses them, on both databases.

use app::i18n::{Lang, auth as words};
use domain::clock::Clock;
use model::ids::UserId;
use model::log_in::{LogIn, LogInMethod, SecondFactorProof};
use model::person::Role;
use model::time::{DAY, HOUR, MINUTE};
use people::second_factors::{self, FirstStep};
use reqwest::Method;
use reqwest::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, SET_COOKIE};
use store::sessions::NewSession;
use store::{audit, sessions, users};
use story_support::web::{PASSWORD, Web, location};
use story_support::{World, both};

both!(a_session_starts_is_extended_and_ends, |w: World| async move {
    let web = Web::start(&w).await;
    let mut person = web.person(&w, Role::Resident, "r101").await;
    assert!(person.cookie.starts_with("__Host-dormwatt="));
    assert_eq!(location(&person.get("/").await), "/home");
    assert_eq!(person.get("/password").await.status(), 200);

    // Used every ten days it outlives two weeks, and still ends after ninety days.
    for _ in 0..8 {
        w.clock.advance(10 * DAY);
        assert_eq!(person.get("/password").await.status(), 200);
    }
    w.clock.advance(10 * DAY);
    assert_eq!(person.get("/password").await.status(), 303);

    let answer = person.log_in("r101", PASSWORD).await;
    assert_eq!(location(&answer), "/home");
    let token = person.cookie.clone();
    let answer = person.post("/api/auth/log-out", "").await;
    assert_eq!(location(&answer), "/login");
    assert!(answer.headers()[SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    person.cookie = token;
    assert_eq!(person.get("/password").await.status(), 303, "the token itself is worthless now");
    assert!(audit::verify(&w.db).await.unwrap().broken_at.is_none());
});

both!(an_operator_session_ends_overnight, |w: World| async move {
    let web = Web::start(&w).await;
    let person = web.person(&w, Role::Manager, "op").await;
    assert_eq!(location(&person.get("/").await), "/wall");
    w.clock.advance(12 * HOUR);
    assert_eq!(location(&person.get("/").await), "/login");
});

both!(the_cookie_is_host_only_secure_and_http_only, |w: World| async move {
    let web = Web::start(&w).await;
    web.person(&w, Role::Manager, "op").await;
    let answer = web.visitor().log_in("op", PASSWORD).await;
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
    for flag in ["__Host-dormwatt=", "Path=/;", "HttpOnly", "Secure", "SameSite=Lax"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
});

both!(a_new_password_ends_all_other_sessions, |w: World| async move {
    let web = Web::start(&w).await;
    let mut phone = web.person(&w, Role::Resident, "r101").await;
    let mut laptop = web.visitor();
    laptop.log_in("r101", PASSWORD).await;

    for (form, e) in [
        (format!("old={PASSWORD}&new=short"), "weak-password"),
        (format!("old={PASSWORD}&new={PASSWORD}"), "same-password"),
        (format!("old={PASSWORD}&new=qwertyuiop"), "common-password"),
        (format!("old={PASSWORD}&new=R101dormwatt"), "personal-password"),
        (format!("old={PASSWORD}&new={}", "long ".repeat(30)), "password-too-long"),
        ("old=wrong&new=a+new+long+password".to_owned(), "wrong-password"),
    ] {
        let answer = phone.post("/api/auth/password", &form.replace(' ', "+")).await;
        assert_eq!(location(&answer), format!("/password?e={e}"));
    }
    let answer = phone.post("/api/auth/password", &format!("old={PASSWORD}&new=a new long password").replace(' ', "+")).await;
    assert_eq!(location(&answer), "/password?done=changed");
    let changed = w.word("SELECT detail FROM audit WHERE action = 'user.password'").await;
    assert!(changed.contains(r#""method":"password_change""#), "{changed}");
    let old = phone.clone();
    phone.keep(&answer);
    assert_ne!(phone.cookie, old.cookie);
    assert_eq!(phone.get("/password").await.status(), 200);
    assert_eq!(laptop.get("/password").await.status(), 303);
    assert_eq!(old.get("/password").await.status(), 303);
    assert_eq!(location(&web.visitor().log_in("r101", PASSWORD).await), "/login?e=bad-credentials");
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
});

both!(login_returns_to_the_requested_page_of_this_site_only, |w: World| async move {
    let web = Web::start(&w).await;
    web.person(&w, Role::Manager, "op").await;
    assert_eq!(location(&web.visitor().get("/password?x=1").await), "/login?next=/password%3Fx%3D1");
    for (next, to) in
        [("/rooms/1", "/rooms/1"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/%0d%0aSet-Cookie:x=1", "/")]
    {
        let form = format!("login=op&password={}&next={next}", PASSWORD.replace(' ', "+"));
        let answer = web.visitor().post("/api/auth/log-in", &form).await;
        assert_eq!((answer.status().as_u16(), location(&answer)), (303, to), "{next}");
    }
    let answer = web.visitor().post("/api/auth/log-in", "login=op&password=x&next=/rooms/1").await;
    assert_eq!(location(&answer), "/login?next=/rooms/1&e=bad-credentials");
});

both!(another_site_cannot_post_with_a_users_session, |w: World| async move {
    let web = Web::start(&w).await;
    let person = web.person(&w, Role::Resident, "r101").await;
    let post = |name: &'static str, value: &str| {
        let url = format!("{}/api/auth/log-out", web.base);
        web.client.post(url).header("cookie", &person.cookie).header("accept", "text/html").header(name, value).send()
    };
    assert_eq!(post("sec-fetch-site", "cross-site").await.unwrap().status(), 403);
    assert_eq!(post("origin", "https://evil.example").await.unwrap().status(), 403);
    assert_eq!(person.get("/password").await.status(), 200, "still logged in");
    assert_eq!(post("origin", &web.base).await.unwrap().status(), 303);
    assert_eq!(person.get("/password").await.status(), 303);
});

both!(responses_are_private_and_scripts_need_the_nonce, |w: World| async move {
    let web = Web::start(&w).await;
    web.person(&w, Role::Admin, "root").await;
    let answer = web.visitor().get("/login").await;
    assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    let page = answer.text().await.unwrap();
    let scripts = page.matches("<script").count();
    assert!(scripts > 0);
    assert_eq!(page.matches(&format!("nonce=\"{nonce}\"")).count(), scripts + page.matches("rel=\"stylesheet\"").count());
    let again = web.visitor().get("/login").await;
    assert!(!again.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().contains(&nonce), "a nonce serves once");
});

both!(bad_requests_get_a_clear_error_in_the_users_language, |w: World| async move {
    let web = Web::start(&w).await;
    web.person(&w, Role::Admin, "root").await;
    let answer = web.visitor().get("/no/such/page").await;
    assert_eq!(answer.status(), 404);
    assert!(answer.text().await.unwrap().contains("没有这个页面"));
    let url = format!("{}/no/such/page", web.base);
    let english =
        web.client.get(&url).header("accept", "text/html").header("accept-language", "en-GB,zh;q=0.5").send().await.unwrap();
    assert!(english.text().await.unwrap().contains("Page not found"));
    let chosen =
        web.client.get(&url).header("accept", "text/html").header("accept-language", "en").header("cookie", "lang=zh-CN");
    assert!(chosen.send().await.unwrap().text().await.unwrap().contains("没有这个页面"));

    let huge = format!("login=op&password={}", "x".repeat(100_000));
    let answer = web.visitor().post("/api/auth/log-in", &huge).await;
    assert_eq!(answer.status(), 413);
    assert!(answer.text().await.unwrap().contains("表单超过 64 KB"), "a page says how large it may be, and what to do");
    let answer = web.visitor().program().post("/api/auth/log-in", &huge).await;
    assert_eq!((answer.status().as_u16(), &*answer.text().await.unwrap()), (413, r#""form-too-large""#));
    let json = web.client.post(format!("{}/api/auth/log-in", web.base)).header("content-type", "application/json");
    let answer =
        json.header("accept", "text/html").body(format!(r#"{{"login":"{}"}}"#, "x".repeat(100_000))).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    assert!(answer.text().await.unwrap().contains("64 KB"));
    assert!(chunked(&web.base, 100).await.starts_with("HTTP/1.1 413"), "also where no length is given");

    for form in ["", "login=op", "login=%ff%fe&password=x", "login[]=a&password=b", "login=a&login=b&password=c&next=%00"] {
        let answer = web.visitor().program().post("/api/auth/log-in", form).await;
        assert!(answer.status().is_client_error(), "{form}: {}", answer.status());
        let answer = web.visitor().post("/api/auth/log-in", form).await;
        assert!(answer.status().is_client_error() || location(&answer).contains("?e="), "{form}: {}", answer.status());
    }
    assert_eq!(web.visitor().send(Method::DELETE, "/login", "").await.status(), 405);
});

both!(the_server_shuts_down_gracefully, |w: World| async move {
    let mut web = Web::start(&w).await;
    assert_eq!(web.visitor().get("/health").await.status(), 200);
    // An open live stream must not delay it.
    let mut wall = web.person(&w, Role::Manager, "op").await.get("/live").await;
    assert_eq!(wall.status(), 200);
    assert!(wall.chunk().await.unwrap().is_some());
    web.stop();
    let stopped = tokio::time::timeout(std::time::Duration::from_secs(5), &mut web.running).await;
    stopped.expect("within seconds").unwrap().unwrap();
    assert!(web.client.get(&web.base).send().await.is_err());
});

both!(ended_sessions_are_deleted, |w: World| async move {
    let web = Web::start(&w).await;
    web.person(&w, Role::Manager, "op").await;
    assert_eq!(sessions::purge(&w.db, w.clock.now()).await.unwrap(), 0);
    w.clock.advance(12 * HOUR + MINUTE);
    assert_eq!(sessions::purge(&w.db, w.clock.now()).await.unwrap(), 1);
});

both!(every_way_to_log_in_is_stored_and_said, |w: World| async move {
    let web = Web::start(&w).await;
    let person = web.person(&w, Role::Resident, "li").await;
    let (user, now) = (UserId(users::by_login(&w.db, "li").await.unwrap().unwrap().id), w.clock.now());
    let proofs = [None, Some(SecondFactorProof::Code), Some(SecondFactorProof::RecoveryCode)];
    let mut opened = vec![LogIn::from(LogInMethod::Password)];
    for (n, method) in (1_u8..).zip(LogInMethod::ALL) {
        let log_in = LogIn { method, second_factor: proofs[usize::from(n) % 3] };
        let session =
            NewSession { hash: [n; 32], user, log_in, ip: String::new(), agent: String::new(), expires: now.plus(HOUR) };
        sessions::open(&w.db, now, &session).await.unwrap();
        opened.push(log_in);
    }
    let stored = sessions::of_person(&w.db, user, now).await.unwrap();
    let stored: Vec<_> = stored.iter().map(|one| LogIn { method: one.method, second_factor: one.second_factor }).collect();
    assert!(stored.len() == opened.len() && opened.iter().all(|one| stored.contains(one)), "{stored:?}");
    for lang in Lang::ALL {
        let url = format!("{}/password", web.base);
        let request = web.client.get(url).header("cookie", format!("{}; lang={}", person.cookie, lang.tag()));
        let page = request.header("accept", "text/html").send().await.unwrap().text().await.unwrap();
        let missing: Vec<_> = opened.iter().map(|one| words::log_in(*one, lang)).filter(|said| !page.contains(said)).collect();
        assert_eq!(missing, [""; 0], "{page}");
    }
    let copy = person.get("/own-data.json").await.text().await.unwrap();
    for method in LogInMethod::ALL {
        assert!(copy.contains(&format!("\"{}\"", method.as_str())), "{method:?} in {copy}");
    }
    for (n, method) in (1_u8..).zip([LogInMethod::Password, LogInMethod::Phone, LogInMethod::Wechat]) {
        let first = FirstStep { user, method };
        second_factors::begin(&w.db, now, &first, &[n; 32], now.plus(HOUR)).await.unwrap();
        assert_eq!(second_factors::waits(&w.db, &[n; 32], now).await.unwrap(), Some(first));
    }
});

/// Posts chunks of 4 KiB without a content length; gives the status line.
async fn chunked(base: &str, chunks: usize) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = base.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/auth/log-in HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\nTransfer-Encoding: chunked\r\n\
         Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..chunks {
        // The server may close before the end.
        if stream.write_all(format!("1000\r\n{}\r\n", "x".repeat(4096)).as_bytes()).await.is_err() {
            break;
        }
    }
    let _ = stream.write_all(b"0\r\n\r\n").await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

both!(a_new_password_ends_what_browsers_were_known_by, |w: World| async move {
    let web = Web::start(&w).await;
    let person = web.person(&w, Role::Resident, "r101").await;
    let device = |answer: &reqwest::Response| {
        let cookies = answer.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap().to_owned());
        let mut names = cookies.map(|cookie| cookie.split(';').next().unwrap().to_owned());
        names.find(|cookie| cookie.contains("-device=")).unwrap()
    };
    let known_before = device(&web.visitor().log_in("r101", PASSWORD).await);
    let form = format!("old={PASSWORD}&new=a new long password").replace(' ', "+");
    let known_now = device(&person.post("/api/auth/password", &form).await);
    // Strangers guess until they wait for too long.
    while location(&web.visitor().log_in("r101", "guess").await) != "/login?e=rate-limited" {}
    let log_in = async |device: &str| {
        let mut browser = web.visitor();
        browser.cookie = device.to_owned();
        location(&browser.log_in("r101", "a new long password").await).to_owned()
    };
    assert_eq!(log_in(&known_before).await, "/login?e=rate-limited", "it may have been stolen with the old password");
    assert_eq!(log_in(&known_now).await, "/home");
});
