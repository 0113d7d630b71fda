//! The settlement pages: who may open them, what they show, and what their forms do.

use super::*;
use model::person::Role;
use server::config::Config;
use story_support::web::{Web, location};

/// The product with its channels configured.
pub async fn web(shop: &Shop) -> Web {
    let mut config = Config::default();
    config.server.address.set_port(0);
    config.pay = payments::Config {
        public_url: format!("http://{}", shop.address),
        alipay: Some(shop.sandbox.product_config("127.0.0.1")),
        wechat: Some(shop.sandbox.wechat_config("127.0.0.1")),
        ..payments::Config::default()
    };
    Web::with(&shop.world, config, shop.world.clock.clone()).await
}

both!(an_operator_runs_reads_and_closes_a_day, |w: World| async move {
    let shop = Shop::open(w).await;
    let day = shop.today();
    let (_, number) = shop.pays(Tender::Alipay, 5_000).await;
    shop.next_day(1);
    let web = web(&shop).await;
    let person = web.person(&shop.world, Role::Manager, "treasurer").await;
    let (page, about) = (format!("/reconcile/alipay/{day}"), format!("channel=alipay&day={day}"));
    let text = person.get(&page).await.text().await.unwrap();
    assert!(text.contains("立即取账单") && text.contains("还没有取过"), "{text}");
    assert_eq!(person.get(&format!("/reconcile/alipay/{}", day.plus(-91))).await.status(), 404, "no statement is that old");
    let text = person.get("/reconcile").await.text().await.unwrap();
    assert!(text.contains("/api/operator/reconcile-run") && text.contains(&format!("max=\"{day}\"")), "{text}");
    shop.statement_faults(StatementFaults { amounts: [(number.clone(), "49.00".into())].into(), ..StatementFaults::default() });
    let answer = person.post("/api/operator/reconcile-run", &about).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, &*page));
    // Whoever presses again waits a moment; then it is the same.
    let answer = person.post("/api/operator/reconcile-run", &about).await;
    assert_eq!(location(&answer), format!("{page}?e=asked-just-now"));
    shop.world.clock.advance(10_000);
    let answer = person.post("/api/operator/reconcile-run", &about).await;
    assert_eq!(location(&answer), page);
    let text = person.get(&page).await.text().await.unwrap();
    for word in ["金额不一致", &number, "49.00", "50.00", "-1.00", "以渠道后台的实收金额为准", "有差异", "/rooms/"]
    {
        assert!(text.contains(word), "{word} in {text}");
    }
    let list = person.get("/reconcile").await.text().await.unwrap();
    assert!(list.contains(&page) && list.contains("1 条差异未处理"), "{list}");
    let file = person.get(&format!("/reconcile.csv?{about}")).await.text().await.unwrap();
    assert!(file.contains(&format!("金额不一致,{number},")) && file.contains("49.00"), "{file}");
    let answer = person.post("/api/operator/reconcile-close", &format!("{about}&reason=")).await;
    assert_eq!(location(&answer), format!("{page}?e=differences-open"));
    let answer = person.post("/api/operator/reconcile-close", &format!("{about}&reason=coupon")).await;
    assert_eq!(location(&answer), page);
    let text = person.get(&page).await.text().await.unwrap();
    assert!(text.contains("已结账") && text.contains("coupon"), "{text}");
    let key = shop.world.rng.id(domain::clock::Clock::now(&*shop.world.clock));
    let answer = person.post("/api/operator/reconcile-receipt", &format!("{about}&amount=48.71&key={key}")).await;
    assert_eq!(location(&answer), page);
    assert!(person.get(&page).await.text().await.unwrap().contains("48.71"));
    // What is not over, unknown, or no channel.
    let today = format!("channel=alipay&day={}", shop.today());
    let answer = person.post("/api/operator/reconcile-run", &today).await;
    assert!(location(&answer).ends_with("?e=invalid"), "{}", location(&answer));
    for page in ["/reconcile/cash/2026-11-25", "/reconcile/alipay/2026-02-30", "/reconcile/alipay/x"] {
        assert_eq!(person.get(page).await.status(), 404, "{page}");
    }
});

both!(operators_of_a_part_of_the_site_see_no_settlement, |w: World| async move {
    let shop = Shop::open(w).await;
    let day = shop.today();
    shop.pays(Tender::Alipay, 5_000).await;
    shop.next_day(11);
    shop.fetches(Tender::Alipay, day).await;
    let web = web(&shop).await;
    let person = web.person(&shop.world, Role::Manager, "caretaker").await;
    shop.world
        .execute(
            "INSERT INTO operator_buildings (user_id, place_id)
             SELECT u.id, p.id FROM users u, places p WHERE u.login = 'caretaker' AND p.kind = 'room'",
        )
        .await;
    shop.world.limit("caretaker").await;
    let about = format!("channel=alipay&day={day}");
    for page in ["/reconcile".to_owned(), format!("/reconcile/alipay/{day}"), format!("/reconcile.csv?{about}")] {
        assert_eq!(person.get(&page).await.status(), 403, "{page}");
    }
    for form in ["reconcile-run", "reconcile-close", "reconcile-receipt"] {
        let fields = format!("{about}&reason=x&amount=1.00&key=019b0000-0000-7000-8000-000000000000");
        let answer = person.post(&format!("/api/operator/{form}"), &fields).await;
        assert!(location(&answer).contains("e=forbidden"), "{form}: {}", location(&answer));
    }
    assert_eq!(shop.day(Tender::Alipay, day).await.closed_at, None);
});
