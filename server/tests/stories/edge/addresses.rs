//! The caller's address comes from the peer, or from a trusted proxy's last word.

use domain::clock::Clock;
use domain::wall_layout::Scope;
use model::person::Role;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use server::config::Config;
use services::auth::Passwords;
use store::users::{self, NewUser};
use story_support::web::{PASSWORD, Web};
use story_support::{World, both};

/// Logs in with these `X-Forwarded-For` lines; gives the address that the session was opened from.
async fn opened_from(w: &World, web: &Web, lines: &[&str]) -> String {
    let form = format!("login=op&password={}", PASSWORD.replace(' ', "+"));
    let mut request = web.client.post(format!("{}/api/auth/log-in", web.base)).header(ACCEPT, "text/html");
    request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
    for line in lines {
        request = request.header("x-forwarded-for", *line);
    }
    assert_eq!(request.send().await.unwrap().status(), 303);
    w.word("SELECT ip FROM audit WHERE action = 'session.open' ORDER BY seq DESC LIMIT 1").await
}

both!(only_a_trusted_proxy_names_the_caller, |w: World| async move {
    let password_hash = Passwords::new(w.rng.clone()).unwrap().hash(PASSWORD).await.unwrap();
    let user = NewUser { role: Role::Manager, login: "op", name: "op", password_hash: &password_hash, buildings: &Scope::All };
    users::create(&w.db, &w.rng, w.clock.now(), &user, "test").await.unwrap();
    let mut config = Config::default();
    config.server.address.set_port(0);
    let mut web = Web::with(&w, config.clone(), w.clock.clone()).await;
    assert_eq!(opened_from(&w, &web, &["1.2.3.4"]).await, "127.0.0.1", "anybody can send the line");
    web.stop();
    (&mut web.running).await.unwrap().unwrap();
    config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let web = Web::with(&w, config, w.clock.clone()).await;
    assert_eq!(opened_from(&w, &web, &["1.2.3.4"]).await, "1.2.3.4");
    assert_eq!(opened_from(&w, &web, &["9.9.9.9", "8.8.8.8, 2001:db8::1"]).await, "2001:db8::1");
    assert_eq!(opened_from(&w, &web, &["9.9.9.9, 1.2.3.4, 127.0.0.7"]).await, "1.2.3.4", "two proxies");
    assert_eq!(opened_from(&w, &web, &["<b>who</b>"]).await, "127.0.0.1", "no address");
});
