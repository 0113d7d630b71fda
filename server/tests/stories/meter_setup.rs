//! One meter: added, changed and retired by the console, on both databases.

use app::api::meter_setup::MeterSetupPort;
use domain::wall_layout::Scope;
use estate::places;
use meters::profile::Profiles;
use model::console::{MeterField, MeterForm, MeterFormError};
use model::error::AppError;
use model::ids::PlaceId;
use model::permission::Permissions;
use model::person::{Role, Who};
use model::place::PlaceKind;
use services::Context;
use services::meter_setup::MeterSetupService;
use story_support::closings::proved;
use story_support::{World, both};

struct Desk {
    w: World,
    context: Context,
    setup: MeterSetupService,
    boss: Who,
}

impl Desk {
    /// A site with the rooms A 101 and A 102, and a gateway.
    async fn new(w: World) -> Self {
        let permissions = Permissions::of(Role::Admin);
        let boss = Who { user: w.clerk().await, role: Role::Admin, permissions, name: "boss".into(), ip: String::new() };
        let context = w.context().await;
        let at = context.now();
        let add = async |parent: Option<PlaceId>, kind, name: &str| {
            let names = [name.to_owned()];
            places::create(&w.db, &w.rng, at, &boss, parent, (kind, &names)).await.unwrap()
        };
        let site = add(None, PlaceKind::Site, "园区").await;
        let building = add(Some(site), PlaceKind::Building, "A").await;
        add(Some(building), PlaceKind::Room, "101").await;
        add(Some(building), PlaceKind::Room, "102").await;
        w.gateways(&[([127, 0, 0, 1], 1502).into()]).await;
        let setup = MeterSetupService::new(context.clone(), Profiles::load(None).unwrap());
        Self { w, context, setup, boss }
    }

    fn form(&self, room: &str, unit: &str, serial: &str) -> MeterForm {
        MeterForm {
            room: room.into(),
            gateway: "127.0.0.1:1502".into(),
            unit: unit.into(),
            serial: serial.into(),
            profile: "rpp".into(),
            wallet: String::new(),
        }
    }
}

both!(a_meter_is_added_changed_and_retired, |w: World| async move {
    let d = Desk::new(w).await;
    let form = d.form("A 101", "7", "000000000107");
    let meter = d.setup.add_meter(&d.boss, &form).await.unwrap();
    assert_eq!(d.context.live.meter_places(&Scope::All).len(), 1, "it is on the wall at once");
    let wrong = |fields: &[MeterField]| MeterFormError::Wrong(fields.to_vec());
    for (form, error) in [
        (d.form("A 102", "8", "000000000107"), MeterFormError::Refused(AppError::SerialTaken)),
        (d.form("A 102", "7", "000000000108"), MeterFormError::Refused(AppError::AddressTaken)),
        (d.form("A 109", "8", "000000000108"), wrong(&[MeterField::Room])),
        (d.form("A 102", "248", "000000000108"), wrong(&[MeterField::Unit])),
        (d.form("A 102", "", "000000000108"), wrong(&[MeterField::Unit])),
        (d.form("A 102", "8", "108"), wrong(&[MeterField::Serial])),
        (MeterForm { profile: "none such".into(), ..d.form("A 102", "8", "000000000108") }, wrong(&[MeterField::Profile])),
        (MeterForm { wallet: "none such".into(), ..d.form("A 102", "8", "000000000108") }, wrong(&[MeterField::Wallet])),
        (MeterForm { gateway: "none such".into(), ..d.form("A 102", "8", "000000000108") }, wrong(&[MeterField::Gateway])),
        (d.form("A 109", "x", "108"), wrong(&[MeterField::Serial, MeterField::Room, MeterField::Unit])),
    ] {
        assert_eq!(d.setup.add_meter(&d.boss, &form).await.unwrap_err(), error, "{form:?}");
    }
    let shown = d.setup.meter_setup(&d.boss, Some(meter)).await.unwrap();
    assert_eq!((shown.in_use, shown.form.room.as_str(), shown.form.wallet.as_str()), (false, "A 101", "meter"));
    d.setup.change_meter(&d.boss, meter, &MeterForm { serial: String::new(), ..d.form("A 102", "9", "") }).await.unwrap();
    assert_eq!(d.context.live.meter_places(&Scope::All)[0].0.name().to_string(), "A 102");
    assert_eq!(d.w.word("SELECT serial FROM meters").await, "000000000107", "the serial number stays");

    d.setup.retire_meter(&d.boss, meter, "烧毁").await.unwrap();
    assert!(d.context.live.meter_places(&Scope::All).is_empty());
    assert_eq!(d.setup.retire_meter(&d.boss, meter, "烧毁").await.unwrap_err(), AppError::NotFound);
    // Its address and serial number are free again.
    d.setup.add_meter(&d.boss, &d.form("A 102", "9", "000000000107")).await.unwrap();
    assert_eq!(d.w.number("SELECT COUNT(*) FROM audit WHERE action LIKE 'meter.%'").await, 4);
    proved(&d.w).await;
});

both!(a_person_of_a_building_uses_its_gateways_only, |w: World| async move {
    let d = Desk::new(w).await;
    d.setup.add_meter(&d.boss, &d.form("A 101", "7", "000000000107")).await.unwrap();
    d.w.gateways(&[([127, 0, 0, 1], 1503).into()]).await;
    let tree = places::tree(&d.w.db).await.unwrap();
    let building = tree.children(tree.site().unwrap().id).next().unwrap().id;
    let new = store::users::NewUser {
        role: Role::Technician,
        login: "tools",
        name: "Tools",
        password_hash: "$argon2id$none",
        buildings: &Scope::Buildings([building].into()),
    };
    let user = store::users::create(&d.w.db, &d.w.rng, d.context.now(), &new, "test").await.unwrap();
    let permissions = Permissions::of(Role::Technician);
    let limited = Who { user, role: Role::Technician, permissions, name: String::new(), ip: String::new() };
    let foreign = MeterForm { gateway: "127.0.0.1:1503".into(), ..d.form("A 102", "8", "000000000108") };
    assert_eq!(d.setup.meter_setup(&limited, None).await.unwrap().gateways, ["127.0.0.1:1502"]);
    assert_eq!(d.setup.add_meter(&limited, &foreign).await.unwrap_err(), MeterFormError::Wrong(vec![MeterField::Gateway]));
    d.setup.add_meter(&limited, &d.form("A 102", "8", "000000000108")).await.unwrap();
    assert_eq!(d.setup.meter_setup(&d.boss, None).await.unwrap().gateways.len(), 2);
    d.setup.add_meter(&d.boss, &MeterForm { serial: "000000000109".into(), ..foreign }).await.unwrap();
});

both!(a_whole_room_name_is_not_a_part_of_another, |w: World| async move {
    let d = Desk::new(w).await;
    let site = places::tree(&d.w.db).await.unwrap().site().unwrap().id;
    let add = async |parent, kind, name: &str| {
        let names = [name.to_owned()];
        places::create(&d.w.db, &d.w.rng, d.context.now(), &d.boss, Some(parent), (kind, &names)).await.unwrap()
    };
    let building = add(site, PlaceKind::Building, "BA").await;
    add(building, PlaceKind::Room, "101").await;
    let whole = d.setup.add_meter(&d.boss, &d.form("A101", "10", "000000000110")).await.unwrap();
    assert_eq!(d.setup.meter_setup(&d.boss, Some(whole)).await.unwrap().form.room, "A 101", "BA 101 is another room");
});

both!(an_account_keeps_room_profile_and_wallet, |w: World| async move {
    let d = Desk::new(w).await;
    let meter = d.setup.add_meter(&d.boss, &d.form("A 101", "7", "000000000107")).await.unwrap();
    let one = store::accounts::TakeOver {
        meter,
        number: "2611230000000001".into(),
        opened_at: d.context.now(),
        epoch: 1,
        count: 0,
        cumulative: model::money::Fen::ZERO,
        resident: None,
    };
    store::accounts::take_over(&d.w.db, &d.w.rng, d.context.now(), &[one]).await.unwrap();
    assert!(d.setup.meter_setup(&d.boss, Some(meter)).await.unwrap().in_use);
    for form in [
        d.form("A 102", "7", ""),
        MeterForm { wallet: "none".into(), ..d.form("A 101", "7", "") },
        MeterForm { wallet: "server".into(), ..d.form("A 101", "7", "") },
    ] {
        assert_eq!(
            d.setup.change_meter(&d.boss, meter, &form).await.unwrap_err(),
            MeterFormError::Refused(AppError::MeterInUse),
            "{form:?}"
        );
    }
    d.setup.change_meter(&d.boss, meter, &d.form("A 101", "8", "")).await.unwrap();
    assert_eq!(d.w.number("SELECT unit FROM meters").await, 8);
    assert_eq!(d.setup.retire_meter(&d.boss, meter, "x").await.unwrap_err(), AppError::MeterInUse);
    assert_eq!(d.w.number("SELECT COUNT(*) FROM meters WHERE retired_at IS NOT NULL").await, 0);
    proved(&d.w).await;
});
