//! Price plans: their page and year, a dry run, the price of a kWh now, and why a day cost what it did; on both databases.

use app::api::approvals::ApprovalsPort;
use app::api::prices::PricesPort;
use domain::clock::Clock;
use domain::order::Limits;
use domain::returns::Rules;
use estate::place_groups;
use model::approval::{Outcome, PlanPrices};
use model::console::{PriceChange, Typical};
use model::defaults::DefaultsOf;
use model::energy::Energy;
use model::error::AppError;
use model::ids::{MeterId, PlaceGroupId, PlaceId, Uuid};
use model::meter::Wallet;
use model::money::{Fen, Money};
use model::parameters::TierPeriod;
use model::person::Role;
use model::tariff::{NewVersion, Prices, Tiers, parse_plan};
use model::time::{DAY, Date, HOUR, MINUTE, SECOND};
use services::auth::Passwords;
use services::console::ConsoleService;
use store::wallets;
use story_support::room_fixture::RoomFixture;
use story_support::web::{Web, location};
use story_support::{World, both};

async fn console(w: &World) -> ConsoleService {
    let (context, passwords) = (w.context().await, Passwords::new(w.rng.clone()).unwrap());
    ConsoleService::new(context, passwords, Limits::default(), Rules::default())
}

async fn plan_of(fixture: &RoomFixture) -> Uuid {
    story_support::refunding::uuid(&fixture.w, "SELECT id FROM price_plans WHERE name = 'rooms'").await
}

/// Off-peak by night, peak by day, with tiers of a month.
fn rich() -> Prices {
    Prices {
        rates: [9_000, 7_001, 5_000, 3_000],
        tiers: Tiers { period: TierPeriod::Month, thresholds: [500, 1_500], surcharges: [501, 3_003] },
        tables: ["00:00=4 07:15=2 19:00=1 22:30=4".parse().unwrap(), Default::default()],
        plan: parse_plan("01-01=1").unwrap(),
    }
}

both!(a_plan_page_shows_versions_places_and_the_year, |w: World| async move {
    let (fixture, _) = RoomFixture::supplied(w, 5_000, 20_000).await;
    let (w, port) = (&fixture.w, console(&fixture.w).await);
    let (one, two) = (w.admin("one").await, w.admin("two").await);
    let later = w.clock.now().date().plus(40).start();
    let asked = port.publish_prices(&one, "rooms", Some(later), Prices { rates: [5_000, 5_000, 6_000, 5_000], ..rich() }).await;
    assert_eq!(asked, Ok(Outcome::Waits));
    let plan = plan_of(&fixture).await;
    let page = port.price_plan(&one, plan, None).await.unwrap();
    assert_eq!((page.versions.len(), page.waiting.unwrap().0.as_str()), (1, "one"));
    let id = port.waiting(&two).await.unwrap().remove(0).id;
    w.clock.advance(MINUTE);
    port.approve(&two, id).await.unwrap();

    let page = port.price_plan(&one, plan, Some(later.date().ymd().0)).await.unwrap();
    let [second, first] = &page.versions[..] else { panic!("{:?}", page.versions) };
    assert_eq!((first.number, second.number, second.effective_at, page.waiting.is_none()), (1, 2, later, true));
    assert_eq!((second.by.as_deref(), second.approved_by.as_deref()), (Some("one"), Some("two")));
    assert_eq!((first.by.as_deref(), first.approved_by.as_deref()), (Some("clerk"), None));
    let changes = [
        PriceChange::Rate { rate: 3, before: 5_000, now: 6_000 },
        PriceChange::Tiers,
        PriceChange::Table(1),
        PriceChange::Seasons,
    ];
    assert_eq!(second.changes, changes);
    assert_eq!(page.versions.iter().find(|version| version.number == 1), page.in_force());
    let [place] = &page.places[..] else { panic!("{:?}", page.places) };
    assert_eq!((place.name.as_str(), place.meter_wallets, place.server_wallets), ("3", 0, 1));
    let kind = |day: Date| {
        page.year.days.iter().find(|one| one.day == day).and_then(|day| Some(page.year.kinds[day.kind?].versions.clone()))
    };
    assert_eq!(kind(later.date()), Some(vec![2]));
    let last = page.year.days.last().unwrap().day;
    assert_eq!((page.year.days[0].day.ymd().1, last.ymd().1), (1, 12), "a whole year");
    assert_eq!(port.price_plan(&one, one.user.0, None).await, Err(AppError::NotFound));
});

both!(a_second_person_sees_the_prices_now_and_afterwards, |w: World| async move {
    let (fixture, _) = RoomFixture::supplied(w, 10_000, 20_000).await;
    let (w, port) = (&fixture.w, console(&fixture.w).await);
    let (one, two) = (w.admin("one").await, w.admin("two").await);
    assert_eq!(port.publish_prices(&one, "quiet", None, Prices::flat(7_000)).await, Ok(Outcome::Waits));
    let id = port.waiting(&two).await.unwrap().remove(0).id;
    port.approve(&two, id).await.unwrap();
    let quiet = story_support::refunding::uuid(w, "SELECT id FROM price_plans WHERE name = 'quiet'").await;
    // Of the places of the group, the room is nearer than its building, which has a plan of its own.
    let room = PlaceId(story_support::refunding::uuid(w, "SELECT place_id FROM meters").await);
    let group = place_groups::create(&w.db, &w.rng, w.clock.now(), &one, "quiet rooms").await.unwrap();
    place_groups::change(&w.db, w.clock.now(), &one, group, &[fixture.building, room], &[]).await.unwrap();
    w.clock.advance(MINUTE);
    assert_eq!(port.assign_prices(&one, DefaultsOf::Group(group), Some(quiet)).await, Ok(Outcome::Waits));
    let waits = port.waiting(&two).await.unwrap().remove(0);
    let [change] = &waits.reach.as_ref().unwrap().changes[..] else { panic!("{waits:?}") };
    assert_eq!((change.rooms, change.meters), (1, 1));
    assert!(change.place.as_deref().unwrap().starts_with("3 "), "{change:?}");
    let shown = |plan: &Option<PlanPrices>| plan.clone().map(|one| (one.plan, one.prices.flat_price().unwrap()));
    assert_eq!(shown(&change.before), Some(("rooms".to_owned(), Money(10_000))));
    assert_eq!(shown(&change.after), Some(("quiet".to_owned(), Money(7_000))));
    let web = Web::start(w).await;
    let page = web.person(w, Role::Admin, "three").await.get("/approvals").await.text().await.unwrap();
    for part in ["rooms：1.0000 元/kWh", "quiet：0.7000 元/kWh"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    web.stop();
    port.approve(&two, waits.id).await.unwrap();
    w.clock.advance(MINUTE);
    assert_eq!(port.price_now(&one, fixture.meter).await.unwrap().plan.unwrap().name, "quiet", "as it was shown");
});

both!(a_dry_run_prices_rooms_and_publishes_nothing, |w: World| async move {
    let (fixture, _) = RoomFixture::supplied(w, 10_000, 20_000).await;
    let (w, port, boss) = (&fixture.w, console(&fixture.w).await, fixture.w.admin("boss").await);
    let new = |plan: &str| NewVersion { plan: plan.into(), from: None, prices: Prices::flat(12_000) };
    w.clock.advance(SECOND);
    let assumed = port.try_prices(&boss, &new("rooms")).await.unwrap();
    assert_eq!((assumed.rooms, assumed.costs.len(), assumed.costs[0].typical), (0, 1, Typical::Assumed));
    assert_eq!((assumed.costs[0].before, assumed.costs[0].after), (Some(Money(1_000_000)), Money(1_200_000)), "100 kWh");

    // 10 kWh on the day after the opening; then the day is over.
    let next = w.clock.now().date().plus(1).start().since(fixture.start) / MINUTE;
    fixture.record(vec![fixture.reading(next, 1_000), fixture.reading(next + 20 * 60, 11_000)]).await;
    w.clock.advance((next + 24 * 60 + 1) * MINUTE);
    let trial = port.try_prices(&boss, &new("rooms")).await.unwrap();
    assert_eq!((trial.rooms, trial.server_wallets, trial.meter_wallets, trial.second_person), (1, 1, 0, false));
    let [cost] = &trial.costs[..] else { panic!("{:?}", trial.costs) };
    assert_eq!((cost.typical, cost.energy), (Typical::Median, Energy(10_000)));
    assert_eq!((cost.before, cost.after), (Some(Money(100_000)), Money(120_000)));
    assert_eq!(trial.changes.len(), 4, "each rate: {:?}", trial.changes);
    let new_plan = port.try_prices(&boss, &new("another")).await.unwrap();
    assert_eq!((new_plan.plan, new_plan.costs[0].before, new_plan.costs[0].after), (None, None, Money(120_000)));

    let past = NewVersion { from: Some(w.clock.now().plus(-HOUR)), ..new("rooms") };
    assert_eq!(port.try_prices(&boss, &past).await, Err(AppError::Invalid));
    w.limit("boss").await;
    assert_eq!(port.try_prices(&boss, &new("rooms")).await, Err(AppError::Forbidden), "plans are for all buildings");
    let plan = plan_of(&fixture).await;
    let to_group = port.assign_prices(&boss, DefaultsOf::Group(PlaceGroupId(plan)), Some(plan)).await;
    assert_eq!(to_group, Err(AppError::Forbidden), "groups reach across buildings");
    assert_eq!(w.number("SELECT COUNT(*) FROM price_versions").await, 1);
    assert_eq!(w.number("SELECT COUNT(*) FROM approval_requests").await, 0);
});

both!(the_price_of_a_kwh_names_each_step, |w: World| async move {
    let (fixture, _) = RoomFixture::supplied(w, 10_000, 20_000).await;
    let (w, boss) = (&fixture.w, fixture.w.admin("boss").await);
    let from = w.clock.now().plus(MINUTE);
    fixture.publish(Some(from), rich()).await.unwrap();
    let later = w.clock.now().plus(30 * DAY);
    fixture.publish(Some(later), Prices::flat(1)).await.unwrap();
    fixture.record(vec![fixture.reading(1, 1_000), fixture.reading(61, 1_600)]).await;
    w.clock.advance(61 * MINUTE);
    let port = console(w).await;
    let now = port.price_now(&boss, fixture.meter).await.unwrap();
    let plan = now.plan.unwrap();
    assert_eq!((plan.name.as_str(), plan.number, plan.since, plan.given_to.1.as_str()), ("rooms", 2, from, "3"));
    assert_eq!((plan.next, now.own, now.wallet), (Some((3, later)), None, Wallet::Server));
    let last = now.last.unwrap();
    let shown = (last.at, last.tier, last.price);
    assert_eq!(shown, (fixture.start.plus(61 * MINUTE), 2, Money(i64::from(rich().price(last.rate)) + 501)), "{last:?}");
    let steps = now.steps.unwrap();
    let tier = steps.tier.unwrap();
    assert_eq!((tier.tier, tier.used, tier.surcharge, tier.next), (2, Energy(600), 501, Some(Energy(1_500))));
    let rate = rich().rate(w.clock.now());
    assert_eq!((steps.rate, steps.base, steps.price), (rate, rich().price(rate), Money(i64::from(rich().price(rate)) + 501)));
    assert_eq!(steps.season, Some(parse_plan("01-01=1").unwrap()[0]));

    // A new month begins at zero, before anything is charged in it.
    w.clock.advance(28 * DAY);
    let (_, month, _) = fixture.start.date().ymd();
    assert_ne!(w.clock.now().date().ymd().1, month);
    let steps = console(w).await.price_now(&boss, fixture.meter).await.unwrap().steps.unwrap();
    assert_eq!(steps.tier.unwrap().used, Energy::ZERO);

    // Only within the operator's buildings.
    w.limit("boss").await;
    let elsewhere = console(w).await;
    assert_eq!(elsewhere.price_now(&boss, fixture.meter).await, Err(AppError::NotFound));
    assert_eq!(elsewhere.day_cost(&boss, fixture.meter, w.clock.now().date()).await, Err(AppError::NotFound));
});

both!(each_day_sums_up_to_what_the_ledger_took, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 5_401, 50_000).await;
    let (w, boss) = (&fixture.w, fixture.w.admin("boss").await);
    fixture.publish(Some(w.clock.now().plus(10 * HOUR)), rich()).await.unwrap();
    let before = fixture.balance_e4().await;
    // Every 37 minutes over two midnights and more.
    fixture.record((1..=100).map(|n| fixture.reading(n * 37, 1_000 + n * 77)).collect()).await;
    w.clock.advance(100 * 37 * MINUTE);
    let port = console(w).await;
    let first = fixture.start.date();
    let books = async |most| wallets::day_books(&w.db, account, fixture.meter, first, most).await.unwrap();
    let all = books(wallets::DAY_CHARGES_MAX).await;
    assert!(!all.is_cut && all.charges.len() > 10);
    let cut = books(10).await;
    assert!(cut.is_cut && cut.charges[..] == all.charges[..10], "it is said that charges are missing");
    assert!(!books(all.charges.len()).await.is_cut);
    let (mut cost, mut took, mut energy, mut out) = (0, Money::ZERO, 0, 0);
    let mut straddling = Vec::new();
    for day in (first.0..=w.clock.now().date().0).map(Date) {
        let shown = port.day_cost(&boss, fixture.meter, day).await.unwrap();
        let lines: i64 = shown.lines.iter().map(|line| line.energy.0 * line.price.0).sum();
        assert_eq!(lines, shown.cost_e7, "price times energy");
        let ledger = shown.ledger.unwrap();
        let sum = shown.cost_e7 + ledger.other_days_e7 + ledger.carried_in_e7 - ledger.carried_out_e7;
        assert_eq!((sum, ledger.posted), (ledger.ledger.0 * 1_000, ledger.ledger), "{day}");
        assert_eq!(ledger.charges.iter().map(|part| part.cost_e7).sum::<i64>(), shown.cost_e7);
        if ledger.other_days_e7 > 0 {
            straddling.push(day);
        }
        (cost, energy, out) =
            (cost + shown.cost_e7, energy + shown.lines.iter().map(|line| line.energy.0).sum::<i64>(), ledger.carried_out_e7);
        took = took + ledger.ledger;
    }
    assert_eq!(energy, 7_700, "nothing is left out");
    assert!(straddling.len() >= 2, "readings went over midnight: {straddling:?}");
    assert_eq!((before - fixture.balance_e4().await) * 1_000 + out, cost, "all days are what the balance lost");
    assert!(took.0 * 1_000 > cost - 10_000_000, "{took}");
    let (fen, _) = Money(before - fixture.balance_e4().await).split_fen();
    assert_eq!(fen, Fen((cost - out) / 100_000));
    assert_eq!(port.day_cost(&boss, fixture.meter, w.clock.now().date().plus(1)).await, Err(AppError::NotFound));
    assert_eq!(port.day_cost(&boss, MeterId(boss.user.0), first).await, Err(AppError::NotFound));
    fixture.prove().await;
});

both!(a_version_is_made_in_the_browser_without_webassembly, |w: World| async move {
    let (fixture, _) = RoomFixture::supplied(w, 5_000, 20_000).await;
    let web = Web::start(&fixture.w).await;
    let boss = web.person(&fixture.w, Role::Admin, "boss").await;
    fixture.w.clock.advance(SECOND);
    let plan = plan_of(&fixture).await;
    let text = async |path: &str| boss.get(path).await.text().await.unwrap();
    let form = text(&format!("/prices/new?of={plan}")).await;
    for part in [r#"action="/prices/preview""#, r#"value="rooms""#, r#"name="price" "#, r#"value="0.5000""#, "s1_to_month"] {
        assert!(form.contains(part), "{part}: {form}");
    }
    // A name is as long as the form says, in characters.
    let name = "%E4%BB%B7".repeat(60);
    let tiers = "period=month&threshold2=240.5&threshold3=400&surcharge2=0.05&surcharge3=0.3";
    let long = text(&format!("/prices/preview?plan={name}&kind=flat&price=0.6&{tiers}")).await;
    assert!(long.contains("/api/operator/publish-prices") && long.contains("240.50 kWh"), "{long}");
    let wrong = text("/prices/preview?plan=rooms&kind=flat&price=11&period=none").await;
    assert!(wrong.contains("不超过 10 元/kWh") && wrong.contains(r#"value="11""#), "{wrong}");
    let preview = text("/prices/preview?plan=rooms&kind=flat&price=0.6&period=none").await;
    for part in ["0.5000 → 0.6000", "60.00", "+10.00", r#"action="/api/operator/publish-prices""#, "发布新版本"] {
        assert!(preview.contains(part), "{part}: {preview}");
    }
    // What the preview's form posts: the fields that described the version, and no others.
    let hidden: Vec<(&str, &str)> = preview
        .split("<input type=\"hidden\" name=\"form[")
        .skip(1)
        .filter_map(|rest| {
            let (name, rest) = rest.split_once("]\" value=\"")?;
            Some((name, rest.split_once('"')?.0))
        })
        .collect();
    assert_eq!(hidden, [("kind", "flat"), ("period", "none"), ("plan", "rooms"), ("price", "0.6")]);
    let publish = async |fields: &[(&str, &str)]| {
        let form: Vec<String> = fields.iter().map(|(name, value)| format!("form%5B{name}%5D={value}")).collect();
        location(&boss.post("/api/operator/publish-prices", &form.join("&")).await).to_owned()
    };
    let passed = [&hidden[..], &[("from", "2020-01-01T00:00")]].concat();
    assert!(publish(&passed).await.starts_with("/prices/preview?from=2020-01-01T00%3A00&kind=flat"), "it says what is wrong");
    let published = publish(&hidden).await;
    assert_eq!(published, "/prices?done=published&plan=rooms");
    let told = text(&published).await;
    assert!(told.contains("“rooms”版本 2 已发布，自今天") && told.contains("起执行：0.6000 元/kWh。"), "{told}");
    let assigned = boss.post("/api/operator/assign-prices", &format!("place={}&plan={plan}", fixture.building)).await;
    let told = text(location(&assigned)).await;
    assert!(told.contains("“3”的电价方案现为“rooms”。"), "{told}");
    let page = text(&format!("/prices/{plan}")).await;
    for part in ["执行中", "0.6000", "日历", "12月", "系统钱包"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let room = fixture.meter;
    let why = text(&format!("/rooms/{room}/price")).await;
    assert!(why.contains("0.6000") && why.contains("rooms"), "{why}");
    let day = text(&format!("/rooms/{room}/days/{}", fixture.w.clock.now().date())).await;
    assert!(day.contains("电费明细"), "{day}");
    // Who may not set prices reads them.
    let cashier = web.person(&fixture.w, Role::Cashier, "cashier").await;
    assert_eq!(cashier.get(&format!("/prices/{plan}")).await.status(), 200);
    assert_eq!(cashier.get("/prices/new").await.status(), 403);
    assert_eq!(boss.get("/prices/nothing").await.status(), 404);
});
