//! Commissioning: the checks of a meter, and its acceptance.

use domain::clock::Clock;
use model::parameters::{Limits, Parameters};
use model::person::Role;

use story_support::web::{Web, location};
use story_support::{World, both};

both!(a_meter_is_accepted_once_by_name_and_date, |w: World| async move {
    let meter = w.meter(1).await;
    let web = Web::start(&w).await;
    let (admin, operator) = (web.person(&w, Role::Admin, "root").await, web.person(&w, Role::Cashier, "desk").await);
    let here = format!("/meters/{meter}/commissioning");
    assert!(admin.get("/commissioning").await.text().await.unwrap().contains(&here));
    assert!(admin.get(&here).await.text().await.unwrap().contains("/api/operator/commissioning/accept"));
    assert!(!operator.get(&here).await.text().await.unwrap().contains("/api/operator/commissioning/accept"));
    let form = |comment: &str| format!("meter={meter}&comment={comment}");
    let post = async |comment: &str| location(&admin.post("/api/operator/commissioning/accept", &form(comment)).await).to_owned();
    // What was read is compared with the defaults that apply to the room.
    w.execute("INSERT INTO place_defaults (place_id, alarm1_fen) SELECT id, 4242 FROM places WHERE kind = 'room'").await;
    let known = Parameters { limits: Limits { alarm1: 777, alarm2: 5, ..Limits::default() }, ..Parameters::default() };
    store::parameters::store(&w.db, &w.rng, w.clock.now(), meter, 3, &known).await.unwrap();
    let page = admin.get(&here).await.text().await.unwrap();
    assert!(page.contains("7.77") && page.contains("42.42"), "{page}");
    // It was never read: whoever accepts it nevertheless says why.
    assert!(post("").await.contains("e=invalid"));
    assert_eq!(operator.post("/api/operator/commissioning/accept", &form("x")).await.status(), 403);
    assert_eq!(post("seen-at-the-meter").await, format!("{here}?done=accepted"));
    assert!(post("again").await.contains("e=conflict"));
    let page = operator.get(&here).await.text().await.unwrap();
    assert!(page.contains("root") && page.contains("seen-at-the-meter"));
    assert!(!admin.get("/commissioning").await.text().await.unwrap().contains(&here));
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'meter.accept'").await, 1);
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
    w.by_hand("UPDATE meter_acceptances SET comment = 'all good'").await.unwrap();
    assert_ne!(verify::verify(&w.db).await.unwrap().differences, []);
    web.stop();
});

both!(only_meters_whose_checks_are_good_are_accepted_together, |w: World| async move {
    w.meter(1).await;
    let web = Web::start(&w).await;
    let (admin, cashier) = (web.person(&w, Role::Admin, "root").await, web.person(&w, Role::Cashier, "desk").await);
    // It was never read.
    assert_eq!(location(&admin.post("/api/operator/commissioning/accept-good", "page=0").await), "/commissioning?accepted=0");
    assert_eq!(cashier.post("/api/operator/commissioning/accept-good", "page=0").await.status(), 403);
    assert_eq!(w.number("SELECT COUNT(*) FROM meter_acceptances").await, 0);
    web.stop();
});
