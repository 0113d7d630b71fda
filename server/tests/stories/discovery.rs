//! Looking for meters behind a gateway: what is found, told apart, and placed.

use std::sync::Arc;
use std::time::Duration;

use domain::framing::Framing;
use domain::order::Limits;
use meters::GatewayHandle;
use meters::profile::Profiles;
use model::gateway::scan::{Discovered, Scan, ScanMatch, ScanState};
use model::ids::GatewayId;
use model::language::Lang;
use model::permission::Permissions;
use model::person::{Role, Who};
use services::Context;
use services::auth::Passwords;
use services::discovery::DiscoveryService;
use services::site::SiteService;

use app::api::discovery::{DiscoveryPort, Placement, PlacementFault};
use model::site_workbook::{Column, Fault};
use story_support::site::{SOON, Site, until};
use story_support::{World, both};

async fn scanned(engine: &GatewayHandle, gateway: GatewayId) -> Scan {
    engine.start_scan(gateway).await.unwrap();
    until(SOON, "the scan", || async { engine.scan(gateway).unwrap().state != ScanState::Running }).await;
    engine.scan(gateway).unwrap()
}

fn at(scan: &Scan, unit: u8) -> &Discovered {
    scan.found.iter().find(|one| one.unit == Some(unit)).unwrap_or_else(|| panic!("nothing at {unit}: {scan:?}"))
}

both!(a_scan_tells_models_apart_and_names_what_is_wrong, |w: World| async move {
    let s = Site::with(w, 1, 5, |sim| {
        let meters = &mut sim.estate.gateways[0].meters;
        meters[1] = meters[1].clone().plain("acrel-ddsy1352");
        meters[2] = meters[2].clone().plain("eastron-sdm320y");
    })
    .await;
    let serials: Vec<String> = s.sim.meters().iter().map(|meter| meter.view().unwrap().serial.to_string()).collect();
    s.w.execute("UPDATE meters SET retired_at = 1 WHERE unit IN (2, 3)").await;
    s.w.execute("UPDATE meters SET serial = '999999999999' WHERE unit = 4").await;
    s.w.execute("UPDATE meters SET unit = 77 WHERE unit = 5").await;
    let engine = s.start().await;
    let gateway = engine.gateways()[0].id;
    let scan = scanned(&engine, gateway).await;
    assert_eq!((scan.state, scan.tried, scan.total), (ScanState::Done, 247, 247));
    assert_eq!(scan.found.len(), 5, "{scan:?}");
    assert_eq!((at(&scan, 1).standing, at(&scan, 1).profile.as_deref()), (ScanMatch::Known, Some("rpp")));
    assert_eq!((at(&scan, 2).standing, at(&scan, 2).profile.as_deref()), (ScanMatch::New, Some("acrel-ddsy1352")));
    assert_eq!(at(&scan, 2).serial, None, "this model does not say it");
    assert_eq!((at(&scan, 3).standing, at(&scan, 3).profile.as_deref()), (ScanMatch::New, Some("eastron-sdm320y")));
    assert_eq!(at(&scan, 3).serial.as_ref(), Some(&serials[2]));
    assert_eq!(at(&scan, 4).standing, ScanMatch::OtherSerial);
    assert_eq!(at(&scan, 5).standing, ScanMatch::Elsewhere);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM commands").await, 0, "it only reads");
    // What is new and says its serial number is in the workbook, where only its room is missing.
    let context = Context { gateway: Arc::new(engine.clone()), ..s.w.context().await };
    let profiles = Profiles::load(None).unwrap();
    let passwords = Passwords::new(s.w.rng.clone()).unwrap();
    let site = || SiteService::new(context.clone(), passwords.clone(), &profiles, Limits::default());
    let who = Who {
        user: s.clerk,
        role: Role::Admin,
        permissions: Permissions::of(Role::Admin),
        name: String::new(),
        ip: String::new(),
    };
    let discovery = DiscoveryService::new(context.clone(), site(), profiles.clone());
    let file = discovery.found_workbook(&who, gateway, Lang::Zh).await.unwrap();
    let checked = site().dry_run(&who, "found.xlsx", &file).await.unwrap();
    assert!(checked.problem_count > 0 && checked.problems.iter().all(|one| one.fault == Fault::Empty), "{checked:?}");
    // Only where something can be placed the page needs all rooms: it is sent every second while a scan runs.
    let shown = discovery.scan(&who, gateway).await.unwrap();
    assert!(shown.may_place() && !shown.profiles.is_empty());
    engine.start_scan(gateway).await.unwrap();
    let running = discovery.scan(&who, gateway).await.unwrap();
    assert!(!running.may_place() && running.rooms.is_empty() && running.profiles.is_empty(), "{:?}", running.scan);
    until(SOON, "the scan", || async { engine.scan(gateway).unwrap().state != ScanState::Running }).await;
    // What is registered meanwhile is no longer new.
    s.w.execute("UPDATE meters SET retired_at = NULL WHERE unit = 3").await;
    engine.reload();
    until(SOON, "the comparison", || async { at(&engine.scan(gateway).unwrap(), 3).standing != ScanMatch::New }).await;
    engine.stop().await;
});

both!(a_scan_does_not_hold_up_money_and_can_be_stopped, |w: World| async move {
    let s = Site::with(w, 1, 2, |sim| sim.estate.gateways[0].framing = Framing::Transparent).await;
    let engine = s.start().await;
    let gateway = engine.gateways()[0].id;
    engine.start_scan(gateway).await.unwrap();
    until(SOON, "some addresses", || async { engine.scan(gateway).unwrap().tried > 2 }).await;
    s.sell(0, 1_000).await;
    engine.wake();
    s.settled(SOON).await;
    let scan = engine.scan(gateway).unwrap();
    assert_eq!(scan.state, ScanState::Running, "the sale was first");
    engine.stop_scan(gateway);
    until(SOON, "the stop", || async { engine.scan(gateway).unwrap().state == ScanState::Stopped }).await;
    let tried = engine.scan(gateway).unwrap().tried;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(engine.scan(gateway).unwrap().tried, tried);
    engine.stop().await;
    s.prove().await;
});

both!(what_was_found_is_placed_all_or_nothing, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let context = s.w.context().await;
    let profiles = Profiles::load(None).unwrap();
    let site = SiteService::new(context.clone(), Passwords::new(s.w.rng.clone()).unwrap(), &profiles, Limits::default());
    let who = Who {
        user: s.clerk,
        role: Role::Admin,
        permissions: Permissions::of(Role::Admin),
        name: String::new(),
        ip: String::new(),
    };
    let rooms = "Building,Floor,Room\nB,1,101\nB,1,\"102, left\"\n";
    assert!(site.import(&who, "S", "rooms.csv", rooms.as_bytes()).await.unwrap().problems.is_empty());
    let gateway = store::meters::gateways(&s.w.db).await.unwrap()[0].id;
    let discovery = DiscoveryService::new(context, site, profiles);
    let room = |name: &str| format!("B 1 {name}");
    let place = |serial: &str, unit: &str, room: String| Placement {
        serial: serial.into(),
        unit: unit.into(),
        profile: "rpp".into(),
        room,
    };
    // As people type it elsewhere, and in full.
    let two = |unit: &str| [place("000000000077", "7", "B 101".into()), place("000000000078", unit, room("102, left"))];
    // One at the address of a registered meter: none is stored.
    let refused = discovery.place(&who, gateway, &two("1")).await.unwrap().unwrap_err();
    assert_eq!((refused.meter, refused.column), (Some(1), Some(Column::Unit)));
    assert!(matches!(refused.fault, Fault::AddressTaken(_)), "{refused:?}");
    let unknown = [place("000000000077", "7", "nowhere".into())];
    let refused = PlacementFault { meter: Some(0), column: Some(Column::Room), fault: Fault::UnknownRoom };
    assert_eq!(discovery.place(&who, gateway, &unknown).await.unwrap(), Err(refused));
    let missing = [place("000000000077", "", room("101"))];
    let refused = discovery.place(&who, gateway, &missing).await.unwrap().unwrap_err();
    assert_eq!((refused.meter, refused.column), (Some(0), Some(Column::Unit)), "Modbus asks by it");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM meters").await, 1);
    assert_eq!(discovery.place(&who, gateway, &two("8")).await.unwrap(), Ok(2));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM meters WHERE wallet = 'meter' AND unit IN (7, 8)").await, 2);
    let operator = Who { role: Role::Cashier, permissions: Permissions::of(Role::Cashier), ..who.clone() };
    assert!(discovery.place(&operator, gateway, &two("9")).await.is_err());
    // A meter of DL/T 645 is asked by its serial number; its room may be named as briefly as in the search.
    s.w.execute("UPDATE gateways SET framing = 'transparent'").await;
    let bare = Placement { serial: "000000000079".into(), profile: "dlt645".into(), room: "101".into(), ..Placement::default() };
    assert_eq!(discovery.place(&who, gateway, &[bare]).await.unwrap(), Ok(1));
    assert_eq!(s.w.number("SELECT unit FROM meters WHERE serial = '000000000079'").await, 247);
});
