//! Forms that are refused, as browsers without scripts meet them: they come back filled, with the error at its field.

use model::person::Role;
use story_support::web::{Person, Web, location};
use story_support::{World, both};

/// Posts a form that is refused; gives the page to which it leads back.
async fn refused(person: &Person<'_>, path: &str, form: &str) -> (String, String) {
    let answer = person.post(path, form).await;
    assert_eq!(answer.status(), 303, "{path}");
    let back = location(&answer).to_owned();
    let page = person.get(&back).await.text().await.unwrap();
    (back, page)
}

both!(a_form_that_succeeded_says_what_it_did, |w: World| async move {
    w.room(1).await;
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    let page = location(&boss.post("/api/operator/places/add-group", "name=Freshers").await).to_owned();
    let id = page.rsplit('/').next().unwrap();
    for (form, after, words) in [
        ("name=Quiet&remove=", format!("{page}?done=group-renamed"), "分组已改名。"),
        ("name=&remove=1", "/places/groups?done=group-removed".to_owned(), "分组已删除"),
    ] {
        let answer = boss.post("/api/operator/places/change-group", &format!("group={id}&{form}")).await;
        assert_eq!(location(&answer), after);
        let told = boss.get(&after).await.text().await.unwrap();
        assert!(told.contains(words), "{words}: {told}");
    }
    let scheme = boss.post("/api/operator/numbers/scheme", "kind=running&prefix=77&next=5&check=").await;
    let told = boss.get(location(&scheme)).await.text().await.unwrap();
    assert!(told.contains("按“前缀加流水号”编号。下一个账户号：7700000000000005。"), "{told}");
});

both!(refused_form_comes_back_filled, |w: World| async move {
    let room = w.room(1).await;
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    assert!(location(&boss.post("/api/operator/places/add-group", "name=Freshers").await).starts_with("/places/groups/"));
    let (back, page) = refused(&boss, "/api/operator/places/add-group", "name=Freshers").await;
    assert_eq!(back, "/places/groups?e=name-taken");
    assert!(page.contains(r#"value="Freshers""#) && page.contains(r#"aria-invalid="true""#), "{page}");
    assert!(page.contains(r#"id="wrong-field""#) && page.contains("data-restored"), "{page}");
    // A page reloaded is still filled; nobody else sees it.
    assert!(boss.get(&back).await.text().await.unwrap().contains(r#"value="Freshers""#));
    let other = web.person(&w, Role::Admin, "other").await;
    assert!(!other.get(&back).await.text().await.unwrap().contains(r#"value="Freshers""#));

    // Many fields, one of them wrong: which one is said, and the others stay.
    let form = "of=meter&seconds=abc";
    let (back, page) = refused(&boss, "/api/operator/sweep-interval", &format!("{form}&id={}", room.meter)).await;
    assert!(back.starts_with(&format!("/rooms/{}?e=invalid", room.meter)), "{back}");
    assert!(page.contains(r#"id="wrong-field""#), "{page}");
    let scheme = "kind=running&prefix=26&next=many&check=1";
    let (_, page) = refused(&boss, "/api/operator/numbers/scheme", scheme).await;
    assert!(page.contains(r#"value="many""#) && page.contains(r#"value="26""#), "{page}");

    // A password that somebody typed is not kept.
    let resident = format!("meter={}&name=&login=x+y&password=secret-secret", room.meter);
    let (_, page) = refused(&boss, "/api/operator/add-resident", &resident).await;
    assert!(page.contains(r#"value="x y""#) && !page.contains("secret-secret"), "{page}");
});

both!(entries_before_a_confirmation_are_not_lost, |w: World| async move {
    let room = w.room(1).await;
    w.shows(room.meter, 0, 0, 5_000).await;
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    let asked = format!("/rooms/{}?do=return&amount=12x&tender=transfer&reason=moved+out", room.meter);
    let answer = boss.get(&asked).await;
    assert_eq!(answer.status(), 303, "nothing can be confirmed");
    let page = boss.get(location(&answer)).await.text().await.unwrap();
    assert!(page.contains(r#"value="12x""#) && page.contains(r#"value="moved out""#), "{page}");
    assert!(page.contains(r#"id="wrong-field""#), "{page}");

    // The confirmation leads back to the same entries.
    let page = boss.get(&asked.replace("12x", "12")).await.text().await.unwrap();
    let back = format!("/rooms/{}?again=return", room.meter);
    assert!(page.contains(&back), "{page}");
    let page = boss.get(&format!("{back}&amount=12&tender=transfer&reason=moved+out")).await.text().await.unwrap();
    assert!(page.contains(r#"value="12""#) && page.contains(r#"value="moved out""#), "{page}");

    // Many accounts at once: an amount that cannot be stands in its form again, beside the rooms.
    let page = boss.get("/accounts/open-many?step=preview&rooms=1+99999999999&amount=abc").await.text().await.unwrap();
    assert!(page.contains(r#"value="abc""#) && page.contains("1 99999999999"), "{page}");
});
