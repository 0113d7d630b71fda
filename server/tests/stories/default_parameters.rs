//! Default parameters by place: inherited downwards, and issued to the meters that differ; on both databases.

use std::fmt::Display;

use domain::clock::Clock;
use estate::place_groups;
use estate::places::{self, NewPlace};
use model::defaults::{DefaultValues, DefaultsOf};
use model::error::AppError;
use model::ids::{GatewayId, MeterId, PlaceId};
use model::parameters::{Limits, Parameters};
use model::person::Role;
use model::place::PlaceKind;
use store::StoreError;
use store::meters::{self, NewMeter};
use store::parameters;
use story_support::web::{Person, Web, field, location};
use story_support::{World, both};

/// A site with two buildings; the first has two rooms with a meter each, the second one.
pub struct Estate {
    pub gateway: GatewayId,
    pub site: PlaceId,
    pub buildings: [PlaceId; 2],
    pub rooms: [PlaceId; 3],
    pub meters: [MeterId; 3],
}

pub async fn estate(w: &World) -> Estate {
    let gateway = w.gateways(&["127.0.0.1:1502".parse().unwrap()]).await[0];
    let now = w.clock.now();
    let [site, a, b] = [(); 3].map(|()| PlaceId(w.rng.id(now)));
    let rooms = [(); 3].map(|()| PlaceId(w.rng.id(now)));
    let ids = [(); 3].map(|()| MeterId(w.rng.id(now)));
    let mut tx = w.db.begin().await.unwrap();
    let places = [
        (site, None, PlaceKind::Site, "Campus"),
        (a, Some(site), PlaceKind::Building, "A"),
        (b, Some(site), PlaceKind::Building, "B"),
        (rooms[0], Some(a), PlaceKind::Room, "101"),
        (rooms[1], Some(a), PlaceKind::Room, "102"),
        (rooms[2], Some(b), PlaceKind::Room, "201"),
    ];
    for (id, parent, kind, name) in places {
        places::add(&mut tx, &NewPlace { id, parent, kind, name, sort: 1 }).await.unwrap();
    }
    for (unit, (id, place)) in (1..).zip(ids.into_iter().zip(rooms)) {
        let serial = format!("{unit:012}");
        let new = NewMeter { id, place, gateway, unit, serial, profile: "rpp".into(), wallet: model::meter::Wallet::Meter };
        meters::add_meter(&mut tx, now, &new).await.unwrap();
    }
    tx.commit().await.unwrap();
    Estate { gateway, site, buildings: [a, b], rooms, meters: ids }
}

/// The meter was read with these limits.
async fn read(w: &World, meter: MeterId, limits: Limits) {
    let parameters = Parameters { limits, ..Parameters::default() };
    parameters::store(&w.db, &w.rng, w.clock.now(), meter, 1, &parameters).await.unwrap();
}

async fn set(person: &Person<'_>, of: impl Display, values: [&str; 5]) -> String {
    let [alarm1, alarm2, overdraft, hoarding, overload] = values;
    let form = format!(
        "of={of}&interval_s=&alarm1={alarm1}&alarm2={alarm2}&overdraft={overdraft}&hoarding={hoarding}&overload_w={overload}"
    );
    location(&person.post("/api/operator/settings/defaults", &form).await).to_owned()
}

async fn page(person: &Person<'_>, of: impl Display) -> String {
    person.get(&format!("/settings?of={of}")).await.text().await.unwrap()
}

both!(a_place_inherits_what_it_does_not_set, |w: World| async move {
    let estate = estate(&w).await;
    let web = Web::start(&w).await;
    let mut admin = web.person(&w, Role::Admin, "admin").await;
    admin.cookie += "; lang=en";
    let saved = set(&admin, estate.site, ["20", "5", "0", "500", "1800"]).await;
    assert_eq!(saved, format!("/settings?of={}&done=defaults", estate.site));
    let told = admin.get(&saved).await.text().await.unwrap();
    assert!(told.contains("Default parameters set here: ") && told.contains("20.00; "), "{told}");
    set(&admin, estate.buildings[0], ["", "", "", "", "2500"]).await;
    let shown = page(&admin, estate.buildings[0]).await;
    assert!(shown.contains("20.00, from Campus") && shown.contains("Set here"), "{shown}");
    let shown = page(&admin, estate.buildings[1]).await;
    assert!(shown.contains("1800, from Campus") && !shown.contains("Set here"));
    // An empty form is inherited again.
    set(&admin, estate.buildings[0], [""; 5]).await;
    assert!(page(&admin, estate.buildings[0]).await.contains("1800, from Campus"));
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'site.defaults'").await, 3);
    // Alarm 2 above an inherited alarm 1, and what is no amount.
    assert!(set(&admin, estate.buildings[0], ["", "21", "", "", ""]).await.ends_with("e=alarm-order"));
    // An alarm 1 below the alarm 2 that a place below sets, and below the one that it inherits.
    set(&admin, estate.buildings[1], ["", "15", "", "", ""]).await;
    assert!(set(&admin, estate.site, ["10", "5", "0", "500", "1800"]).await.ends_with("e=alarm-order"));
    set(&admin, estate.buildings[1], ["6", "", "", "", ""]).await;
    assert!(set(&admin, estate.site, ["20", "8", "0", "500", "1800"]).await.ends_with("e=alarm-order"));
    set(&admin, estate.buildings[1], [""; 5]).await;
    for bad in [["x", "", "", "", ""], ["", "", "", "", "65536"], ["-1", "", "", "", ""]] {
        assert!(set(&admin, estate.buildings[0], bad).await.ends_with("e=invalid"), "{bad:?}");
    }
    let set = store::defaults::tree(&w.db).await.unwrap();
    assert_eq!(
        set.own(DefaultsOf::Place(estate.buildings[0])),
        DefaultValues::default(),
        "nothing of what was refused is stored"
    );
    let clerk = web.person(&w, Role::Cashier, "clerk").await;
    assert_eq!(clerk.get("/settings").await.status(), 403);
    story_support::closings::proved(&w).await;
});

both!(the_defaults_are_issued_to_meters_that_differ, |w: World| async move {
    let estate = estate(&w).await;
    let wanted = Limits { alarm1: 2_000, alarm2: 500, overdraft: 0, hoarding: 50_000, overload_w: 1_800 };
    // The first has the defaults, the second differs, the third differs and has others above it.
    read(&w, estate.meters[0], wanted).await;
    read(&w, estate.meters[1], Limits { alarm1: 1_000, ..wanted }).await;
    read(&w, estate.meters[2], wanted).await;
    let web = Web::start(&w).await;
    let mut admin = web.person(&w, Role::Admin, "admin").await;
    admin.cookie += "; lang=en";
    set(&admin, estate.site, ["20", "5", "0", "500", "1800"]).await;
    set(&admin, estate.buildings[1], ["", "", "", "", "2500"]).await;
    let shown = page(&admin, estate.site).await;
    assert!(
        shown.contains("2 meters have other limits") && shown.matches("Issue to 1 meter<").count() == 2,
        "one link for each: {shown}"
    );
    let start = admin.get("/start").await.text().await.unwrap();
    assert!(start.contains("5 limits set; 2 meters have other limits"), "the list of what is missing says it: {start}");
    assert!(start.contains("href=\"/settings#issue\""));
    let links = shown.split("href=\"/commands/new?kind=limits").skip(1).map(|rest| rest.split('"').next().unwrap());
    let link = links.map(|rest| rest.replace("&amp;", "&")).find(|rest| rest.contains("overload_w=1800")).unwrap();
    let link = format!("/commands/new?kind=limits{link}");
    assert!(link.contains(&estate.site.to_string()) && link.contains("alarm1=20.00"), "{link}");
    assert_eq!(admin.get(&link).await.status(), 200);
    let preview = link.replacen("/commands/new", "/commands/preview", 1) + "&lost=1";
    let preview = admin.get(&preview).await.text().await.unwrap();
    let field = |name: &str| field(&preview, name).replace("&quot;", "%22").replace("&#34;", "%22");
    let form = format!(
        "kind=limits&issue={}&meter=&places=&rooms=&lost=1&differs={}&seal={}&key={}",
        field("issue"),
        field("differs"),
        field("seal"),
        field("key")
    );
    let issued = admin.post("/api/operator/issue", &form).await;
    assert!(location(&issued).starts_with("/commands/") && !location(&issued).contains("e="), "{}", location(&issued));
    assert_eq!(w.number("SELECT COUNT(*) FROM commands WHERE kind = 'limits'").await, 1);
    let meter = w.word("SELECT m.serial FROM commands c JOIN meters m ON m.id = c.meter_id WHERE c.kind = 'limits'").await;
    assert_eq!(meter, "000000000002", "exactly the one that differs and inherits the site's values");
    // It was read as it should be meanwhile: the form of before no longer applies.
    read(&w, estate.meters[1], wanted).await;
    let again = form.replace(&field("key"), "019b0000-0000-7000-8000-000000000009");
    assert!(location(&admin.post("/api/operator/issue", &again).await).ends_with("e=conflict"));
    assert!(page(&admin, estate.buildings[0]).await.contains("All meters whose limits are known have these values"));
});

both!(a_group_has_default_parameters_of_its_own, |w: World| async move {
    let estate = estate(&w).await;
    let wanted = Limits { alarm1: 2_000, alarm2: 500, overdraft: 0, hoarding: 50_000, overload_w: 1_800 };
    for meter in estate.meters {
        read(&w, meter, wanted).await;
    }
    let web = Web::start(&w).await;
    let mut admin = web.person(&w, Role::Admin, "admin").await;
    admin.cookie += "; lang=en";
    set(&admin, estate.site, ["20", "5", "0", "500", "1800"]).await;
    let who = w.admin("chief").await;
    let (db, now) = (&w.db, w.clock.now());
    let group = place_groups::create(db, &w.rng, now, &who, "Air conditioners").await.unwrap();
    place_groups::change(db, now, &who, group, &[estate.rooms[0], estate.buildings[1]], &[]).await.unwrap();
    let of = DefaultsOf::Group(group);
    assert_eq!(set(&admin, of, ["", "", "", "", "3500"]).await, format!("/settings?of=group%3A{group}&done=defaults"));
    let shown = page(&admin, of).await;
    assert!(shown.contains("2 meters have other limits") && shown.contains("Issue to 2 meters<"), "{shown}");
    assert!(shown.contains("As each place says") && shown.contains(">B<"), "{shown}");
    assert!(page(&admin, estate.site).await.contains("Air conditioners"));
    assert!(page(&admin, estate.rooms[0]).await.contains("3500, from Group \"Air conditioners\""));
    // What a building sets itself goes before its groups.
    set(&admin, estate.buildings[1], ["", "", "", "", "1800"]).await;
    assert!(page(&admin, of).await.contains("Issue to 1 meter<"));
    // An alarm 1 of the group below the site's alarm 2, at once or by a place that joins.
    assert!(set(&admin, of, ["4", "", "", "", ""]).await.ends_with("e=alarm-order"));
    set(&admin, estate.buildings[0], ["", "1", "", "", ""]).await;
    place_groups::change(db, now, &who, group, &[], &[estate.buildings[1]]).await.unwrap();
    set(&admin, of, ["4", "", "", "", ""]).await;
    let joins = place_groups::change(db, now, &who, group, &[estate.buildings[1]], &[]).await;
    assert!(matches!(joins, Err(StoreError::Refused(AppError::AlarmOrder))), "{joins:?}");
    place_groups::remove(db, now, &who, group).await.unwrap();
    assert_eq!(w.number("SELECT COUNT(*) FROM group_defaults").await, 0);
    assert_eq!(admin.get(&format!("/settings?of={of}")).await.status(), 404);
    story_support::closings::proved(&w).await;
});
