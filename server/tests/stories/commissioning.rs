//! Commissioning: the checks of a meter, and its acceptance.

use std::sync::Arc;

use app::api::commissioning::CommissioningPort;
use domain::clock::{Clock, SystemClock};
use meters::live::Live;
use model::parameters::{Limits, Parameters};
use model::permission::Permissions;
use model::person::{Role, Who};
use model::tariff::Prices;
use services::Context;
use services::auth::Passwords;
use services::console::ConsoleService;
use simulator::LineFault;
use store::prices::{self, Publication};
use story_support::site::{SOON, Site, until};
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
    // The checks have a button to read the meter again.
    let read = operator.post("/api/operator/read-now", &format!("meter={meter}&checks=1")).await;
    assert_eq!(location(&read), format!("{here}?done=read"));
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

both!(a_meter_whose_checks_are_not_good_is_not_accepted_with_others, |w: World| async move {
    let meter = w.meter(1).await;
    let web = Web::start(&w).await;
    let (admin, cashier) = (web.person(&w, Role::Admin, "root").await, web.person(&w, Role::Cashier, "desk").await);
    let form = format!("meters={meter}");
    // It was never read.
    assert_eq!(location(&admin.post("/api/operator/commissioning/accept-good", &form).await), "/commissioning?accepted=0");
    assert_eq!(cashier.post("/api/operator/commissioning/accept-good", &form).await.status(), 403);
    assert_eq!(w.number("SELECT COUNT(*) FROM meter_acceptances").await, 0);
    web.stop();
});

both!(the_good_ones_of_several_meters_are_accepted, |w: World| async move {
    let s = Site::new(w, 1, 2).await;
    s.meter(0, 2).fault(LineFault::Silent, 1.0).unwrap();
    let (good, silent) = (s.meters[0], s.meters[1]);
    let (clock, now): (domain::clock::SharedClock, _) = (Arc::new(SystemClock), SystemClock.now());
    let prices = Publication { plan: "rooms".into(), effective_at: None, prices: Prices::flat(5_000) };
    let plan = prices::publish(&s.w.db, &s.w.rng, now, None, &prices).await.unwrap();
    for meter in [good, silent] {
        let place = store::meters::find(&s.w.db, meter).await.unwrap().unwrap().place_id;
        prices::assign(&s.w.db, now, None, place, plan).await.unwrap();
    }
    let live = Live::load(&s.w.db, clock.clone()).await.unwrap();
    let engine = s.start_with(live.clone()).await;
    let gateway = Arc::new(engine.clone());
    let context = Context { db: s.w.db.clone(), clock, rng: s.w.rng.clone(), live, gateway };
    let (passwords, limits) = (Passwords::new(s.w.rng.clone()).unwrap(), domain::order::Limits::default());
    let console = ConsoleService::new(context, passwords, limits, domain::returns::Rules::default());
    let permissions = Permissions::of(Role::Technician);
    let who = Who { user: s.clerk, role: Role::Technician, permissions, name: "tools".into(), ip: String::new() };
    let is_good = async |meter| {
        let page = console.unaccepted(&who, 0).await.unwrap();
        page.lines.iter().any(|line| line.latest.meter == meter && line.is_good)
    };
    until(SOON, "ten answers", || is_good(good)).await;
    assert!(!is_good(silent).await);
    assert_eq!(console.accept_good(&who, &[good, silent]).await, Ok(1));
    assert_eq!(console.accept_good(&who, &[good, silent]).await, Ok(0), "once");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM audit WHERE action = 'meter.accept'").await, 1);
    let left: Vec<_> = console.unaccepted(&who, 0).await.unwrap().lines.iter().map(|line| line.latest.meter).collect();
    assert_eq!(left, [silent]);
    engine.stop().await;
});
