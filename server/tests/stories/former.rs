//! What is no longer in use is found and opened: closed accounts by number, meters out of service by serial number.

use model::person::Role;
use story_support::web::{Web, location};
use story_support::{World, both};

both!(retired_meter_and_closed_account_are_found, |w: World| async move {
    let gone = w.room(1).await;
    let stays = w.room(2).await;
    w.execute("UPDATE meters SET serial = '000000004711', retired_at = 5 WHERE unit = 1").await;
    w.execute("UPDATE accounts SET state = 'closed', closed_at = 5 WHERE number LIKE '%01'").await;
    w.execute("UPDATE account_meters SET to_at = 5 WHERE account_id IN (SELECT id FROM accounts WHERE closed_at = 5)").await;
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    let found = boss.get("/search?q=004711").await;
    assert_eq!((found.status().as_u16(), location(&found)), (303, &*format!("/rooms/{}", gone.meter)));
    let page = boss.get(location(&found)).await;
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("000000004711") && page.contains("2611230000000001"), "its account is named: {page}");
    assert!(page.contains(&format!("/meters/{}/readings", gone.meter)), "{page}");
    assert_eq!(boss.get(&format!("/meters/{}/readings", gone.meter)).await.status(), 200);

    let found = boss.get("/search?q=2611230000000001").await;
    assert_eq!((found.status().as_u16(), location(&found)), (303, "/accounts?q=2611230000000001&state=closed"));
    // Together with what is in use they are listed below it.
    let page = boss.get("/search?q=26112300000000").await.text().await.unwrap();
    assert!(page.contains("2611230000000001") && page.contains(&format!("/rooms/{}", stays.meter)), "{page}");

    // Nobody finds what is in other buildings.
    let nowhere = web
        .person_within(&w, Role::Cashier, "clerk2", &domain::wall_layout::Scope::Buildings(std::collections::BTreeSet::new()))
        .await;
    assert_eq!(nowhere.get(&format!("/rooms/{}", gone.meter)).await.status(), 404);
    assert_eq!(nowhere.get("/search?q=004711").await.status(), 200);
});
